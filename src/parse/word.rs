//! The words, letters and numbers that logs use for their levels, and what each counts as.
//!
//! A word comes in as the bytes at a place where a format puts its level; callers decide whether the place is one.

use crate::level::Level;

/// Up to sixteen bytes as one number, letters in lower case.
pub(super) const fn pack(word: &[u8]) -> u128 {
    let mut packed = 0u128;
    let mut i = 0;
    while i < word.len() {
        packed = packed << 8 | (word[i] | 0x20) as u128;
        i += 1;
    }
    packed
}

/// Level words of up to eight letters.
const SHORT: [(Level, &[&[u8]]); 7] = [
    (Level::Trace, &[b"trc", b"vrb", b"trce", b"trac", b"trace", b"silly", b"finest", b"verbose"]),
    (
        Level::Debug,
        &[b"dbg", b"dbug", b"fine", b"debu", b"debg", b"debug", b"finer", b"config", b"ddebug", b"subdebug"],
    ),
    (Level::Info, &[b"inf", b"info", b"success"]),
    (Level::Notice, &[b"ntc", b"note", b"notice"]),
    (Level::Warning, &[b"wrn", b"warn", b"warni", b"warning", b"warnings"]),
    (Level::Error, &[b"err", b"fail", b"erro", b"eror", b"error", b"errors", b"failure"]),
    (
        Level::Critical,
        &[
            b"crt",
            b"ftl",
            b"pnc",
            b"crit",
            b"pani",
            b"fata",
            b"fatl",
            b"emer",
            b"fatal",
            b"panic",
            b"emerg",
            b"alert",
            b"criti",
            b"severe",
            b"dpanic",
            b"critical",
        ],
    ),
];

/// As [`pack`], for up to eight bytes: one machine word.
const fn pack_short(word: &[u8]) -> u64 {
    let mut packed = 0u64;
    let mut i = 0;
    while i < word.len() {
        packed = packed << 8 | (word[i] | 0x20) as u64;
        i += 1;
    }
    packed
}

/// Places of the table of short words; a word stands at its place or behind it, before the next free one.
const PLACES: usize = 128;

const fn place(packed: u64) -> usize {
    (packed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57) as usize
}

/// The short words by their numbers; 0 is a free place.
static TABLE: [(u64, Level); PLACES] = {
    let mut table = [(0, Level::Unknown); PLACES];
    let mut n = 0;
    while n < SHORT.len() {
        let (level, words) = SHORT[n];
        let mut i = 0;
        while i < words.len() {
            let packed = pack_short(words[i]);
            let mut at = place(packed);
            while table[at].0 != 0 {
                at = (at + 1) % PLACES;
            }
            table[at] = (packed, level);
            i += 1;
        }
        n += 1;
    }
    table
};

/// The first letters of short words, one bit each, by the words' length: most other words begin otherwise.
static FIRST: [u32; 9] = {
    let mut first = [0; 9];
    let mut n = 0;
    while n < SHORT.len() {
        let words = SHORT[n].1;
        let mut i = 0;
        while i < words.len() {
            first[words[i].len()] |= 1 << (words[i][0] - b'a');
            i += 1;
        }
        n += 1;
    }
    first
};

/// The level that `word` stands for in any ecosystem, in any case; `None` for any other word.
#[inline]
pub(super) fn level(word: &[u8]) -> Option<Level> {
    let first = *word.first()? | 0x20;
    match FIRST.get(word.len()) {
        Some(letters) if letters >> (first.wrapping_sub(b'a') & 31) & 1 == 0 => None,
        Some(_) => short_level(word),
        None => long_level(word),
    }
}

/// The level of a word of at most eight bytes.
fn short_level(word: &[u8]) -> Option<Level> {
    if !word.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let packed = pack_short(word);
    let mut at = place(packed);
    while TABLE[at].0 != 0 {
        if TABLE[at].0 == packed {
            return Some(TABLE[at].1);
        }
        at = (at + 1) % PLACES;
    }
    None
}

fn long_level(word: &[u8]) -> Option<Level> {
    match word.len() {
        9 if word.eq_ignore_ascii_case(b"emergency") => Some(Level::Critical),
        11 if word.eq_ignore_ascii_case(b"information") => Some(Level::Info),
        13 if word.eq_ignore_ascii_case(b"informational") => Some(Level::Info),
        _ => None,
    }
}

/// A word that plain headers use for a level. `FAIL` is none there: programs write what came of a deed in that place
/// (`FAIL LOGIN`), .NET alone means the level. Nor is the name of Trac.
pub(super) fn header(word: &[u8]) -> Option<Level> {
    let outcome = word.len() >= 4 && word[..4].eq_ignore_ascii_case(b"fail");
    if outcome || word == b"Trac" { None } else { level(word) }
}

