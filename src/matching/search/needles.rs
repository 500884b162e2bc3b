//! The literals as the searcher compares them, found by the bytes of their window.
//!
//! A place in a block enters, the candidates that stand there leave. A place is looked up by a hash of its bytes, so
//! the cost of a false start does not grow with the number of rules; and most false starts differ from the literal
//! within the eight bytes around them, which are compared at once.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::super::Candidate;
use super::super::extract::rarest_window;
use super::super::literal::Literal;
use super::buckets::WIDTH;

/// Both cases of every letter share a key; the comparison after it is exact.
const CASELESS: u32 = 0x2020_2020;

/// What a window costs more for each literal that has it already.
const SHARED: f32 = 0.1;

#[derive(Debug)]
struct Needle {
    /// Bytes to find and, beside each, what is or-ed to the text's byte first.
    want: Box<[u8]>,
    fold: Box<[u8]>,
    /// Where the window begins.
    offset: usize,
    width: usize,
    owners: Range<usize>,
}

impl Needle {
    fn window(&self) -> &[u8] {
        &self.want[self.offset..self.offset + self.width]
    }
}

/// A literal under the key of its window, with eight of its bytes, or all where they are fewer, for a quick answer.
#[derive(Debug)]
struct Slot {
    /// The eight bytes as the text must have them once `fold` is or-ed to it, where `mask` has bits.
    want: u64,
    fold: u64,
    mask: u64,
    /// How far before the window they begin.
    before: u32,
    needle: u32,
}

/// All literals, their owners, and a table from window bytes to literals.
#[derive(Debug)]
pub(super) struct Needles {
    needles: Vec<Needle>,
    owners: Vec<u32>,
    /// `slots[heads[h]..heads[h + 1]]` are the windows whose key hashes to `h`.
    heads: Vec<u32>,
    slots: Vec<Slot>,
    shift: u32,
    /// The widths that occur, as masks over the key.
    widths: Vec<u32>,
}

impl Needles {
    pub(super) fn new(literals: &BTreeMap<Literal, Vec<u32>>) -> Needles {
        let mut needles = Vec::with_capacity(literals.len());
        let mut owners = Vec::new();
        // Literals that begin alike should not all be looked for by their beginning: each would be asked wherever the
        // text has that.
        let mut taken: HashMap<u32, f32> = HashMap::new();
        for (literal, owned_by) in literals {
            let bytes: Vec<u8> = literal.atoms().map(|a| a.byte).collect();
            let key_at = |at: usize| key(&bytes[at..bytes.len().min(at + WIDTH)]);
            let shared = |at: usize| 1.0 + SHARED * taken.get(&key_at(at)).copied().unwrap_or(0.0);
            let (offset, width) = rarest_window(literal, shared);
            *taken.entry(key_at(offset)).or_default() += 1.0;
            let from = owners.len();
            owners.extend_from_slice(owned_by);
            needles.push(Needle {
                want: bytes.into(),
                fold: literal.atoms().map(|a| a.fold).collect(),
                offset,
                width,
                owners: from..owners.len(),
            });
        }
        let bits = (needles.len() * 8).next_power_of_two().trailing_zeros().max(10);
        let shift = 32 - bits;
        let (heads, order) = by_hash(needles.iter().map(|n| hash(key(n.window()), shift)), 1 << bits);
        let slots = order.into_iter().map(|needle| Slot::new(&needles[needle as usize], needle)).collect();
        let mut widths: Vec<u32> = needles.iter().map(|n| mask(n.width)).collect();
        widths.sort_unstable();
        widths.dedup();
        Needles { needles, owners, heads, slots, shift, widths }
    }

    /// The window of each literal: its bytes and folds.
    pub(super) fn windows(&self) -> Vec<Vec<(u8, u8)>> {
        let window = |n: &Needle| {
            let part = n.offset..n.offset + n.width;
            n.want[part.clone()].iter().copied().zip(n.fold[part].iter().copied()).collect()
        };
        self.needles.iter().map(window).collect()
    }

