//! The last line that each rule matched, for people: one slot per rule, taken anew once a second at most, so that a
//! rule that matches every line costs no more than a comparison.

use super::Tally;

/// A slot is left alone for this many seconds.
const EVERY: f64 = 1.0;

/// A line that a rule matched, fit to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// When it matched, in seconds since the epoch.
    pub at: f64,
    /// The line, redacted.
    pub text: String,
}

impl Tally {
    /// Whether a line that this rule matches now should be shown.
    pub fn wants_sample(&self, rule: usize) -> bool {
        // A clock that was set back must not stop it.
        let fresh = |sample: &Sample| (sample.at..sample.at + EVERY).contains(&self.now);
        self.samples.get(rule).is_some_and(|slot| !slot.as_ref().is_some_and(fresh))
    }

    /// Keeps a line that this rule has matched. It must be redacted and short.
    pub fn keep_sample(&mut self, rule: usize, text: String) {
        let at = self.now;
        if let Some(slot) = self.samples.get_mut(rule) {
            *slot = Some(Sample { at, text });
        }
    }

    /// The kept lines, in the order of the rules.
    pub fn samples(&self) -> &[Option<Sample>] {
        &self.samples
    }
}
