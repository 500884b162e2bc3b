//! Configs that people get wrong: each is refused with the exact message that stands beside it, and no text at all
//! makes the program panic.

use crate::support::{Folder, Random, code, command, err, logtally, project, same_as_file};
use std::path::PathBuf;

const CONFIGS: &str = "tests/fixtures/bad-config";
const RULES: &str = "tests/fixtures/bad-rules";

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(project(folder)).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    files
}

#[test]
fn every_bad_config_is_refused_with_its_message() {
    let mut wrong = Vec::new();
    for file in fixtures(CONFIGS) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let mut command = command(&["check", "-c", name]);
        let output = command.current_dir(file.parent().unwrap()).output().unwrap();
        let said = err(&output);
        if code(&output) != 2 {
            wrong.push(format!("{name} ended with {:?}: {said}", output.status));
        }
        let place = |line: &str| ["input ", "builtin:", name].iter().any(|start| line.starts_with(start));
        assert!(said.lines().any(place), "{name}: no place in {said}");
        let told = |word: &str| said.matches(word).count();
        assert_eq!(
            told(": error: ") + told(": warning: "),
            told("  hint: "),
            "{name}: no next step in {said}"
        );
        same_as_file(&file.with_extension("txt"), &said);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fixtures(CONFIGS).len() >= 150);
}

/// Their messages stand beside them and are compared by the room that makes them.
#[test]
fn every_bad_rule_file_is_refused_with_its_place() {
    let files = fixtures(RULES);
    assert!(files.len() >= 150);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let mut command = command(&["check", name]);
        let output = command.current_dir(file.parent().unwrap()).output().unwrap();
        let refused = !name.starts_with("warn-");
        assert_eq!(code(&output), if refused { 2 } else { 0 }, "{name}: {}", err(&output));
        let place = |line: &str| {
            let numbers =
                line.strip_prefix(&format!("{name}:")).and_then(|rest| rest.split_once(": error: "));
            numbers.is_some_and(|(numbers, _)| {
                numbers.split(':').filter_map(|n| n.parse::<u32>().ok()).count() == 2
            })
        };
        assert_eq!(err(&output).lines().any(place), refused, "{name}: {}", err(&output));
    }
}

#[test]
fn files_that_are_no_rules_are_refused_and_not_waited_for() {
    let folder = Folder::new();
    let large = folder.write("large.yml", vec![b'#'; 17 << 20]);
    for path in ["/dev/zero", "/dev/null", &large, &folder.at("gone.yml"), "/etc/hostname"] {
        let output = logtally(&["check", path]);
        assert_eq!(code(&output), 2, "{path}: {}", err(&output));
        assert!(err(&output).contains("hint: "), "{path}: {}", err(&output));
        let config = folder.write("logtally.yml", format!("rules: ['{path}']\n"));
        assert_eq!(code(&logtally(&["check", "-c", &config])), 2, "{path}");
        assert_eq!(
            code(&logtally(&["check", "-c", path])),
            if path == "/dev/null" { 0 } else { 2 },
            "{path}"
        );
    }
}

#[test]
fn run_and_count_refuse_what_check_refuses() {
    for file in fixtures(CONFIGS).iter().step_by(9) {
        let config = file.to_str().unwrap();
        let run = ["run", "--storage.path", "none", "--web.listen-address", "127.0.0.1:0", "-c", config];
        assert_eq!(code(&logtally(&run)), 2, "{config}");
        assert_eq!(code(&logtally(&["count", "-c", config, config])), 2, "{config}");
    }
}

pub(crate) const GOOD: &str = r#"
storage: none
inputs:
  - name: shop
    include: ["/var/log/shop/**/*.log", more.log]
    exclude: ["**/*.debug.log"]
    labels: {team: checkout}
    path_label: name
    path_labels: '/var/log/shop/(?P<service>[^/]+)/'
    format: {regex: '^(?P<level>[A-Z]+) (?P<message>.*)'}
    multiline: {start: '^[A-Z]'}
    rules: [python]
  - {name: other, include: x.log, format: json, multiline: off}
rules: ["builtin:python"]
limits: {series_per_metric: 2000, line_bytes: 1MiB, event_lines: 500, files: 20000}
native_histograms: on
host: {interval: 500ms, collectors: [cpu, memory], processes: [{name: web, match: 'nginx'}]}
"#;

#[test]
fn a_config_with_everything_is_taken() {
    let folder = Folder::new();
    let output = logtally(&["check", "-c", &folder.write("logtally.yml", GOOD)]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for host in ["off", "false", "on", "\"off\"", "~", "{}"] {
        let text = format!("rules: []\nhost: {host}\n");
        let output = logtally(&["check", "-c", &folder.write("host.yml", text)]);
        assert_eq!(code(&output), 0, "host: {host}: {}", err(&output));
    }
    for text in ["", "\n", "# nothing\n", "{}\n", "---\n"] {
        let output = logtally(&["check", "-c", &folder.write("empty.yml", text)]);
        assert_eq!(code(&output), 0, "{text:?}: {}", err(&output));
    }
}

#[test]
fn no_text_makes_it_panic() {
    let mut random = Random::new("garbled configs");
    let folder = Folder::new();
    let pieces = [
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "  ",
        "&a ",
        "*a",
        "'",
        "\"",
        "|",
        ">",
        "!!",
        "%",
        "\t",
        "\u{0}",
        "é",
        "9999999999999999999999",
        "~",
        "#",
    ];
    let good = GOOD.replace("\"builtin:python\"", "").replace("rules: [python]", "rules: []");
    for _ in 0..150 {
        let mut text: Vec<char> = good.chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            let end = (at + random.below(12)).min(text.len());
            let new: Vec<char> = random.pick(&pieces).chars().collect();
            match random.below(3) {
                0 => drop(text.splice(at..at, new)),
                1 => drop(text.drain(at..end)),
                _ => drop(text.splice(at..end, new)),
            }
        }
        let text: String = text.into_iter().collect();
        let output = logtally(&["check", "-c", &folder.write("garbled.yml", &text)]);
        let ended = code(&output);
        assert!(ended == 0 || ended == 2, "{ended} for\n{text}\n{}", err(&output));
        assert!(ended == 0 || !err(&output).is_empty(), "it says what is wrong with\n{text}");
    }
}
