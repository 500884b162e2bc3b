//! The universal grammar: what header, if any, a line has by itself. Memory of the file plays no part here.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Trust, skip_blanks};
use crate::parse::time::{self, Shape};
use crate::parse::{
    access, enclosed, first, front, glog, json, logfmt, message, php, plain, program, record, requests,
    server, syslog, trace, undated, word,
};

/// The header of a line, by the strictest grammar that fits it. Indented lines have none.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    match *text.first()? {
        b'{' => json::head(text).or_else(|| undated::head(text)),
        b'<' => syslog::priority(text)
            .or_else(|| front::angle(text))
            .or_else(|| enclosed::angle(text))
            .or_else(|| behind_level(text)),
        b'[' => bracket(text),
        b'0'..=b'9' => digit(text),
        b'A'..=b'Z' => capital(text),
        b'a'..=b'z' | b'_' | b'@' => small(text),
        b'-' => glog::ras(text).or_else(|| access::head(text)),
        b':' => access::head(text).or_else(|| requests::unquoted(text)),
        b' ' => indented(text),
        b'#' => server::weblogic(text),
        b'(' => {
            front::parenthesis(text).or_else(|| enclosed::parenthesis(text)).or_else(|| behind_level(text))
        }
        b'/' => undated::head(text),
        0x80.. => undated::signed(text),
        b'*' if text.starts_with(b"** ") => enclosed::glib(text, 3),
        b'*' | b'.' => front::cisco(text),
        b'=' => server::erlang(text),
        b'%' => program::comware(text),
        _ => None,
    }
}

/// A level in angles or parentheses.
fn behind_level(text: &[u8]) -> Option<Head> {
    first::enclosed(text).or_else(|| undated::head(text))
}

/// A timestamp, a level or something else in brackets.
fn bracket(text: &[u8]) -> Option<Head> {
    if let Some(head) = glog::dmesg(text) {
        return Some(head);
    }
    if let Some(stamp) = time::stamp(text, 1) {
        let own = requests::bracketed(text, stamp.end).or_else(|| front::websphere(text, stamp.end));
        return own.or_else(|| plain::fields(text, stamp, true));
    }
    first::bracket(text)
        .or_else(|| front::uptime(text))
        .or_else(|| front::glassfish(text))
        .or_else(|| requests::uwsgi(text))
        .or_else(|| requests::gin(text))
        .or_else(|| enclosed::spaced(text))
        .or_else(|| enclosed::grouped(text))
        .or_else(|| program::pairs(text))
        .or_else(|| front::bracket(text))
        .or_else(|| access::head(text))
        .or_else(|| undated::head(text))
}

fn digit(text: &[u8]) -> Option<Head> {
    if let Some(stamp) = time::stamp(text, 0) {
        let rest = text.get(stamp.end..).unwrap_or_default().trim_ascii_start();
        let numbered = rest.first().is_some_and(u8::is_ascii_digit);
        if (stamp.shape == Shape::MonthDay || stamp.shape == Shape::Date && numbered)
            && let Some(head) = glog::logcat(text, stamp.end)
        {
            return Some(head);
        }
        if text.get(stamp.end) == Some(&b',')
            && let Some(head) = server::postgres_csv(text, stamp.end)
        {
            return Some(head);
        }
        if matches!(text, [_, _, b'-', _, _, _, b'-', ..])
            && let Some(head) = server::bind(text, stamp.end)
        {
            return Some(head);
        }
        if let Some(head) = front::old_redis(text, stamp, 0).or_else(|| front::i2pd(text)) {
            return Some(head);
        }
        let head = plain::fields(text, stamp, false)?;
        if head.level.is_some() || head.format != Format::Plain {
            return Some(head);
        }
        return requests::behind_stamp(text, stamp).or(Some(head));
    }
    glog::redis(text)
        .or_else(|| syslog::versioned(text, 0))
        .or_else(|| access::head(text))
        .or_else(|| access::bare(text))
        .or_else(|| access::haproxy(text, 0))
        .or_else(|| server::relative(text))
        .or_else(|| front::cisco(text))
        .or_else(|| front::counted(text))
        .or_else(|| front::exponent(text))
        .or_else(|| undated::npm_log(text))
        .or_else(|| requests::unquoted(text))
        .or_else(|| prefixed(text))
}

fn capital(text: &[u8]) -> Option<Head> {
    if let Some(stamp) = time::stamp(text, 0) {
        return if record::is_verbose(text) { None } else { dated(text, stamp) };
    }
    glog::glog(text)
        .or_else(|| glog::brief(text))
        .or_else(|| glog::ruby(text))
        .or_else(|| php::head(text))
        .or_else(|| server::cups(text))
        .or_else(|| first::word(text))
        .or_else(|| glog::ras(text))
        .or_else(|| logfmt::head(text))
        .or_else(|| access::head(text))
        .or_else(|| requests::unquoted(text))
        .or_else(|| prefixed(text))
}

fn small(text: &[u8]) -> Option<Head> {
    if text.starts_with(b"type=")
        && let Some(head) = glog::auditd(text)
    {
        return Some(head);
    }
    first::word(text)
        .or_else(|| undated::npm(text))
        .or_else(|| program::named_first(text))
        .or_else(|| logfmt::head(text))
        .or_else(|| server::log4j(text))
        .or_else(|| server::cups(text))
        .or_else(|| glog::dmesg_level(text))
        .or_else(|| undated::lxc(text))
        .or_else(|| enclosed::router(text))
        .or_else(|| access::head(text))
        .or_else(|| prefixed(text))
}

