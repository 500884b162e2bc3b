//! Fields of a header that single writers have: PostgreSQL's words, Monolog's channel, pairs.

use super::{Field, Walk};
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Strength, Trust, skip_blanks};
use crate::parse::time::Shape;
use crate::parse::{syslog, word};

impl Walk<'_> {
    /// PostgreSQL's words, which two blanks follow.
    pub(super) fn postgres(&mut self, word: &[u8], after: usize) -> Option<Field> {
        if !matches!(self.text.get(after..), Some([b' ', b' ', ..])) || self.inside {
            return None;
        }
        let part = matches!(word, b"STATEMENT" | b"DETAIL" | b"HINT" | b"CONTEXT" | b"QUERY" | b"LOCATION");
        if !part && word != b"LOG" {
            let marked = self.brackets > 0 || self.words > 0;
            return (marked && word::is_upper(word)).then(|| word::header(word)).flatten().map(|level| {
                Field::Done(Head::new(Format::Postgres, Some(level), skip_blanks(self.text, after)))
            });
        }
        let head = Head::new(Format::Postgres, Some(Level::Info), skip_blanks(self.text, after));
        Some(Field::Done(if part { Head { strength: Strength::Part, ..head } } else { head }))
    }

    /// Monolog's `channel.LEVEL:`.
    pub(super) fn channel(&self, whole: &[u8]) -> Option<Field> {
        let name = whole.strip_suffix(b":")?;
        let dot = memchr::memrchr(b'.', name)?;
        let word = &name[dot + 1..];
        let level = word::is_upper(word).then(|| word::header(word)).flatten()?;
        let message = skip_blanks(self.text, self.at + whole.len());
        let exception = crate::parse::php::monolog_exception(self.text, message);
        Some(Field::Done(Head { exception, ..Head::new(Format::Php, Some(level), message) }))
    }

    /// `level=error` after a timestamp; any other pair is passed over.
    pub(super) fn pair(&mut self, letters: usize) -> Field {
        let from = self.at + letters + 1;
        let rest = self.text.get(from..).unwrap_or_default();
        let length = rest.iter().take_while(|b| !matches!(b, b' ' | b'\t')).count();
        let key = &self.text[self.at..self.at + letters];
        let value = rest[..length].trim_ascii();
        let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
        if matches!(key, b"level" | b"lvl" | b"severity" | b"loglevel" | b"levelname")
            && let Some(level) = word::value(value)
        {
            let mut head = Head::new(Format::Logfmt, Some(level), skip_blanks(self.text, from + length));
            if let Some(inner) = crate::parse::logfmt::message(self.text, from + length) {
                head.place = inner;
            }
            return Field::Done(head);
        }
        if value.starts_with(b"\"") {
            return Field::End;
        }
        self.at = from + length;
        Field::Other
    }

    /// `DEBUG2: `, PostgreSQL's and Slurm's, whose word ends behind `letters`.
    pub(super) fn numbered_debug(&mut self, letters: usize) -> Option<Field> {
        let word = &self.text[self.at..self.at + letters];
        let rest = &self.text[self.at + letters..];
        let fits = matches!(word, b"DEBUG" | b"debug") && matches!(rest, [b'1'..=b'5', b':', b' ', ..]);
        self.at += if fits { letters + 1 } else { 0 };
        fits.then_some(Field::Level(Some(Level::Debug), Trust::Sure))
    }

    /// Whether a level in small letters or with one capital stands as its first word where only one program puts it so:
    /// Nagios' `[1795176000] Warning: text`, Falco's `12:00:00.123456789: Warning text`, Domoticz' two blanks before
    /// `Error: text`, libvirt's ` : ` behind it, Slurm's `[2026-11-20T12:00:00.123] error: text`,
    /// Veeam's `[20.11.2026 12:00:00.123] <01> Error (3) text`.
    pub(super) fn is_programs_own(&self, word: &[u8], rest: &[u8]) -> bool {
        let colon = rest.first() == Some(&b':');
        let titled = syslog::is_titled(word);
        let dated = self.stamp.shape == Shape::Epoch || !titled && self.text.get(11) == Some(&b'T');
        colon && self.bracketed && dated
            || titled && self.separator == b':' && self.stamp.shape == Shape::Clock
            || titled && colon && self.text[..self.at].ends_with(b"  ")
            || titled && self.bracketed && matches!(rest, [b' ', b'(', b'0'..=b'9', b')', b' ', ..])
            || rest.starts_with(b" : ")
    }
}
