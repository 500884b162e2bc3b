//! The two text formats, written sample by sample: Prometheus' 0.0.4 and OpenMetrics 1.0.0.
//!
//! They differ in little: OpenMetrics names a counter's family without `_total`, knows units, says `unknown` for
//! `untyped`, writes bucket bounds in one canonical form, has exemplars and births of series, and ends with `# EOF`.

use std::collections::HashSet;

use super::CHUNK;
use super::labels::{escape, push_pair};
use super::number::{push_canonical, push_end, push_f64, push_u64};
use crate::tally::exemplar::{Exemplar, LABEL};
use crate::tally::exposition::{Buckets, Desc, Detail, Head, Kind, Rendered, Run, Value, Visit};

/// Encodes a walk; [`Encoder::finish`] ends it.
pub(super) struct Encoder<'s> {
    open: bool,
    /// Births of series are told.
    created: bool,
    out: Vec<u8>,
    sink: &'s mut dyn FnMut(Vec<u8>),
    /// The head of the present family, until its first sample shows that it is not empty.
    pending: Vec<u8>,
    name: Vec<u8>,
    kind: Kind,
    /// The family is an OpenMetrics counter or histogram, whose samples may carry more.
    rich: bool,
    les: Bounds,
    /// How the lines of the present run begin.
    start: Vec<u8>,
    /// OpenMetrics names in use, so that a counter `x_total` beside a gauge `x` does not announce `x` twice.
    taken: HashSet<Box<str>>,
}

impl<'s> Encoder<'s> {
    pub(super) fn new(open: bool, created: bool, sink: &'s mut dyn FnMut(Vec<u8>)) -> Encoder<'s> {
        Encoder {
            open,
            created: open && created,
            out: Vec::with_capacity(CHUNK + 4096),
            sink,
            pending: Vec::new(),
            name: Vec::new(),
            kind: Kind::Untyped,
            rich: false,
            les: Bounds::default(),
            start: Vec::new(),
            taken: HashSet::new(),
        }
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) {
        if self.open {
            self.out.extend_from_slice(b"# EOF\n");
        }
        if !self.out.is_empty() {
            (self.sink)(std::mem::take(&mut self.out));
        }
    }

    /// The family's name and type as the present format says them.
    fn announced<'d>(&mut self, desc: &'d Desc) -> (&'d str, &'static str) {
        let name: &str = &desc.name;
        let (family, word) = match (desc.kind, self.open) {
            (Kind::Counter, false) => (name, "counter"),
            (Kind::Counter, true) => match name.strip_suffix("_total") {
                Some(family) if !family.is_empty() && !self.taken.contains(family) => (family, "counter"),
                // Its samples must keep their name, and a counter's would have to end in `_total`.
                _ => (name, "unknown"),
            },
            (Kind::Gauge, _) => (name, "gauge"),
            (Kind::Histogram, _) => (name, "histogram"),
            (Kind::Untyped, false) => (name, "untyped"),
            (Kind::Untyped, true) => (name, "unknown"),
        };
        if self.open {
            self.taken.insert(family.into());
        }
        (family, word)
    }

    /// Starts a line: `name`, its suffix and the labels, with room left for one more before the brace closes.
    fn labels(&mut self, suffix: &[u8], labels: Labels<'_>, le: Option<usize>) {
        let out = &mut self.out;
        out.extend_from_slice(&self.name);
        out.extend_from_slice(suffix);
        let le: &[u8] = le.map_or(b"", |i| self.les.pair(i));
        if labels.is_empty() && le.is_empty() {
            out.push(b' ');
            return;
        }
        out.push(b'{');
        let mut first = true;
        for text in
            [labels.head.as_bytes(), labels.text.as_bytes()].into_iter().filter(|text| !text.is_empty())
        {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.extend_from_slice(text);
        }
        for (name, value) in labels.pairs {
            push_pair(out, std::mem::take(&mut first), name, value);
        }
        if !first && !le.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(le);
        out.extend_from_slice(b"} ");
    }

