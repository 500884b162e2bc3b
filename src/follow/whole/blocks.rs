//! A reader cut into blocks of complete lines, in one buffer, whatever the lines' length.

use memchr::{memchr, memrchr};
use std::io::{self, Read};

/// Bytes read at a time; larger reads gain nothing.
pub(super) const READ_BYTES: usize = 256 * 1024;

/// Cuts a reader at line ends.
pub(super) struct Blocks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the unread part of the buffer starts and ends.
    from: usize,
    to: usize,
    /// A line longer than this is cut: its head stays, the rest is skipped.
    limit: usize,
    ended: bool,
}

/// A block of complete lines; the last one of a reader may lack its end.
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes left out before the last line end of the block.
    pub(super) skipped: u64,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R, limit: usize) -> Blocks<R> {
        Blocks { reader, buffer: vec![0; READ_BYTES], from: 0, to: 0, limit, ended: false }
    }

    /// The next block; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Block<'_>>> {
        loop {
            if let Some(end) = memrchr(b'\n', &self.buffer[self.from..self.to]) {
                let start = self.from;
                self.from += end + 1;
                return Ok(Some(Block { bytes: &self.buffer[start..self.from], skipped: 0 }));
            }
            if self.ended {
                let start = std::mem::replace(&mut self.from, self.to);
                let bytes = &self.buffer[start..self.to];
                return Ok((!bytes.is_empty()).then_some(Block { bytes, skipped: 0 }));
            }
            if self.to - self.from > self.limit {
                return self.cut_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        if self.to == self.buffer.len() {
            // A long line: room for the whole of what is looked at, and the read after it.
            let more = (self.buffer.len() * 2).min(self.limit + 1 + READ_BYTES);
            self.buffer.resize(more, 0);
        }
        let read = read_some(&mut self.reader, &mut self.buffer[self.to..])?;
        self.to += read;
        self.ended = read == 0;
        Ok(())
    }

    /// The head of a line longer than the limit; what follows up to its end is skipped.
    fn cut_line(&mut self) -> io::Result<Block<'_>> {
        self.buffer.copy_within(self.from..self.to, 0);
        let head = self.limit + 1;
        let mut skipped = (self.to - self.from - head) as u64;
        (self.from, self.to) = (0, head);
        self.buffer.resize(head + 1 + READ_BYTES, 0);
        loop {
            let read = read_some(&mut self.reader, &mut self.buffer[head + 1..])?;
            let fresh = head + 1..head + 1 + read;
            if let Some(end) = memchr(b'\n', &self.buffer[fresh.clone()]) {
                skipped += end as u64;
                self.buffer[head] = b'\n';
                self.from = fresh.start + end + 1;
                self.to = fresh.end;
                return Ok(Block { bytes: &self.buffer[..head + 1], skipped });
            }
            skipped += read as u64;
            if read == 0 {
                self.ended = true;
                (self.from, self.to) = (0, 0);
                return Ok(Block { bytes: &self.buffer[..head], skipped });
            }
        }
    }
}

fn read_some(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives at most so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(into.len()).min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(text: &[u8], drip: usize, limit: usize) -> (Vec<u8>, u64) {
        let mut blocks = Blocks::new(Drip(text, drip), limit);
        let (mut bytes, mut skipped) = (Vec::new(), 0);
        while let Some(block) = blocks.next().unwrap() {
            bytes.extend_from_slice(block.bytes);
            skipped += block.skipped;
        }
        (bytes, skipped)
    }

    #[test]
    fn what_goes_in_comes_out_in_lines() {
        let text = b"one\ntwo\n\nthree\nlast";
        for drip in 1..text.len() + 1 {
            assert_eq!(all(text, drip, 100), (text.to_vec(), 0), "drip {drip}");
            let mut blocks = Blocks::new(Drip(text, drip), 100);
            while let Some(block) = blocks.next().unwrap() {
                assert!(block.bytes.ends_with(b"\n") || block.bytes.ends_with(b"last"));
            }
        }
    }

    #[test]
    fn a_long_line_keeps_its_head() {
        let text = b"ab\n0123456789\ncd\n9876543210";
        for drip in [1, 2, 5, 11, 100] {
            let (bytes, skipped) = all(text, drip, 4);
            assert_eq!(bytes.len() as u64 + skipped, text.len() as u64, "drip {drip}");
            if drip == 1 {
                assert_eq!(bytes, b"ab\n01234\ncd\n98765");
            }
        }
    }
}
