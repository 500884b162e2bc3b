//! Levels at a place that only the file's own lines make one: `*INFO* text`, `| ERROR | text`, `text [WARNING]`.
//!
//! A line comes in that no grammar finds a level in. What stands before each level word in capitals, and what stands
//! behind the last one in brackets, is told as a shape; a shape that line after line has is where the file puts its level.
//! A table of levels, a sentence that is said again, a status among names must not look so: at least two levels have to
//! be seen there and one of them more often than once, or one level in marks eight times.

use crate::level::Level;
use crate::parse::head::{Place, skip_blanks};
use crate::parse::word;
use serde::{Deserialize, Serialize};

/// Bytes from either end in which a level is looked for.
const REACH: usize = 160;
/// Level words of one line that are looked at.
const MOST_WORDS: usize = 4;
/// Lines that make a place sure where they show several levels.
const LINES: u8 = 4;
/// And where they show only one, set apart on one side by more than a blank, or on both.
const LINES_OF_ONE: [u8; 2] = [8, 5];
/// Lines with a place beyond which no more are counted; so many in a row without a level there and it is forgotten.
const MOST_LINES: u8 = 24;
/// Lines up to which a place may still be chance.
const CHANCE: u8 = 2;

/// The places that the file's lines have shown so far: one told from the line's front, one from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    front: Shown,
    back: Shown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    shape: u32,
    /// One bit for each level that was seen there.
    levels: u8,
    lines: u8,
    sure: bool,
}

/// A level found at the file's place for it, and where the message stands then.
pub(super) struct Found {
    pub(super) level: Level,
    pub(super) place: Place,
}

/// A level word in capitals, and the shape of what is around it.
#[derive(Clone, Copy)]
struct Word {
    level: Level,
    from: usize,
    to: usize,
    shape: u32,
    /// How many of its sides are set apart by more than a blank.
    marks: u8,
}

impl Places {
    /// Whether further lines have to be looked at whatever else is known of the file.
    pub(super) fn is_active(&self) -> bool {
        let active = |shown: &Shown| shown.sure || shown.lines > CHANCE;
        active(&self.front) || active(&self.back)
    }

    /// Whether a place is sure.
    pub(super) fn is_sure(&self) -> bool {
        self.front.sure || self.back.sure
    }

    /// Whether both will say the same of further lines of a file that has come to an end with learning.
    pub(super) fn agrees(&self, other: &Places) -> bool {
        self == other || !self.is_active() && !other.is_active()
    }

    /// Learns from a line whose grammar has no level, its message at `message` at the earliest, and says its level
    /// where that is sure. Once one of the two is sure, the other is no longer looked for.
    pub(super) fn note(&mut self, text: &[u8], message: usize) -> Option<Found> {
        if !self.back.sure {
            let (words, count) = front(text);
            let found = self.front.note(&words[..count]).map(|word| before(text, word));
            if self.front.sure {
                self.back = Shown::default();
                return found;
            }
        }
        let found = self.back.note(back(text).as_slice()).map(|word| after(text, word, message));
        if self.back.sure {
            self.front = Shown::default();
        }
        found
    }

    /// As [`Places::note`] for a line that may belong to the event above: one without a level there is not counted.
    pub(super) fn note_found(&mut self, text: &[u8], message: usize) -> Option<Found> {
        let kept = *self;
        let found = self.note(text, message);
        if found.is_none() {
            *self = kept;
        }
        found
    }
}

/// What a word found from the front says of its line.
fn before(text: &[u8], word: &Word) -> Found {
    Found { level: word.level, place: Place::From(behind(text, word.to)) }
}

/// What a word found from the end says of its line.
fn after(text: &[u8], word: &Word, message: usize) -> Found {
    let end = text[..word.from - 1].trim_ascii_end().len();
    Found { level: word.level, place: Place::Within(message.min(end), end) }
}

impl Shown {
    fn note<'a>(&mut self, words: &'a [Word]) -> Option<&'a Word> {
        let Some(word) = words.iter().find(|word| word.shape == self.shape && self.lines > 0) else {
            self.lines = self.lines.saturating_sub(1);
            if self.lines == 0 {
                *self = Shown::default();
                if let [word, ..] = words {
                    *self = Shown { shape: word.shape, levels: bit(word.level), lines: 1, sure: false };
                }
            }
            return None;
        };
        if self.sure {
            self.lines = MOST_LINES;
            return Some(word);
        }
        self.lines = MOST_LINES.min(self.lines + 1);
        self.levels |= bit(word.level);
        let several = self.levels.count_ones();
        self.sure = match several {
            1 => word.marks > 0 && self.lines >= LINES_OF_ONE[usize::from(word.marks > 1)],
            _ => self.lines >= LINES && u32::from(self.lines) > several,
        };
        if !self.sure {
            return None;
        }
        // What it was learnt from plays no part any more.
        (self.lines, self.levels) = (MOST_LINES, 0);
        Some(word)
    }
}

fn bit(level: Level) -> u8 {
    1 << (level as u8 & 7)
}

