//! Lines of files into the pipeline: each file with its own open event and its own stream.

use super::shard::stream_of;
use super::{Clock, Feed};
use crate::pipeline::{Carry, Into, Scratch};
use crate::tail::{self, Encoding, FileId, Saved};
use crate::tally::Tally;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// A file being read.
pub(super) struct Reading {
    /// Its open event.
    pub(super) carry: Carry,
    /// The stream that it counts under.
    pub(super) stream: usize,
    /// Some line of it was read in this run.
    pub(super) read: bool,
    /// When its last line came.
    pub(super) last: Instant,
}

impl Reading {
    /// The format that its lines have shown, once there was one.
    pub(super) fn format(&self) -> Option<&'static str> {
        self.read.then(|| self.carry.memory().format().as_str())
    }
}

/// The parts of a shard that take lines.
pub(super) struct Sink<'a> {
    pub(super) feed: &'a Feed,
    pub(super) tally: &'a mut Tally,
    pub(super) readings: &'a mut HashMap<FileId, Reading>,
    pub(super) waiting: &'a mut BTreeSet<FileId>,
    pub(super) touched: &'a mut BTreeSet<FileId>,
    pub(super) scratch: &'a mut Scratch,
    pub(super) newborn: bool,
    pub(super) clock: Clock,
}

impl Sink<'_> {
    /// Ends the open event of a file.
    pub(super) fn flush(&mut self, file: FileId) {
        self.waiting.remove(&file);
        let Some(reading) = self.readings.get_mut(&file) else { return };
        let mut into = Into {
            tally: self.tally,
            stream: reading.stream,
            now: self.clock.wall,
            clock: Some(Instant::now),
        };
        if self.feed.pipeline.flush(&mut reading.carry, &mut into, self.scratch) {
            self.touched.insert(file);
        }
    }
}

impl tail::Sink for Sink<'_> {
    fn opened(&mut self, file: FileId, saved: &Saved, resumed: bool) {
        if resumed && self.readings.contains_key(&file) {
            return;
        }
        let stream = stream_of(self.feed, self.tally, &saved.path, self.newborn);
        let carry = Carry::default();
        self.readings.entry(file).or_insert(Reading { carry, stream, read: false, last: self.clock.now });
    }

    fn lines(&mut self, file: FileId, chunk: &[u8], skipped: u64, encoding: Encoding) {
        let Some(reading) = self.readings.get_mut(&file) else { return };
        (reading.last, reading.read) = (self.clock.now, true);
        let mut into = Into {
            tally: self.tally,
            stream: reading.stream,
            now: self.clock.wall,
            clock: Some(Instant::now),
        };
        let bytes = chunk.len() as u64 + skipped;
        match encoding {
            Encoding::Bytes => {
                self.feed.pipeline.feed(&mut reading.carry, chunk, bytes, &mut into, self.scratch)
            }
            Encoding::Utf16Le | Encoding::Utf16Be => {
                let text = utf16(chunk, encoding == Encoding::Utf16Be);
                self.feed.pipeline.feed(&mut reading.carry, text.as_bytes(), bytes, &mut into, self.scratch);
            }
        }
        self.touched.insert(file);
        if reading.carry.waits() {
            self.waiting.insert(file);
        } else {
            self.waiting.remove(&file);
        }
    }

    fn closed(&mut self, file: FileId) {
        self.waiting.remove(&file);
        if let Some(reading) = self.readings.get_mut(&file) {
            let (stream, now) = (reading.stream, self.clock.wall);
            let mut into = Into { tally: self.tally, stream, now, clock: Some(Instant::now) };
            self.feed.pipeline.end_file(&mut reading.carry, &mut into, self.scratch);
            self.touched.insert(file);
        }
    }
}

/// UTF-16 as UTF-8; what is no valid text becomes U+FFFD.
fn utf16(bytes: &[u8], big: bool) -> String {
    let unit = if big { u16::from_be_bytes } else { u16::from_le_bytes };
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::utf16;

    #[test]
    fn utf16_is_read_either_way_round() {
        let text = "größe 🦀\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((utf16(&le, false), utf16(&be, true)), (text.to_owned(), text.to_owned()));
        assert_eq!(utf16(&[0x3d, 0xd8, b'a', 0], false), "\u{fffd}a");
    }
}
