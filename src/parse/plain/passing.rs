//! Fields of a header that tell nothing, passed over without a look at each way in which one might: names, numbers and
//! simple brackets, which are most of them.

use super::{MOST_WORDS, Walk, marks};
use crate::parse::bracket::plain_field;
use crate::parse::{syslog, word};

const LETTER: u8 = 1;
/// Letters, digits, dots and underscores.
const PLAIN: u8 = 2;
/// What may stand behind a name or a number without making it anything else.
const BEHIND: u8 = 4;
/// A blank or a separator, whatever follows it.
const BETWEEN: u8 = 8;

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        kinds[i] = if byte.is_ascii_alphabetic() { LETTER } else { 0 }
            | if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') { PLAIN } else { 0 }
            | if matches!(byte, b' ' | b'\t' | b'|' | b',') { BEHIND } else { 0 }
            | if matches!(byte, b' ' | b'\t' | b'|' | b',' | b':' | b';') { BETWEEN } else { 0 };
        i += 1;
    }
    kinds
};

fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

impl Walk<'_> {
    /// Passes over fields as [`Walk::field`] would, as long as they are plain, at most `left` of them; whether the walk
    /// has ended with that.
    #[inline]
    pub(super) fn passes(&mut self, left: &mut usize) -> bool {
        if self.inside || self.named {
            return false;
        }
        let text = self.text;
        while *left > 0 {
            let mut from = self.at;
            while let Some(&byte) = text.get(from) {
                let dash = byte == b'-' && matches!(text.get(from + 1), Some(b' ' | b'\t'));
                if kind(byte) & BETWEEN == 0 && !dash {
                    break;
                }
                from += 1;
            }
            let mut end = from;
            while text.get(end).is_some_and(|byte| kind(*byte) & LETTER != 0) {
                end += 1;
            }
            let letters = end - from;
            while text.get(end).is_some_and(|byte| kind(*byte) & PLAIN != 0) {
                end += 1;
            }
            if end == from {
                // Behind one word, a program's name, may stand its process and thread.
                let Some(close) = plain_field(text, from).filter(|_| self.words != 1) else { return false };
                self.at = close + 1;
                self.brackets += 1;
            } else {
                // A comma behind the first word may begin a list of topics.
                let apart = match text.get(end) {
                    Some(b',') => self.words > 0,
                    Some(byte) => kind(*byte) & BEHIND != 0,
                    None => true,
                };
                let whole = &text[from..end];
                let number = letters == 0 && whole.iter().all(|b| b.is_ascii_digit() || *b == b'.');
                if !apart || !number && !self.is_name(whole, letters) {
                    return false;
                }
                self.at = end;
                self.words += usize::from(!number);
            }
            *left -= 1;
            if self.words > MOST_WORDS {
                return true;
            }
        }
        true
    }

    /// Whether a word of plain bytes that begins with so many letters is no more than a name.
    #[inline(always)]
    fn is_name(&self, whole: &[u8], letters: usize) -> bool {
        // A letter or two may be a mark, and some names are a thread's.
        if letters < 3 || marks::is_thread(whole) {
            return false;
        }
        if letters == whole.len() {
            // Three may be a record's or a log's name.
            return !matches!(whole, b"RAS" | b"LOG" | b"PHP") && word::level(whole).is_none();
        }
        // Digits behind letters may be a thread's number, or stunnel's level.
        matches!(whole[letters], b'.' | b'_') && (self.words > 0 || syslog::facility(whole).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Field, MOST_FIELDS};
    use super::*;
    use crate::parse::tests::samples_once;
    use crate::parse::time::{Shape, Stamp};
    use proptest::prelude::*;

    /// The walk as it is without passing over anything: where it ends, and in which state.
    fn walked(text: &[u8], quick: bool) -> (String, usize, usize, usize, bool, bool) {
        let mut walk = Walk::new(text, Stamp { end: 0, shape: Shape::Date }, false);
        let mut left = MOST_FIELDS;
        let mut end = "exhausted".to_owned();
        while left > 0 {
            if quick && walk.passes(&mut left) {
                end = if left == 0 && walk.words <= MOST_WORDS { end } else { "end".to_owned() };
                break;
            }
            left -= 1;
            match walk.field() {
                Field::Level(level, trust) => {
                    end = format!("{level:?} {trust:?} {:?}", walk.found(level, trust));
                    break;
                }
                Field::Done(head) => {
                    end = format!("{head:?}");
                    break;
                }
                Field::Other => {}
                Field::End => {
                    end = "end".to_owned();
                    break;
                }
            }
        }
        // Behind the end nothing is asked of the place.
        let ended = end == "end" || end == "exhausted";
        let at = if ended { 0 } else { walk.at };
        let end = if ended { "end".to_owned() } else { end };
        let state = (walk.words, walk.brackets);
        let state = if ended { (0, 0) } else { state };
        (end, at, state.0, state.1, walk.named && !ended, walk.threaded && !ended)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_passed_over_tells_nothing(
            words in proptest::collection::vec(
                "([a-z]{1,4}|INFO|error|RAS|LOG|PHP|FAIL|kern\\.info|web\\.api|[0-9a-f]{7,9}|[0-9.]{1,4}|\\[[a-z0-9:. ]{0,5}\\]|\\[(System|trace1|WARN|a-b)\\]|a_b|TID-x|I|D2|cpu1|name:|k=v|x\\[1\\]:)",
                1..12,
            ),
            between in proptest::collection::vec("( | | | - | \\| |\\||, |: |  |\t|-> |-)", 12),
        ) {
            let text: String = words.iter().zip(&between).map(|(word, between)| format!("{between}{word}")).collect();
            prop_assert_eq!(walked(text.as_bytes(), true), walked(text.as_bytes(), false), "{}", text);
        }

        #[test]
        fn samples_are_walked_alike(pick in any::<prop::sample::Index>(), from in any::<prop::sample::Index>()) {
            let line = pick.get(samples_once());
            let text = &line[from.index(line.len() + 1)..];
            prop_assert_eq!(walked(text, true), walked(text, false), "{}", String::from_utf8_lossy(text));
        }
    }
}
