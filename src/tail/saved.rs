//! What is remembered of a followed content: enough to know it again under another name, inode or compression.
//!
//! Bytes read from files come in, [`Head`] and [`Mark`] come out; [`Saved`] is the row that the store keeps.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// How many bytes of a file's beginning identify it.
pub const HEAD_BYTES: usize = 1024;
/// How many bytes before the offset identify the place.
pub const MARK_BYTES: usize = 64;

/// How the text of a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Bytes whose line end is the single byte `\n` (ASCII, UTF-8, Latin-1, …).
    #[default]
    Bytes,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// Reads a byte order mark: the encoding and the length of the mark (0 where there is none).
    pub fn detect(head: &[u8]) -> (Encoding, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Bytes, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
            _ => (Encoding::Bytes, 0),
        }
    }

    /// Whether `head` could still grow into a byte order mark.
    pub fn undecided(head: &[u8]) -> bool {
        matches!(head, [] | [0xef] | [0xef, 0xbb] | [0xff] | [0xfe])
    }

    /// The line end in this encoding.
    pub fn newline(self) -> &'static [u8] {
        match self {
            Encoding::Bytes => b"\n",
            Encoding::Utf16Le => b"\n\0",
            Encoding::Utf16Be => b"\0\n",
        }
    }

    /// Bytes of one code unit.
    pub fn unit(self) -> u64 {
        if self == Encoding::Bytes { 1 } else { 2 }
    }

    /// Where the first line of `text` ends (one past its line end). `text` starts at a code unit.
    pub fn first_line(self, text: &[u8]) -> Option<usize> {
        match self {
            Encoding::Bytes => memchr::memchr(b'\n', text).map(|at| at + 1),
            _ => memchr::memchr_iter(b'\n', text).find_map(|at| self.line_end(text, at)),
        }
    }

    /// Where the last complete line of `text` ends. `text` starts at a code unit.
    pub fn last_line(self, text: &[u8]) -> Option<usize> {
        match self {
            Encoding::Bytes => memchr::memrchr(b'\n', text).map(|at| at + 1),
            _ => memchr::memrchr_iter(b'\n', text).find_map(|at| self.line_end(text, at)),
        }
    }

    /// Whether the `\n` byte at `at` is a line end in UTF-16, and where that ends.
    fn line_end(self, text: &[u8], at: usize) -> Option<usize> {
        let start = if self == Encoding::Utf16Be { at.checked_sub(1)? } else { at };
        (start % 2 == 0 && text.get(start..start + 2) == Some(self.newline())).then_some(start + 2)
    }
}

/// A fingerprint of a file's first bytes: as much as there was, up to [`HEAD_BYTES`].
///
/// Besides the whole it keeps the fingerprints of its beginnings up to the first line ends, and at 128, 256 and 512
/// bytes, so that a shorter copy is known as well. Copies end where lines end; files that begin alike (a date, a
/// banner) and then differ are told apart to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    len: u16,
    hash: u64,
    steps: Vec<(u16, u32)>,
}

/// Line ends of a head that are kept.
const ENDS: usize = 16;
/// A shorter file that ends elsewhere is compared at the last of these that it holds.
const STEPS: [usize; 3] = [128, 256, 512];

impl Head {
    /// The fingerprint of a file that begins with `bytes`.
    pub fn of(bytes: &[u8]) -> Head {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES)];
        let ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1).take(ENDS);
        let mut steps: Vec<usize> = ends.chain(STEPS).filter(|len| *len < bytes.len()).collect();
        steps.sort_unstable();
        steps.dedup();
        Head {
            len: bytes.len() as u16,
            hash: xxh3_64(bytes),
            steps: steps.into_iter().map(|len| (len as u16, xxh3_64(&bytes[..len]) as u32)).collect(),
        }
    }

    /// The fingerprint of a content that is settled up to `offset`; `bytes`: the first ones of its file. What stands
    /// behind the settled and the complete lines may still be written over (a progress bar, a hole that is filled), and
    /// is left out, unless there is nothing else.
    pub fn of_file(bytes: &[u8], offset: u64) -> Head {
        Head::of(&bytes[..Head::covers(bytes, offset)])
    }

    /// How many bytes [`Head::of_file`] covers.
    pub fn covers(bytes: &[u8], offset: u64) -> usize {
        let most = bytes.len().min(HEAD_BYTES);
        let complete = memchr::memrchr(b'\n', &bytes[..most]).map_or(0, |at| at + 1);
        match complete.max(offset.min(most as u64) as usize) {
            0 => most,
            covered => covered,
        }
    }

    /// How many bytes it covers.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether it covers nothing and so says nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a file that begins with `bytes` (all of them, if it is shorter than [`HEAD_BYTES`]) begins the same way.
    /// A file shorter than the fingerprint must end where one of its lines ended, or begin alike for 128 bytes and more.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        if self.is_empty() {
            return false;
        }
        if bytes.len() >= self.len() {
            return xxh3_64(&bytes[..self.len()]) == self.hash;
        }
        let below = |(len, _): &&(u16, u32)| usize::from(*len) <= bytes.len();
        let Some((len, hash)) = self.steps.iter().rev().find(below) else { return false };
        let len = usize::from(*len);
        (len == bytes.len() || len >= STEPS[0]) && xxh3_64(&bytes[..len]) as u32 == *hash
    }
}

