//! Problems as people read them: place, sentence, the line itself with a caret under the spot, and the next step.

use super::load::{Source, texts};
use crate::error::Problem;
use crate::redact::Redactor;
use std::cell::LazyCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs::Metadata;
use std::path::Path;

/// Longer lines are cut around the spot.
const WIDTH: usize = 120;

/// Files that are longer are not shown from.
const FILE_BYTES: u64 = 1 << 20;

/// Renders problems with the source lines they stand in; files are read again for that, and left out when they are gone.
/// Lines of other files than the sources, such as the config, are shown with their secrets blacked out.
pub fn render(problems: &[Problem], sources: &[Source]) -> String {
    let mut known = HashMap::new();
    for source in sources {
        known.extend(texts(source, &mut Vec::new()).into_iter().map(|text| (text.name, text.text)));
    }
    let mut others: HashMap<&Path, String> = HashMap::new();
    let redactor = LazyCell::new(|| Redactor::new(&[]).ok());
    let mut out = String::new();
    for problem in problems {
        let shown = problem.to_string();
        let (head, hint) = match &problem.hint {
            Some(_) => shown
                .split_once("\n  hint: ")
                .map_or((shown.as_str(), None), |(head, hint)| (head, Some(hint))),
            None => (shown.as_str(), None),
        };
        out.push_str(head);
        out.push('\n');
        let place = &problem.place;
        let nth = |text: &str| Some(text.lines().nth(place.line.checked_sub(1)?)?.to_owned());
        let line = match known.get(&place.file.display().to_string()) {
            Some(text) => nth(text),
            None => {
                let text = others.entry(&place.file).or_insert_with(|| read(&place.file));
                nth(text).and_then(|line| Some(redactor.as_ref()?.redact(&line)))
            }
        };
        if let Some(line) = line {
            excerpt(&line, place.line, place.column, &mut out);
        }
        if let Some(hint) = hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
    out
}

/// A file's text; empty where it cannot be read, or is no text file of a likely size.
fn read(file: &Path) -> String {
    let is_likely = |meta: Metadata| meta.is_file() && meta.len() <= FILE_BYTES;
    match std::fs::metadata(file).is_ok_and(is_likely) {
        true => std::fs::read_to_string(file).unwrap_or_default(),
        false => String::new(),
    }
}

/// The line with its number, and a caret under the column where that is known.
fn excerpt(line: &str, number: usize, column: usize, out: &mut String) {
    let start = column.saturating_sub(WIDTH / 2);
    let start = if line.chars().count() <= WIDTH { 0 } else { start };
    let part: String =
        line.chars().skip(start).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let gutter = number.to_string();
    let _ = writeln!(out, " {gutter} | {}", part.trim_end());
    if column > 0 {
        let _ = writeln!(
            out,
            " {:w$} | {:c$}^",
            "",
            "",
            w = gutter.len(),
            c = column - 1 - start.min(column - 1)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;

    #[test]
    fn a_problem_is_shown_with_its_line_and_a_caret() {
        let source = Source::Text { name: "x.yml".to_owned(), text: "a: 1\n\tbcd: é(\n".to_owned() };
        let problem = Problem::error(Place::new("x.yml", 2, 8), "bad").hint("mend it");
        let gone = Problem::warning(Place::new("y.yml", 1, 1), "elsewhere");
        let expected = "x.yml:2:8: error: bad\n 2 |  bcd: é(\n   |        ^\n  hint: mend it\ny.yml:1:1: warning: elsewhere\n";
        assert_eq!(render(&[problem, gone], &[source]), expected);
    }

    #[test]
    fn of_other_files_lines_are_shown_without_their_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("logtally.yml");
        std::fs::write(&file, "a: 1\npassword: hunter2 # of shop\n").unwrap();
        let problem = Problem::error(Place::new(&file, 2, 1), "bad");
        let shown = render(&[problem], &[]);
        assert!(shown.contains("\n 2 | password: ") && !shown.contains("hunter2"), "{shown}");
        assert!(shown.ends_with("   | ^\n"), "{shown}");
    }

    #[test]
    fn long_lines_are_cut_around_the_spot() {
        let mut out = String::new();
        excerpt(&("x".repeat(500) + "Y" + &"z".repeat(500)), 1, 501, &mut out);
        let lines: Vec<&str> = out.lines().collect();
        let caret = lines[1].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[0].chars().nth(caret), Some('Y'));
        assert!(lines[0].len() < 140);
    }
}
