//! What follows the level in lines of pairs, as one kind of line of a program has it: always the same keys, each time
//! with other values. Only the ends of the values are left to find.

use super::patience::{Patience, Worth};
use super::shape::Shape;
use crate::parse::head::skip_blanks;
use crate::parse::swar::{equal, first};
use crate::parse::{json, logfmt};
use std::ops::Range;

/// The most pairs that are remembered.
const MOST_PAIRS: usize = 24;

/// Tails that are remembered of one beginning.
const MOST_TAILS: usize = 4;

/// The tails that lines of one beginning had.
#[derive(Clone, Debug, Default)]
pub(super) struct Tails {
    known: Vec<Tail>,
    /// The one that fitted last.
    last: usize,
    /// Where the next one is put when all places are taken.
    next: usize,
    pub(super) patience: Patience,
    worth: Worth,
}

impl Tails {
    /// Where the message stands if `block[at..end]` is one of them.
    #[inline(always)]
    pub(super) fn message(&mut self, block: &[u8], at: usize, end: usize) -> Option<Range<usize>> {
        // Where each line has other pairs, they are only in the way.
        if !self.worth.allows() {
            return None;
        }
        let message = match self.known.get(self.last)?.message(block, at, end) {
            Some(message) => Some(message),
            None => self.other(block, at, end),
        };
        if message.is_some() {
            self.worth.pays();
        } else {
            self.worth.spends();
        }
        message
    }

    #[inline(never)]
    fn other(&mut self, block: &[u8], at: usize, end: usize) -> Option<Range<usize>> {
        let find = |(n, tail): (usize, &Tail)| Some((n, tail.message(block, at, end)?));
        let (last, message) = self.known.iter().enumerate().find_map(find)?;
        self.last = last;
        Some(message)
    }

    /// Remembers a tail.
    pub(super) fn keep(&mut self, tail: Tail) {
        if self.known.contains(&tail) {
            return;
        }
        if self.known.len() < MOST_TAILS {
            self.last = self.known.len();
            self.known.push(tail);
        } else {
            self.last = self.next;
            self.known[self.next] = tail;
            self.next = (self.next + 1) % MOST_TAILS;
        }
    }
}

/// The pairs behind a level, up to the end of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pairs: Vec<Pair>,
    /// What stands behind the last value, up to the end.
    close: Shape,
}

/// What stands between one value and the next, and how that one ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    open: Shape,
    ends: Ends,
    message: bool,
}

/// Where a value ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// At the quote that closes it; there is no backslash in it.
    Quote,
    /// At a blank or at the end of the line; it does not begin with a quote.
    Blank,
    /// At a comma, a closing brace or a blank; it begins with no quote, brace or bracket.
    Comma,
}

impl Tail {
    /// Where the message stands if `block[at..end]` is such a tail, `end` being the line's.
    #[inline(always)]
    pub(super) fn message(&self, block: &[u8], mut at: usize, end: usize) -> Option<Range<usize>> {
        let mut message = None;
        for pair in &self.pairs {
            // What is compared may reach behind the line, where nothing fits its end.
            if !pair.open.fits(block.get(at..)?) {
                return None;
            }
            let from = at + pair.open.len();
            at = pair.ends.find(block, from, end)?;
            if pair.message {
                message = Some(from..at);
            }
        }
        let closed = at + self.close.len() == end && self.close.fits(block.get(at..)?);
        if closed { message } else { None }
    }

    /// The tail behind the level that ends at `at` of a JSON line, at its quote if it has one, if nothing in it but the message matters.
    pub(super) fn of_json(line: &[u8], at: usize) -> Option<Tail> {
        let mut builder = Builder { line, from: at, pairs: Vec::new() };
        let quote = usize::from(line.get(at) == Some(&b'"'));
        let mut pairs = json::Pairs::behind(line, at + quote);
        while let Some(pair) = pairs.step() {
            let value = pair.value;
            let message = match json::key(&line[pair.key.0..pair.key.1]) {
                json::Key::Message(_) if value.string => true,
                json::Key::None | json::Key::Time => false,
                _ => return None,
            };
            let ends = if value.string { Ends::Quote } else { Ends::Comma };
            builder.push(value.from..value.to, ends, message)?;
        }
        let whole = pairs.closed && pairs.at == line.len();
        if whole { builder.finish() } else { None }
    }

    /// The same for a line of `key=value` pairs.
    pub(super) fn of_logfmt(line: &[u8], at: usize) -> Option<Tail> {
        let mut builder = Builder { line, from: at, pairs: Vec::new() };
        let mut at = skip_blanks(line, at);
        while at < line.len() {
            let (pair, end) = logfmt::pair(line, at)?;
            let message = match logfmt::key(&line[pair.key.0..pair.key.1]) {
                logfmt::Key::Message if pair.quoted => true,
                logfmt::Key::Other | logfmt::Key::Time => false,
                _ => return None,
            };
            let ends = if pair.quoted { Ends::Quote } else { Ends::Blank };
            builder.push(pair.value.0..pair.value.1, ends, message)?;
            at = skip_blanks(line, end);
        }
        builder.finish()
    }
}

/// Pairs found so far.
struct Builder<'a> {
    line: &'a [u8],
    /// Where the last value ended.
    from: usize,
    pairs: Vec<Pair>,
}