/// A fingerprint of the bytes just before an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    len: u8,
    hash: u64,
}

impl Mark {
    /// The mark of an offset whose preceding bytes end `before`; only the last [`MARK_BYTES`] are taken.
    pub fn of(before: &[u8]) -> Mark {
        let bytes = &before[before.len().saturating_sub(MARK_BYTES)..];
        Mark { len: bytes.len() as u8, hash: xxh3_64(bytes) }
    }

    /// How many bytes it covers.
    pub fn len(&self) -> u64 {
        u64::from(self.len)
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether exactly these bytes stand before the offset.
    pub fn fits(&self, before: &[u8]) -> bool {
        before.len() == usize::from(self.len) && (self.is_empty() || xxh3_64(before) == self.hash)
    }
}

/// Where a content stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It stands under the path it was first seen under.
    #[default]
    Live,
    /// It stands elsewhere, or nowhere, and may still be written to.
    Rotated,
    /// It was read to its end, and nobody wrote for the grace period.
    Done,
}

/// One row of the store: a content and how far it was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Device of the file.
    pub dev: u64,
    /// Inode of the file.
    pub ino: u64,
    /// When the inode was made, in nanoseconds of the file system's clock; 0 where it does not tell.
    pub born: u64,
    /// How it begins.
    pub head: Head,
    /// What stands before the offset.
    pub mark: Mark,
    /// Bytes settled, from the start of the (uncompressed) content.
    pub offset: u64,
    /// The largest size that it was seen with.
    pub size: u64,
    /// The path that it was first seen under, as bytes: its label for good.
    pub path: Vec<u8>,
    /// Name of the input that it belongs to.
    pub input: String,
    /// How its text is written.
    pub encoding: Encoding,
    /// Where it stands in its life.
    pub state: State,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_knows_longer_and_shorter_files_with_the_same_beginning() {
        let text: Vec<u8> = (0..3000_u32).map(|i| (i * 7 % 251) as u8).collect();
        let head = Head::of(&text[..700]);
        assert!(head.fits(&text) && head.fits(&text[..700]));
        assert!(head.fits(&text[..600]) && !head.fits(&text[..16]));
        assert!(!head.fits(&text[1..]) && !head.fits(b""));
        assert!(!Head::default().fits(&text));
        assert!(Head::of(b"one\n").fits(b"one\ntwo\n"));
        let dated = Head::of(b"2026-11-20 12:00:00 one\n2026-11-20 12:00:00 two\n");
        assert!(dated.fits(b"2026-11-20 12:00:00 one\n"));
        assert!(!dated.fits(b"2026-11-20 12:00:00 two\n") && !dated.fits(b"2026-11-20 12:00:00 on"));
    }

    #[test]
    fn a_mark_is_of_the_last_bytes() {
        let text = [7_u8; 200];
        assert_eq!(Mark::of(&text).len(), 64);
        assert!(Mark::of(&text).fits(&text[..64]));
        assert!(!Mark::of(&text).fits(&[8; 64]));
        assert!(Mark::of(b"").fits(b"") && !Mark::of(b"").fits(b"a"));
    }

    #[test]
    fn line_ends_are_found_in_each_encoding() {
        assert_eq!(Encoding::Bytes.first_line(b"a\nb\nc"), Some(2));
        assert_eq!(Encoding::Bytes.last_line(b"a\nb\nc"), Some(4));
        let little: Vec<u8> = "a\nਊ\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Encoding::Utf16Le.first_line(&little), Some(4));
        assert_eq!(Encoding::Utf16Le.last_line(&little), Some(8));
        let big: Vec<u8> = "aĀ\nਊb".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(Encoding::Utf16Be.last_line(&big), Some(6));
        assert_eq!(Encoding::Utf16Be.last_line(&big[..5]), None);
        assert_eq!(Encoding::detect(b"\xff\xfea\0"), (Encoding::Utf16Le, 2));
    }
}
