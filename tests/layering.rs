//! The floors: imports go down only, files stay short, nothing in the program panics on purpose.
//!
//! The checks run on text, so each of them is also shown a planted breach that it must see.

use crate::support::project;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms by floor; an import may only go to a lower one.
const FLOORS: [&[&str]; 7] = [
    &["level", "event", "error"],
    &["discover", "tail", "frame", "parse", "matching", "redact", "tally", "store"],
    &["pipeline", "rules", "host", "expose", "notice"],
    &["push"],
    &["follow", "config", "generate", "import", "web"],
    &["app"],
    &["cli"],
];
/// Lines that a file may have.
const LONGEST: usize = 400;

/// A source file: its room, whether it is a test, and its text.
struct Source {
    path: PathBuf,
    room: String,
    test: bool,
    text: String,
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources() -> Vec<Source> {
    let src = project("src");
    let mut found = Vec::new();
    let files = walkdir::WalkDir::new(&src).into_iter().map(Result::unwrap);
    for file in files.filter(|file| file.path().extension().is_some_and(|ext| ext == "rs")) {
        let path = file.path().strip_prefix(&src).unwrap().to_path_buf();
        let room = path.components().next().unwrap().as_os_str().to_string_lossy();
        let test =
            path.iter().any(|part| is_test(&part.to_string_lossy())) || declared_for_tests(&src, &path);
        let text = std::fs::read_to_string(file.path()).unwrap();
        found.push(Source { room: room.trim_end_matches(".rs").to_owned(), test, text, path });
    }
    assert!(found.len() > 100, "the sources were found");
    found
}

fn is_test(part: &str) -> bool {
    part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs")
}

/// Whether the module above declares the file for tests only.
fn declared_for_tests(src: &Path, path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    let above = std::fs::read_to_string(src.join(path).with_file_name("mod.rs")).unwrap_or_default();
    let lines: Vec<&str> = above.lines().collect();
    lines.windows(2).any(|two| is_for_tests(two[0]) && two[1] == format!("mod {name};"))
}

fn is_for_tests(line: &str) -> bool {
    line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test")
}

/// The lines of the program itself: no comments, and nothing from the tests at the foot on.
fn program(source: &Source) -> Vec<(usize, &str)> {
    if source.test {
        return Vec::new();
    }
    let lines: Vec<&str> = source.text.lines().collect();
    let foot = lines.windows(2).position(|two| is_for_tests(two[0]) && !two[1].ends_with(';'));
    let lines = lines[..foot.unwrap_or(lines.len())].iter().enumerate();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(at, line)| (at + 1, *line)).collect()
}

/// The rooms that a line of a file names as `crate::room`, also in a list of them.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("crate::") {
        let word =
            |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
        match after.strip_prefix('{') {
            Some(list) => rooms.extend(top_level(list).iter().filter_map(|item| word(item.trim_start()))),
            None => rooms.extend(word(after)),
        }
        rest = after;
    }
    rooms
}

/// The items of a list in braces, without going into braces of theirs.
fn top_level(list: &str) -> Vec<String> {
    let (mut items, mut item, mut depth) = (Vec::new(), String::new(), 0);
    for c in list.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            c => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                item.push(c);
            }
        }
    }
    items.push(item);
    items
}

/// Imports that do not go down.
fn breaches(source: &Source) -> Vec<String> {
    if ["lib", "main"].contains(&source.room.as_str()) {
        return Vec::new();
    }
    let path = source.path.display();
    let Some(own) = floor(&source.room) else { return vec![format!("{path}: a room without a floor")] };
    let text: String = program(source).iter().map(|(_, line)| format!("{line}\n")).collect();
    let bad = |room: &String| match floor(room) {
        Some(_) if *room == source.room => None,
        // The nouns know each other.
        Some(0) if own == 0 => None,
        Some(other) if other < own => None,
        Some(_) => Some(format!("{path}: {} must not import {room}", source.room)),
        None => Some(format!("{path}: crate::{room} is on no floor")),
    };
    let mut found: Vec<String> = imports(&text).iter().filter_map(bad).collect();
    // A `super` from the top of a room leaves the room by the back door.
    let depth = source.path.components().count() - 1 + usize::from(!source.path.ends_with("mod.rs"));
    let climb = "super::".repeat(depth.max(1));
    found.extend(text.contains(&format!(" {climb}")).then(|| format!("{path}: `super` leaves the room")));
    found
}

/// Calls that end the program where data is not as expected.
fn panics(source: &Source) -> Vec<String> {
    let bad = [".unwrap()", ".unwrap_err()", "todo!(", "unimplemented!(", "dbg!(", "#[allow(", "#![allow("];
    let here = |(at, line): (usize, &str)| {
        let found = bad.iter().find(|word| line.contains(*word))?;
        Some(format!("{}:{at}: {found}", source.path.display()))
    };
    program(source).into_iter().filter_map(here).collect()
}

fn planted(path: &str, text: &str) -> Source {
    let room = Path::new(path).components().next().unwrap().as_os_str().to_string_lossy();
    let test = is_test(Path::new(path).file_name().unwrap().to_str().unwrap());
    Source { path: path.into(), room: room.trim_end_matches(".rs").to_owned(), test, text: text.to_owned() }
}

#[test]
fn imports_only_go_down() {
    let found: Vec<String> = sources().iter().flat_map(breaches).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_that_does_not_go_down_is_seen() {
    for (path, text, good) in [
        ("tail/read.rs", "use crate::level::Level;\n", true),
        ("tail/read.rs", "use crate::tail::Fact;\n", true),
        ("tail/read.rs", "// see crate::cli for more\n", true),
        ("tail/tests.rs", "use crate::cli::Exit;\n", true),
        ("tail/read.rs", "use crate::parse::Parser;\n", false),
        ("tail/read.rs", "use crate::{\n    level::Level, follow::Follow,\n};\n", false),
        ("tail/read.rs", "fn f() -> crate::cli::Exit {\n", false),
        ("tail/read.rs", "use super::super::cli;\n", false),
        ("tail/mod.rs", "use super::parse;\n", false),
        ("tail/read.rs", "use super::Fact;\n", true),
        ("attic/mod.rs", "fn f() {}\n", false),
        ("tail/read.rs", "use crate::attic::Thing;\n", false),
    ] {
        assert_eq!(breaches(&planted(path, text)).is_empty(), good, "{path}: {text}");
    }
}

#[test]
fn no_room_imports_in_a_circle() {
    // Floors forbid circles already, unless a floor's own table is wrong.
    let mut rooms: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, names) in FLOORS.iter().enumerate() {
        for name in *names {
            assert!(rooms.insert(name, at).is_none(), "{name} stands on two floors");
            let there = [project(&format!("src/{name}/mod.rs")), project(&format!("src/{name}.rs"))];
            assert!(there.iter().any(|path| path.exists()), "the room {name} is gone");
        }
    }
}

#[test]
fn files_stay_short_and_open_with_their_purpose() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        let (path, lines) = (source.path.display(), source.text.lines().count());
        if lines > LONGEST {
            found.push(format!("{path} has {lines} lines"));
        }
        if !source.text.starts_with("//!") {
            found.push(format!("{path} does not say what it is for"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_in_the_program_panics_on_purpose() {
    let found: Vec<String> = sources().iter().flat_map(panics).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(panics(&planted("tail/read.rs", "fn f() {\n    a.unwrap();\n}\n")).len(), 1);
    assert_eq!(panics(&planted("tail/read.rs", "#[cfg(test)]\nmod tests {\n    a.unwrap();\n}\n")).len(), 0);
}