    /// Appends the candidates whose window begins at `at`.
    #[inline]
    pub(super) fn check(&self, block: &[u8], at: usize, out: &mut Vec<Candidate>) {
        let text = match block.get(at..).and_then(<[u8]>::first_chunk::<4>) {
            Some(four) => u32::from_le_bytes(*four),
            None => near_end(block, at),
        } | CASELESS;
        let first = out.len();
        for &width in &self.widths {
            let key = text & width;
            let h = hash(key, self.shift);
            for slot in &self.slots[self.heads[h] as usize..self.heads[h + 1] as usize] {
                if slot.may_stand(block, at) {
                    self.compare(slot.needle as usize, block, at, out);
                }
            }
        }
        if out.len() > first + 1 {
            settle(out, first);
        }
    }

    /// Appends the candidates of one literal if it stands with its window at `at`.
    #[inline(never)]
    fn compare(&self, needle: usize, block: &[u8], at: usize, out: &mut Vec<Candidate>) {
        let needle = &self.needles[needle];
        let Some(start) = at.checked_sub(needle.offset) else { return };
        let Some(text) = block.get(start..start + needle.want.len()) else { return };
        let same = text.iter().zip(&needle.fold).zip(&needle.want).all(|((t, f), w)| t | f == *w);
        if !same {
            return;
        }
        for &pattern in &self.owners[needle.owners.clone()] {
            out.push(Candidate { at: at as u32, pattern });
        }
    }
}

impl Slot {
    fn new(literal: &Needle, needle: u32) -> Slot {
        let from = literal.offset.saturating_sub(2).min(literal.want.len().saturating_sub(8));
        let part = from..literal.want.len().min(from + 8);
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Slot {
            want: word(&literal.want[part.clone()]),
            fold: word(&literal.fold[part.clone()]),
            mask: word(&[0xff; 8][..part.len()]),
            before: (literal.offset - from) as u32,
            needle,
        }
    }

    /// Whether the literal may stand with its window at `at`: not unless its eight bytes do.
    #[inline(always)]
    fn may_stand(&self, block: &[u8], at: usize) -> bool {
        let from = at.wrapping_sub(self.before as usize);
        match block.get(from..).and_then(<[u8]>::first_chunk) {
            Some(text) => (u64::from_le_bytes(*text) | self.fold) & self.mask == self.want,
            None => true,
        }
    }
}

/// The numbers of `hashes`, below `most`, in the order of those, and where each hash begins in that order.
fn by_hash(hashes: impl Iterator<Item = usize>, most: usize) -> (Vec<u32>, Vec<u32>) {
    let mut sorted: Vec<(usize, u32)> = hashes.zip(0u32..).collect();
    sorted.sort_unstable();
    let mut heads = vec![0u32; most + 1];
    for &(hash, _) in &sorted {
        heads[hash + 1] += 1;
    }
    for h in 1..heads.len() {
        heads[h] += heads[h - 1];
    }
    (heads, sorted.into_iter().map(|(_, number)| number).collect())
}

/// Sorts the candidates of one place, which begin at `from`, and drops doubles.
fn settle(out: &mut Vec<Candidate>, from: usize) {
    out[from..].sort_unstable();
    let mut kept = from + 1;
    for i in from + 1..out.len() {
        if out[i] != out[kept - 1] {
            out[kept] = out[i];
            kept += 1;
        }
    }
    out.truncate(kept);
}

/// The key of a window, at most `WIDTH` bytes.
fn key(window: &[u8]) -> u32 {
    let mut bytes = [0; WIDTH];
    bytes[..window.len()].copy_from_slice(window);
    (u32::from_le_bytes(bytes) | CASELESS) & mask(window.len())
}

fn mask(width: usize) -> u32 {
    u32::MAX >> (32 - 8 * width as u32)
}

#[inline]
fn hash(key: u32, shift: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

#[cold]
fn near_end(block: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    let rest = block.get(at..).unwrap_or(&[]);
    let n = rest.len().min(4);
    bytes[..n].copy_from_slice(&rest[..n]);
    u32::from_le_bytes(bytes)
}
