//! `logtally import`: a config of another program in, rules and inputs out, and a line for all that has no equivalent.

use super::args::{Import, Peer};
use super::exit::Exit;
use super::{print, report};
use crate::error::{Place, Problem, Severity};
use crate::import::{self, Converted};
use crate::rules::Source;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a config that are read; a person's is far smaller.
const LARGEST: u64 = 8 << 20;

pub(super) fn run(args: &Import) -> Exit {
    let (name, text) = match read(&args.file) {
        Ok(found) => found,
        Err(problem) => return report(&[problem]),
    };
    let peer = match args.peer {
        Peer::Mtail => import::Peer::Mtail,
        Peer::GrokExporter => import::Peer::GrokExporter,
        Peer::Promtail => import::Peer::Promtail,
    };
    let source = [Source::Text { name: name.clone(), text: text.clone() }];
    match import::convert(peer, &name, &text) {
        Ok(converted) => match give(args, &converted) {
            Ok(()) => tell(&converted, &source),
            Err(problem) => {
                report(&[problem]);
                Exit::Failed
            }
        },
        Err(problems) => {
            print::error(crate::rules::render(&problems, &source).trim_end());
            Exit::Usage
        }
    }
}

fn read(file: &Path) -> Result<(String, String), Problem> {
    let stdin = file.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { file.to_string_lossy().into_owned() };
    let mut text = String::new();
    let read = match stdin {
        true => std::io::stdin().take(LARGEST + 1).read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_string(&mut text)),
    };
    let refuse = |message: String| {
        Problem::error(Place::new(file, 0, 0), message).hint("check the path after PROGRAM")
    };
    match read {
        Ok(length) if length as u64 > LARGEST => {
            Err(refuse(format!("it is larger than {} MiB, which no such config is", LARGEST >> 20)))
        }
        Ok(_) => Ok((name, text)),
        Err(error) => Err(refuse(format!("cannot read: {error}"))),
    }
}

/// Writes the rules, and the inputs where they were asked for; else they follow the rules as a comment.
fn give(args: &Import, converted: &Converted) -> Result<(), Problem> {
    let mut rules = converted.rules.clone();
    let inputs = with_rules(args, converted);
    match &args.inputs {
        Some(path) if !inputs.is_empty() => write(path, &inputs)?,
        _ if !inputs.is_empty() => {
            let lines = inputs.lines().map(|line| format!("# {line}\n").replace("# \n", "#\n"));
            rules.push_str("\n# The inputs, for a logtally.yml:\n#\n");
            rules.extend(lines);
        }
        _ => {}
    }
    for (name, text) in &converted.more {
        write(&beside(args, name).ok_or_else(several)?, text)?;
    }
    match &args.output {
        Some(path) => write(path, &rules),
        None => {
            print::out(&rules);
            Ok(())
        }
    }
}

fn several() -> Problem {
    Problem::error(Place::new("--output", 0, 0), "this config becomes several rule files")
        .hint("give --output rules.yml; the others are written beside it")
}

/// Where a further rule file stands: beside the first one, `NAME-job.yml` for `rules-job.yml`.
fn beside(args: &Import, name: &str) -> Option<PathBuf> {
    let first = args.output.as_ref()?;
    let stem = first.file_stem()?.to_string_lossy().into_owned();
    let job = name.strip_prefix("rules").unwrap_or(name);
    Some(first.with_file_name(format!("{stem}{job}")))
}

/// The inputs name the rule files as they are found from the config's folder.
fn with_rules(args: &Import, converted: &Converted) -> String {
    let inputs = converted.inputs.clone();
    let Some(first) = &args.output else { return inputs };
    let folder = args.inputs.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let found = |rules: &Path| {
        let within = rules.strip_prefix(folder).map(Path::to_path_buf);
        let path = within.or_else(|_| std::path::absolute(rules)).unwrap_or_else(|_| rules.to_path_buf());
        path.to_string_lossy().into_owned()
    };
    let more = converted.more.iter().filter_map(|(name, _)| Some((name, beside(args, name)?)));
    let inputs = more.fold(inputs, |inputs, (name, path)| inputs.replace(name.as_str(), &found(&path)));
    inputs.replace(import::RULES_PLACE, &found(first))
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    std::fs::write(path, text)
        .map_err(|error| Problem::error(Place::new(path, 0, 0), format!("cannot write: {error}")))
}

fn tell(converted: &Converted, source: &[Source]) -> Exit {
    let remarks = &converted.remarks;
    if remarks.is_empty() {
        return Exit::Good;
    }
    print::error(crate::rules::render(remarks, source).trim_end());
    let lost = remarks.iter().filter(|remark| remark.severity == Severity::Error).count();
    let notes = remarks.len() - lost;
    print::error(&format!("{lost} not converted exactly, {notes} to know"));
    if converted.is_complete() { Exit::Good } else { Exit::Failed }
}
