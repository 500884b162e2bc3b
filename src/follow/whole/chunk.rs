//! One stretch of a large file, counted on its own: from the first event that starts at or after one offset to the
//! first that starts at or after another.

use super::Rules;
use super::blocks::{Blocks, READ_BYTES};
use crate::pipeline::{Carry, Into, Scratch};
use crate::tally::Tally;
use memchr::memchr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// What one stretch held.
pub(super) struct Stretch {
    /// Offset of its first event.
    pub(super) start: u64,
    /// Offset of the first event after it.
    pub(super) end: u64,
    /// What parsing remembers at its end.
    pub(super) carry: Carry,
    pub(super) tally: Tally,
}

/// Reads a file from an offset without moving its cursor, so that threads can share it.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Where a stretch begins.
pub(super) enum From {
    /// Exactly here, with this carry: what stands before has been read.
    Here(u64, Carry),
    /// At the first line here or later that starts an event, if parsing remembers this by then.
    After(u64, Carry),
}

/// Counts a stretch up to the first event that starts at `to` or later.
pub(super) fn count(
    rules: &Rules<'_>,
    file: &File,
    from: From,
    to: u64,
    scratch: &mut Scratch,
    progress: &dyn Fn(u64),
) -> io::Result<Stretch> {
    let (start, mut carry) = match from {
        From::Here(at, carry) => (at, carry),
        From::After(at, carry) => (first_event(rules, &carry, file, at)?, carry),
    };
    let (mut tally, stream) = rules.tally();
    let mut at = start;
    if start < to {
        let mut blocks = Blocks::new(At { file, at: start }, rules.line_bytes);
        while let Some(block) = blocks.next()? {
            let mut into = Into { tally: &mut tally, stream, now: rules.now, clock: None };
            let length = block.bytes.len() as u64 + block.skipped;
            if at + length <= to {
                rules.pipeline.feed(&mut carry, block.bytes, length, &mut into, scratch);
                at += length;
                progress(length);
                continue;
            }
            let (read, ended) = last_block(
                rules,
                &mut carry,
                block.bytes,
                block.skipped,
                to.saturating_sub(at),
                &mut into,
                scratch,
            );
            at += read;
            progress(read);
            if ended {
                break;
            }
        }
    }
    rules.pipeline.flush(
        &mut carry,
        &mut Into { tally: &mut tally, stream, now: rules.now, clock: None },
        scratch,
    );
    Ok(Stretch { start, end: at, carry, tally })
}

/// Counts the block in which the stretch ends, line by line from `to` on. Returns how far it came, and whether an
/// event of the next stretch stands there.
fn last_block(
    rules: &Rules<'_>,
    carry: &mut Carry,
    block: &[u8],
    skipped: u64,
    to: u64,
    into: &mut Into<'_>,
    scratch: &mut Scratch,
) -> (u64, bool) {
    let dropped = |end: usize| if end == block.len() { skipped } else { 0 };
    // The first line that starts at `to` or later; a line cut for its length is always the only one of its block.
    let mut at = match to.checked_sub(1) {
        None => 0,
        Some(before) => {
            let before = (before as usize).min(block.len());
            memchr(b'\n', &block[before..]).map_or(block.len(), |n| before + n + 1)
        }
    };
    if skipped > 0 {
        at = if to == 0 { 0 } else { block.len() };
    }
    if at > 0 {
        rules.pipeline.feed(carry, &block[..at], at as u64 + dropped(at), into, scratch);
    }
    while at < block.len() {
        let next = memchr(b'\n', &block[at..]).map_or(block.len(), |n| at + n + 1);
        if rules.pipeline.starts_event(carry, trimmed(&block[at..next])) {
            return (at as u64, true);
        }
        rules.pipeline.feed(carry, &block[at..next], (next - at) as u64 + dropped(next), into, scratch);
        at = next;
    }
    (at as u64 + skipped, false)
}

/// The offset of the first line at `from` or later that starts an event; the file's end where there is none.
fn first_event(rules: &Rules<'_>, carry: &Carry, file: &File, from: u64) -> io::Result<u64> {
    // Begin one byte earlier: if that is a line end, a line starts exactly at `from`.
    let mut at = from - 1;
    let mut inside_line = true;
    let mut blocks = Blocks::new(At { file, at }, rules.line_bytes);
    while let Some(block) = blocks.next()? {
        let mut rest = block.bytes;
        if inside_line {
            inside_line = false;
            let first = memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
            if first == rest.len() {
                at += first as u64 + block.skipped;
                continue;
            }
            at += first as u64;
            rest = &rest[first..];
        }
        while !rest.is_empty() {
            let next = memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
            if rules.pipeline.starts_event(carry, trimmed(&rest[..next])) {
                return Ok(at);
            }
            at += next as u64 + if next == rest.len() { block.skipped } else { 0 };
            rest = &rest[next..];
        }
    }
    Ok(at)
}

/// A line as the parser wants it.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What parsing remembers after the first block of a file: what it will most likely remember everywhere in it.
pub(super) fn outlook(rules: &Rules<'_>, file: &File, scratch: &mut Scratch) -> io::Result<Carry> {
    let mut carry = Carry::default();
    let (mut tally, stream) = rules.tally();
    let mut blocks = Blocks::new(At { file, at: 0 }.take(READ_BYTES as u64), rules.line_bytes);
    if let Some(block) = blocks.next()? {
        let mut into = Into { tally: &mut tally, stream, now: rules.now, clock: None };
        let bytes = block.bytes.len() as u64 + block.skipped;
        rules.pipeline.feed(&mut carry, block.bytes, bytes, &mut into, scratch);
    }
    Ok(carry.between_events())
}
