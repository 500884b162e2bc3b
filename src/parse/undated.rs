//! Headers without a timestamp whose level is not their first word: Python's `%(name)-12s: %(levelname)-8s %(message)s`,
//! `[name] [ERROR] text`, `MainThread | ERROR | text`, npm's `npm warn text`, Signale's `✖  error     text`. Sentences may look
//! alike, so most of them are only believed where the lines above were written so too.

use crate::level::Level;
use crate::parse::bracket::closing;
use crate::parse::bytes::Bytes;
use crate::parse::format::Format;
use crate::parse::head::{Head, Trust, skip_blanks};
use crate::parse::{first, message, word};

/// Fields that may stand in front of the level.
const MOST_FIELDS: usize = 3;
/// Bytes of one of them.
const LONGEST_FIELD: usize = 60;

fn found(level: Level, message: usize, trust: Trust) -> Head {
    Head { trust, without: 0, ..Head::new(Format::Named, Some(level), message) }.weak()
}

/// What stands in front of a level.
#[derive(Default)]
struct Front {
    words: usize,
    brackets: usize,
    /// The last separator: a colon, a dash or a bar.
    separator: u8,
    /// The last name is one that no sentence has: `shop.api`, `app.py:12`, `shop/db`.
    logger: bool,
    /// The last bracket was an angle, as around who speaks in a chat.
    nick: bool,
}

/// The header of a line whose level in capitals stands behind names, numbers and brackets.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    let mut front = Front::default();
    let mut at = 0;
    for _ in 0..=MOST_FIELDS {
        match *text.get(at)? {
            b'[' | b'(' | b'<' | b'{' => {
                let close = if text[at] == b'{' { braced(text, at) } else { closing(text, at) }?;
                let content = text.get(at + 1..close)?;
                let level = if front.brackets > 0 && front.words == 0 {
                    word::header(content.trim_ascii())
                } else {
                    None
                };
                if let Some(level) = level.or_else(|| shouted(content)) {
                    return Some(found(level, message::after_level(text, close + 1), Trust::Likely));
                }
                front.nick = text[at] == b'<';
                front.brackets += 1;
                at = close + 1;
            }
            _ => {
                let rest = &text[at..];
                let letters = rest.iter().take(10).take_while(|b| b.is_ascii_uppercase()).count();
                if front.words + front.brackets > 0
                    && let Some(level) = word::header(&rest[..letters])
                    && let Some(trust) = front.trust(&rest[letters..], letters)
                {
                    if let Some(head) = first::dated(text, at + letters, level) {
                        return Some(head);
                    }
                    return Some(found(level, message::after_level(text, at + letters), trust));
                }
                at = front.name(text, at)?;
            }
        }
        at = front.separators(text, at);
    }
    None
}

/// The end of what stands in braces.
fn braced(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"{")?;
    rest.iter().take(12).position(|b| *b == b'}').map(|n| at + 1 + n)
}

/// A level in capitals and nothing else.
fn shouted(content: &[u8]) -> Option<Level> {
    let content = content.trim_ascii();
    if word::is_upper(content) { word::header(content) } else { None }
}

impl Front {
    /// How sure a level in capitals of `letters` is, with `rest` behind it; `None` where it is part of a word.
    fn trust(&self, rest: &[u8], letters: usize) -> Option<Trust> {
        let blanks = skip_blanks(rest, 0);
        let column = letters + blanks == 9 || letters + blanks == 8 && blanks > 1;
        Some(match rest {
            [b' ', b'-' | b'|', b' ', ..] | [b'|', ..] if matches!(self.separator, b'-' | b'|') => {
                Trust::Likely
            }
            [b' ', ..] if column && self.separator != 0 => Trust::Likely,
            [b' ', ..] | [b':', b' ', ..] if self.words == 0 && !self.nick => Trust::Likely,
            [b' ' | b'\t' | b'|', ..] | [b':', b' ', ..] if self.words < 2 && self.logger => Trust::Likely,
            [b' ' | b'\t' | b'|', ..] if self.words < 2 => Trust::Agreed,
            [b':', b' ', ..] => Trust::Agreed,
            _ => return None,
        })
    }

    /// Passes over a name or a number; `None` where something else stands.
    fn name(&mut self, text: &[u8], at: usize) -> Option<usize> {
        static NAME: Bytes = Bytes::words_and(b"._-:/$@#", false);
        let rest = text.get(at..)?;
        let length = rest.iter().take(LONGEST_FIELD).take_while(|b| NAME.has(**b)).count();
        let end = matches!(rest.get(length), Some(b' ' | b'\t' | b'|' | b'[')) && length > 0;
        self.words += 1;
        let name = &rest[..length];
        self.separator = if name.ends_with(b":") { b':' } else { 0 };
        let inner = name.iter().position(|b| matches!(b, b'.' | b':' | b'/'));
        self.logger =
            name.first().is_some_and(u8::is_ascii_alphabetic) && inner.is_some_and(|at| at + 1 < length);
        (end && self.words < MOST_FIELDS).then_some(at + length)
    }

