//! What of a tally the store keeps: rows of plain data, keyed by names that survive a change of config.

use super::native::Native;
use super::series::Number;
use super::stream::StreamKey;
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;

/// Key of a stream's row: the input's name and the stream within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The input's name.
    pub input: String,
    /// The stream.
    pub stream: StreamKey,
}

/// A stream's numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in `Stream`")]
pub struct StreamRow {
    pub lines: u64,
    pub bytes: u64,
    pub levels: [u64; 8],
    pub last_event: f64,
    pub newborn: bool,
    pub scraped: bool,
    pub rules: Vec<RuleRow>,
    /// 0 where it is not known: rows of earlier versions end before it.
    #[serde(deserialize_with = "last_or_default")]
    pub created: f64,
}

/// What a rule without free labels counted in a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRow {
    /// `group/name`.
    pub rule: String,
    /// Events by level.
    pub counts: [u64; 8],
    /// Levels already exposed, one bit each.
    pub shown: u8,
}

/// Key of a series' row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeriesId {
    /// The input's name.
    pub input: String,
    /// The stream.
    pub stream: StreamKey,
    /// The metric's name.
    pub metric: String,
    /// `group/name` of the rule; empty for exceptions.
    pub rule: String,
    /// Labels after the stream's own.
    pub labels: Vec<(String, String)>,
}

/// A series' number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in `Series`")]
pub struct SeriesRow {
    pub number: Number,
    pub newborn: bool,
    /// 0 where it is as old as its stream; rows of earlier versions end before it.
    #[serde(deserialize_with = "last_or_default")]
    pub created: f64,
    /// Rows of earlier versions end before it, too.
    #[serde(deserialize_with = "last_or_default")]
    pub native: Option<Arc<Native>>,
    /// Which upper bounds a histogram's counts belong to ([`bounds_mark`]); 0 for others, and in rows of earlier versions.
    #[serde(deserialize_with = "last_or_default")]
    pub bounds: u64,
}

/// Tells sets of upper bounds apart: FNV-1a over their bits, never 0.
pub fn bounds_mark(bounds: &[f64]) -> u64 {
    let bytes = bounds.iter().flat_map(|bound| bound.to_bits().to_le_bytes());
    let mark = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mark.max(1)
}

/// What is counted per input, whatever its streams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputRow {
    /// Files renamed or replaced.
    pub rotations: u64,
    /// Files that became shorter.
    pub truncations: u64,
    /// Lines longer than the limit.
    pub truncated_lines: u64,
    /// Bytes that could not be counted, by [`LOST`].
    pub lost: [u64; 3],
    /// Failures to open or read, by [`FILE_ERRORS`].
    pub errors: [u64; 5],
    /// Increments that went to an overflow series, by metric.
    pub overflow: Vec<(String, u64)>,
    /// Captured values that were no usable number, by metric.
    pub value_errors: Vec<(String, u64)>,
    /// Seconds spent confirming rules, by `group/name`.
    pub rule_seconds: Vec<(String, f64)>,
    /// Starts of spans that were given up, by `group/name` and [`DROP_REASONS`](super::span::DROP_REASONS). Last, and
    /// allowed to be missing: rows of stores that were written before there were spans end before it.
    #[serde(deserialize_with = "last_or_default")]
    pub spans_dropped: Vec<(String, [u64; 5])>,
}

/// The last field of a row, or its default where the row was written by a version that did not have it.
///
/// # Errors
/// None.
pub fn last_or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

/// The `reason` values of `logtally_lost_bytes_total`.
pub const LOST: [&str; 3] = ["truncated", "rotated_unread", "decode"];
/// The `reason` values of `logtally_file_errors_total`.
pub const FILE_ERRORS: [&str; 5] = ["missing", "permission", "open", "read", "other"];

/// One row; `None` deletes.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A stream's.
    Stream(StreamId, Option<StreamRow>),
    /// A series'.
    Series(SeriesId, Option<SeriesRow>),
    /// The input's own.
    Input(InputRow),
}

/// All rows of one input that changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Streams; `None` deletes.
    pub streams: Vec<(StreamId, Option<StreamRow>)>,
    /// Series; `None` deletes.
    pub series: Vec<(SeriesId, Option<SeriesRow>)>,
    /// The input's own counters, where they changed.
    pub input: Option<InputRow>,
}
