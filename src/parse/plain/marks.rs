//! Levels that are no word of their own: letters, letters with a number, and words that something else encloses.

use crate::level::Level;
use crate::parse::head::{Trust, skip_blanks};
use crate::parse::word;

/// The level of a letter or two that begin a field behind the separator `separator` and some `words`, how long they are
/// and how sure that is: `E `, `E!`, `N |`, MongoDB's `D2 `, VMware's `I125: ` and `In(14) `.
pub(super) fn mark(
    rest: &[u8],
    letters: usize,
    separator: u8,
    words: usize,
) -> Option<(Level, usize, Trust)> {
    let letter = *rest.first()?;
    if letters == 1 && separator == b'|' {
        let digits = rest[1..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        if digits == 3 && rest[4..].starts_with(b": ") {
            return Some((word::letter(letter)?, 4, Trust::Sure));
        }
    }
    let module = separator == b':' && rest.get(1) == Some(&b'/');
    let column = separator == b'|' && rest.get(1) == Some(&b'|');
    if letters == 1 && letter.is_ascii_uppercase() && (module || column) {
        // Mozilla's `]: D/nsHttp text`; Grid Engine's `|host|I|text`.
        let trust = if column { Trust::Likely } else { Trust::Sure };
        return word::letter(letter).map(|level| (level, 1, trust));
    }
    if rest.get(1..3) == Some(b"> ") {
        // Tarantool's, behind the name of its fiber.
        let level = if letter == b'!' { Some(Level::Error) } else { word::letter(letter) };
        return level.map(|level| (level, 2, Trust::Sure));
    }
    match letters {
        _ if words > 0 => return None,
        1 => {}
        2 => return syslog_pair(rest),
        _ => return None,
    }
    let next = rest.get(1).copied().unwrap_or(b' ');
    let level = word::letter(letter)?;
    let common = matches!(letter, b'D' | b'I' | b'W' | b'E' | b'F' | b'C');
    let barred = next == b'|' || rest.get(1..3) == Some(b" |");
    if common && matches!(next, b' ' | b'|' | b']' | b'!') {
        // Telegraf writes `E!`.
        let marked = separator != 0 || next == b'!';
        let trust = if marked { Trust::Sure } else { Trust::Likely };
        return Some((level, 1 + usize::from(next == b'!'), trust));
    }
    if matches!(letter, b'N' | b'T' | b'V') && barred {
        return Some((level, 1, Trust::Sure));
    }
    let verbose = letter == b'D' && matches!(rest, [_, b'1'..=b'5', b' ', ..]);
    verbose.then_some((level, 2, Trust::Sure))
}

/// ClamAV's marks behind its arrow: `-> ^text`, `-> !text`, `-> *text`.
pub(super) fn clam(rest: &[u8]) -> Option<Level> {
    let level = match rest {
        [b'^', ..] => Level::Warning,
        [b'!', ..] => Level::Error,
        [b'*', ..] => Level::Debug,
        _ => return None,
    };
    rest.get(1).is_some_and(u8::is_ascii_alphanumeric).then_some(level)
}

/// A level in capitals with a number and a bracket right behind it, as one of vCenter's services writes: `WARN574240[12] text`.
pub(super) fn numbered(rest: &[u8]) -> Option<(Level, usize)> {
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&rest[..letters])?;
    let digits = rest[letters..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    (digits > 0 && rest.get(letters + digits) == Some(&b'[')).then_some((level, letters + digits))
}

/// The gravest level among RouterOS' topics, and where they end: `system,error,critical text`.
pub(super) fn topics(rest: &[u8]) -> Option<(Level, usize)> {
    let length = rest.iter().take(60).position(|b| *b == b' ')?;
    let topics = &rest[..length];
    let named = topics.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b',' | b'-' | b'!'));
    let level = topics.split(|b| *b == b',').skip(1).filter_map(word::header).max()?;
    named.then_some((level, length))
}

