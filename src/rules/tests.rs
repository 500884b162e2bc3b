//! The shipped packs as data, and the broken rule files with the very messages that they must give.

use super::*;
use crate::matching::pattern::Target;
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::HashMap;
use std::path::Path;

fn shipped() -> RuleSet {
    let sources = [Source::builtin()];
    load(&sources).unwrap_or_else(|problems| panic!("\n{}", render(&problems, &sources)))
}

/// Whether the rule's expressions agree with a text: the whole of it and each of its lines, as an event of several
/// lines is looked at. Level and exact message are for the pipeline.
fn agrees(rule: &Rule, text: &str) -> bool {
    let searched = |expression: &str| {
        let regex = Regex::new(expression).unwrap();
        text.lines().any(|line| regex.is_match(line))
    };
    rule.pattern.any.iter().any(|e| searched(e)) && !rule.pattern.not.as_deref().is_some_and(searched)
}

#[test]
fn every_shipped_rule_has_tests_both_ways_and_agrees_with_them() {
    let set = shipped();
    let mut wrong = Vec::new();
    for rule in set.rules() {
        let expected = |matches| rule.tests.iter().any(|test| test.expect.matches == Some(matches));
        if !expected(true) || !expected(false) {
            wrong.push(format!(
                "{}: {} lacks a test that matches or one that must not",
                rule.place, rule.name
            ));
        }
        for test in &rule.tests {
            // A rule that filters by level may match a line of another level by its expressions alone.
            let by_level =
                test.expect.matches == Some(false) && rule.pattern.levels != crate::level::Levels::ALL;
            if test.expect.matches != Some(agrees(rule, &test.line)) && !by_level {
                wrong.push(format!("{}: {} disagrees with its test", test.place, rule.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn captures_of_shipped_rules_give_the_labels_and_values_of_their_tests() {
    for rule in shipped().rules() {
        for test in rule.tests.iter().filter(|test| test.expect.matches == Some(true)) {
            let expect = &test.expect;
            let texts = rule.pattern.any.iter().map(|expression| Regex::new(expression).unwrap());
            let captured = texts.flat_map(|regex| {
                let found = test.line.lines().find_map(|line| regex.captures(line));
                let names: Vec<_> = regex.capture_names().flatten().map(str::to_owned).collect();
                names.into_iter().filter_map(move |name| {
                    let text = found.as_ref()?.name(&name)?.as_str().to_owned();
                    Some((name, text))
                })
            });
            let captured: HashMap<String, String> = captured.collect();
            let lookup =
                |name: &str| captured.get(name).map(|text| std::borrow::Cow::Borrowed(text.as_str()));
            for (name, value) in &expect.labels {
                let label = rule.counted.labels.iter().find(|label| label.name == *name).unwrap();
                let mut out = String::new();
                label.render(&lookup, &mut out);
                assert_eq!(&out, value, "{}", test.place);
            }
            for (name, value) in &expect.values {
                let metric = rule.counted.metrics.iter().find(|metric| metric.name == *name).unwrap();
                assert_eq!(metric.value(&lookup), Ok(*value), "{}", test.place);
            }
        }
    }
}

#[test]
fn shipped_rules_are_cheap_bounded_and_named_once() {
    let set = shipped();
    assert_eq!(set.warnings, [], "\n{}", render(&set.warnings, &[Source::builtin()]));
    let mut names = HashMap::new();
    for rule in set.rules() {
        let slow = rule.pattern.any.iter().find_map(|expression| crate::matching::slow_reason(expression));
        assert_eq!(slow, None, "{}", rule.name);
        assert!(names.insert(rule.name.clone(), &rule.place).is_none(), "{} is named twice", rule.name);
        assert!(rule.counted.labels.len() <= 2, "{}", rule.name);
        for label in &rule.counted.labels {
            assert!(!label.is_free(), "{}: {} has no bounds", rule.name, label.name);
        }
        for expression in rule.pattern.any.iter().chain(&rule.pattern.not) {
            let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(expression).unwrap();
            assert!(!matches_newline(&hir), "{}: {expression} can match a line feed", rule.name);
        }
        assert!(!matches!(rule.pattern.target, Target::Field(_)), "{}", rule.name);
    }
    for group in &set.groups {
        assert!(builtin_names().any(|name| name == group.name), "{} is not its file's name", group.name);
    }
    assert_eq!(set.groups.len(), builtin_names().count());
}

pub(super) fn matches_newline(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|r| r.start() <= '\n' && '\n' <= r.end()),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|r| r.start() <= b'\n' && b'\n' <= r.end()),
        HirKind::Capture(capture) => matches_newline(&capture.sub),
        HirKind::Repetition(repetition) => matches_newline(&repetition.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(matches_newline),
        HirKind::Empty | HirKind::Look(_) => false,
    }
}

/// Shipped packs and fixtures, cut and garbled: whatever is written, it is answered and not choked on.
#[test]
fn garbled_rule_files_are_answered_without_a_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad-rules");
    let mut texts: Vec<String> =
        builtin::PACKS.iter().map(|(_, text)| text.chars().take(1500).collect()).collect();
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    texts.extend(files.iter().filter_map(|file| std::fs::read_to_string(file).ok()));
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120_u64);
    println!("SEED={seed}");
    let mut state = seed;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let pieces = [
        " ", "\n", "\t", "'", "\"", "{", "}", "[", "]", ":", "- ", "*", "&a ", "<<: ", "|\n", "(", "\\", "é",
        "${", "%{", "\0", "#",
    ];
    for _ in 0..1500 {
        let mut chars: Vec<char> = texts[random(texts.len())].chars().collect();
        for _ in 0..=random(3) {
            let at = random(chars.len() + 1);
            match random(3) {
                0 => chars.truncate(at),
                1 => drop(chars.drain(at..(at + random(12)).min(chars.len()))),
                _ => drop(chars.splice(at..at, pieces[random(pieces.len())].chars())),
            }
        }
        let sources = [Source::Text { name: "garbled.yml".to_owned(), text: chars.iter().collect() }];
        let found = load(&sources).map_or_else(|problems| problems, |set| set.warnings);
        render(&found, &sources);
    }
}

/// Checks every `tests/fixtures/bad-rules/NAME.yml` against `NAME.txt`; `UPDATE=1` writes what it gives now.
#[test]
fn broken_rule_files_give_the_very_messages_that_help() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bad-rules");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    assert!(files.len() > 150, "the fixtures are gone");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (sources, found) = match yaml::text_of(&file, "rule file", "") {
            Ok(text) => {
                let sources = vec![Source::Text { name: name.clone(), text }];
                let found = load(&sources).map_or_else(|problems| problems, |set| set.warnings);
                (sources, found)
            }
            Err(mut problem) => {
                problem.place.file = name.clone().into();
                (Vec::new(), vec![problem])
            }
        };
        let warns_only = name.starts_with("warn-");
        let errors = found.iter().filter(|problem| problem.severity == crate::error::Severity::Error).count();
        if (errors == 0) != warns_only {
            wrong.push(format!("{name} has {errors} errors: {found:?}"));
        }
        for problem in &found {
            let place = problem.place.line > 0 && problem.place.column > 0;
            if !place || problem.hint.as_deref().is_none_or(str::is_empty) {
                wrong.push(format!("{name} has no place or no next step: {problem}"));
            }
        }
        let shown = render(&found, &sources);
        let expected = file.with_extension("txt");
        if update {
            std::fs::write(&expected, &shown).unwrap();
        }
        let known = std::fs::read_to_string(&expected).unwrap_or_default();
        if shown != known {
            wrong.push(format!("{name} gives, to be written by UPDATE=1 if it is better:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn folders_files_packs_and_texts_are_sources() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("b.yaml", b"group: b\nrules: [{name: one, match: 'one one'}]\n");
    write("a.yml", b"group: a\nrules: [{name: one, match: 'one two'}]\n");
    write("notes.txt", b"not rules");
    let folder_source = Source::Path(folder.path().to_path_buf());
    let twice = Source::Path(folder.path().join("a.yml"));
    let set = load(&[folder_source.clone(), twice, Source::parse("builtin:python")]).unwrap();
    let groups: Vec<&str> = set.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["a", "b", "python"], "in the order of names, and a file named twice once");
    assert_eq!(load(&[Source::parse("builtin")]).unwrap().groups.len(), builtin_names().count());

    write("bad.yml", b"group: b\n# \xff\n");
    let missing = Source::Path(folder.path().join("none.yml"));
    let problems = load(&[folder_source, missing, Source::parse("builtin:pyton")]).unwrap_err();
    let said: Vec<String> = problems.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(problems[0].place.line, 2, "{said:?}");
    assert!(said[1].contains("cannot be read"), "{said:?}");
    assert_eq!(problems[2].hint.as_deref(), Some("did you mean `python`?"));
}

#[test]
fn what_is_written_is_what_is_ready() {
    let text = "\
group: shop
patterns: {ORDERID: '[A-Z]{2}-[0-9]{6}'}
rules:
  - name: db_timeout
    match: ['timed out after (?P<seconds>[0-9.]+)s on (?P<db>\\S+)', 'gave up']
    not: ['health', 'probe']
    levels: [error, critical]
    in: field.a.b
    labels: {db: '${db}', status: {value: '${status}', map: {'^5..$': 5xx}, default: other, values: [2xx, 5xx]}}
    metrics:
      - {type: histogram, name: db_timeout_seconds, value: '${seconds}', unit: s, buckets: [100ms, 1, 10, .inf]}
      - {type: gauge, name: db_pool_size, value: '${n}', action: max}
    alert: {when: 'rate > 0.1', for: 5m}
    tests:
      - {line: \"a\\nb\", format: json, expect: {match: true, level: error, values: {db_timeout_seconds: 30}}}
  - {name: order, grok: 'order %{ORDERID:order} from %{IP:client}', in: line}
";
    let set = load(&[Source::Text { name: "shop.yml".to_owned(), text: text.to_owned() }]).unwrap();
    let rules: Vec<&Rule> = set.rules().collect();
    let pattern = &rules[0].pattern;
    assert_eq!((pattern.name.as_str(), pattern.any.len()), ("shop/db_timeout", 2));
    assert_eq!(pattern.not.as_deref(), Some("(?:health)|(?:probe)"));
    assert_eq!(pattern.levels.iter().count(), 2);
    assert_eq!(pattern.target, Target::Field("a.b".to_owned()));
    assert_eq!(rules[0].place.to_string(), "shop.yml:4:11");
    let counted = &rules[0].counted;
    assert_eq!(counted.labels[1].known_values(), ["2xx", "5xx", "other"]);
    assert_eq!(counted.metrics[0].kind, crate::tally::spec::MetricKind::Histogram(vec![0.1, 1.0, 10.0]));
    let alert = rules[0].alert.as_ref().unwrap();
    assert_eq!((alert.hold.as_str(), alert.severity.as_str()), ("5m", "warning"));
    let test = &rules[0].tests[0];
    assert_eq!((test.line.as_str(), test.format.as_deref()), ("a\nb", Some("json")));
    assert_eq!(rules[1].pattern.target, Target::Line);
    assert!(Regex::new(&rules[1].pattern.any[0]).unwrap().is_match("order AB-123456 from ::1"));
}