/// A timestamp that begins with a name: syslog's, unless a level stands where the host should.
fn dated(text: &[u8], stamp: time::Stamp) -> Option<Head> {
    if stamp.shape == Shape::Bsd {
        let rest = text.get(stamp.end..)?.trim_ascii_start();
        let letters = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let level = word::is_upper(&rest[..letters]) && word::level(&rest[..letters]).is_some();
        if let Some(head) = syslog::cluster(text, stamp.end).or_else(|| pairs(text, stamp.end)) {
            return Some(head);
        }
        if !level && !rest.starts_with(b"[") {
            return Some(syslog::behind_stamp(text, stamp.end));
        }
    }
    plain::fields(text, stamp, false)
}

/// logfmt behind a timestamp of the old shape, as PowerDNS writes.
fn pairs(text: &[u8], end: usize) -> Option<Head> {
    let at = skip_blanks(text, end);
    logfmt::pair(text, at)?;
    logfmt::walk(text, at, None, false)
}

/// An indented line with timestamp and level, as tracing's pretty layout and Consul write; only believed in a file of
/// such lines, for it may be quoted in a message of several lines.
fn indented(text: &[u8]) -> Option<Head> {
    let blanks = text.iter().take(12).take_while(|b| **b == b' ').count();
    // A level or a timestamp begins in no other way.
    if blanks > 2 && !text.get(blanks).is_some_and(|next| next.is_ascii_uppercase() || next.is_ascii_digit())
    {
        return None;
    }
    if matches!(blanks, 1 | 11) && text.get(blanks) != Some(&b'<') {
        return aligned(text, blanks).or_else(|| column(text, blanks));
    }
    if blanks == 1 && text[1] == b'<' {
        return first::enclosed(&text[1..]).map(|head| moved(head, 1).weak());
    }
    if let Some(head) = undated::seconds(text, blanks) {
        return Some(head);
    }
    if blanks == 2
        && let Some(head) = requests::unquoted(text)
    {
        return Some(head);
    }
    if let Some(head) = aligned(text, blanks) {
        return Some(head);
    }
    let end = time::iso(text, blanks)?;
    let head = plain::fields(text, time::Stamp { end, shape: Shape::Date }, false)?;
    (head.level.is_some() && head.trust == Trust::Sure).then(|| head.weak())
}

/// A level at the right of its column, the timestamp behind it: gearmand's, and log4j's `%5p | %d | …`.
fn aligned(text: &[u8], blanks: usize) -> Option<Head> {
    let rest = &text[blanks..];
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&rest[..letters])?;
    first::dated(text, blanks + letters, level).map(Head::weak)
}

/// A level in a column of its own behind blanks: tracing's ` INFO name: text`, and rich where the time is the line
/// above's.
fn column(text: &[u8], blanks: usize) -> Option<Head> {
    let rest = &text[blanks..];
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&rest[..letters])?;
    let padded = skip_blanks(rest, letters);
    let (format, fits) = match blanks {
        1 => (Format::LevelFirst, letters == 4 && padded == 5),
        _ => (Format::Plain, padded == 9 && letters < 9),
    };
    fits.then(|| Head::new(format, Some(level), message::after_level(text, blanks + letters)).weak())
}

/// Python's `name - LEVEL - text`, without a timestamp; the name ends at `length`.
fn named(text: &[u8], length: usize) -> Option<Head> {
    let rest = text.get(length..)?.strip_prefix(b" - ")?;
    let letters = rest.iter().take(14).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::level(&rest[..letters])?;
    rest[letters..].starts_with(b" - ").then(|| Head::new(Format::Basic, Some(level), length + letters + 6))
}

/// A header behind the name of its file, container or pod: `app.log 2026-… INFO text`, `web-1  | 2026-… INFO text`.
fn prefixed(text: &[u8]) -> Option<Head> {
    dated_behind(text).or_else(|| program::nccl(text)).or_else(|| undated::head(text))
}

/// The level behind a name and a colon: `Zigbee2MQTT:error 2026-11-20 12:00:00: text`.
fn glued(name: &[u8]) -> Option<Level> {
    let colon = memchr::memchr(b':', name)?;
    word::header(&name[colon + 1..])
}

/// A header of a text, where the text begins `by` bytes into its line.
fn moved(head: Head, by: usize) -> Head {
    let place = match head.place {
        Place::From(from) => Place::From(from + by),
        Place::Within(from, to) => Place::Within(from + by, to + by),
        Place::Escaped(from, to) => Place::Escaped(from + by, to + by),
    };
    Head { place, without: head.without + by, ..head }
}

fn dated_behind(text: &[u8]) -> Option<Head> {
    let length = text.iter().take(100).position(|b| matches!(b, b' ' | b'\t'))?;
    if let Some(head) =
        named(text, length).or_else(|| front::colons(text)).or_else(|| requests::balanced(text))
    {
        return Some(head);
    }
    if trace::is_error_line(text) {
        return None;
    }
    // Go's loggers put their prefix right before the date.
    let letters = text[..length].iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let touches = letters > 0 && text[letters].is_ascii_digit() && time::iso(text, letters).is_some();
    let mut at = if touches { letters } else { skip_blanks(text, length) };
    if text.get(at) == Some(&b'|') {
        at = skip_blanks(text, at + 1);
    }
    let end = time::iso(text, at)?;
    let head = plain::fields(text, time::Stamp { end, shape: Shape::Date }, false)?;
    let letter = if length == 1 { word::letter(text[0]) } else { glued(&text[..length]) };
    let sure = head.level.is_some() && head.trust == Trust::Sure;
    let head = match letter {
        Some(letter) if !sure => {
            Head { level: Some(letter), trust: Trust::Sure, place: Place::From(head.without), ..head }
        }
        _ => head,
    };
    Some(Head { format: if head.format == Format::Syslog { Format::Plain } else { head.format }, ..head })
}
