//! How files are related by name: `app.log.1`, `app.log-20261120.gz` and `app.2026-11-20.log` come from `app.log`.
//!
//! A name alone proves nothing; it only says whose fingerprint is worth comparing, and breaks ties between equal ones.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Endings of compressed files.
const PACKED: [&[u8]; 5] = [b".gz", b".zst", b".bz2", b".xz", b".lzma"];
/// Words that rotation puts behind a name.
const WORDS: [&[u8]; 5] = [b"old", b"bak", b"prev", b"backup", b"copy"];

/// The name without the ending of a compressed file; `None` where it has none.
pub(super) fn unpacked(name: &[u8]) -> Option<&[u8]> {
    PACKED.iter().find_map(|ending| name.strip_suffix(*ending)).filter(|rest| !rest.is_empty())
}

/// The names that a file with this name may have had before it was rotated; never the name itself.
pub(super) fn origins(name: &OsStr) -> Vec<Vec<u8>> {
    let whole = name.as_bytes();
    let plain = unpacked(whole).unwrap_or(whole);
    let mut found = Vec::new();
    if plain.len() < whole.len() {
        found.push(plain.to_vec());
    }
    for at in (1..plain.len()).filter(|at| is_separator(plain[*at])) {
        let rest = &plain[at + 1..];
        if is_stamp(rest) || WORDS.contains(&rest) {
            found.push(plain[..at].to_vec());
            continue;
        }
        // A stamp in the middle: what follows it starts with a dot and a letter, as endings do.
        let run = rest.iter().take_while(|byte| is_stamp_byte(**byte)).count();
        let end = (0..=run).rev().find(|end| is_ending(&rest[*end..]));
        if let Some(end) = end.filter(|end| is_stamp(&rest[..*end])) {
            found.push([&plain[..at], &rest[end..]].concat());
        }
    }
    found
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn is_stamp_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'+' | b'T' | b'Z')
}

/// A number, a date or a time.
fn is_stamp(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit) && text.iter().all(|byte| is_stamp_byte(*byte))
}

fn is_ending(text: &[u8]) -> bool {
    matches!(text, [b'.', letter, ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(name: &str, origin: &str) -> bool {
        origins(OsStr::new(name)).iter().any(|found| found == origin.as_bytes())
    }

    #[test]
    fn names_of_the_rotators_lead_back_to_the_file() {
        for name in [
            "app.log.1",
            "app.log.12",
            "app.log.1.gz",
            "app.log.gz",
            "app.log-20261120",
            "app.log-20261120.zst",
            "app.log-20261120-1763640000.gz",
            "app.log.2026-11-20",
            "app.log.2026-11-20_10-30",
            "app.log.2026-11-20T10:30:00Z.bz2",
            "app.2026-11-20_10-30-00_123456.log",
            "app.2026-11-20_10-30-00_123456.log.gz",
            "app-2026-11-20T10-30-00.000.log",
            "app_20261120.log.xz",
            "app.1.log",
            "app.log.old",
            "app.log.bak",
        ] {
            assert!(from(name, "app.log"), "{name}: {:?}", origins(OsStr::new(name)));
        }
        assert!(from("syslog.2.gz", "syslog") && from("app.log.1.gz", "app.log.1"));
    }

    #[test]
    fn other_names_do_not() {
        for name in ["app.log", "app.logs", "app.log.err", "application.log", "my-app.log", "app.debug.log"] {
            assert!(!from(name, "app.log"), "{name}");
        }
        assert!(!from("app-2.log", "app-1.log"));
        assert!(origins(OsStr::new("")).is_empty() && origins(OsStr::new(".gz")).is_empty());
    }
}
