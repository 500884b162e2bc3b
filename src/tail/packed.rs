//! The compressed successor of a followed file: decompressed up to where the plain file was settled, and read on there.
//!
//! Offsets are those of the uncompressed content, so a restart in the middle finds its place the same way.

use super::read::Emit;
use super::saved::{Encoding, HEAD_BYTES, MARK_BYTES, Mark, Saved};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A decompressor that stands at a content's offset.
pub(super) struct Packed {
    reader: Box<dyn Read + Send>,
    /// The bytes from the content's mark on: marked ones first, then the piece of a line.
    carry: Vec<u8>,
    /// Bytes of an overlong line that were dropped behind the carry, and the last of them.
    skipped: u64,
    dropped: Vec<u8>,
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
    Ok(saved.mark.fits(&carry).then_some(Packed { reader, carry, skipped: 0, dropped: Vec::new() }))
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
        let before = self.carry.len();
        let count = self.reader.by_ref().take(block as u64).read_to_end(&mut self.carry)?;
        if saved.offset == 0 {
            let (encoding, bom) = Encoding::detect(&self.carry);
            saved.encoding = encoding;
            self.settle(saved, bom);
        }
        if self.skipped > 0 && !self.end_of_long_line(saved, before, count == 0, emit) {
            return Ok(PackedTurn::Read(count as u64));
        }
        let lead = saved.mark.len() as usize;
        if let Some(end) = saved.encoding.last_line(&self.carry[lead..]) {
            emit(&self.carry[lead..lead + end], 0, saved.encoding);
            self.settle(saved, lead + end);
        }
        let lead = saved.mark.len() as usize;
        if count == 0 {
            if self.carry.len() > lead {
                emit(&self.carry[lead..], 0, saved.encoding);
                self.settle(saved, self.carry.len());
            }
            return Ok(PackedTurn::End);
        }
        if self.carry.len() - lead > line_bytes.max(block) {
            let keep = lead + (line_bytes + 1).next_multiple_of(saved.encoding.unit() as usize);
            self.drop_from(keep);
        }
        Ok(PackedTurn::Read(count as u64))
    }

    /// While an overlong line goes on, drops what came; at its end, hands over its head. `true`: the line is settled.
    fn end_of_long_line(&mut self, saved: &mut Saved, before: usize, last: bool, emit: Emit<'_>) -> bool {
        let newline = saved.encoding.newline();
        // Where the dropped part is odd, the code units of what follows begin one byte later.
        let shift = (self.skipped % saved.encoding.unit()) as usize;
        let fresh = self.carry.get(before + shift..).unwrap_or_default();
        let found = saved.encoding.first_line(fresh).map(|end| before + shift + end);
        if found.is_none() && !last {
            self.drop_from(before);
            return false;
        }
        let end = found.unwrap_or(self.carry.len());
        let line_end = if found.is_some() { newline.len() } else { 0 };
        let rest = self.carry.split_off(end);
        self.drop_from(before);
        let lead = saved.mark.len() as usize;
        emit(&[&self.carry[lead..], newline].concat(), self.skipped - line_end as u64, saved.encoding);
        saved.offset += (before - lead) as u64 + self.skipped;
        saved.mark = Mark::of(&self.dropped);
        self.carry = [std::mem::take(&mut self.dropped), rest].concat();
        self.skipped = 0;
        true
    }

    /// Drops the carry from a place on, but remembers its last bytes.
    fn drop_from(&mut self, at: usize) {
        self.skipped += (self.carry.len() - at) as u64;
        self.dropped.extend_from_slice(&self.carry[at..]);
        self.dropped.drain(..self.dropped.len().saturating_sub(MARK_BYTES));
        self.carry.truncate(at);
    }

    /// Moves the offset to `end` of the carry and drops what stands before the new mark.
    fn settle(&mut self, saved: &mut Saved, end: usize) {
        saved.offset += end as u64 - saved.mark.len();
        saved.mark = Mark::of(&self.carry[..end]);
        self.carry.drain(..end - saved.mark.len() as usize);
    }
}