/// A level as structured formats write it: a word of [`level`], with slog's offset (`INFO+2`), OTel's step (`WARN3`),
/// a single letter, a number, or winston's `http`.
pub(super) fn value(text: &[u8]) -> Option<Level> {
    let text = text.trim_ascii();
    if let Some(level) = level(text) {
        return Some(level);
    }
    if let [letter] = text
        && letter.is_ascii_alphabetic()
    {
        return self::letter(*letter);
    }
    if text.first()?.is_ascii_digit() {
        return number(parse_number(text)?);
    }
    let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, rest) = text.split_at(letters);
    let offset = match rest {
        [] => matches!(word, b"http" | b"HTTP" | b"System" | b"system" | b"LOG" | b"log"),
        [b'+' | b'-', digits @ ..] | digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    };
    if !offset {
        return None;
    }
    if rest.is_empty() { Some(Level::Info) } else { level(word) }
}

/// The level of a single letter: glog's, Android's, Ruby's, MongoDB's.
pub(super) fn letter(letter: u8) -> Option<Level> {
    Some(match letter.to_ascii_uppercase() {
        b'V' | b'T' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'N' => Level::Notice,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'C' | b'F' | b'A' => Level::Critical,
        _ => return None,
    })
}

/// A whole number, with an ignored fraction; `None` for anything else or more than nine digits.
pub(super) fn parse_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 9 || !matches!(text.get(digits), None | Some(b'.')) {
        return None;
    }
    Some(text[..digits].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
}

/// The level of a number under a key like `level`: syslog's 0 to 7, pino's and bunyan's 10 to 60, monolog's 100 to 600.
pub(super) fn number(n: u32) -> Option<Level> {
    Some(match n {
        0..=7 => syslog(n),
        10..=19 => Level::Trace,
        20..=29 => Level::Debug,
        30..=39 => Level::Info,
        40..=49 => Level::Warning,
        50..=59 => Level::Error,
        60..=99 => Level::Critical,
        100..=199 => Level::Debug,
        200..=249 => Level::Info,
        250..=299 => Level::Notice,
        300..=399 => Level::Warning,
        400..=499 => Level::Error,
        500..=600 => Level::Critical,
        _ => return None,
    })
}

/// The level of Python's `levelno`.
pub(super) fn python_number(n: u32) -> Option<Level> {
    Some(match n {
        1..=9 => Level::Trace,
        10..=19 => Level::Debug,
        20..=29 => Level::Info,
        30..=39 => Level::Warning,
        40..=49 => Level::Error,
        50..=99 => Level::Critical,
        _ => return None,
    })
}

/// The level of OpenTelemetry's `SeverityNumber`, 1 to 24.
pub(super) fn otel(n: u32) -> Option<Level> {
    Some(match n {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warning,
        17..=20 => Level::Error,
        21..=24 => Level::Critical,
        _ => return None,
    })
}

/// The level of a syslog severity (of a PRI, the lowest three bits).
pub(super) fn syslog(severity: u32) -> Level {
    match severity & 7 {
        0..=2 => Level::Critical,
        3 => Level::Error,
        4 => Level::Warning,
        5 => Level::Notice,
        6 => Level::Info,
        _ => Level::Debug,
    }
}

/// Whether every letter is a capital: how level words look that no sentence begins with.
pub(super) fn is_upper(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_ecosystems_map_to_the_levels() {
        for (word, expected) in [
            ("INFO", Level::Info),
            ("Warning", Level::Warning),
            ("SEVERE", Level::Critical),
            ("FINEST", Level::Trace),
            ("CONFIG", Level::Debug),
            ("ftl", Level::Critical),
            ("Information", Level::Info),
            ("emerg", Level::Critical),
            ("SUCCESS", Level::Info),
            ("fail", Level::Error),
        ] {
            assert_eq!(level(word.as_bytes()), Some(expected), "{word}");
        }
        for word in ["", "in", "user", "errand", "inform", "warned", "in\x66o\0", "ERR0R", "@lert"] {
            assert_eq!(level(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn values_of_structured_formats() {
        assert_eq!(value(b"INFO+2"), Some(Level::Info));
        assert_eq!(value(b"DEBUG-4"), Some(Level::Debug));
        assert_eq!(value(b"WARN3"), Some(Level::Warning));
        assert_eq!(value(b"E"), Some(Level::Error));
        assert_eq!(value(b"30"), Some(Level::Info));
        assert_eq!(value(b"3"), Some(Level::Error));
        assert_eq!(value(b"http"), Some(Level::Info));
        assert_eq!(value(b"gold"), None);
        assert_eq!(value(b"INFO+"), None);
        assert_eq!(value(b""), None);
    }
}
