//! The eight levels that every log's own words and numbers map to.
//!
//! Words come in from [`parse`](crate::parse), counters go out by [`Level::index`].

use serde::{Deserialize, Serialize};

/// How grave an event is. The order is the order of gravity, with `Unknown` last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Unknown,
}

impl Level {
    /// All eight, in the order of [`Level::index`].
    pub const ALL: [Level; 8] = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
        Level::Unknown,
    ];

    /// The value of the `level` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
            Level::Unknown => "unknown",
        }
    }

    /// Position in [`Level::ALL`], 0 to 7.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The level of one of the eight names that config, rules and labels use; `None` for any other word.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// A set of levels, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Levels(u8);

impl Levels {
    /// Every level.
    pub const ALL: Levels = Levels(0xff);
    /// No level.
    pub const NONE: Levels = Levels(0);

    /// Whether `level` is in the set.
    pub const fn contains(self, level: Level) -> bool {
        self.0 & (1 << level as u8) != 0
    }

    /// The set with `level` added.
    #[must_use]
    pub const fn with(self, level: Level) -> Levels {
        Levels(self.0 | 1 << level as u8)
    }

    /// The members, in the order of gravity.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |level| self.contains(*level))
    }
}

impl FromIterator<Level> for Levels {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Levels {
        levels.into_iter().fold(Levels::NONE, Levels::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indexes_agree_with_the_table() {
        for (i, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(level.index(), i);
            assert_eq!(Level::from_name(level.as_str()), Some(level));
        }
        assert_eq!(Level::from_name("fatal"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: Levels = [Level::Error, Level::Critical].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Level::Error, Level::Critical]);
        assert!(!set.contains(Level::Unknown));
        assert_eq!(Levels::ALL.iter().count(), 8);
    }
}