/// The place behind a level that ends at `at`, and the marks around it.
fn behind(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let marks = rest.iter().take_while(|b| b"*-=#!:;|/\\>)]}~\"',.@".contains(b)).count();
    let at = skip_blanks(text, at + marks);
    let rest = text.get(at..).unwrap_or_default();
    let apart = rest.iter().take_while(|b| matches!(b, b':' | b'|' | b'-' | b'>')).count();
    let spaced = apart > 0 && matches!(rest.get(apart), Some(b' '));
    if spaced { skip_blanks(text, at + apart) } else { at }
}

/// FNV-1a, one step.
fn mix(shape: u32, byte: u8) -> u32 {
    (shape ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

const EMPTY: u32 = 0x811c_9dc5;

/// What a byte is to a shape: names and numbers are all alike, blanks are one, and each mark stands for itself.
fn class(byte: u8) -> u8 {
    match byte {
        b' ' | b'\t' => b' ',
        b'_' | b'.' | b'$' | b'/' | b'<' | b'>' | b'@' | b'-' | b'+' | 0x80.. => b'a',
        _ if byte.is_ascii_alphanumeric() => b'a',
        _ => byte,
    }
}

/// The level words of a line, the shape of what is before each of them with it. What a bracket holds is no part of a
/// shape behind it; two words of letters alone, one behind the other, begin a sentence in which no level is looked for.
fn front(text: &[u8]) -> ([Word; MOST_WORDS], usize) {
    let none = Word { level: Level::Unknown, from: 0, to: 0, shape: 0, marks: 0 };
    let (mut words, mut count) = ([none; MOST_WORDS], 0);
    let start = skip_blanks(text, 0);
    let text = &text[..text.len().min(start + REACH)];
    let (mut shape, mut last, mut outside) = (EMPTY, 0, None);
    let (mut at, mut letters, mut blank) = (start, 0, false);
    while at < text.len() && count < MOST_WORDS && letters < 2 {
        let byte = text[at];
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            let run = text[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
            if let Some(word) = level_word(text, start, at, at + run) {
                words[count] = Word { shape: mix(shape, word.shape as u8), ..word };
                words[count].shape = mix(words[count].shape, (word.shape >> 8) as u8);
                count += 1;
            }
            let alone = is_alone(text, at, at + run);
            letters = if alone { letters + 1 } else { 0 };
            at += run;
            if last != b'a' || blank {
                (shape, last) = (mix(blanked(shape, blank), b'a'), b'a');
            }
            blank = false;
            continue;
        }
        at += 1;
        if matches!(byte, b' ' | b'\t') {
            // One before a level may be there or not, where the level fills up its column.
            blank = true;
            continue;
        }
        letters = 0;
        let spaced = std::mem::take(&mut blank);
        shape = blanked(shape, spaced);
        match byte {
            b'[' | b'(' | b'{' => {
                outside = outside.or(Some(shape));
                (shape, last) = (mix(shape, byte), byte);
            }
            b']' | b')' | b'}' => {
                (shape, last) = (mix(outside.take().unwrap_or(shape), b']'), b']');
            }
            _ => {
                let class = class(byte);
                if class != last || class != b'a' || spaced {
                    (shape, last) = (mix(shape, class), class);
                }
            }
        }
    }
    (words, count)
}

fn blanked(shape: u32, blank: bool) -> u32 {
    if blank { mix(shape, b' ') } else { shape }
}

/// Whether the run of letters and digits is a word of a sentence: letters, blanks around it.
fn is_alone(text: &[u8], from: usize, to: usize) -> bool {
    let letters = text[from..to].iter().all(u8::is_ascii_alphabetic);
    let before = from == 0 || text[from - 1] == b' ';
    letters && before && matches!(text.get(to), Some(b' ' | b':' | b','))
}

/// The level that a run is, with the bytes around it as its shape.
fn level_word(text: &[u8], start: usize, from: usize, to: usize) -> Option<Word> {
    let run = &text[from..to];
    // Both begin what programs say more often than they are levels.
    let said = run == b"NOTE" || run == b"ALERT";
    let level = word::header(run).filter(|_| word::is_upper(run) && run.len() > 2 && !said)?;
    let blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let near = if from == start { b' ' } else { text[from - 1] };
    let front = text[start..from].trim_ascii_end().last().copied().unwrap_or(b' ');
    let mut before = if blank(near) { b' ' } else { near };
    if blank(near) && matches!(front, b'-' | b'|' | b'[' | b'(' | b'<') {
        // A column may be filled up before its level,
        before = front;
    }
    let next = skip_blanks(text, to);
    let behind = text.get(next).copied().unwrap_or(0);
    let mut after = text.get(to).copied().unwrap_or(0);
    if blank(after) {
        // or behind it.
        after = if matches!(behind, b':' | b'|' | b']' | b')' | b'>') { behind } else { b' ' };
    }
    let quoted = matches!(before, b'"' | b'\'') && !matches!(text[start], b'"' | b'\'' | b'{');
    // What stands beyond a blank sets it apart where it does so on both sides; what ends a sentence's part does not.
    let sign = |byte: u8| {
        !byte.is_ascii_alphanumeric() && !matches!(byte, 0 | b' ' | b',' | b'.' | b'!' | b'?' | b'"' | b'\'')
    };
    let between = sign(front) && sign(behind) || next > to + 1;
    let marks = u8::from(before != b' ') + u8::from(after != b' ');
    let shape = u32::from(before) | u32::from(after) << 8;
    let whole = !quoted && !before.is_ascii_alphanumeric();
    whole.then_some(Word { level, from, to, shape, marks: marks.max(u8::from(between)) })
}

/// The last level of a line that begins a bracket, the shape of what is behind it with it.
fn back(text: &[u8]) -> Option<Word> {
    let near = text.len().saturating_sub(REACH);
    let tail = &text[near..];
    for open in memchr::memrchr2_iter(b'[', b'(', tail).take(MOST_WORDS) {
        let from = near + open + 1;
        let letters = text[from..].iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
        let to = from + letters;
        let Some(word) = level_word(text, near, from, to).filter(|_| open > 0) else { continue };
        let close = if text[from - 1] == b'[' { b']' } else { b')' };
        if !matches!(text.get(to), Some(b':' | b' ')) && text.get(to) != Some(&close) {
            return None;
        }
        let (mut shape, mut last) = (mix(EMPTY, text[from - 1]), 0);
        for byte in &text[to..] {
            let class = class(*byte);
            if class != last || class != b'a' && class != b' ' {
                (shape, last) = (mix(shape, class), class);
            }
        }
        return Some(Word { shape, marks: 2, ..word });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(lines: &[&str]) -> Vec<&'static str> {
        let mut places = Places::default();
        let level = |line: &&str| places.note(line.as_bytes(), 0).map_or("-", |found| found.level.as_str());
        lines.iter().map(level).collect()
    }

    fn message(lines: &[&str]) -> String {
        let mut places = Places::default();
        let found = lines.iter().map(|line| places.note(line.as_bytes(), 0)).last().unwrap().unwrap();
        String::from_utf8(found.place.of(lines[lines.len() - 1].as_bytes()).to_vec()).unwrap()
    }

    #[test]
    fn a_place_is_sure_once_lines_have_shown_it() {
        let lines = ["*INFO* a", "*ERROR* b c", "*INFO* d", "*INFO* e", "other", "*WARN* x"];
        assert_eq!(levels(&lines), ["-", "-", "-", "info", "-", "warning"]);
        assert_eq!(message(&lines), "x");
        let lines = ["a [INFO]", "b [c] [ERROR]", "[d] [INFO]", "e f: g [INFO]", "ERROR [INFO]"];
        assert_eq!(levels(&lines), ["-", "-", "-", "info", "info"]);
        assert_eq!(message(&lines), "ERROR");
        let lines = [
            "17 a [b c] | DEBUG    | x",
            "18 d.e [f] | INFO     | y z",
            "1 a [] | CRITICAL | z",
            "1 a [b] | INFO  |",
        ];
        assert_eq!(levels(&lines), ["-", "-", "-", "info"]);
        assert_eq!(levels(&[&lines[..], &lines[..1]].concat())[3..], ["info", "debug"]);
    }

    #[test]
    fn one_level_alone_needs_marks_around_it_and_more_lines() {
        assert_eq!(levels(&["::INFO:: a"; 5]), ["-", "-", "-", "-", "info"]);
        assert_eq!(levels(&["a; INFO: b"; 8])[6..], ["-", "info"]);
        assert_eq!(levels(&["1 >> INFO >> b"; 8])[6..], ["-", "info"]);
        assert_eq!(levels(&["x.y INFO a"; 20]), ["-"; 20]);
        assert_eq!(levels(&["job done, ERROR (1)"; 20]), ["-"; 20]);
    }

    #[test]
    fn tables_and_sentences_have_no_levels() {
        assert_eq!(levels(&["| DEBUG | a |", "| INFO | b |", "| WARNING | c |", "| ERROR | d |"]), ["-"; 4]);
        let alerts =
            ["SERVICE ALERT: web;http;CRITICAL;SOFT;1;x", "SERVICE ALERT: web;http;WARNING;SOFT;1;x"];
        assert_eq!(levels(&[alerts; 8].concat()), ["-"; 16]);
        let rows = ["INSERT INTO x VALUES (1,'ERROR','a'),", "INSERT INTO x VALUES (2,'INFO','b'),"];
        assert_eq!(levels(&[rows; 8].concat()), ["-"; 16]);
        assert_eq!(levels(&["MAX_ERROR_1 = 2", "MAX_INFO_2 = 3"].repeat(8)), ["-"; 16]);
    }

    #[test]
    fn a_place_that_lines_leave_is_forgotten() {
        let mut places = Places::default();
        for _ in 0..40 {
            places.note(b"*INFO* a", 0);
            places.note(b"*WARN* a", 0);
        }
        for _ in 0..MOST_LINES {
            assert!(places.is_sure());
            assert!(places.note(b"nothing here", 0).is_none());
        }
        assert!(!places.is_active());
        assert!(places.agrees(&Places::default()));
    }
}
