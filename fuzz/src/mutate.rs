//! Random changes of inputs: pieces cut, copied, repeated and joined, words of the target's language put in.

/// Makes inputs from those that are kept.
pub struct Mutator {
    state: u64,
    words: &'static [&'static str],
}

impl Mutator {
    pub fn new(seed: u64, words: &'static [&'static str]) -> Mutator {
        Mutator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, words }
    }

    fn below(&mut self, below: usize) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % below.max(1)
    }

    /// One of the kept inputs, changed a few times.
    pub fn next(&mut self, kept: &[Vec<u8>]) -> Vec<u8> {
        let mut input = kept[self.below(kept.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, kept);
        }
        input.truncate(1 << 15);
        input
    }

    /// A megabyte of a short piece behind the beginning of an input.
    pub fn long(&mut self, kept: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.next(kept);
        input.truncate(1 + self.below(60));
        let piece = if self.below(2) == 0 {
            self.words[self.below(self.words.len())].as_bytes().to_vec()
        } else {
            self.piece(kept, 24)
        };
        while !piece.is_empty() && input.len() < 1 << 20 {
            input.extend_from_slice(&piece);
        }
        input
    }

    fn piece(&mut self, kept: &[Vec<u8>], longest: usize) -> Vec<u8> {
        let other = &kept[self.below(kept.len())];
        let from = self.below(other.len());
        let length = self.below(longest) + 1;
        other[from.min(other.len())..(from + length).min(other.len())].to_vec()
    }

    fn change(&mut self, input: &mut Vec<u8>, kept: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let put = match self.below(8) {
            0 if at < input.len() => {
                input[at] = self.below(256) as u8;
                return;
            }
            1 if at < input.len() => {
                let end = (at + 1 + self.below(12)).min(input.len());
                input.drain(at..end);
                return;
            }
            2 => {
                input.truncate(at);
                return;
            }
            3 => self.piece(kept, 200),
            4 => {
                let piece = self.piece(kept, 12);
                piece.repeat(1 + self.below(40))
            }
            5 => vec![b"\n\r\t \"\\{}[]():|=<>-.,\0\x1b\xff"[self.below(22)]],
            _ => self.words[self.below(self.words.len())].as_bytes().to_vec(),
        };
        input.splice(at..at, put);
    }
}
