//! A literal: bytes that stand in a row, each exact or an ASCII letter in either case.

/// One byte of a literal: text byte `x` fits where `x | fold == byte`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Atom {
    /// The byte; the lower-case letter where either case fits.
    pub(super) byte: u8,
    /// `0x20` where either case of the letter fits, else 0.
    pub(super) fold: u8,
}

impl Atom {
    pub(super) fn fits(self, byte: u8) -> bool {
        byte | self.fold == self.byte
    }

    /// Every byte that fits `other` fits this one.
    fn covers(self, other: Atom) -> bool {
        (other.fold == 0 || self.fold != 0) && self.fits(other.byte)
    }
}

/// A row of atoms. Ordered and hashed by content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal(Vec<Atom>);

impl Literal {
    /// Exactly these bytes.
    pub(super) fn plain(bytes: &[u8]) -> Literal {
        Literal(bytes.iter().map(|&byte| Atom { byte, fold: 0 }).collect())
    }

    /// Adds one byte; `fold` is `0x20` (then `byte` is a lower-case ASCII letter) or 0.
    pub(super) fn push(&mut self, byte: u8, fold: u8) {
        debug_assert!(
            fold == 0 || (fold == 0x20 && byte.is_ascii_lowercase()),
            "a fold is for lower-case letters"
        );
        self.0.push(Atom { byte, fold });
    }

    pub(super) fn then(&self, next: &Literal) -> Literal {
        Literal(self.0.iter().chain(&next.0).copied().collect())
    }

    /// `width` atoms from an offset on.
    pub(super) fn slice(&self, from: usize, width: usize) -> &[Atom] {
        &self.0[from..from + width]
    }

    /// All atoms.
    pub(super) fn as_slice(&self) -> &[Atom] {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.0.iter().copied()
    }

    /// Wherever `self` stands, `other` stands inside it.
    pub(super) fn contains(&self, other: &Literal) -> bool {
        other.is_empty()
            || self.0.windows(other.len()).any(|part| part.iter().zip(&other.0).all(|(p, o)| o.covers(*p)))
    }

    /// How people would write it; `either case` letters in lower case.
    pub(super) fn display(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().map(|a| a.byte).collect();
        bytes.escape_ascii().to_string()
    }
}

/// A set is compared each with each up to this size.
const COMPARED: usize = 512;

/// Without doubles and, unless there are very many, without those that another of the set already stands in.
pub(super) fn minimized(mut set: Vec<Literal>) -> Vec<Literal> {
    set.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    set.dedup();
    if set.len() > COMPARED {
        return set;
    }
    let mut kept: Vec<Literal> = Vec::with_capacity(set.len());
    for literal in set {
        if !kept.iter().any(|k| literal.contains(k)) {
            kept.push(literal);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_literal_stands_for_the_longer_ones() {
        let set = ["retrying ", "retry", "gone", "retry"].map(|s| Literal::plain(s.as_bytes()));
        assert_eq!(minimized(set.to_vec()), [Literal::plain(b"gone"), Literal::plain(b"retry")]);
    }

    #[test]
    fn either_case_covers_one_case_but_not_the_reverse() {
        let mut folded = Literal::default();
        folded.push(b'o', 0x20);
        assert!(Literal::plain(b"fOo").contains(&folded));
        assert!(!folded.contains(&Literal::plain(b"o")));
        assert!(folded.contains(&folded.clone()));
    }
}
