//! How numbers leave: families of samples, walked through a visitor that encodes them as it goes.
//!
//! Nothing is collected on the way: a [`Source`] calls a [`Visit`] family by family, sample by sample.

pub use super::chunk::Run;
use super::exemplar::Exemplar;
use super::native::Native;
pub use super::pairs::Rendered;
use std::borrow::Cow;

/// The type of a metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Prometheus' own words")]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Untyped,
}

/// A metric family's head: what `# HELP`, `# TYPE` and `# UNIT` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desc {
    /// The full name, with `_total` for counters.
    pub name: Cow<'static, str>,
    /// One sentence.
    pub help: Cow<'static, str>,
    /// Counter, gauge, histogram or untyped.
    pub kind: Kind,
    /// The base unit, where the name ends in it (`seconds`, `bytes`, `ratio`); OpenMetrics says it.
    pub unit: Option<Cow<'static, str>>,
}

/// Labels that many samples share, escaped once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Head {
    pairs: Vec<(Box<str>, Box<str>)>,
    text: Box<str>,
}

impl Head {
    /// A head of `(name, value)` pairs in the order they are to be written. Names are taken as valid.
    pub fn new<N: Into<Box<str>>, V: Into<Box<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Head {
        let pairs: Vec<(Box<str>, Box<str>)> = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        let mut text = String::new();
        pairs.iter().for_each(|(name, value)| push_pair(&mut text, name, value));
        Head { pairs, text: text.into() }
    }

    /// The pairs, unescaped.
    pub fn pairs(&self) -> &[(Box<str>, Box<str>)] {
        &self.pairs
    }

    /// `a="b",c="d"`, escaped for the text formats, without braces; empty without labels.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Appends a label as the text formats want it, with a comma before it unless it is the first.
pub(super) fn push_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(name);
    out.push_str("=\"");
    escape_into(out, value);
    out.push('"');
}

/// Appends a label value as the text formats want it: `\`, `"` and line feeds escaped.
fn escape_into(out: &mut String, value: &str) {
    if !value.bytes().any(|b| matches!(b, b'\\' | b'"' | b'\n')) {
        out.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// One sample's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A count, exact to the last digit.
    Int(u64),
    /// A number.
    Float(f64),
    /// A histogram with explicit buckets.
    Histogram(Buckets<'a>),
}

/// A histogram's state: `counts[i]` observations were at most `bounds[i]` and above the bound before it
/// (not cumulative); `counts` has one more entry than `bounds`, for those above the last.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "said above")]
pub struct Buckets<'a> {
    pub bounds: &'a [f64],
    pub counts: &'a [u64],
    pub sum: f64,
}

/// What belongs to a sample and not every format has a place for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Detail<'a> {
    /// Events that were counted, for counters and histograms: at most one for each bucket, ascending.
    pub exemplars: &'a [Exemplar],
    /// Since when the series counts, in seconds since the epoch, where that is known.
    pub created: Option<f64>,
    /// A histogram's observations in sparse buckets, besides the explicit ones.
    pub native: Option<&'a Native>,
}

/// Takes families and samples as they come.
pub trait Visit {
    /// The samples that follow belong to this family. A family is visited once, its samples in one run.
    fn family(&mut self, desc: &Desc);
    /// A sample of the family, labelled by the head and the pairs after it.
    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>);
    /// The same with its details; whoever has no place for them leaves them out.
    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, _: Detail<'_>) {
        self.sample(head, more, value);
    }
    /// The same of a series whose labels are rendered already; whoever writes them as text takes them as they are.
    fn rendered(&mut self, head: &Head, more: Rendered<'_>, value: Value<'_>, detail: Detail<'_>) {
        let pairs: Vec<_> = more.iter().collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
        self.detailed(head, &pairs, value, detail);
    }
    /// The same of many series, one after the other.
    fn run(&mut self, head: &Head, run: Run<'_>) {
        for ((more, value), created) in run.iter().zip(run.created()) {
            self.rendered(head, more, value, Detail { created, ..Detail::default() });
        }
    }
}

/// Something that can be scraped: families sorted by name, samples in a stable order.
pub trait Source: Send {
    /// Walks every family.
    fn visit(&self, to: &mut dyn Visit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_escaped_once() {
        let head = Head::new([("a", "b\\c"), ("d", "e\"f\ng")]);
        assert_eq!(head.text(), r#"a="b\\c",d="e\"f\ng""#);
        assert_eq!(&*head.pairs()[1].1, "e\"f\ng");
    }
}
