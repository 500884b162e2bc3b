//! The work of the loops that walk over a line, counted while tests run: that it grows as the line does and no faster
//! is told by numbers, not by a clock. In the program itself nothing is counted.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// A loop has passed over so many bytes.
#[inline(always)]
pub(super) fn passed(_bytes: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + _bytes as u64 + 1);
}

/// The steps that `work` takes.
#[cfg(test)]
pub(super) fn of(work: impl FnOnce()) -> u64 {
    let before = STEPS.get();
    work();
    STEPS.get() - before
}
