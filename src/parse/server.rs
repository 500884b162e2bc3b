//! Headers of single servers that no family shares: WebLogic, PostgreSQL's CSV, CUPS, log4j's own complaints.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Trust, skip_blanks};
use crate::parse::{message, time, word};

/// WebLogic: `####<Nov 20, 2026 12:00:00,123 PM UTC> <Error> <Subsystem> … <BEA-000000> <text>`.
pub(super) fn weblogic(text: &[u8]) -> Option<Head> {
    let rest = text.strip_prefix(b"####<")?;
    let close = memchr::memmem::find(rest.get(..rest.len().min(64))?, b"> <")?;
    let from = 5 + close + 3;
    let length = text.get(from..)?.iter().take(16).position(|b| *b == b'>')?;
    let level = word::level(&text[from..from + length])?;
    let at = from + length + 1;
    // The message is the last of the fields, and may hold brackets itself.
    let code = memchr::memmem::find(&text[at..], b"> <BEA-").map(|n| at + n + 3);
    let message = code.and_then(|code| Some(code + memchr::memmem::find(&text[code..], b"> <")? + 3));
    let from = message.unwrap_or(skip_blanks(text, at));
    let last = text.get(from..)?.trim_ascii_end();
    let to = from + last.strip_suffix(b">").unwrap_or(last).trim_ascii_end().len();
    Some(Head { place: Place::Within(from, to), ..Head::new(Format::Plain, Some(level), from) })
}

/// The column of PostgreSQL's CSV that holds the severity, counted from behind the timestamp; Greenplum has more before it.
const SEVERITY: [usize; 2] = [10, 15];
/// The severity is looked for so far into a record: names and commands before it are short.
const LONGEST_CSV_HEAD: usize = 1000;

/// PostgreSQL's csvlog, whose timestamp ends at `end`: a severity, the SQL state, the message.
pub(super) fn postgres_csv(text: &[u8], end: usize) -> Option<Head> {
    let head = text.get(..text.len().min(LONGEST_CSV_HEAD))?;
    let mut at = end + 1;
    for column in 0..=SEVERITY[1] {
        let stop = column_end(head, at)?;
        if SEVERITY.contains(&column)
            && let Some(level) = severity(unquoted(&head[at..stop]))
        {
            let state = column_end(head, stop + 1)?;
            let message = state + 1;
            let message = message + usize::from(text.get(message) == Some(&b'"'));
            let five = unquoted(&head[stop + 1..state]).len() == 5;
            return five.then(|| Head::new(Format::Postgres, Some(level), message));
        }
        at = stop + 1;
    }
    None
}

fn severity(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"LOG" | b"INFO" => Level::Info,
        b"NOTICE" => Level::Notice,
        b"WARNING" => Level::Warning,
        b"ERROR" => Level::Error,
        b"FATAL" | b"PANIC" => Level::Critical,
        debug if debug.starts_with(b"DEBUG") => Level::Debug,
        _ => return None,
    })
}

fn unquoted(column: &[u8]) -> &[u8] {
    column.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(column)
}

/// The comma behind the column that begins at `at`; quotes inside quotes are doubled.
fn column_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    if text.get(at) == Some(&b'"') {
        at += 1;
        loop {
            at += memchr::memchr(b'"', text.get(at..)?)? + 1;
            match text.get(at)? {
                b'"' => at += 1,
                b',' => return Some(at),
                _ => return None,
            }
        }
    }
    Some(at + memchr::memchr(b',', text.get(at..)?)?)
}

/// BIND, whose timestamp `20-Nov-2026 12:00:00.123` ends at `end`: `category: level: text`, and `debug 1` for a level.
pub(super) fn bind(text: &[u8], end: usize) -> Option<Head> {
    let rest = text.get(end..)?.strip_prefix(b" ")?;
    let name = rest.iter().take(32).take_while(|b| b.is_ascii_lowercase() || **b == b'-').count();
    let rest = rest.get(name..)?.strip_prefix(b": ")?;
    let letters = rest.iter().take(10).take_while(|b| b.is_ascii_lowercase()).count();
    let level = word::header(&rest[..letters])?;
    let number = &rest[letters..];
    let digits = number.iter().skip(1).take(3).take_while(|b| b.is_ascii_digit()).count();
    let more = if level == Level::Debug && digits > 0 && number.starts_with(b" ") { digits + 1 } else { 0 };
    let message = end + 1 + name + 2 + letters + more;
    text.get(message..)?.starts_with(b": ").then(|| Head::new(Format::Plain, Some(level), message + 2))
}

/// Erlang's and old RabbitMQ's `=ERROR REPORT==== 2-Jan-2026::10:00:00 ===`, the report in the lines below.
pub(super) fn erlang(text: &[u8]) -> Option<Head> {
    let rest = text.strip_prefix(b"=")?;
    let letters = rest.iter().take(12).take_while(|b| b.is_ascii_uppercase()).count();
    let level = match &rest[..letters] {
        b"PROGRESS" => Level::Info,
        b"CRASH" | b"SUPERVISOR" => Level::Error,
        word => word::level(word)?,
    };
    let message = 1 + letters + 1;
    rest[letters..].starts_with(b" REPORT====").then(|| Head::new(Format::Rabbitmq, Some(level), message))
}

/// CUPS: `E [20/Nov/2026:12:00:00 +0000] text`; Python's `%(levelname).1s[%(asctime)s] text`.
pub(super) fn cups(text: &[u8]) -> Option<Head> {
    let (letter, open) = match text {
        [letter, b' ', b'[', ..] => (letter, 2),
        [letter, b'[', ..] if letter.is_ascii_uppercase() => (letter, 1),
        _ => return None,
    };
    let level = match letter {
        b'X' => Level::Critical,
        b'd' => Level::Trace,
        letter => word::letter(*letter)?,
    };
    let stamp = time::stamp(text, open + 1).filter(|_| letter.is_ascii_alphabetic())?;
    (text.get(stamp.end) == Some(&b']'))
        .then(|| Head::new(Format::Plain, Some(level), skip_blanks(text, stamp.end + 1)))
}

/// What log4j says of itself: `log4j:WARN text`.
pub(super) fn log4j(text: &[u8]) -> Option<Head> {
    let rest = text.strip_prefix(b"log4j:")?;
    let letters = rest.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::level(&rest[..letters])?;
    (rest.get(letters) == Some(&b' ')).then(|| Head::new(Format::LevelFirst, Some(level), letters + 7).weak())
}

/// log4j and logback with the milliseconds since the start: `376  [main] ERROR com.shop.Db - text`.
pub(super) fn relative(text: &[u8]) -> Option<Head> {
    let digits = text.iter().take(12).take_while(|b| b.is_ascii_digit()).count();
    let open = skip_blanks(text, digits);
    if digits > 11 || open == digits || text.get(open) != Some(&b'[') {
        return None;
    }
    let close = crate::parse::bracket::closing(text, open)?;
    let at = skip_blanks(text, close + 1);
    let letters = text.get(at..)?.iter().take(14).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&text[at..at + letters])?;
    let rest = text.get(at + letters..)?;
    let named =
        rest.starts_with(b" ") && memchr::memmem::find(rest.get(..rest.len().min(200))?, b" - ").is_some();
    let head = Head::new(Format::Log4j, Some(level), message::after_level(text, at + letters));
    let apart = rest.starts_with(b" ");
    apart.then_some(if named { head } else { Head { trust: Trust::Likely, without: 0, ..head }.weak() })
}
