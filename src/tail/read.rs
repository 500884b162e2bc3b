//! One turn of reading: at most one block of one open file becomes complete lines.
//!
//! No byte of a file is kept between turns. What is kept is where the settled part ends and how far behind it was already
//! searched for a line end, so that a line written in pieces is not read again for each piece.

use super::saved::{Encoding, HEAD_BYTES, Head, Mark, Saved};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What a turn came to.
#[derive(Debug)]
pub(super) enum Turn {
    /// Read `bytes`; with `more`, the file has bytes that this turn did not look at.
    Read { bytes: u64, more: bool },
    /// What was settled is no longer what the file holds.
    Replaced,
}

/// Where lines go: chunk, skipped bytes, encoding.
pub(super) type Emit<'a> = &'a mut dyn FnMut(&[u8], u64, Encoding);

/// The one buffer that all files of a shard share, and its limits.
pub(super) struct Block {
    buffer: Vec<u8>,
    /// Bytes of a turn.
    pub(super) size: usize,
    /// Longest line that is handed over whole.
    pub(super) line_bytes: usize,
}

impl Block {
    pub(super) fn new(size: usize, line_bytes: usize) -> Block {
        Block { buffer: Vec::new(), size: size.max(HEAD_BYTES), line_bytes }
    }

    /// Reads up to `len` bytes at an offset, as many as there are.
    fn fill(&mut self, file: &File, at: u64, len: usize) -> io::Result<&[u8]> {
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        let filled = read_at(file, at, &mut self.buffer[..len])?;
        Ok(&self.buffer[..filled])
    }

    /// Gives back what a very long line made the buffer grow by.
    fn shrink(&mut self) {
        if self.buffer.len() > self.size * 2 {
            self.buffer.truncate(self.size * 2);
            self.buffer.shrink_to_fit();
        }
    }
}

/// Fills `buffer` from an offset as far as the file goes.
pub(super) fn read_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The first bytes of a file.
pub(super) fn read_head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_BYTES];
    let filled = read_at(file, 0, &mut head)?;
    head.truncate(filled);
    Ok(head)
}

/// Whether the file still holds, right before `saved.offset`, what was settled there.
pub(super) fn mark_fits(file: &File, saved: &Saved) -> io::Result<bool> {
    let mut before = [0; super::saved::MARK_BYTES];
    let before = &mut before[..saved.mark.len() as usize];
    let filled = read_at(file, saved.offset - saved.mark.len(), before)?;
    Ok(filled == before.len() && saved.mark.fits(before))
}

/// Whether the file still begins as the content does and holds, right before its offset, what was settled there.
pub(super) fn holds(file: &File, saved: &Saved) -> io::Result<bool> {
    Ok(!matches!(grown_head(file, saved)?, Some(Err(()))) && mark_fits(file, saved)?)
}

/// Reads one block of a file that has `size` bytes now and hands its complete lines to `emit`.
/// `searched` is how far the file holds no line end behind the offset.
pub(super) fn turn(
    file: &File,
    saved: &mut Saved,
    searched: &mut u64,
    size: u64,
    block: &mut Block,
    emit: Emit<'_>,
) -> io::Result<Turn> {
    *searched = if *searched > size { saved.offset } else { (*searched).max(saved.offset) };
    if size < saved.offset {
        return Ok(Turn::Replaced);
    }
    let grown = grown_head(file, saved)?;
    if grown.as_ref().is_some_and(|head| head.is_err()) {
        return Ok(Turn::Replaced);
    }
    if *searched > saved.offset {
        if !mark_fits(file, saved)? {
            return Ok(Turn::Replaced);
        }
        let before = *searched;
        let found = search(file, saved, searched, size, block)?;
        let Some(end) = found else {
            keep_head(saved, grown);
            return Ok(Turn::Read {
                bytes: *searched - before,
                more: *searched < size && *searched > before,
            });
        };
        if end - saved.offset > block.line_bytes.max(block.size) as u64 {
            overlong(file, saved, end, block, emit)?;
            keep_head(saved, grown);
            *searched = saved.offset;
            return Ok(Turn::Read { bytes: end - before, more: end < size });
        }
        return whole_lines(file, saved, searched, (end, size), grown, block, emit);
    }
    whole_lines(file, saved, searched, (saved.offset, size), grown, block, emit)
}

/// Reads from the offset and settles up to the last line end. `at_least` is where a known line end stands.
fn whole_lines(
    file: &File,
    saved: &mut Saved,
    searched: &mut u64,
    (at_least, size): (u64, u64),
    grown: Option<Result<Head, ()>>,
    block: &mut Block,
    emit: Emit<'_>,
) -> io::Result<Turn> {
    let lead = saved.mark.len() as usize;
    let len = block.size.max((at_least - saved.offset) as usize);
    let data = block.fill(file, saved.offset - lead as u64, lead + len)?;
    if data.len() < lead || !saved.mark.fits(&data[..lead]) {
        return Ok(Turn::Replaced);
    }
    let end = saved.offset + (data.len() - lead) as u64;
    let bytes = end.saturating_sub(*searched);
    keep_head(saved, grown);
    let mut start = lead;
    if saved.offset == 0 {
        if Encoding::undecided(data) {
            return Ok(Turn::Read { bytes: 0, more: false });
        }
        let (encoding, mark) = Encoding::detect(data);
        saved.encoding = encoding;
        start = mark;
    }
    let settled = saved.encoding.last_line(&data[start..]).map_or(start, |end| start + end);
    if settled > lead {
        if settled > start {
            emit(&data[start..settled], 0, saved.encoding);
        }
        saved.offset += (settled - lead) as u64;
        saved.mark = Mark::of(&data[..settled]);
    }
    *searched = end - (end - saved.offset) % saved.encoding.unit();
    block.shrink();
    Ok(Turn::Read { bytes, more: end < size && bytes > 0 })
}