    fn separators(&mut self, text: &[u8], mut at: usize) -> usize {
        loop {
            match (text.get(at), text.get(at + 1)) {
                (Some(b' ' | b'\t'), _) => {}
                (Some(byte @ (b':' | b'-')), Some(b' ')) | (Some(byte @ b'|'), _) => self.separator = *byte,
                _ => return at,
            }
            at += 1;
        }
    }
}

/// npm on a terminal: `npm warn text`, `npm ERR! text`.
pub(super) fn npm(text: &[u8]) -> Option<Head> {
    text.starts_with(b"npm ").then(|| npm_word(text, 4)).flatten()
}

/// npm's word for a level, which begins at `at`.
pub(super) fn npm_word(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?;
    let length = rest.iter().take(8).position(|b| *b == b' ').unwrap_or(rest.len().min(8));
    let level = npm_level(&rest[..length])?;
    Some(found(level, skip_blanks(text, at + length), Trust::Sure))
}

/// npm's own log, whose lines are counted: `12 verbose text`, `13 error code E404`.
pub(super) fn npm_log(text: &[u8]) -> Option<Head> {
    let digits = text.iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    let rest = text.get(digits..)?.strip_prefix(b" ")?;
    let letters = rest.iter().take(8).take_while(|b| b.is_ascii_lowercase()).count();
    let level = npm_level(&rest[..letters])?;
    // `2 error` may begin a sentence, no count of lines begins with it.
    let trust = if level < Level::Notice { Trust::Likely } else { Trust::Doubtful };
    let spaced = digits > 0 && matches!(rest.get(letters), Some(b' ') | None);
    spaced.then(|| found(level, skip_blanks(text, digits + 1 + letters), trust))
}

fn npm_level(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"silly" | b"sill" | b"verbose" | b"verb" => Level::Trace,
        b"timing" => Level::Debug,
        b"info" | b"http" => Level::Info,
        b"notice" => Level::Notice,
        b"warn" | b"WARN" => Level::Warning,
        b"error" | b"ERR!" => Level::Error,
        _ => return None,
    })
}

/// Signale's `✖  error     text`: a sign, and a word in a column, which may be a level; Julia's `┌ Warning: text`.
pub(super) fn signed(text: &[u8]) -> Option<Head> {
    if let Some(rest) = text.strip_prefix("┌ ".as_bytes()) {
        return julia(rest, text.len() - rest.len());
    }
    let sign = text.iter().take(8).position(|b| *b == b' ')?;
    let rest = text.get(sign..)?.strip_prefix(b"  ")?;
    let letters = rest.iter().take(10).take_while(|b| b.is_ascii_lowercase()).count();
    let column = letters > 2 && rest[letters..].starts_with(b"  ");
    let level = word::level(&rest[..letters]);
    let at = skip_blanks(text, sign + 2 + letters);
    column.then(|| Head { level, ..found(Level::Unknown, at, Trust::Sure) })
}

/// Julia's `Info: text` behind its bracket, which begins at `at`.
pub(super) fn julia(rest: &[u8], at: usize) -> Option<Head> {
    let letters = rest.iter().take(8).take_while(|b| b.is_ascii_alphabetic()).count();
    let level = match &rest[..letters] {
        b"Debug" => Level::Debug,
        b"Info" => Level::Info,
        b"Warning" => Level::Warning,
        b"Error" => Level::Error,
        _ => return None,
    };
    rest[letters..].starts_with(b": ").then(|| found(level, at + letters + 2, Trust::Sure))
}

/// Factorio's seconds since its start: `   0.123 Error main.cpp:12: text`.
pub(super) fn seconds(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?;
    let whole = rest.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let [b'.', a, b, c, b' ', rest @ ..] = &rest[whole..] else { return None };
    let letters = rest.iter().take(8).take_while(|b| b.is_ascii_alphabetic()).count();
    let level = word::header(&rest[..letters])?;
    let place = rest[letters..].split(|b| *b == b' ').nth(1)?;
    let placed = place.ends_with(b":") && place.iter().filter(|b| **b == b':').count() == 2;
    let digits = whole > 0 && [a, b, c].iter().all(|b| b.is_ascii_digit());
    let message = text.len() - rest.len() + letters + 1 + place.len() + 1;
    (placed && digits).then(|| found(level, message.min(text.len()), Trust::Sure))
}

/// LXC's `lxc c1 20261120120000.123 ERROR    module - file.c:function:12 - text`.
pub(super) fn lxc(text: &[u8]) -> Option<Head> {
    let mut words = text.strip_prefix(b"lxc")?.splitn(5, |b| *b == b' ');
    let stamp = words.nth(2)?;
    let level = word::header(words.next()?)?;
    let timed = stamp.len() == 18 && stamp[14] == b'.' && stamp[..14].iter().all(u8::is_ascii_digit);
    let message = text.len() - words.next()?.len();
    timed.then(|| Head::new(Format::Plain, Some(level), skip_blanks(text, message)))
}