    /// Ends a line, with its exemplar if it has one.
    fn end(&mut self, exemplar: Option<&Exemplar>) {
        if let Some(exemplar) = exemplar.filter(|_| self.rich) {
            let out = &mut self.out;
            out.extend_from_slice(b" # {");
            push_pair(out, true, LABEL, &exemplar.trace_id);
            out.extend_from_slice(b"} ");
            push_f64(out, exemplar.value);
            out.push(b' ');
            push_f64(out, to_millis(exemplar.at));
        }
        self.out.push(b'\n');
    }

    /// A line that tells the birth of a series, where that is known and wanted.
    fn birth(&mut self, labels: Labels<'_>, created: Option<f64>) {
        let Some(created) = created.filter(|_| self.created && self.rich) else { return };
        // `x_total` was created at `x_created`.
        let suffix = if self.kind == Kind::Counter { b"_total".len() } else { 0 };
        let whole = self.name.len();
        self.name.truncate(whole - suffix);
        self.labels(b"_created", labels, None);
        self.name.extend_from_slice(&b"_total"[..suffix]);
        push_f64(&mut self.out, to_millis(created));
        self.out.push(b'\n');
    }

    fn histogram(&mut self, labels: Labels<'_>, buckets: &Buckets<'_>, exemplars: &[Exemplar]) {
        self.les.set(buckets.bounds, self.open);
        let mut exemplars = exemplars.iter().peekable();
        let mut count = 0_u64;
        for (i, n) in buckets.counts.iter().enumerate() {
            count = count.saturating_add(*n);
            // The bucket of the infinite bound is written once, at the end.
            if buckets.bounds.get(i).is_some_and(|bound| *bound < f64::INFINITY) {
                self.labels(b"_bucket", labels, Some(i));
                push_u64(&mut self.out, count);
                self.end(exemplars.next_if(|exemplar| exemplar.bucket == i));
            }
        }
        self.labels(b"_bucket", labels, Some(buckets.bounds.len()));
        push_u64(&mut self.out, count);
        self.end(exemplars.next());
        self.labels(b"_sum", labels, None);
        push_f64(&mut self.out, buckets.sum);
        self.out.push(b'\n');
        self.labels(b"_count", labels, None);
        push_u64(&mut self.out, count);
        self.out.push(b'\n');
    }
}

impl Visit for Encoder<'_> {
    fn family(&mut self, desc: &Desc) {
        let (family, word) = self.announced(desc);
        let pending = &mut self.pending;
        pending.clear();
        let mut line = |key: &[u8], write: &dyn Fn(&mut Vec<u8>)| {
            pending.extend_from_slice(key);
            pending.extend_from_slice(family.as_bytes());
            pending.push(b' ');
            write(pending);
            pending.push(b'\n');
        };
        if !desc.help.is_empty() {
            line(b"# HELP ", &|out| escape(out, &desc.help, self.open));
        }
        line(b"# TYPE ", &|out| out.extend_from_slice(word.as_bytes()));
        // A unit that the name does not end in makes the whole scrape invalid.
        if self.open
            && let Some(unit) = desc.unit.as_deref()
            && family.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'))
        {
            line(b"# UNIT ", &|out| out.extend_from_slice(unit.as_bytes()));
        }
        self.name.clear();
        self.name.extend_from_slice(desc.name.as_bytes());
        self.kind = desc.kind;
        self.rich = self.open && matches!(word, "counter" | "histogram");
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        self.detailed(head, more, value, Detail::default());
    }

    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        self.line(Labels { head: head.text(), text: "", pairs: more }, value, detail);
    }

    fn rendered(&mut self, head: &Head, more: Rendered<'_>, value: Value<'_>, detail: Detail<'_>) {
        self.line(Labels { head: head.text(), text: more.text(), pairs: &[] }, value, detail);
    }

    fn run(&mut self, head: &Head, run: Run<'_>) {
        if self.created || self.kind == Kind::Histogram {
            for ((more, value), created) in run.iter().zip(run.created()) {
                self.rendered(head, more, value, Detail { created, ..Detail::default() });
            }
            return;
        }
        self.begin(head);
        for (more, value) in run.iter() {
            match whole(value) {
                Some(n) if !more.text().is_empty() => self.plain(more.text(), n),
                _ => self.rendered(head, more, value, Detail::default()),
            }
        }
    }
}

