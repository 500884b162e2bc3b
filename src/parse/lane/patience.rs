//! How often something new is learnt where much does not fit: ever more rarely, so that a file of lines that have nothing
//! in common costs no more than the looking.

/// Times in a row that are let pass at most.
const MOST: u32 = 4096;

/// Counts what is let pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    /// Times to let pass before the next.
    wait: u32,
    span: u32,
}

impl Patience {
    /// Whether it is time again; the time after that is twice as far.
    pub(super) fn is_due(&mut self) -> bool {
        if self.wait > 0 {
            self.wait -= 1;
            return false;
        }
        self.span = (self.span * 2).clamp(1, MOST);
        self.wait = self.span;
        true
    }

    /// Lets a time pass, if it is not time yet.
    pub(super) fn lets_pass(&mut self) -> bool {
        let passes = self.wait > 0;
        self.wait = self.wait.saturating_sub(1);
        passes
    }

    /// What was learnt is of use: the next lesson may be soon.
    pub(super) fn renew(&mut self) {
        self.span = 1;
    }

    /// As if nothing had been let pass yet.
    #[cfg(test)]
    pub(super) fn end(&mut self) {
        self.wait = 0;
    }
}

/// The most that is laid out in advance.
const MOST_CREDIT: u32 = 512;
/// Where nothing is left of it, one of so many lines is looked at.
const SELDOM: u32 = 64;

/// Whether remembering is of use: it pays where what is remembered is met again, and costs each time something is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    credit: u32,
    /// What was paid since something was spent.
    paid: u32,
    passed: u32,
}

impl Default for Worth {
    fn default() -> Worth {
        Worth { credit: MOST_CREDIT, paid: 0, passed: 0 }
    }
}

impl Worth {
    /// Whether this line is looked at.
    #[inline(always)]
    pub(super) fn allows(&mut self) -> bool {
        if self.credit > 0 || self.paid > 0 {
            return true;
        }
        self.passed = (self.passed + 1) % SELDOM;
        self.passed == 0
    }

    /// What was remembered was met again.
    #[inline(always)]
    pub(super) fn pays(&mut self) {
        self.paid = self.paid.saturating_add(2);
    }

    /// Whether something more is remembered.
    pub(super) fn spends(&mut self) -> bool {
        self.credit = MOST_CREDIT.min(self.credit.saturating_add(self.paid));
        self.paid = 0;
        let may = self.credit > 0 || self.passed == 0;
        self.credit = self.credit.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_pays_is_looked_at_seldom_until_it_does() {
        let mut worth = Worth::default();
        let looked = |worth: &mut Worth, lines: u32| (0..lines).filter(|_| worth.allows()).count() as u32;
        for _ in 0..MOST_CREDIT {
            assert!(worth.allows() && worth.spends());
        }
        assert_eq!(looked(&mut worth, 10 * SELDOM), 10);
        worth.pays();
        assert_eq!(looked(&mut worth, 10), 10);
    }

    #[test]
    fn lessons_come_ever_more_rarely() {
        let mut patience = Patience::default();
        let due = |patience: &mut Patience, times: usize| (0..times).filter(|_| patience.is_due()).count();
        // After 1, 2, 4, … further times.
        assert_eq!(due(&mut patience, 1 + 2 + 3 + 5), 4);
        assert!((250..280).contains(&due(&mut patience, 1 << 20)));
    }
}
