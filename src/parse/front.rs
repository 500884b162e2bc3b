//! Headers that stand behind something else: a process in brackets, a count, a mark; and headers that a bracket holds as
//! a whole. What stands in front is passed over, and the header behind it must be one by itself.

use crate::level::Level;
use crate::parse::bracket::closing;
use crate::parse::format::Format;
use crate::parse::head::{Head, Trust, skip_blanks};
use crate::parse::time::{self, Shape, Stamp};
use crate::parse::{message, plain, syslog, word};

/// The longest name in a bracket that may stand in front of a timestamp.
const LONGEST_NAME: usize = 40;

/// A line that begins with a bracket which holds neither a timestamp nor a level alone.
pub(super) fn bracket(text: &[u8]) -> Option<Head> {
    let close = closing(text, 0)?;
    let content = &text[1..close];
    if let [b']', b':', b' ', letter, b'/', ..] = text[close..]
        && letter.is_ascii_uppercase()
    {
        // Mozilla's `[Parent 42: Main Thread]: D/nsHttp text`.
        return word::letter(letter)
            .map(|level| Head::new(Format::Plain, Some(level), skip_blanks(text, close + 5)));
    }
    if let Some(head) = inside(text, content, close).or_else(|| ngircd(text, content, close)) {
        return Some(head);
    }
    if content.len() > LONGEST_NAME {
        return None;
    }
    let mut at = skip_blanks(text, close + 1);
    // Nest has a process and a dash behind its name.
    let digits = digits(text, at);
    let dash = skip_blanks(text, at + digits);
    if digits > 0 && text.get(dash..)?.starts_with(b"- ") {
        at = skip_blanks(text, dash + 2);
    }
    if let Some(head) = dancer(text, at) {
        return Some(head);
    }
    let stamp = time::stamp(text, at).filter(|stamp| matches!(stamp.shape, Shape::Date | Shape::Clock))?;
    if stamp.shape == Shape::Clock {
        // A time of day is little; with a level behind it, it is enough.
        return behind(text, stamp).filter(|head| head.level.is_some() && head.trust == Trust::Sure);
    }
    if let Some(head) = old_redis(text, stamp, at) {
        return Some(head);
    }
    let word = skip_blanks(text, stamp.end);
    if text[word..].starts_with(b"LOG [") {
        return Some(Head::new(Format::Plain, Some(Level::Info), message::after_level(text, word + 3)));
    }
    behind(text, stamp)
}

/// Dancer's level in front of the timestamp: `[main:4242] warning @2026-11-20 12:00:00> text`.
fn dancer(text: &[u8], at: usize) -> Option<Head> {
    let letters = text.get(at..)?.iter().take(9).take_while(|b| b.is_ascii_lowercase()).count();
    let end = at + letters;
    let level = text.get(end..)?.starts_with(b" @").then(|| word::level(&text[at..end])).flatten()?;
    let stamp = time::iso(text, end + 2)?;
    (text.get(stamp) == Some(&b'>'))
        .then(|| Head::new(Format::Plain, Some(level), skip_blanks(text, stamp + 1)))
}

/// A header that begins with its timestamp, which stands behind something else.
fn behind(text: &[u8], stamp: Stamp) -> Option<Head> {
    plain::fields(text, stamp, false)
}

/// Level and timestamp in one bracket, in either order, with more behind them.
fn inside(text: &[u8], content: &[u8], close: usize) -> Option<Head> {
    let message = skip_blanks(text, close + 1);
    let from = skip_blanks(content, 0);
    let letters = content[from..].iter().take(10).take_while(|b| b.is_ascii_uppercase()).count();
    if let Some(level) = word::header(&content[from..from + letters])
        && content.get(from + letters) == Some(&b' ')
        && time::stamp(content, skip_blanks(content, from + letters)).is_some()
    {
        // Puppet's and Katello's `[DEBUG 2026-11-20 12:00:00 main]`.
        return Some(Head::new(Format::Plain, Some(level), message));
    }
    // Couchbase's `[ns_server:info,2026-11-20T12:00:00.000Z,node:<0.1.0>]text`.
    let comma = memchr::memchr(b',', content)?;
    let colon = memchr::memchr(b':', &content[..comma])?;
    let level = word::header(&content[colon + 1..comma])?;
    time::iso(content, comma + 1).map(|_| Head::new(Format::Plain, Some(level), message))
}

/// ngIRCd's process, syslog's number and a count: `[4242:6    0] text`.
fn ngircd(text: &[u8], content: &[u8], close: usize) -> Option<Head> {
    let process = digits(content, 0);
    let [b':', digit @ b'0'..=b'7', b' ', ..] = content.get(process..)? else { return None };
    let count = skip_blanks(content, process + 2);
    let whole = process > 0 && count + digits(content, count) == content.len() && count < content.len();
    let level = word::syslog(u32::from(digit - b'0'));
    whole.then(|| Head::new(Format::Plain, Some(level), skip_blanks(text, close + 1)))
}