/// Heroku's router says its level first: `at=error code=H12`.
pub(super) fn heroku(rest: &[u8]) -> Option<(Level, usize)> {
    let letters = rest.strip_prefix(b"at=")?.iter().take(8).take_while(|b| b.is_ascii_lowercase()).count();
    let level = word::header(&rest[3..3 + letters])?;
    rest[3 + letters..].starts_with(b" ").then_some((level, 3 + letters))
}

/// The length of NX-OS' device context between host and mnemonic: `%$ VDC-1 %$ `.
pub(super) fn context(rest: &[u8]) -> Option<usize> {
    let digits = rest.strip_prefix(b"%$ VDC-")?.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    rest[7 + digits..].starts_with(b" %$ ").then_some(7 + digits + 4)
}

/// DB2's `LEVEL: Error`.
pub(super) fn declared(rest: &[u8]) -> Option<(Level, usize)> {
    let letters =
        rest.strip_prefix(b"LEVEL: ")?.iter().take(14).take_while(|b| b.is_ascii_alphabetic()).count();
    word::header(&rest[7..7 + letters]).map(|level| (level, 7 + letters))
}

/// Whether the text ends with a place in a source and a colon: `scanner.c:730: `.
pub(super) fn is_behind_place(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b": ") else { return false };
    let digits = text.iter().rev().take(6).take_while(|b| b.is_ascii_digit()).count();
    let Some(file) = text[..text.len() - digits].strip_suffix(b":") else { return false };
    digits > 0
        && matches!(file, [.., b'.', a] | [.., b'.', a, _] | [.., b'.', a, _, _] if a.is_ascii_lowercase())
}

/// The level between host and logger of Locust, `web-1/INFO/locust.main: `, and where it ends.
pub(super) fn slashed(word: &[u8]) -> Option<(Level, usize)> {
    let from = memchr::memchr(b'/', word)? + 1;
    let letters = word[from..].iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&word[from..from + letters])?;
    let logger = word[from + letters..].starts_with(b"/") && word.ends_with(b":");
    logger.then_some((level, from + letters))
}

/// A process and its thread, as one bracket holds them: `44408,52004`.
pub(super) fn is_process_and_thread(content: &[u8]) -> bool {
    let mut numbers = content.split(|b| matches!(b, b',' | b':'));
    let number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    number(numbers.next()) && number(numbers.next()) && numbers.next().is_none()
}

/// ESXi's first two letters of a severity with syslog's number behind: `Wa(164)`, `In(14)[+]`.
fn syslog_pair(rest: &[u8]) -> Option<(Level, usize, Trust)> {
    let level = match rest.get(..3)? {
        b"Db(" => Level::Debug,
        b"In(" => Level::Info,
        b"No(" => Level::Notice,
        b"Wa(" => Level::Warning,
        b"Er(" => Level::Error,
        b"Cr(" | b"Al(" | b"Em(" => Level::Critical,
        _ => return None,
    };
    let digits = rest[3..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let ends = (1..=3).contains(&digits) && rest.get(3 + digits) == Some(&b')');
    ends.then_some((level, 4 + digits, Trust::Sure))
}

/// A level in capitals with the same marks on both sides, as in `*ERROR*`, `**INFO**:` and `-WARNING-`, or with a `#` in
/// front, and where it ends.
pub(super) fn flanked(word: &[u8]) -> Option<(Level, usize)> {
    let mark = *word.first().filter(|mark| b"*-#=~!".contains(mark))?;
    let marks = word.iter().take(4).take_while(|b| **b == mark).count();
    let letters = word[marks..].iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&word[marks..marks + letters])?;
    let rest = &word[marks + letters..];
    let behind = rest.iter().take_while(|b| **b == mark).count();
    let rest = &rest[behind..];
    let ends = behind == marks || mark == b'#' && behind == 0;
    (ends && matches!(rest, [] | [b':'])).then_some((level, marks + letters + behind))
}

