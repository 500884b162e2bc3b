//! Lines that begin with a timestamp: the one grammar behind Python, Loguru, log4j, Spring, PostgreSQL, nginx and most
//! home-made layouts. After the timestamp come a few fields in any order; one of them may be the level.

mod fields;
mod layout;
mod marks;
mod passing;
mod token;

use crate::level::Level;
use crate::parse::bracket::{bracket_level, closing};
use crate::parse::format::Format;
use crate::parse::head::{Head, Strength, Trust, skip_blanks};
use crate::parse::time::{Shape, Stamp};
use crate::parse::{syslog, word};
use token::Token;

/// Fields behind which no level is looked for.
const MOST_FIELDS: usize = 10;
/// Bare words behind which no level is looked for: a third one is rather a sentence than a logger's name.
const MOST_WORDS: usize = 2;

/// The header whose timestamp is `stamp`, with its bracket still open where `inside`.
pub(super) fn fields(text: &[u8], stamp: Stamp, bracketed: bool) -> Option<Head> {
    let mut walk = Walk::new(text, stamp, bracketed);
    // Plex has its thread behind such a timestamp.
    if stamp.shape == Shape::Jul && !text[stamp.end..].starts_with(b" [") {
        // The level stands in the next line; that one will be the event.
        return Some(Head { strength: Strength::Part, ..Head::new(Format::Jul, None, 0) });
    }
    let mut left = MOST_FIELDS;
    while left > 0 && !walk.passes(&mut left) {
        left -= 1;
        match walk.field() {
            Field::Level(level, trust) => return Some(walk.found(level, trust)),
            Field::Done(head) => return Some(head),
            Field::Other => {}
            Field::End => break,
        }
    }
    Some(walk.without_level())
}

/// A level word whose place alone makes it sure.
pub(super) struct LevelWord {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) head: Head,
}

/// The level word in capitals behind `stamp`, where nothing but what stands before it makes it the level.
pub(super) fn level_word(text: &[u8], stamp: Stamp, bracketed: bool) -> Option<LevelWord> {
    let mut walk = Walk::new(text, stamp, bracketed);
    for _ in 0..MOST_FIELDS {
        match walk.field() {
            Field::Level(Some(level), Trust::Sure) => {
                let apart = matches!(walk.separator, b'|' | b'-' | b',' | b']');
                let word = text[..walk.at].iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
                let placed =
                    walk.separator != b'[' && (walk.words == 0 || apart) && !walk.named && !walk.inside;
                let upper = word >= 3 && word::is_upper(&text[walk.at - word..walk.at]);
                let head = walk.found(Some(level), Trust::Sure);
                return (placed && upper).then_some(LevelWord { at: walk.at - word, head });
            }
            Field::Other => {}
            _ => return None,
        }
    }
    None
}

/// What one field turned out to be.
enum Field {
    Level(Option<Level>, Trust),
    Done(Head),
    Other,
    End,
}

