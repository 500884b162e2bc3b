//! Logs that real programs wrote, below `tests/fixtures/producers/logs`: each `.log` has a `.truth` beside it, whose
//! `#` lines say what wrote it and whose other lines are its events: line number, level, exception type if any.
//!
//! `LOGTALLY_WRITE_TRUTH=1` writes the events that the parser sees, for a person to read and correct.

use super::parser;
use crate::event::{Exception, Role};
use crate::parse::Memory;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The events of a file in the truth's form, by line number.
type Events = BTreeMap<usize, String>;

fn logs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/producers/logs");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    found.sort();
    found
}

fn seen(log: &[u8]) -> Events {
    let parser = parser();
    let mut memory = Memory::default();
    let mut events: BTreeMap<usize, (&str, Option<String>)> = BTreeMap::new();
    for (n, line) in log.strip_suffix(b"\n").unwrap_or(log).split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let found = parser.line(&mut memory, line);
        if found.role == Role::Start {
            events.insert(n + 1, (found.level.as_str(), None));
        }
        let Some(mut last) = events.last_entry() else { continue };
        let exception = &mut last.get_mut().1;
        match found.exception {
            Exception::None => {}
            Exception::Keep(_) if exception.is_some() => {}
            Exception::Keep(range) | Exception::Replace(range) => {
                let name = &line[range.start as usize..range.end as usize];
                *exception = Some(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    let row = |(n, (level, exception)): (usize, (&str, Option<String>))| {
        (n, exception.map_or(level.to_owned(), |name| format!("{level} {name}")))
    };
    events.into_iter().map(row).collect()
}

fn truth(text: &str) -> Events {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (n, event) = line.split_once(' ').unwrap();
            (n.parse().unwrap(), event.to_owned())
        })
        .collect()
}

fn write_truth(path: &Path, text: &str, seen: &Events) {
    let mut out: String =
        text.lines().filter(|line| line.starts_with('#')).map(|l| format!("{l}\n")).collect();
    for (n, event) in seen {
        writeln!(out, "{n} {event}").unwrap();
    }
    std::fs::write(path, out).unwrap();
}

#[test]
fn every_event_of_a_real_program_is_understood() {
    let logs = logs();
    assert!(logs.len() > 150, "{} logs", logs.len());
    let mut wrong = Vec::new();
    for log in logs {
        let text = std::fs::read(&log).unwrap();
        let truth_path = log.with_extension("truth");
        let stated = std::fs::read_to_string(&truth_path).unwrap_or_default();
        assert!(stated.starts_with("# "), "{}: what wrote it?", truth_path.display());
        let (seen, known) = (seen(&text), truth(&stated));
        if std::env::var_os("LOGTALLY_WRITE_TRUTH").is_some() {
            write_truth(&truth_path, &stated, &seen);
            continue;
        }
        let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
        let mut numbers: Vec<_> = seen.keys().chain(known.keys()).collect();
        numbers.sort();
        numbers.dedup();
        for n in numbers.into_iter().filter(|n| seen.get(n) != known.get(n)) {
            let line = String::from_utf8_lossy(lines[n - 1]);
            let name = log.file_name().unwrap().to_string_lossy();
            let (seen, known) = (seen.get(n), known.get(n));
            wrong.push(format!("{name}:{n}: seen {seen:?}, true {known:?}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{} events:\n{}", wrong.len(), wrong.join("\n"));
}
