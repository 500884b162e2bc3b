//! What a rule with `start` and `end` measures: how its two ends find each other, and what gives a start up.

use super::template::Template;

/// Name of the value that such a rule has beside its captures: the time from start to end.
pub const DURATION: &str = "duration";
/// No key is longer than this, in bytes: a longer one pairs nothing.
pub const KEY_BYTES: usize = 128;
/// Most starts of one rule that are open at a time in one file.
pub const OPEN_SPANS: usize = 1000;

/// The pairing half of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Of the pattern's expressions those before this one end a span, this and the further ones begin one.
    pub starts: usize,
    /// What both ends have in common.
    pub key: Template,
    /// A start without its end is given up after so many nanoseconds.
    pub timeout: u64,
    /// Names that labels and values may want from the start, where the end does not have them.
    pub kept: Vec<String>,
}

/// Why a start was given up. `as usize` is its place in [`DROP_REASONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Its end did not come in time.
    Timeout,
    /// More than [`OPEN_SPANS`] were open: the oldest goes.
    Overflow,
    /// Another start of the same key came before its end.
    Replaced,
    /// Its file ended.
    Unfinished,
    /// Its key lacks a capture or is longer than [`KEY_BYTES`].
    Key,
}

/// The `reason` values of `logtally_spans_dropped_total`.
pub const DROP_REASONS: [&str; 5] = ["timeout", "overflow", "replaced", "unfinished", "key"];

/// Nanoseconds as a text that [`units::parse`](super::units::parse) reads exactly, such as `3.25s`.
pub fn duration_text(nanos: u64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let fraction = format!(".{rest:09}");
    format!("{seconds}{}s", fraction.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_they_were() {
        for (nanos, text, seconds) in [
            (0, "0s", 0.0),
            (3_000_000_000, "3s", 3.0),
            (250_000_000, "0.25s", 0.25),
            (10_000_000_001, "10.000000001s", 10.000_000_001),
        ] {
            assert_eq!(duration_text(nanos), text);
            assert_eq!(crate::tally::units::parse(text, None), Ok(seconds));
        }
    }

    #[test]
    fn reasons_stand_at_their_places() {
        assert_eq!(DROP_REASONS[Drop::Key as usize], "key");
        assert_eq!(DROP_REASONS[Drop::Unfinished as usize], "unfinished");
    }
}
