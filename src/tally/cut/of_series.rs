//! Series born of label values, chunk by chunk, and the families that rules define.

use super::{Cut, InputCut, StreamCut};
use crate::tally::birth::Birth;
use crate::tally::catalog;
use crate::tally::chunk::Chunk;
use crate::tally::exposition::{Desc, Detail, Kind, Visit};
use crate::tally::native::Native;
use crate::tally::plan::Family;
use crate::tally::series::{Metric, Series};
use crate::tally::spec::MetricKind;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A family that rules define, with its series.
pub(super) struct RuleFamily<'a> {
    desc: Desc,
    parts: Vec<Part<'a>>,
}

/// A chunk, and what it takes to show it.
struct Part<'a> {
    input: &'a InputCut,
    chunk: &'a Chunk,
    /// Upper bounds of a histogram's buckets.
    bounds: &'a [f64],
    /// The sparse form is shown as well.
    native: bool,
}

impl Cut {
    pub(super) fn exceptions(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_EXCEPTIONS.desc());
        self.parts(|metric| metric == Metric::Exceptions).for_each(|part| part.show(to, self.since));
    }

    /// What rules with free labels matched, as part of the family of all patterns.
    pub(super) fn labelled_patterns(&self, to: &mut dyn Visit) {
        let parts = self.parts(|metric| matches!(metric, Metric::Pattern(_)));
        parts.for_each(|part| part.show(to, self.since));
    }

    fn parts(&self, of: impl Fn(Metric) -> bool) -> impl Iterator<Item = Part<'_>> {
        let chunks =
            self.inputs.iter().flat_map(|input| input.series.iter().map(move |chunk| (input, chunk)));
        chunks.filter(move |(_, chunk)| of(chunk.metric())).map(|(input, chunk)| Part {
            input,
            chunk,
            bounds: &[],
            native: false,
        })
    }

    /// The metrics that rules define, by name; of two inputs that define one, the first gives its help.
    pub(super) fn rule_metrics(&self) -> BTreeMap<&str, RuleFamily<'_>> {
        let mut families = BTreeMap::new();
        for input in &self.inputs {
            for family in &input.plan.families {
                let made = || RuleFamily { desc: desc(family), parts: Vec::new() };
                families.entry(family.name.as_str()).or_insert_with(made);
            }
            for chunk in &input.series {
                let Metric::Rule(family, _) = chunk.metric() else { continue };
                let family = &input.plan.families[family];
                let bounds: &[f64] = match &family.kind {
                    MetricKind::Histogram(bounds) => bounds,
                    _ => &[],
                };
                if let Some(into) = families.get_mut(family.name.as_str()) {
                    into.parts.push(Part { input, chunk, bounds, native: family.native });
                }
            }
        }
        families
    }
}

impl RuleFamily<'_> {
    /// As someone sees it whose last cut was `since`.
    pub(super) fn show(&self, to: &mut dyn Visit, since: u32) {
        to.family(&self.desc);
        self.parts.iter().for_each(|part| part.show(to, since));
    }
}

impl Part<'_> {
    fn show(&self, to: &mut dyn Visit, since: u32) {
        for (stream, of) in self.chunk.by_stream() {
            let Some(Some(stream)) = self.input.streams.get(stream) else { continue };
            let run = self.chunk.run(of.clone(), since, self.bounds, stream.created);
            match run.filter(|_| !stream.birth.is_after(since)) {
                Some(run) => to.run(&stream.head, run),
                None => of.for_each(|at| self.show_one(to, stream, self.chunk.get(at), since)),
            }
        }
    }

    fn show_one(&self, to: &mut dyn Visit, stream: &StreamCut, series: Series<'_>, since: u32) {
        if series.birth == Birth::UNSEEN {
            return;
        }
        // A stream that is shown at 0 shows its declared series at 0 as well.
        let is_zero = stream.birth.is_after(since) || series.birth.is_after(since);
        let zero = is_zero.then(|| series.number.zero());
        let value = zero.as_ref().unwrap_or(series.number).value(self.bounds);
        let nothing = Native::default();
        let native = series.native.filter(|_| self.native);
        let detail = Detail {
            exemplars: if is_zero { &[] } else { series.exemplars },
            created: if series.created > 0.0 { Some(series.created) } else { stream.created },
            native: native.map(|native| if is_zero { &nothing } else { native }),
        };
        to.rendered(&stream.head, series.labels, value, detail);
    }
}

fn desc(family: &Family) -> Desc {
    Desc {
        name: Cow::Owned(family.name.clone()),
        help: Cow::Owned(family.help.clone()),
        kind: match family.kind {
            MetricKind::Counter => Kind::Counter,
            MetricKind::Gauge(_) => Kind::Gauge,
            MetricKind::Histogram(_) => Kind::Histogram,
        },
        unit: family.unit.clone().map(Cow::Owned),
    }
}
