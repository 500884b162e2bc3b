//! Several sources as one: the log series, the host's and the exporter's own, sorted by family name.
//!
//! A [`Source`] pushes, so two of them cannot be interleaved without holding one. The main source (the log series,
//! by far the largest) streams; the others are collected first and stand in between where their names belong.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::tally::exposition::{Buckets, Desc, Detail, Head, Kind, Rendered, Run, Source, Value, Visit};

/// A walk over all sources in which every family stands once, sorted by name where each source is sorted.
pub struct Merged {
    main: Box<dyn Source>,
    /// Sorted by name, each name once.
    others: Vec<Family>,
    dropped: AtomicU64,
}

impl Merged {
    /// Merges the main source with others and with the families that a `prometheus::Registry` gathered. Where two
    /// have a family of the same name the main source wins, then the earlier one; the loser is dropped and counted.
    pub fn new(main: Box<dyn Source>, others: &[&dyn Source], gathered: &[MetricFamily]) -> Merged {
        let mut collected = Collect::default();
        for other in others {
            other.visit(&mut collected);
        }
        let mut dropped = 0;
        for family in gathered {
            match from_registry(family) {
                Some(family) => collected.families.push(family),
                None => dropped += 1,
            }
        }
        let mut families = collected.families;
        families.retain(|f| !f.samples.is_empty());
        // Stable: among equal names the earlier source stays first, and the later ones go.
        families.sort_by(|a, b| a.desc.name.cmp(&b.desc.name));
        let before = families.len();
        families.dedup_by(|later, first| later.desc.name == first.desc.name);
        dropped += (before - families.len()) as u64;
        Merged { main, others: families, dropped: AtomicU64::new(dropped) }
    }

    /// Families left out so far because their name was taken, or because their type has no encoding (summaries).
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Source for Merged {
    fn visit(&self, to: &mut dyn Visit) {
        let waiting = self.others.iter().collect();
        let mut between = Between { waiting, names: HashSet::new(), mute: false, lost: 0, to };
        self.main.visit(&mut between);
        between.pass(|_| true);
        self.dropped.fetch_add(between.lost, Ordering::Relaxed);
    }
}

/// Passes the main source on, with the waiting families before the name that follows them.
struct Between<'a, 'v> {
    waiting: VecDeque<&'a Family>,
    /// The names that families and their samples have used so far.
    names: HashSet<Box<str>>,
    /// The present family of the main source is one too many.
    mute: bool,
    lost: u64,
    to: &'v mut dyn Visit,
}

impl Between<'_, '_> {
    /// Claims a family's name, and for histograms those that its samples take; false where one is taken.
    fn claim(&mut self, desc: &Desc) -> bool {
        let parts: &[&str] =
            if desc.kind == Kind::Histogram { &["", "_bucket", "_count", "_sum"] } else { &[""] };
        let names: Vec<Box<str>> = parts.iter().map(|p| format!("{}{p}", desc.name).into()).collect();
        let free = !names.iter().any(|name| self.names.contains(name));
        if free {
            self.names.extend(names);
        } else {
            self.lost += 1;
        }
        free
    }

    /// Lets the waiting families through as long as `now` holds for the next one.
    fn pass(&mut self, now: impl Fn(&Desc) -> bool) {
        while let Some(family) = self.waiting.pop_front_if(|f| now(&f.desc)) {
            if self.claim(&family.desc) {
                family.visit(self.to);
            }
        }
    }
}

impl Visit for Between<'_, '_> {
    fn family(&mut self, desc: &Desc) {
        self.pass(|waiting| waiting.name < desc.name);
        self.mute = !self.claim(desc);
        if !self.mute {
            self.to.family(desc);
        }
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        if !self.mute {
            self.to.sample(head, more, value);
        }
    }

    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        if !self.mute {
            self.to.detailed(head, more, value, detail);
        }
    }

    fn rendered(&mut self, head: &Head, more: Rendered<'_>, value: Value<'_>, detail: Detail<'_>) {
        if !self.mute {
            self.to.rendered(head, more, value, detail);
        }
    }

    fn run(&mut self, head: &Head, run: Run<'_>) {
        if !self.mute {
            self.to.run(head, run);
        }
    }
}

/// A collected family.
struct Family {
    desc: Desc,
    samples: Vec<(Head, Owned)>,
}

enum Owned {
    Int(u64),
    Float(f64),
    Histogram { bounds: Vec<f64>, counts: Vec<u64>, sum: f64 },
}

impl Family {
    fn visit(&self, to: &mut dyn Visit) {
        to.family(&self.desc);
        for (head, value) in &self.samples {
            let value = match value {
                Owned::Int(n) => Value::Int(*n),
                Owned::Float(x) => Value::Float(*x),
                Owned::Histogram { bounds, counts, sum } => {
                    Value::Histogram(Buckets { bounds, counts, sum: *sum })
                }
            };
            to.sample(head, &[], value);
        }
    }
}

#[derive(Default)]
struct Collect {
    families: Vec<Family>,
}

impl Visit for Collect {
    fn family(&mut self, desc: &Desc) {
        self.families.push(Family { desc: desc.clone(), samples: Vec::new() });
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        let Some(family) = self.families.last_mut() else { return };
        let head = if more.is_empty() {
            head.clone()
        } else {
            let shared = head.pairs().iter().map(|(n, v)| (&**n, &**v));
            Head::new(shared.chain(more.iter().copied()))
        };
        let value = match value {
            Value::Int(n) => Owned::Int(n),
            Value::Float(x) => Owned::Float(x),
            Value::Histogram(b) => {
                Owned::Histogram { bounds: b.bounds.to_vec(), counts: b.counts.to_vec(), sum: b.sum }
            }
        };
        family.samples.push((head, value));
    }
}

/// A registry's family in our words; `None` for types that have no place here.
fn from_registry(family: &MetricFamily) -> Option<Family> {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::UNTYPED => Kind::Untyped,
        MetricType::SUMMARY => return None,
    };
    let name = family.name().to_owned();
    let base = name.strip_suffix("_total").unwrap_or(&name);
    let unit = ["seconds", "bytes", "ratio"]
        .into_iter()
        .find(|unit| base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')));
    let samples = family.get_metric().iter().map(|metric| {
        let head = Head::new(metric.get_label().iter().map(|pair| (pair.name(), pair.value())));
        (head, registry_value(kind, metric))
    });
    let samples = samples.collect();
    let help = Cow::Owned(family.help().to_owned());
    Some(Family { desc: Desc { name: name.into(), help, kind, unit: unit.map(Cow::Borrowed) }, samples })
}

#[expect(
    deprecated,
    reason = "the only way to an untyped value, which a collector of someone else's may hold"
)]
fn registry_value(kind: Kind, metric: &Metric) -> Owned {
    match kind {
        Kind::Counter => Owned::Float(metric.get_counter().get_value()),
        Kind::Gauge => Owned::Float(metric.get_gauge().get_value()),
        Kind::Untyped => Owned::Float(metric.get_untyped().get_value()),
        Kind::Histogram => {
            let histogram = metric.get_histogram();
            let (mut bounds, mut counts) = (Vec::new(), Vec::new());
            let mut below = 0;
            for bucket in histogram.get_bucket().iter().filter(|b| b.upper_bound() < f64::INFINITY) {
                bounds.push(bucket.upper_bound());
                counts.push(bucket.cumulative_count().saturating_sub(below));
                below = bucket.cumulative_count().max(below);
            }
            counts.push(histogram.get_sample_count().saturating_sub(below));
            Owned::Histogram { bounds, counts, sum: histogram.get_sample_sum() }
        }
    }
}
