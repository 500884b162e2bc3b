//! Numbers on the wire: a [`Source`] goes in, chunks of text, OpenMetrics or protobuf come out.
//!
//! [`negotiate()`] reads what the client accepts, [`Merged`] makes one sorted walk of several sources, [`encode`]
//! writes it in bounded memory: a sample is rendered as it is visited and leaves with the next full chunk.

mod labels;
mod merged;
mod negotiate;
mod number;
mod proto;
pub(crate) mod sparse;
mod text;
pub(crate) mod wire;

pub use merged::Merged;
pub use negotiate::{Encoding, Format, encoding, negotiate};

use crate::tally::exposition::Source;

/// A chunk leaves when it has grown to this size: each one wakes the thread that sends it.
const CHUNK: usize = 512 * 1024;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// Whether series say since when they count, in the formats that have a place for it.
    pub created: bool,
}

impl From<Format> for Style {
    fn from(format: Format) -> Style {
        Style { format, created: false }
    }
}

/// Writes every family of `source` in a format, or a format with more to say. The sink gets non-empty chunks in order; together they are the
/// whole answer.
pub fn encode(style: impl Into<Style>, source: &dyn Source, sink: &mut dyn FnMut(Vec<u8>)) {
    let Style { format, created } = style.into();
    match format {
        Format::Text | Format::OpenMetrics => {
            let mut to = text::Encoder::new(format == Format::OpenMetrics, created, sink);
            source.visit(&mut to);
            to.finish();
        }
        Format::Protobuf => {
            let mut to = proto::Encoder::new(created, sink);
            source.visit(&mut to);
            to.finish();
        }
    }
}

/// A bucket's upper bound as its `le` label says it, in OpenMetrics' canonical form: `0.1`, `1.0`, `1e+06`, `+Inf`.
pub fn bound(x: f64) -> String {
    let mut out = Vec::new();
    number::push_canonical(&mut out, x);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod detail_tests;
#[cfg(test)]
mod rendered_tests;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;