impl Builder<'_> {
    fn push(&mut self, value: Range<usize>, ends: Ends, message: bool) -> Option<()> {
        let plain = ends.find(self.line, value.start, self.line.len()) == Some(value.end);
        if !plain || self.pairs.len() == MOST_PAIRS || message && self.pairs.iter().any(|pair| pair.message) {
            return None;
        }
        let open = Shape::new(self.line.get(self.from..value.start)?, &[])?;
        self.pairs.push(Pair { open, ends, message });
        self.from = value.end;
        Some(())
    }

    fn finish(self) -> Option<Tail> {
        let close = Shape::new(self.line.get(self.from..)?, &[])?;
        self.pairs.iter().any(|pair| pair.message).then_some(Tail { pairs: self.pairs, close })
    }
}

impl Ends {
    /// The end of the value that begins at `from` of a line that ends at `end`; `None` where it is no such value.
    #[inline(always)]
    fn find(self, text: &[u8], from: usize, end: usize) -> Option<usize> {
        match self {
            Ends::Quote => {
                let at = first(text, from, end, |t| equal(t, b'"') | equal(t, b'\\'))?;
                (text.get(at) == Some(&b'"')).then_some(at)
            }
            Ends::Blank => {
                let quoted = text.get(from) == Some(&b'"');
                let blanks = |t| equal(t, b' ') | equal(t, b'\t');
                if quoted { None } else { first(text, from, end, blanks).or(Some(end)) }
            }
            Ends::Comma => {
                let plain = !matches!(text.get(from), Some(b'"' | b'{' | b'['));
                let ends = |t| equal(t, b',') | equal(t, b'}') | equal(t, b' ') | equal(t, b'\t');
                if plain { first(text, from, end, ends) } else { None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_pairs_is_its_own_tail() {
        let json = br#"{"level":"info","n": 12, "logger":"a.b","message": "all is well", "ok":true}"#;
        let tail = Tail::of_json(json, 14).unwrap();
        let message = tail.message(json, 14, json.len()).unwrap();
        assert_eq!(&json[message], b"all is well");
        let other = br#"{"level":"info","n": 3.5, "logger":"","message": "then { it was, so", "ok":false}"#;
        assert!(tail.message(other, 14, other.len()).is_some());
        for not in [
            &br#"{"level":"info","n": 12, "logger":"a.b","message": "all is \"well\"", "ok":true}"#[..],
            br#"{"level":"info","n": 12, "logger":"a.b","message": "all is well", "ok":true} "#,
            br#"{"level":"info","n": [1], "logger":"a.b","message": "all is well", "ok":true}"#,
            br#"{"level":"info","n": 12, "logger":"a.b","message": "all is well", "ok":true"#,
            br#"{"level":"info","n": 12, "logger":"a.b","message": "all is w"#,
        ] {
            assert_eq!(tail.message(not, 14, not.len()), None, "{}", String::from_utf8_lossy(not));
        }
    }

    #[test]
    fn a_number_has_no_quote_behind_it() {
        let line = br#"{"level":30,"time":17,"pid":4,"hostname":"h","msg":"all is well"}"#;
        let tail = Tail::of_json(line, 11).unwrap();
        assert_eq!(tail.message(line, 11, line.len()).map(|at| &line[at]), Some(&b"all is well"[..]));
        let other =
            br#"{"level":50,"time":18,"pid":4,"hostname":"h","msg":"all is well","err":{"type":"E"}}"#;
        assert_eq!(tail.message(other, 11, other.len()), None);
    }

    #[test]
    fn what_matters_besides_the_message_is_no_tail() {
        for line in [
            r#"{"level":"info","msg":"text","exc_info":"KeyError: 1"}"#,
            r#"{"level":"info","msg":"text","message":"more"}"#,
            r#"{"level":"info","msg":"a\nb"}"#,
            r#"{"level":"info","msg":"text","levelno":40}"#,
            r#"{"level":"info","fields":{"message":"text"},"msg":"x"}"#,
            r#"{"level":"info","text":"text"}"#,
        ] {
            assert_eq!(Tail::of_json(line.as_bytes(), 14), None, "{line}");
        }
        for line in
            ["level=info msg=done", "level=info msg=\"a\" flag x=1", "level=info msg=\"a\" exc_type=E"]
        {
            assert_eq!(Tail::of_logfmt(line.as_bytes(), 10), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn ends_are_those_of_a_plain_walk(text in "[a-c \\t,}\"\\\\\\n]{0,40}", from in 0usize..40, end in 0usize..41) {
            let text = text.as_bytes();
            let end = end.min(text.len());
            let from = from.min(end);
            let walk = |stops: &[u8]| (from..end).find(|at| stops.contains(&text[*at]));
            let begins = |what: &[u8]| text.get(from).is_some_and(|byte| what.contains(byte));
            let quote = walk(b"\"\\").filter(|at| text[*at] == b'"');
            prop_assert_eq!(Ends::Quote.find(text, from, end), quote);
            let blank = walk(b" \t").or(Some(end)).filter(|_| !begins(b"\""));
            prop_assert_eq!(Ends::Blank.find(text, from, end), blank);
            let comma = walk(b",} \t").filter(|_| !begins(b"\"{["));
            prop_assert_eq!(Ends::Comma.find(text, from, end), comma);
        }
    }
}
