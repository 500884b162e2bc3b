//! Exemplars: the trace of the latest event that a series, or a bucket of it, has counted.
//!
//! They lead from a number to one request that made it. Bounded by the series and buckets there are, and kept in memory
//! only: after a restart or a reload the next traced event brings the next one.

use crate::level::Level;
use std::sync::Arc;

/// The label of every exemplar, whatever name the trace had in the line.
pub const LABEL: &str = "trace_id";
/// Names of captures and fields that hold a trace, in the order in which they are tried.
pub const NAMES: [&str; 5] = [LABEL, "traceID", "traceid", "trace.id", "otelTraceID"];
/// A part of all [`NAMES`]: a line without it has no such field.
pub const NAMES_HOLD: &[u8] = b"race";
/// OpenMetrics allows an exemplar's labels so many characters, names and values together.
const LABELS_CHARS: usize = 128;

/// An event that was counted, by its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The trace.
    pub trace_id: Arc<str>,
    /// What the event added or observed, in base units.
    pub value: f64,
    /// When the event was read, in seconds since the epoch.
    pub at: f64,
    /// The bucket it fell into, as in [`Buckets`](super::exposition::Buckets); 0 for counters.
    pub bucket: usize,
}

/// The trace that a text names; none where loggers write it for "no trace" (`0`, zeros, `null`, `-`), and none where it
/// would make the exemplar longer than OpenMetrics allows.
pub fn trace_id(text: &str) -> Option<&str> {
    let text = text.trim();
    let names_one = text.chars().any(|c| c.is_alphanumeric() && c != '0');
    let is_word = ["null", "none", "nil", "undefined"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let fits = text.chars().count() + LABEL.len() <= LABELS_CHARS && !text.contains(char::is_control);
    (names_one && !is_word && fits).then_some(text)
}

/// The latest exemplar of each bucket of a series. A clone shares them until one changes; nothing is held without any.
#[derive(Clone, Debug, Default)]
pub struct Exemplars(Option<Arc<Vec<Exemplar>>>);

impl Exemplars {
    /// Takes the place of the bucket's exemplar.
    pub fn put(&mut self, exemplar: Exemplar) {
        let all = Arc::make_mut(self.0.get_or_insert_default());
        match all.binary_search_by_key(&exemplar.bucket, |known| known.bucket) {
            Ok(at) => all[at] = exemplar,
            Err(at) => all.insert(at, exemplar),
        }
    }

    /// By bucket, ascending.
    pub fn list(&self) -> &[Exemplar] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// The latest exemplars of the rules without free labels, by rule and level.
#[derive(Clone, Debug, Default)]
pub struct ByCell(Vec<(u32, Level, Exemplars)>);

impl ByCell {
    /// Takes the place of the cell's exemplar.
    pub fn put(&mut self, rule: u32, level: Level, exemplar: Exemplar) {
        let at = self.find(rule, level).unwrap_or_else(|at| {
            self.0.insert(at, (rule, level, Exemplars::default()));
            at
        });
        self.0[at].2.put(exemplar);
    }

    /// The cell's exemplar, if it has one.
    pub fn list(&self, rule: usize, level: Level) -> &[Exemplar] {
        self.find(rule as u32, level).map_or(&[], |at| self.0[at].2.list())
    }

    fn find(&self, rule: u32, level: Level) -> Result<usize, usize> {
        self.0.binary_search_by_key(&(rule, level.index()), |(rule, level, _)| (*rule, level.index()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trace: &str, bucket: usize) -> Exemplar {
        Exemplar { trace_id: trace.into(), value: 1.0, at: 1.5, bucket }
    }

    #[test]
    fn only_traces_are_taken() {
        for good in ["4bf92f3577b34da6a3ce929d0e0e4736", " 1-5759e988-bd862e3fe1be46a994272793 ", "a", "0a"] {
            assert_eq!(trace_id(good), Some(good.trim()));
        }
        for none in ["", "0", "00000000000000000000000000000000", "-", "null", "None", "a\nb"] {
            assert_eq!(trace_id(none), None, "{none}");
        }
    }

    #[test]
    fn labels_are_at_most_as_long_as_openmetrics_allows() {
        let longest = "\u{e9}".repeat(120);
        assert_eq!(trace_id(&longest), Some(&*longest));
        assert_eq!(trace_id(&format!("{longest}x")), None);
    }

    #[test]
    fn the_latest_of_each_bucket_stays() {
        let mut all = Exemplars::default();
        assert_eq!(all.list(), []);
        [of("a", 2), of("b", 0), of("c", 2)].into_iter().for_each(|one| all.put(one));
        let shown = all.clone();
        all.put(of("d", 0));
        assert_eq!(all.list(), [of("d", 0), of("c", 2)]);
        assert_eq!(shown.list(), [of("b", 0), of("c", 2)], "what a cut holds stays as it was");
    }

    #[test]
    fn cells_have_their_own() {
        let mut all = ByCell::default();
        all.put(3, Level::Error, of("a", 0));
        all.put(1, Level::Info, of("b", 0));
        all.put(3, Level::Error, of("c", 0));
        assert_eq!(
            (all.list(3, Level::Error), all.list(1, Level::Info)),
            (&[of("c", 0)][..], &[of("b", 0)][..])
        );
        assert_eq!(all.list(3, Level::Info), []);
    }

    #[test]
    fn every_name_holds_what_lines_are_searched_for() {
        for name in NAMES {
            assert!(memchr::memmem::find(name.as_bytes(), NAMES_HOLD).is_some(), "{name}");
        }
    }
}
