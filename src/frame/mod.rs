//! Lines of a block: line ends found by vectorised search, never byte by byte.
//!
//! In comes a block of complete lines (only the last may lack its `\n`, where a file has ended for good); out go
//! the lines as ranges, without their ends, without the NULs that a crashed writer leaves in front of a line, and
//! no longer than the limit.

mod ends;

pub use ends::Ends;

/// One line of a block, as byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where its text starts.
    pub start: usize,
    /// Where its text ends: before `\r\n` or `\n`, and at most `limit` bytes after the start.
    pub end: usize,
    /// Where the next line starts.
    pub next: usize,
    /// It was longer than the limit; only its head is in the span.
    pub truncated: bool,
}

/// Walks the lines of a block.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    block: &'a [u8],
    ends: std::slice::Iter<'a, u32>,
    at: usize,
    limit: usize,
}

/// The lines of `block`, whose `ends` were found; text past `limit` bytes of a line is left out.
pub fn lines<'a>(block: &'a [u8], ends: &'a Ends, limit: usize) -> Lines<'a> {
    Lines { block, ends: ends.places().iter(), at: 0, limit }
}

impl Lines<'_> {
    /// Where the next line starts.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Where the further lines end that have their `\n`.
    pub fn ends(&self) -> &[u32] {
        self.ends.as_slice()
    }

    /// Leaves out the next `count` of those lines.
    pub fn skip_lines(&mut self, count: usize) {
        if let Some(last) = count.checked_sub(1).and_then(|last| self.ends.nth(last)) {
            self.at = *last as usize + 1;
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Span;

    #[inline]
    fn next(&mut self) -> Option<Span> {
        let mut start = self.at;
        let (mut end, next) = match self.ends.next() {
            Some(&end) => (end as usize, end as usize + 1),
            None if start < self.block.len() => (self.block.len(), self.block.len()),
            None => return None,
        };
        self.at = next;
        let line = self.block.get(start..end)?;
        if line.last() == Some(&b'\r') {
            end -= 1;
        }
        if line.first() == Some(&0) {
            start = self.block[start..end].iter().position(|&b| b != 0).map_or(end, |n| start + n);
        }
        let truncated = end - start > self.limit;
        if truncated {
            end = start + self.limit;
        }
        Some(Span { start, end, next, truncated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(block: &[u8], limit: usize) -> Vec<Span> {
        let mut ends = Ends::default();
        ends.find(block);
        lines(block, &ends, limit).collect()
    }

    fn texts(block: &[u8], limit: usize) -> Vec<(&[u8], bool)> {
        spans(block, limit).into_iter().map(|s| (&block[s.start..s.end], s.truncated)).collect()
    }

    #[test]
    fn line_ends_are_dropped_and_empty_lines_kept() {
        assert_eq!(
            texts(b"a\r\n\n\r\nb\n", 99),
            [(&b"a"[..], false), (b"", false), (b"", false), (b"b", false)]
        );
        assert_eq!(texts(b"", 99), []);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        assert_eq!(texts(b"a\nb\r", 99), [(&b"a"[..], false), (b"b", false)]);
    }

    #[test]
    fn a_hole_of_nuls_before_a_line_is_not_its_text() {
        assert_eq!(texts(b"\0\0\0a\0b\n\0\0\n", 99), [(&b"a\0b"[..], false), (b"", false)]);
    }

    #[test]
    fn a_line_past_the_limit_keeps_its_head() {
        assert_eq!(texts(b"abcd\nabc\n", 3), [(&b"abc"[..], true), (b"abc", false)]);
    }

    #[test]
    fn spans_cover_the_block() {
        let block = b"one\ntwo\r\n\nlast";
        let mut at = 0;
        for span in spans(block, 99) {
            assert!(span.start >= at && span.end <= span.next);
            at = span.next;
        }
        assert_eq!(at, block.len());
    }
}
