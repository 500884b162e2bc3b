//! A short way to the header of a line that begins as another line of its file did.
//!
//! In comes a line; out goes exactly what the universal grammar (`detect`) would find, or nothing, and then the grammar
//! is asked. The lane remembers beginnings (`shape`) behind which a level stood: what the grammar did up to there it
//! would do again, whatever digits the timestamp has, so that only the level's word and what follows are left to
//! look at. It is a cache of a pure function of the line: not part of the file's memory, and of use to any file.

mod bare;
mod dated;
mod headed;
mod headers;
mod letters;
mod patience;
mod records;
mod run;
mod shape;
mod stamped;
mod stretch;
mod syslog;
mod tail;
#[cfg(test)]
mod tests;

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Strength};
use crate::parse::{json, logfmt};
pub(super) use bare::{is_frame, is_indented_sentence, is_sentence};
use letters::LevelWord;
use patience::Patience;
use records::Records;
use shape::Shape;
use stamped::Stamps;
pub(super) use stretch::Settled;
pub use stretch::{Run, Stretch};
use tail::Tails;

/// Beginnings that are remembered at a time.
const MOST_SHAPES: usize = 4;

/// What was learnt; one per thread.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    entries: Vec<Entry>,
    /// Timestamps that lines began with.
    stamps: Stamps,
    /// The entry that fitted last.
    last: usize,
    /// Where the next one is put when all places are taken.
    next: usize,
    patience: Patience,
    /// The containers' records that were met last.
    records: Option<Records>,
}

/// A beginning, and how to read on behind it.
#[derive(Clone, Debug)]
struct Entry {
    shape: Shape,
    grammar: Grammar,
    /// What lines of pairs had behind their level.
    tails: Tails,
}

/// What follows the beginning, with what the beginning has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grammar {
    Dated(dated::Layout),
    Json {
        time: bool,
        serilog: bool,
        /// The level is a number of two digits.
        number: bool,
    },
    Logfmt {
        time: bool,
    },
    /// A level in brackets behind a timestamp.
    Bracket(Format),
    /// `LEVEL:name:message`.
    Basic,
    /// A level, and the message behind it.
    First(headed::First),
    /// A letter, and a timestamp behind it.
    Glog,
    /// A client's address, and a time in brackets somewhere behind it.
    Access,
    /// A host's name behind a timestamp, then the tag, and no level but a priority's.
    Syslog(syslog::Layout),
}

impl Lane {
    /// The header of a line without wrapper and colours, as `detect::head` gives it; `None` says nothing.
    #[inline]
    pub(super) fn head(&mut self, line: &[u8]) -> Option<Head> {
        if let Some(head) = self.entries.get(self.last).and_then(|entry| entry.head(line)) {
            return Some(head);
        }
        let other = self.entries.iter().enumerate().find_map(|(n, entry)| Some((n, entry.head(line)?)));
        if let Some((found, head)) = other {
            self.last = found;
            self.patience.renew();
            return Some(head);
        }
        let head = self.stamps.head(line)?;
        if self.patience.is_due() {
            self.keep(line, &head);
        }
        Some(head)
    }

    /// The shortest way: level, format and place of the message of a line that fits the entry that fitted last and whose
    /// message begins with two plain words, which most lines of a log do. The header is as [`Lane::head`] gives it.
    #[inline]
    pub(super) fn two_words(&self, line: &[u8]) -> Option<(Format, Level, usize)> {
        let entry = self.entries.get(self.last)?;
        let Grammar::Dated(layout) = entry.grammar else { return None };
        if !entry.shape.fits(line) {
            return None;
        }
        let word = letters::at(line, entry.shape.len())?;
        let start = layout.two_words(line, entry.shape.len() + word.length)?;
        word.upper.then_some((layout.format(), word.level, start))
    }

    /// Learns the beginning of a line that `head` could say nothing of, if it has one. `head` asks the grammar.
    pub(super) fn learn(&mut self, line: &[u8], head: impl Fn() -> Option<Head>) {
        if !self.patience.is_due() {
            return;
        }
        let Some(head) = head() else { return };
        self.stamps.learn(line, &head);
        self.keep(line, &head);
    }

    /// Learns how a container's record begins.
    pub(super) fn learn_record(&mut self, line: &[u8]) {
        if self.patience.is_due() || self.records.is_none() {
            self.records = Records::of(line);
        }
    }

    /// Remembers the beginning of a line with this header, if there is more to it than a timestamp.
    fn keep(&mut self, line: &[u8], head: &Head) {
        // A file of two hosts may be one of many.
        let logged = self.entries.iter().filter(|entry| entry.format() == Format::Syslog);
        let Some(entry) = Entry::of(line, head, logged.count() > 1) else { return };
        if self.entries.iter().any(|known| known.shape == entry.shape && known.grammar == entry.grammar) {
            return;
        }
        if self.entries.len() < MOST_SHAPES {
            self.last = self.entries.len();
            self.entries.push(entry);
        } else {
            self.last = self.next;
            self.entries[self.next] = entry;
            self.next = (self.next + 1) % MOST_SHAPES;
        }
    }
}

impl Grammar {
    /// The level that begins at `at`, where it stands by itself.
    #[inline(always)]
    fn level(self, text: &[u8], at: usize) -> Option<LevelWord> {
        match self {
            Grammar::Json { number: true, .. } => letters::number(text, at),
            _ => letters::at(text, at),
        }
    }
}

impl Entry {
    fn new(shape: Shape, grammar: Grammar) -> Entry {
        Entry { shape, grammar, tails: Tails::default() }
    }