/// The labels of a line: rendered ones first.
#[derive(Clone, Copy)]
struct Labels<'a> {
    head: &'a str,
    text: &'a str,
    pairs: &'a [(&'a str, &'a str)],
}

impl Labels<'_> {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.text.is_empty() && self.pairs.is_empty()
    }
}

impl Encoder<'_> {
    /// Lines that [`Encoder::plain`] writes from now on have this head.
    fn begin(&mut self, head: &Head) {
        self.start.clear();
        self.start.extend_from_slice(&self.name);
        self.start.push(b'{');
        self.start.extend_from_slice(head.text().as_bytes());
        if !head.text().is_empty() {
            self.start.push(b',');
        }
    }

    /// A line that is nothing but labels and a whole number, in as few steps as there can be: scrapes of many series
    /// consist of these.
    fn plain(&mut self, more: &str, n: u64) {
        self.out.append(&mut self.pending);
        self.out.extend_from_slice(&self.start);
        self.out.extend_from_slice(more.as_bytes());
        push_end(&mut self.out, n);
        self.send();
    }

    /// Lets a full chunk go.
    fn send(&mut self) {
        if self.out.len() >= CHUNK {
            let next = Vec::with_capacity(CHUNK + 4096);
            (self.sink)(std::mem::replace(&mut self.out, next));
        }
    }

    /// A sample's line, or those of a histogram.
    fn line(&mut self, labels: Labels<'_>, value: Value<'_>, detail: Detail<'_>) {
        // A value that is no value of its family's type would make the whole scrape invalid.
        if matches!(value, Value::Histogram(_)) != (self.kind == Kind::Histogram) {
            return;
        }
        self.out.append(&mut self.pending);
        match value {
            Value::Histogram(buckets) => self.histogram(labels, &buckets, detail.exemplars),
            Value::Int(n) => {
                self.labels(b"", labels, None);
                push_u64(&mut self.out, n);
                self.end(detail.exemplars.first());
            }
            Value::Float(x) => {
                self.labels(b"", labels, None);
                push_f64(&mut self.out, x);
                self.end(detail.exemplars.first());
            }
        }
        self.birth(labels, detail.created);
        self.send();
    }
}

/// A number that is written without a point, and that a `u64` holds. Counters of values are mostly whole too.
fn whole(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Int(n) => Some(n),
        Value::Float(x) => (x.is_sign_positive() && x < 1e15 && x.fract() == 0.0).then_some(x as u64),
        Value::Histogram(_) => None,
    }
}

/// Seconds as Prometheus keeps them: to the millisecond.
fn to_millis(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// The rendered `le` labels of the last histogram; the next one nearly always has the same bounds.
#[derive(Default)]
struct Bounds {
    of: Vec<f64>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Bounds {
    fn set(&mut self, bounds: &[f64], canonical: bool) {
        if self.of == bounds && !self.ends.is_empty() {
            return;
        }
        self.of.clear();
        self.of.extend_from_slice(bounds);
        self.text.clear();
        self.ends.clear();
        for bound in bounds.iter().chain([&f64::INFINITY]) {
            self.text.extend_from_slice(b"le=\"");
            if canonical {
                push_canonical(&mut self.text, *bound);
            } else {
                push_f64(&mut self.text, *bound);
            }
            self.text.push(b'"');
            self.ends.push(self.text.len());
        }
    }

    /// `le="…"` of the bound at `i`; the one after the last is `+Inf`.
    fn pair(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.text[from..self.ends[i]]
    }
}