struct Walk<'a> {
    text: &'a [u8],
    stamp: Stamp,
    at: usize,
    /// The timestamp's own bracket is still open.
    inside: bool,
    bracketed: bool,
    words: usize,
    brackets: usize,
    /// The last separator other than blanks before the field.
    separator: u8,
    /// A word and a colon stood before: the message unless a level follows.
    named: bool,
    /// The last word was a name with process and thread in brackets.
    threaded: bool,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8], stamp: Stamp, bracketed: bool) -> Walk<'a> {
        let closed = text.get(stamp.end) == Some(&b']');
        let at = if bracketed && closed { stamp.end + 1 } else { stamp.end };
        let inside = bracketed && !closed;
        Walk {
            text,
            stamp,
            at,
            inside,
            bracketed,
            words: 0,
            brackets: 0,
            separator: 0,
            named: false,
            threaded: false,
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn separators(&mut self) {
        self.separator = 0;
        loop {
            match self.byte(self.at) {
                b' ' | b'\t' => {}
                byte @ (b'|' | b',' | b':' | b';') => self.separator = byte,
                b'-' if matches!(self.byte(self.at + 1), b' ' | b'\t') => self.separator = b'-',
                // ClamAV's arrow.
                b'-' if self.byte(self.at + 1) == b'>' && self.byte(self.at + 2) == b' ' => {
                    self.separator = b'-';
                    self.at += 1;
                }
                b']' if self.inside => {
                    self.inside = false;
                    self.separator = b']';
                }
                _ => return,
            }
            self.at += 1;
        }
    }

    fn field(&mut self) -> Field {
        self.separators();
        match self.byte(self.at) {
            b'[' | b'(' | b'<' => self.bracket(),
            b'{' => self.braces(),
            b'"' | b'\'' | 0 => Field::End,
            _ => self.word(),
        }
    }

    fn bracket(&mut self) -> Field {
        let Some(close) = closing(self.text, self.at) else { return Field::End };
        let content = self.text.get(self.at + 1..close).unwrap_or_default();
        if !self.named
            && let Some(level) = bracket_level(content)
        {
            // ESPHome's `[12:00:00][C][wifi:204]:` tells of its configuration.
            let config = content == b"C" && self.stamp.shape == Shape::Clock && self.byte(close + 1) == b'[';
            self.at = close + 1;
            self.separator = b'[';
            return Field::Level(if config { Some(Level::Debug) } else { level }, Trust::Sure);
        }
        if self.words == 0
            && self.brackets == 0
            && let Some(level) = marks::between(content)
        {
            self.at = close + 1;
            return Field::Level(Some(level), Trust::Sure);
        }
        self.at = close + 1;
        self.brackets += 1;
        self.threaded |= self.words == 1 && marks::is_process_and_thread(content);
        // Twisted's system: what follows is the message.
        if content == b"-" && self.brackets == 1 && self.words == 0 && self.byte(self.at) != b'[' {
            Field::End
        } else {
            Field::Other
        }
    }

    /// Airflow's `{file.py:12}` and ClickHouse's query; any other brace begins a message.
    fn braces(&mut self) -> Field {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let length =
            rest.iter().take(100).take_while(|b| b.is_ascii_alphanumeric() || b"._:/-".contains(b)).count();
        // ClickHouse's query has no name where there is none.
        let named = length > 0 || rest.starts_with(b"} <");
        if !named || rest.get(length) != Some(&b'}') {
            return Field::End;
        }
        self.at += length + 2;
        self.brackets += 1;
        Field::Other
    }

    fn word(&mut self) -> Field {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let token = Token::at(rest);
        let letters = token.letters;
        let next = rest.get(letters).copied().unwrap_or(b' ');
        if (3..=13).contains(&letters) {
            if next == b'=' {
                return self.pair(letters);
            }
            if next.is_ascii_digit()
                && let Some(field) = self.numbered_debug(letters)
            {
                return field;
            }
            if let Some(field) = self.level_word(letters, next) {
                return field;
            }
        }
        if letters == 0
            && self.text[..self.at].ends_with(b"-> ")
            && let Some(level) = marks::clam(rest)
        {
            self.at += 1;
            return Field::Level(Some(level), Trust::Sure);
        }
        if !self.named
            && letters <= 2
            && let Some((level, length, trust)) = marks::mark(rest, letters, self.separator, self.words)
        {
            self.at += length;
            return Field::Level(Some(level), trust);
        }
        if self.named
            && letters == 2
            && let Some((level, length)) = marks::heroku(rest)
        {
            self.at += length;
            return Field::Level(Some(level), Trust::Sure);
        }
        if self.named || token.length == 0 {
            return Field::End;
        }
        let whole = &rest[..token.length];
        if self.words == 0
            && rest.get(token.length) == Some(&b',')
            && let Some((level, length)) = marks::topics(rest)
        {
            self.at += length;
            return Field::Level(Some(level), Trust::Sure);
        }
        self.marked(rest, whole).unwrap_or_else(|| self.name(whole, token.number))
    }

    /// A word that holds a level between other things, or tells another format.
    fn marked(&mut self, rest: &[u8], whole: &[u8]) -> Option<Field> {
        if let Some(field) = self.channel(whole) {
            return Some(field);
        }
        if let Some(length) = marks::context(rest) {
            self.at += length;
            return Some(Field::Other);
        }
        if let Some(level) = syslog::cisco(whole) {
            let message = skip_blanks(self.text, self.at + whole.len());
            return Some(Field::Done(Head::new(Format::Syslog, Some(level), message)));
        }
        if let Some((level, end)) =
            marks::record(rest).or_else(|| marks::declared(rest)).or_else(|| marks::flanked(whole))
        {
            self.at += end;
            return Some(Field::Level(Some(level), Trust::Sure));
        }
        if self.words > 0 {
            return None;
        }
        if let Some(level) = syslog::facility(whole) {
            let head = syslog::tagged(self.text, self.at + whole.len());
            return Some(Field::Done(Head { level: Some(level), ..head }));
        }
        let (level, end) = marks::kernel(rest)
            .or_else(|| marks::log(rest, self.brackets))
            .or_else(|| marks::numbered(rest))
            .or_else(|| marks::slashed(whole))?;
        self.at += end;
        Some(Field::Level(Some(level), Trust::Sure))
    }

    /// A logger's, a host's or a program's name, or a number.
    fn name(&mut self, whole: &[u8], number: bool) -> Field {
        if self.inside && whole.ends_with(b"]") {
            // Pi-hole's process in the timestamp's bracket.
            self.inside = false;
            self.at += whole.len();
            return Field::Other;
        }
        let tag = self.at;
        let mut end = self.at + whole.len();
        let mut tagged = whole.ends_with(b":");
        if self.byte(end) == b'['
            && let Some(close) = closing(self.text, end)
        {
            if self.byte(close + 1) != b':' {
                self.threaded = syslog::is_threaded(self.text.get(tag..=close).unwrap_or_default());
            } else if let Some(level) = marks::shouted(self.text.get(end + 1..close).unwrap_or_default()) {
                self.at = close + 1;
                return Field::Level(Some(level), Trust::Sure);
            } else {
                end = close + 2;
                tagged = true;
            }
        }
        self.at = end;
        let thread = !number && marks::is_thread(whole);
        self.threaded |= thread;
        if number || thread {
            return Field::Other;
        }
        self.words += 1;
        if tagged && self.words == 2 && self.separator == 0 && self.brackets == 0 && !self.bracketed {
            // A host and a tag: syslog with a modern timestamp. Its message is the program's own.
            return Field::Done(syslog::said(self.text, tag, skip_blanks(self.text, end)));
        }
        if tagged {
            self.named = true;
        }
        if self.words > MOST_WORDS { Field::End } else { Field::Other }
    }

    /// A word that is a level; `None` where it is not one here.
    fn level_word(&mut self, letters: usize, next: u8) -> Option<Field> {
        let word = &self.text[self.at..self.at + letters];
        if next == b':'
            && let Some(field) = self.postgres(word, self.at + letters + 1)
        {
            return Some(field);
        }
        let rest = self.text.get(self.at + letters..).unwrap_or_default();
        if matches!(next, b'+' | b'-') {
            return self.offset_level(word, letters);
        }
        if !matches!(next, b' ' | b'\t' | b':' | b'|' | b']' | b'[' | b',' | b';' | b'/' | b'(' | b'>') {
            return None;
        }
        if word == b"PHP" {
            return crate::parse::php::behind(self.text, self.at).map(Field::Done);
        }
        let http = word == b"http" && next == b':' && self.words == 0 && !self.named;
        let upper = word::is_upper(word);
        let level = match word::header(word) {
            _ if http => Level::Info,
            Some(level) => level,
            // Robot Framework's.
            None if word == b"FAIL" && self.separator == b'-' && rest.starts_with(b" - ") => Level::Error,
            None if word == b"fail" && marks::is_category(rest) => Level::Error,
            None => return None,
        };
        let wide = matches!(rest, [b' ', b' ', ..] | [b'\t' | b'|' | b']', ..] | [b' ', b'|' | b'[', ..]);
        let dashed = matches!(rest, [b' ', b'-', b' ', ..]);
        // A comma with a blank behind it is a sentence's, unless one ends the level's column too.
        if self.words > 0 && next != b',' && self.text[..self.at].ends_with(b", ") {
            return None;
        }
        let apart = matches!(self.separator, b'|' | b'-' | b',' | b']');
        let colon = next == b':';
        let trust = match (upper, self.words) {
            // Unreal's `[2026.11.20-12.00.00:123][  0]LogTemp: Error: text`.
            _ if self.named && colon && self.bracketed && self.text.get(5) == Some(&b'.') => Trust::Sure,
            // MiniDLNA's `scanner.c:730: warn: text`.
            _ if self.named && colon && self.bracketed && marks::is_behind_place(&self.text[..self.at]) => {
                Trust::Sure
            }
            _ if self.named => {
                let tagged = self.words == 1 && colon && (self.bracketed || syslog::is_titled(word));
                (upper || tagged).then_some(Trust::Likely)?
            }
            // Nagios tells of alerts, which are its business.
            (true, 1..) if word == b"ALERT" && self.separator == 0 => return None,
            (false, 0) if colon && marks::is_category(rest) => Trust::Sure,
            (false, _) if colon && self.separator == b':' => Trust::Sure,
            (false, 0) if self.is_programs_own(word, rest) => Trust::Sure,
            (false, 0 | 1) if colon && self.threaded => Trust::Sure,
            (true, 0) => Trust::Sure,
            (true, _) if apart || wide || dashed => Trust::Sure,
            (true, _) => Trust::Likely,
            (false, _) if apart && (wide || dashed) => Trust::Sure,
            (false, 0) if wide => Trust::Sure,
            (false, 0) if level < Level::Warning && !http => Trust::Likely,
            (false, 0) => Trust::Doubtful,
            (false, _) => return None,
        };
        self.at += letters;
        Some(Field::Level(Some(level), trust))
    }

    /// slog's `INFO+2`, between its neighbours' levels.
    fn offset_level(&mut self, word: &[u8], letters: usize) -> Option<Field> {
        let digits = self.text[self.at + letters + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let end = self.at + letters + 1 + digits;
        let whole = (1..=3).contains(&digits) && self.byte(end) == b' ' && self.words == 0 && !self.named;
        let level = word::header(word).filter(|_| whole && word::is_upper(word))?;
        self.at = end;
        Some(Field::Level(Some(level), Trust::Sure))
    }
}
