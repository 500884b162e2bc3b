//! Lines without any header, told by their first words: most lines of files that have no layout, and of what programs
//! print besides their logs.

use crate::parse::{php, time, word};

/// How long the first word may be.
const LONGEST_WORD: usize = 64;
/// How far into a line any grammar looks for a bracket.
const LONGEST_HEAD: usize = 400;
/// How far into a line two colons may tell a layout.
const LONGEST_NAME: usize = 101;

/// Whether a line that begins with a letter has no header, as its first words alone show; `false` says nothing.
#[inline]
pub(super) fn is_bare(text: &[u8]) -> bool {
    let letters = text.iter().take(LONGEST_WORD).take_while(|b| b.is_ascii_alphabetic()).count();
    // A letter alone may be a level; digits right behind letters may be a date.
    if letters < 2 || text.get(letters).is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let rest = text[letters..].iter().take(LONGEST_WORD);
    let more = rest.take_while(|b| !matches!(b, b' ' | b'\t' | b'=' | b'[')).count();
    let length = letters + more;
    let spoken = match text.get(length..) {
        // A number, a dash, a bar or a column may begin a header behind the word.
        Some([b' ', next, ..]) => !matches!(next, b'0'..=b'9' | b'-' | b'|' | b' ' | b'\t'),
        Some([]) => true,
        _ => false,
    };
    let head = &text[..text.len().min(LONGEST_HEAD)];
    spoken
        && is_no_name(text, letters)
        && memchr::memchr(b'[', head).is_none()
        && !has_two_colons(&text[..text.len().min(LONGEST_NAME)])
}

/// Whether the first word, which begins with so many letters, is none that a layout is known by.
#[inline]
fn is_no_name(text: &[u8], letters: usize) -> bool {
    let word = &text[..letters];
    if word == b"http" || word::level(word).is_some() {
        return false;
    }
    match text[0] {
        b'P' | b'F' | b'R' | b'C' | b'D' | b'S' if php::head(text).is_some() => false,
        b'A'..=b'Z' => !(matches!(letters, 3 | 4) && time::stamp(text, 0).is_some()),
        _ => !matches!(word, b"log" | b"kern" | b"user" | b"daemon" | b"syslog" | b"auth" | b"authpriv"),
    }
}

fn has_two_colons(text: &[u8]) -> bool {
    memchr::memchr_iter(b':', text).any(|at| text.get(at + 1) == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::detect;
    use crate::parse::tests::samples_once;
    use proptest::prelude::*;

    #[test]
    fn plain_sentences_are_bare() {
        for text in
            ["cache miss for key product:12 after 3 us", "GET /products/1 status=200 took=3ms", "tick"]
        {
            assert!(is_bare(text.as_bytes()), "{text}");
        }
        for text in
            ["INFO text", "Nov 20 12:00:00 a b: c", "level=info msg=x", "a::INFO::text", "web 2026-11-20"]
        {
            assert!(!is_bare(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

        /// Samples of all formats, cut in front and with other bytes put in, and texts made of what headers are made of.
        #[test]
        fn what_is_bare_has_no_header(
            pick in any::<prop::sample::Index>(),
            from in any::<prop::sample::Index>(),
            word in "([A-Za-z]{1,6}|Nov|Fri|UTC|kern|PHP|log4j|Fatal|info|INFO)",
            between in "( |:| - |: |::|  | \\[|=|/|, )",
            at in 0usize..40,
        ) {
            let sample = pick.get(samples_once());
            let cut = &sample[from.index(sample.len() + 1)..];
            let put = [word.as_bytes(), between.as_bytes(), cut].concat();
            let mut inside = sample.clone();
            let at = at.min(inside.len());
            inside.splice(at..at, between.bytes());
            for text in [cut, &put, &inside, &sample[..]] {
                if text.first().is_some_and(u8::is_ascii_alphabetic) && is_bare(text) {
                    prop_assert_eq!(detect::lettered(text), None, "{}", String::from_utf8_lossy(text));
                }
            }
        }
    }
}