/// GlassFish's `[#|2026-11-20T12:00:00.000+0100|SEVERE|server|logger|thread|text|#]`.
pub(super) fn glassfish(text: &[u8]) -> Option<Head> {
    text.strip_prefix(b"[#|")?;
    behind(text, time::stamp(text, 3)?)
}

/// Seconds since a start in brackets, `[0.012s]`, `[     0.001234s]`, `[    21.380]`: the JVM's, Linkerd's, Xorg's.
pub(super) fn uptime(text: &[u8]) -> Option<Head> {
    let from = skip_blanks(text, 1);
    let seconds = digits(text, from);
    let dot = from + seconds;
    if seconds == 0 || seconds > 9 || text.get(dot) != Some(&b'.') {
        return None;
    }
    let fraction = digits(text, dot + 1);
    let mut end = dot + 1 + fraction;
    let suffix = text.get(end) == Some(&b's');
    end += usize::from(suffix);
    if fraction < 3 || text.get(end) != Some(&b']') {
        return None;
    }
    if suffix {
        return plain::fields(text, Stamp { end, shape: Shape::Date }, true);
    }
    // Xorg tells where a message comes from in the same place.
    let rest = text.get(end + 1..)?;
    let level = match rest.get(..5).unwrap_or_default() {
        b" (EE)" => Some(Level::Error),
        b" (WW)" => Some(Level::Warning),
        b" (II)" => Some(Level::Info),
        b" (!!)" => Some(Level::Notice),
        _ if fraction == 3 => None,
        _ => return None,
    };
    if level.is_none()
        && let Some(head) = plain::fields(text, Stamp { end, shape: Shape::Date }, true)
        && head.level.is_some()
        && head.trust == Trust::Sure
    {
        return Some(head);
    }
    let marked = rest.get(1) == Some(&b'(') && rest.get(4) == Some(&b')');
    let message = skip_blanks(text, end + if marked { 6 } else { 1 });
    Some(Head::new(Format::Plain, level, message))
}

/// SSSD: `(2026-11-20 12:00:00): [sssd[be]] [function] (0x0040): text`, the level a bit of a mask.
pub(super) fn parenthesis(text: &[u8]) -> Option<Head> {
    let stamp = time::stamp(text, 1)?;
    let rest = text.get(stamp.end..)?;
    let rest = rest.strip_prefix(b")")?;
    let open = memchr::memmem::find(rest.get(..rest.len().min(200))?, b" (0x")?;
    let mask = rest.get(open + 4..open + 8)?;
    let level = match mask {
        b"0010" | b"0020" => Level::Critical,
        b"0040" => Level::Error,
        b"0080" => Level::Warning,
        b"0100" => Level::Info,
        b"0200" | b"0400" => Level::Debug,
        b"1000" | b"2000" | b"4000" | b"8000" => Level::Trace,
        _ => return None,
    };
    let colon = stamp.end + 1 + open + 8;
    text.get(colon..)?
        .starts_with(b"):")
        .then(|| Head::new(Format::Plain, Some(level), skip_blanks(text, colon + 2)))
}

/// Murmur's `<W>2026-11-20 12:00:00.000 text`, and Configuration Manager's `<![LOG[text]LOG]!><time=… type="3" …>`.
pub(super) fn angle(text: &[u8]) -> Option<Head> {
    if let Some(rest) = text.strip_prefix(b"<![LOG[") {
        let end = memchr::memmem::find(rest, b"]LOG]!><")? + 7;
        let kind = memchr::memmem::find(&text[end..], b" type=\"")? + end + 7;
        let level = match text.get(kind)? {
            b'0' | b'1' => Level::Info,
            b'2' => Level::Warning,
            b'3' => Level::Error,
            _ => return None,
        };
        let place = crate::parse::head::Place::Within(7, end);
        return Some(Head { place, ..Head::new(Format::Plain, Some(level), 7) });
    }
    let [b'<', letter, b'>', ..] = text else { return None };
    let stamp = time::iso(text, 3)?;
    let level = word::letter(*letter);
    letter.is_ascii_uppercase().then(|| Head::new(Format::Plain, level, skip_blanks(text, stamp)))
}

/// Cisco's devices may put a count, and a mark of their clock's state, before the timestamp: `000123: *Mar  1 18:46:11:`.
/// Only believed with the mnemonic behind it.
pub(super) fn cisco(text: &[u8]) -> Option<Head> {
    let count = digits(text, 0);
    let mut at = 0;
    if count > 0 {
        at = text.get(count..)?.starts_with(b": ").then_some(count + 2)?;
    }
    at += usize::from(matches!(text.get(at), Some(b'*' | b'.')));
    let stamp = time::stamp(text, at).filter(|stamp| matches!(stamp.shape, Shape::Bsd | Shape::Date))?;
    let rest = text.get(stamp.end..stamp.end + 64).or_else(|| text.get(stamp.end..))?;
    let mnemonic = stamp.end + memchr::memmem::find(rest, b": %")? + 2;
    let head = syslog::said(text, mnemonic, mnemonic);
    head.level.is_some().then_some(head)
}

