//! The compressed successor of a followed file: decompressed up to where the plain file was settled, and read on there.
//!
//! Offsets are those of the uncompressed content, so a restart in the middle finds its place the same way.

use super::read::Emit;
use super::saved::{HEAD_BYTES, MARK_BYTES, Mark, Saved};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A decompressor that stands at a content's offset.
pub(super) struct Packed {
    reader: Box<dyn Read + Send>,
    /// The bytes from the content's mark on: marked ones first, then the piece of a line.
    carry: Vec<u8>,
    /// Bytes of an overlong line that were dropped behind the carry.
    skipped: u64,
}

/// What a turn came to.
pub(super) enum PackedTurn {
    /// So many bytes came out.
    Read(u64),
    /// The end: everything is settled.
    End,
}

/// A decompressing reader by the file's ending.
fn reader(file: File, path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = BufReader::with_capacity(64 << 10, file);
    Ok(match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        Some("bz2") => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Some("xz") => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a known compression")),
    })
}

/// Looks whether the archive holds a content; if so, the decompressor stands at its offset.
pub(super) fn find(file: File, path: &Path, saved: &Saved) -> io::Result<Option<Packed>> {
    let mut reader = reader(file, path)?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if head.len() < saved.head.len() || !saved.head.fits(&head) {
        return Ok(None);
    }
    let start = saved.offset - saved.mark.len();
    let mut reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(reader));
    if io::copy(&mut reader.by_ref().take(start), &mut io::sink())? < start {
        return Ok(None);
    }
    let mut carry = Vec::with_capacity(MARK_BYTES);
    reader.by_ref().take(saved.mark.len()).read_to_end(&mut carry)?;
    Ok(saved.mark.fits(&carry).then(|| Packed { reader, carry, skipped: 0 }))
}

impl Packed {
    /// Decompresses up to `block` bytes and settles their complete lines; at the end also the last line without its end.
    pub(super) fn turn(
        &mut self,
        saved: &mut Saved,
        block: usize,
        line_bytes: usize,
        emit: Emit<'_>,
    ) -> io::Result<PackedTurn> {
        let lead = saved.mark.len() as usize;
        let before = self.carry.len();
        let count = self.reader.by_ref().take(block as u64).read_to_end(&mut self.carry)?;
        if saved.offset == 0 && lead == 0 {
            let (encoding, bom) = super::saved::Encoding::detect(&self.carry);
            saved.encoding = encoding;
            self.settle(saved, bom);
        }
        let lead = saved.mark.len() as usize;
        if self.skipped > 0 {
            return self.skip(saved, before, count, emit);
        }
        if let Some(end) = saved.encoding.last_line(&self.carry[lead..]) {
            emit(&self.carry[lead..lead + end], 0, saved.encoding);
            self.settle(saved, lead + end);
        } else if self.carry.len() - lead > line_bytes.max(block) {
            let keep = lead + (line_bytes + 1).next_multiple_of(saved.encoding.unit() as usize);
            self.skipped = self.carry.len().saturating_sub(keep) as u64;
            self.carry.truncate(keep);
        }
        if count == 0 {
            self.end(saved, emit);
            return Ok(PackedTurn::End);
        }
        Ok(PackedTurn::Read(count as u64))
    }

    /// Drops more of an overlong line; at its end hands its head over.
    fn skip(
        &mut self,
        saved: &mut Saved,
        before: usize,
        count: usize,
        emit: Emit<'_>,
    ) -> io::Result<PackedTurn> {
        let lead = saved.mark.len() as usize;
        let newline = saved.encoding.newline();
        let found = saved.encoding.first_line(&self.carry[before..]);
        if found.is_none() && count > 0 {
            self.carry.truncate(before);
            self.skipped += count as u64;
            return Ok(PackedTurn::Read(count as u64));
        }
        let rest = self.carry.split_off(before + found.unwrap_or(0));
        let line_end = if found.is_some() { newline.len() } else { 0 };
        let dropped = self.skipped + (self.carry.len() - before - line_end) as u64;
        let tail = self.carry[before.saturating_sub(MARK_BYTES)..].to_vec();
        let chunk = [&self.carry[lead..before], newline].concat();
        emit(&chunk, dropped, saved.encoding);
        saved.offset += (before - lead) as u64 + dropped + line_end as u64;
        // The dropped bytes before the line end are not at hand; the mark is of the bytes that are.
        let _ = tail;
        let known = &self.carry[self.carry.len() - (self.carry.len() - before)..];
        saved.mark = Mark::of(known);
        let lead = known.len().min(MARK_BYTES);
        self.carry = [&known[known.len() - lead..], &rest].concat();
        self.skipped = 0;
        Ok(if count == 0 { PackedTurn::End } else { PackedTurn::Read(count as u64) })
    }

    /// Hands over the last line if it lacks its end.
    fn end(&mut self, saved: &mut Saved, emit: Emit<'_>) {
        let lead = saved.mark.len() as usize;
        if self.carry.len() > lead {
            emit(&self.carry[lead..], 0, saved.encoding);
            self.settle(saved, self.carry.len());
        }
    }

    /// Moves the offset to `end` of the carry and drops what stands before the new mark.
    fn settle(&mut self, saved: &mut Saved, end: usize) {
        saved.offset += end as u64 - saved.mark.len();
        saved.mark = Mark::of(&self.carry[..end]);
        self.carry.drain(..end - saved.mark.len() as usize);
    }
}
