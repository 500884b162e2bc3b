//! Numbers of payment cards: 13 to 19 digits, in groups or not, whose last one checks (ISO/IEC 7812-1, Luhn).

use super::MARK;

/// The text without them.
pub(super) fn redact(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut kept) = (0, 0);
    while at < bytes.len() {
        let starts = bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit());
        match starts.then(|| card(&bytes[at..])).flatten() {
            Some(length) => {
                out.push_str(&text[kept..at]);
                out.push_str(MARK);
                at += length;
                kept = at;
            }
            None => at += 1,
        }
    }
    out.push_str(&text[kept..]);
    out
}

/// The length of the longest card number at the start of a text, which begins with a digit. It ends where its last
/// group does.
fn card(text: &[u8]) -> Option<usize> {
    let (mut digits, mut found) = (Vec::with_capacity(19), None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits.len() == 19 => return found,
            b'0'..=b'9' => digits.push(byte - b'0'),
            b' ' | b'-' | b'.' if text[at - 1].is_ascii_digit() => {}
            _ => break,
        }
        let group_ends = byte.is_ascii_digit() && !text.get(at + 1).is_some_and(u8::is_ascii_digit);
        if group_ends && is_card(&digits) {
            found = Some(at + 1);
        }
    }
    found
}

/// Whether the digits can be a card's: lengths by first digits as issuers use them, so that times in milliseconds,
/// which begin with 1, are none.
fn is_card(digits: &[u8]) -> bool {
    let issued = match digits {
        [4, ..] => (13..=19).contains(&digits.len()),
        [3, ..] => (14..=19).contains(&digits.len()),
        [2 | 5 | 6, ..] => (16..=19).contains(&digits.len()) || (digits[0] != 2 && digits.len() >= 13),
        _ => false,
    };
    issued && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |(at, digit): (usize, &u8)| match at % 2 {
        0 => u32::from(*digit),
        _ => u32::from(*digit) * 2 / 10 + u32::from(*digit) * 2 % 10,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}