/// Redis' sign behind a timestamp without a year, as before its version 3: `30 May 10:03:19 * text`.
pub(super) fn old_redis(text: &[u8], stamp: Stamp, at: usize) -> Option<Head> {
    let day = digits(text, at);
    let named = text.get(at + day) == Some(&b' ') && text.get(at + day + 1)?.is_ascii_uppercase();
    let clock = text.get(at + day + 5..).is_some_and(|rest| rest.get(2) == Some(&b':'));
    if !named || !clock {
        return None;
    }
    let level = match text.get(stamp.end..)? {
        // Node-RED's level stands behind such a dash.
        [b' ', b'-', b' ', b'[', ..] => return None,
        [b' ', sign, b' ', ..] => redis_sign(*sign)?,
        _ => return None,
    };
    Some(Head::new(Format::Redis, Some(level), stamp.end + 3))
}

/// What Redis' signs stand for.
pub(super) fn redis_sign(sign: u8) -> Option<Level> {
    Some(match sign {
        b'#' => Level::Warning,
        b'*' => Level::Notice,
        b'-' | b'.' => Level::Debug,
        _ => return None,
    })
}

/// WebSphere behind its timestamp in brackets: `[1/2/26 12:00:00:000 CET] 0000003e SystemOut     O text`.
pub(super) fn websphere(text: &[u8], end: usize) -> Option<Head> {
    let rest = text.get(end..)?.strip_prefix(b"] ")?;
    let hex = rest.iter().take(9).take_while(|b| b.is_ascii_hexdigit()).count();
    // The name is cut or filled to thirteen bytes.
    let [b' ', letter, b' ', ..] = rest.get(22..)? else { return None };
    if hex != 8 || rest[8] != b' ' {
        return None;
    }
    let level = match letter {
        b'F' => Level::Critical,
        b'E' | b'R' => Level::Error,
        b'W' => Level::Warning,
        b'A' | b'I' | b'O' => Level::Info,
        b'C' | b'D' => Level::Debug,
        b'1' | b'2' | b'3' | b'>' | b'<' => Level::Trace,
        _ => return None,
    };
    Some(Head::new(Format::Plain, Some(level), skip_blanks(text, end + 2 + 24)))
}

/// Fields that double colons join, as in VDSM: `Thread-1::INFO::2026-11-20 12:00:00,000::module::12::text`.
pub(super) fn colons(text: &[u8]) -> Option<Head> {
    let head = text.get(..text.len().min(100))?;
    let from = memchr::memmem::find(head, b"::")? + 2;
    let length = memchr::memmem::find(&head[from..], b"::")?;
    let level = word::header(&head[from..from + length])?;
    let end = time::iso(text, from + length + 2)?;
    text.get(end..)?.starts_with(b"::").then(|| Head::new(Format::Plain, Some(level), end + 2))
}

/// coturn's seconds since its start: `0: (1234): INFO: text`.
pub(super) fn counted(text: &[u8]) -> Option<Head> {
    let at = digits(text, 0);
    let rest = text.get(at..)?.strip_prefix(b": ")?;
    let open = usize::from(rest.first() == Some(&b'('));
    let process = digits(rest, open) + open;
    let closed = process + usize::from(open == 1 && rest.get(process) == Some(&b')'));
    let rest = rest.get(closed..)?.strip_prefix(b": ")?;
    let message = at + 2 + closed + 2;
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&rest[..letters]).filter(|_| rest[letters..].starts_with(b": "));
    let from = if level.is_some() { message + letters + 2 } else { message };
    Some(Head::new(Format::Plain, level, from))
}

/// zap's seconds as it writes them by default: `1.7951760001234567e+09<tab>INFO<tab>text`.
pub(super) fn exponent(text: &[u8]) -> Option<Head> {
    let tab = text.iter().take(28).position(|b| *b == b'\t')?;
    let number = text[..tab].strip_suffix(b"e+09")?;
    let rest = &text[tab + 1..];
    let letters = rest.iter().take(7).take_while(|b| b.is_ascii_alphabetic()).count();
    let level = word::header(&rest[..letters])?;
    let whole = number.iter().all(|b| b.is_ascii_digit() || *b == b'.') && rest.get(letters) == Some(&b'\t');
    whole.then(|| Head::new(Format::Plain, Some(level), message::after_level(text, tab + 1 + letters)))
}

/// i2pd's `12:00:00@123/info - text`.
pub(super) fn i2pd(text: &[u8]) -> Option<Head> {
    let [_, _, b':', _, _, b':', _, _, b'@', _, _, _, b'/', rest @ ..] = text else { return None };
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_lowercase()).count();
    let clock = text[..12].iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'@'));
    let fits = clock && rest[letters..].starts_with(b" - ");
    fits.then(|| Head::new(Format::Plain, word::level(&rest[..letters]), 13 + letters + 3))
}

fn digits(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take(20).take_while(|b| b.is_ascii_digit()).count()
}