/// The level behind the processor and world of ESXi's kernel, `cpu7:35233)WARNING: text`, and where it ends.
pub(super) fn kernel(rest: &[u8]) -> Option<(Level, usize)> {
    rest.strip_prefix(b"cpu").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))?;
    let close = rest.iter().take(60).position(|b| *b == b')')?;
    let letters = rest[close + 1..].iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let end = close + 1 + letters;
    let level = word::header(&rest[close + 1..end])?;
    rest[end..].starts_with(b": ").then_some((level, end))
}

/// The level behind type and facility of a supercomputer's record, `RAS KERNEL FATAL text`, and where it ends.
pub(super) fn record(rest: &[u8]) -> Option<(Level, usize)> {
    let facility = rest.strip_prefix(b"RAS ")?.iter().take(24).position(|b| *b == b' ')?;
    let from = 4 + facility + 1;
    let letters = rest[from..].iter().take(9).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::level(&rest[from..from + letters])?;
    (rest.get(from + letters) == Some(&b' ')).then_some((level, from + letters))
}

/// .NET's category and number behind a level on the same line: `: Shop.Db[0] text`.
pub(super) fn is_category(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b": ") else { return false };
    let length = rest.iter().take(160).take_while(|b| !matches!(b, b' ' | b'[')).count();
    let digits = rest.iter().skip(length + 1).take(7).take_while(|b| b.is_ascii_digit()).count();
    let named = length > 0 && rest[length - 1].is_ascii_alphanumeric() && rest.get(length) == Some(&b'[');
    named && digits > 0 && rest.get(length + 1 + digits) == Some(&b']')
}

/// The level in capitals that stands alone in a bracket behind a name, as in cloud-init's `util.py[DEBUG]:`.
pub(super) fn shouted(content: &[u8]) -> Option<Level> {
    if word::is_upper(content) { word::header(content) } else { None }
}

/// A thread or a job as programs number them: macOS' `0x7f3a`, glibc's `7f5d45907080`, Sidekiq's `TID-oxz`.
pub(super) fn is_thread(word: &[u8]) -> bool {
    if let Some(number) = word.strip_prefix(b"0x") {
        return number.iter().all(u8::is_ascii_hexdigit);
    }
    if let Some(seconds) = word.strip_suffix(b"s")
        && seconds.contains(&b'.')
        && seconds.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    {
        // RethinkDB's seconds since its start.
        return true;
    }
    if word.starts_with(b"TID-") || word.starts_with(b"JID-") {
        return true;
    }
    let long = (8..=16).contains(&word.len()) && word.iter().any(u8::is_ascii_digit);
    long && word.iter().all(u8::is_ascii_hexdigit) && !word.iter().all(u8::is_ascii_digit)
}

/// stunnel's `LOG5[12]: text`, a number of syslog's; PgBouncer's `LOG text` behind its process.
pub(super) fn log(rest: &[u8], brackets: usize) -> Option<(Level, usize)> {
    match *rest.strip_prefix(b"LOG")? {
        [digit @ b'0'..=b'7', b'[', ..] => Some((word::syslog(u32::from(digit - b'0')), 4)),
        [b' ', ..] if brackets == 1 => Some((Level::Info, 3)),
        _ => None,
    }
}

/// The level between the thread and the logger that one bracket holds: `[main  INFO  com.shop.Api  opId=7]`.
pub(super) fn between(content: &[u8]) -> Option<Level> {
    let mut at = memchr::memchr(b' ', content)?;
    for _ in 0..2 {
        at = skip_blanks(content, at);
        let rest = &content[at..];
        let length = rest.iter().position(|b| *b == b' ')?;
        let logger = rest.get(skip_blanks(rest, length)..)?;
        let logger = &logger[..logger.iter().position(|b| *b == b' ').unwrap_or(logger.len())];
        if word::is_upper(&rest[..length])
            && let Some(level) = word::header(&rest[..length])
        {
            return logger.contains(&b'.').then_some(level);
        }
        at += length;
    }
    None
}