    #[inline]
    fn head(&self, line: &[u8]) -> Option<Head> {
        match self.grammar {
            Grammar::Dated(layout) => {
                let (word, end) = self.word(line)?;
                layout.head(line, word, end)
            }
            Grammar::Json { time, serilog, number } => {
                let (word, end) = self.word(line)?;
                let closed = number || line.get(end) == Some(&b'"');
                let behind = end + usize::from(!number);
                if closed { json_head(line, word.level, behind, time, serilog) } else { None }
            }
            Grammar::Logfmt { time } => {
                let (word, end) = self.word(line)?;
                let blank = line.get(end) == Some(&b' ');
                let level = blank.then_some(word.level)?;
                logfmt::walk(line, end + 1, Some(level), time)
            }
            grammar => {
                let (level, message) = headed::find(grammar, &self.shape, line)?;
                let head = Head::new(self.format(), level, message);
                Some(match grammar {
                    Grammar::Bracket(_) => Head { without: headed::without(line, self.shape.len()), ..head },
                    Grammar::First(first) => first.head(head),
                    _ => head,
                })
            }
        }
    }

    /// The format of the lines that fit.
    fn format(&self) -> Format {
        match self.grammar {
            Grammar::Dated(layout) => layout.format(),
            Grammar::Json { .. } => Format::Json,
            Grammar::Logfmt { .. } => Format::Logfmt,
            Grammar::Bracket(format) => format,
            Grammar::Basic => Format::Basic,
            Grammar::First(first) => first.format(),
            Grammar::Syslog(_) => Format::Syslog,
            Grammar::Glog => Format::Glog,
            Grammar::Access => Format::Access,
        }
    }

    /// The level word behind the beginning, and where it ends.
    #[inline]
    fn word(&self, line: &[u8]) -> Option<(LevelWord, usize)> {
        let fits = self.shape.fits(line);
        let word = if fits { self.grammar.level(line, self.shape.len()) } else { None }?;
        Some((word, self.shape.len() + word.length))
    }

    /// What can be remembered of a line; `hosts` says that lines of many hosts may stand in the file.
    fn of(line: &[u8], head: &Head, hosts: bool) -> Option<Entry> {
        let strong = head.strength == Strength::Strong || head.format == Format::LevelFirst;
        if !strong || head.level.is_none() && head.format != Format::Syslog {
            return None;
        }
        let entry = match head.format {
            Format::Json => of_json(line)?,
            Format::Logfmt => of_logfmt(line)?,
            Format::Basic => Entry::new(Shape::new(&[], &[])?, Grammar::Basic),
            Format::LevelFirst | Format::Uvicorn => {
                let first = headed::First::of(line, head)?;
                Entry::new(Shape::new(&[], &[])?, Grammar::First(first))
            }
            Format::Syslog => {
                let (shape, layout) = syslog::of(line, hosts)?;
                Entry::new(shape, Grammar::Syslog(layout))
            }
            Format::Glog => Entry::new(headed::of_glog(line)?, Grammar::Glog),
            Format::Access => Entry::new(headed::of_access(line)?, Grammar::Access),
            Format::ApacheError | Format::Gunicorn | Format::NginxError => {
                Entry::new(headed::of_bracket(line)?, Grammar::Bracket(head.format))
            }
            _ => {
                let (shape, layout) = dated::learn(line)?;
                Entry::new(shape, Grammar::Dated(layout))
            }
        };
        // The line itself is the first to prove it.
        (entry.head(line) == Some(*head)).then_some(entry)
    }
}

fn json_head(line: &[u8], level: Level, behind: usize, time: bool, serilog: bool) -> Option<Head> {
    let found = json::Found::level_word(level, time, serilog);
    json::walk(line, json::Pairs::behind(line, behind), found, true)
}

/// An object whose first level is a word in a string or a number of two digits, with nothing before it but times and keys without meaning.
fn of_json(line: &[u8]) -> Option<Entry> {
    // Docker's records are unwrapped before.
    if line.starts_with(b"{\"log\":") {
        return None;
    }
    let (mut time, mut serilog) = (false, false);
    let mut digits = Vec::new();
    let mut pairs = json::Pairs::new(line, 0)?;
    while let Some(pair) = pairs.step() {
        match json::key(&line[pair.key.0..pair.key.1]) {
            json::Key::Level | json::Key::LevelName if pair.value.string => {
                let shape = Shape::new(&line[..pair.value.from], &digits)?;
                return Some(Entry::new(shape, Grammar::Json { time, serilog, number: false }));
            }
            json::Key::Level => {
                letters::number(line, pair.value.from)?;
                let shape = Shape::new(&line[..pair.value.from], &digits)?;
                return Some(Entry::new(shape, Grammar::Json { time, serilog, number: true }));
            }
            json::Key::Time => time = true,
            json::Key::Serilog => (time, serilog) = (true, true),
            json::Key::None => {}
            _ => return None,
        }
        digits.push(pair.value.from..pair.value.to);
    }
    None
}

/// A line of pairs whose level is a bare word, with nothing before it but times and keys without meaning.
fn of_logfmt(line: &[u8]) -> Option<Entry> {
    // Other grammars are asked first where a line begins otherwise, or so.
    if !line.first()?.is_ascii_lowercase() || line.starts_with(b"type=") {
        return None;
    }
    let mut time = false;
    let mut digits = Vec::new();
    let mut at = 0;
    loop {
        let (pair, end) = logfmt::pair(line, at)?;
        match logfmt::key(&line[pair.key.0..pair.key.1]) {
            logfmt::Key::Level if !pair.quoted => {
                let shape = Shape::new(&line[..pair.value.0], &digits)?;
                return Some(Entry::new(shape, Grammar::Logfmt { time }));
            }
            logfmt::Key::Time => time = true,
            logfmt::Key::Other => {}
            _ => return None,
        }
        digits.push(pair.value.0..pair.value.1);
        at = crate::parse::head::skip_blanks(line, end);
    }
}