/// Looks for a line end from `searched` on, one block far. Gives one past it.
fn search(
    file: &File,
    saved: &Saved,
    searched: &mut u64,
    size: u64,
    block: &mut Block,
) -> io::Result<Option<u64>> {
    let len = block.size.min(usize::try_from(size - *searched).unwrap_or(usize::MAX));
    let data = block.fill(file, *searched, len)?;
    if let Some(end) = saved.encoding.first_line(data) {
        return Ok(Some(*searched + end as u64));
    }
    let whole = data.len() as u64;
    *searched += whole - whole % saved.encoding.unit();
    if !data.is_empty() && data.iter().all(|byte| *byte == 0) {
        *searched = hole_end(file, saved, *searched, size);
    }
    Ok(None)
}

/// Where the next written bytes stand, so that a sparse hole costs nothing. A hole has no line end in any encoding.
fn hole_end(file: &File, saved: &Saved, from: u64, size: u64) -> u64 {
    let next = next_data(file, from, size).clamp(from, size);
    next - (next - saved.offset) % saved.encoding.unit()
}

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "dragonfly", target_vendor = "apple"))]
fn next_data(file: &File, from: u64, size: u64) -> u64 {
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(from)) {
        Ok(next) => next,
        Err(rustix::io::Errno::NXIO) => size,
        Err(_) => from,
    }
}

/// Not every system tells of holes: they are read as the zeros that they are.
#[cfg(not(any(
    target_os = "linux",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_vendor = "apple"
)))]
fn next_data(_file: &File, from: u64, _size: u64) -> u64 {
    from
}

/// Hands over the head of a line that is too long to hold, and settles all of it up to `end`.
fn overlong(file: &File, saved: &mut Saved, end: u64, block: &mut Block, emit: Emit<'_>) -> io::Result<()> {
    let newline = saved.encoding.newline();
    let text = end - newline.len() as u64 - saved.offset;
    let unit = saved.encoding.unit();
    let keep = (block.line_bytes as u64 + 1).next_multiple_of(unit).min(text);
    let mut chunk = block.fill(file, saved.offset, keep as usize)?.to_vec();
    chunk.extend_from_slice(newline);
    let mut before = [0; super::saved::MARK_BYTES];
    let filled = read_at(file, end - before.len() as u64, &mut before)?;
    emit(&chunk, text - keep, saved.encoding);
    saved.offset = end;
    saved.mark = Mark::of(&before[..filled]);
    block.shrink();
    Ok(())
}

/// Settles what is left of a content that ended for good: a last line without its line end.
/// Gives `false` where the file no longer holds what was settled.
pub(super) fn finish(
    file: &File,
    saved: &mut Saved,
    size: u64,
    block: &mut Block,
    emit: Emit<'_>,
) -> io::Result<bool> {
    if !holds(file, saved)? {
        return Ok(false);
    }
    let rest = size.saturating_sub(saved.offset);
    if rest == 0 {
        return Ok(true);
    }
    let keep =
        if rest > block.line_bytes.max(block.size) as u64 { block.line_bytes as u64 + 1 } else { rest };
    let lead = saved.mark.len();
    let data = block.fill(file, saved.offset - lead, (lead + keep) as usize)?;
    let text = &data[(lead as usize).min(data.len())..];
    if text.is_empty() {
        return Ok(true);
    }
    let mut skipped = 0;
    if keep < rest {
        let newline = saved.encoding.newline();
        emit(&[text, newline].concat(), rest - keep, saved.encoding);
        skipped = rest - keep;
    } else {
        emit(text, 0, saved.encoding);
    }
    saved.offset += text.len() as u64 + skipped;
    let mut before = vec![0; saved.offset.min(super::saved::MARK_BYTES as u64) as usize];
    let filled = read_at(file, saved.offset - before.len() as u64, &mut before)?;
    saved.mark = Mark::of(&before[..filled]);
    block.shrink();
    Ok(true)
}

/// Compares the file's beginning with the fingerprint, and gives a new one where there is more of it than before.
/// `Err`: the file begins differently now. The mark alone may be the same text over and over.
fn grown_head(file: &File, saved: &Saved) -> io::Result<Option<Result<Head, ()>>> {
    let known = saved.head.len();
    let mut head = [0; HEAD_BYTES];
    let filled = read_at(file, 0, &mut head)?;
    let head = &head[..filled];
    // Cut behind the offset: what is settled stands, and the mark before the offset tells.
    let cut = head.len() < known && saved.offset > 0;
    if !(known == 0 || cut || (head.len() >= known && saved.head.fits(head))) {
        return Ok(Some(Err(())));
    }
    Ok((Head::covers(head, saved.offset) != known).then(|| Ok(Head::of_file(head, saved.offset))))
}

/// Takes the new fingerprint over once the mark has shown that the file is still the same.
fn keep_head(saved: &mut Saved, grown: Option<Result<Head, ()>>) {
    if let Some(Ok(head)) = grown {
        saved.head = head;
    }
}
