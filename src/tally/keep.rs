//! What a tally gives to the store and takes back from it: rows keyed by names, so that they survive a change of
//! config, of rules and of their order.

use super::birth::Birth;
use super::native::Native;
use super::pairs::Pairs;
use super::plan::{Plan, rule_key};
use super::rows::{InputRow, Row, Rows, SeriesId, SeriesRow, StreamId, StreamRow, bounds_mark};
use super::series::{Key, Metric, Number, Series};
use super::spec::MetricKind;
use super::stream::StreamKey;
use super::{EXCEPTIONS, PATTERN_EVENTS, Tally, empty, metric_name};
use crate::tally::exposition::Head;
use std::sync::Arc;

impl Tally {
    /// Everything that changed since the last call, for the store.
    pub fn take_rows(&mut self) -> Rows {
        let mut rows = Rows::default();
        self.each_row(|row| match row {
            Row::Stream(id, row) => rows.streams.push((id, row)),
            Row::Series(id, row) => rows.series.push((id, row)),
            Row::Input(row) => rows.input = Some(row),
        });
        rows
    }

    /// As [`Tally::take_rows`], one by one: all of them at once are far larger than the tally.
    pub fn each_row(&mut self, mut to: impl FnMut(Row)) {
        let removed = std::mem::take(&mut self.removed);
        removed.streams.into_iter().for_each(|(id, row)| to(Row::Stream(id, row)));
        removed.series.into_iter().for_each(|(id, row)| to(Row::Series(id, row)));
        let (plan, input) = (self.plan.clone(), self.input.clone());
        for stream in self.streams.iter_mut().flatten().filter(|s| s.dirty) {
            stream.dirty = false;
            let id = StreamId { input: input.clone(), stream: stream.key.clone() };
            to(Row::Stream(id, Some(stream.row(&plan))));
        }
        let streams = &self.streams;
        self.series.take_dirty(|s| {
            let Some(stream) = streams[s.stream].as_ref() else { return };
            let (number, native) = (s.number.clone(), s.native.cloned());
            let bounds = bounds_of(&plan, s.metric).map_or(0, bounds_mark);
            let newborn = s.birth == Birth::UNSEEN;
            let row = SeriesRow { number, newborn, created: s.created, native, bounds };
            to(Row::Series(series_id(&input, &stream.key, &plan, s), Some(row)));
        });
        if std::mem::take(&mut self.counters_dirty) {
            let seconds = plan.rules.iter().map(rule_key).zip(self.seconds.iter().copied());
            self.counters.rule_seconds = seconds.filter(|(_, seconds)| *seconds > 0.0).collect();
            to(Row::Input(self.counters.clone()));
        }
    }

    /// Everything there is, as rows, changed or not.
    pub fn export(&mut self) -> Rows {
        self.touch_all();
        self.take_rows()
    }

    /// The next call of [`Tally::take_rows`] gives everything.
    pub fn touch_all(&mut self) {
        self.streams.iter_mut().flatten().for_each(|stream| stream.dirty = true);
        self.counters_dirty = true;
        self.series.touch_all();
    }

    /// Deletes the rows of series that nothing counts any more with the next commit.
    pub fn forget(&mut self, series: Vec<SeriesId>) {
        self.removed.series.extend(series.into_iter().map(|id| (id, None)));
    }

    /// Takes over a stream that the store kept.
    pub fn restore_stream(&mut self, key: &StreamKey, row: &StreamRow, head: impl FnOnce() -> Head) {
        let at = self.stream(key, head, false);
        let plan = self.plan.clone();
        if let Some(stream) = self.streams[at].as_mut() {
            stream.adopt(row, &plan);
        }
    }

    /// Takes over a series that the store kept; `false` where no rule in force counts it any more.
    pub fn restore_series(&mut self, id: &SeriesId, row: &SeriesRow) -> bool {
        let Some(&stream) = self.by_key.get(&id.stream) else { return false };
        let Some(metric) = self.metric_of(id, &row.number) else { return false };
        if row.bounds != 0 && bounds_of(&self.plan, metric).map(bounds_mark) != Some(row.bounds) {
            return false;
        }
        let labels: Pairs = id.labels.iter().map(|(name, value)| (name, value)).collect();
        let key = self.unify(Key { stream, metric, labels });
        let native = self.native_of(metric, row);
        match self.series.find(&key) {
            Some(at) => self.series.replace(at, row.number.clone(), native),
            None => {
                self.guard.adopt(self.name_of(metric));
                let birth = Birth::of(row.newborn);
                let at = self.series.insert(key, row.number.zero(), None, birth, row.created);
                self.series.replace(at, row.number.clone(), native);
            }
        }
        true
    }

    /// The sparse form of what a row holds: the one that was kept, whether or not it is shown now, so that going back
    /// and forth loses nothing; else, where one is wanted from now on, what the explicit buckets tell. Both forms hold
    /// the same observations always, for they share count and sum.
    fn native_of(&self, metric: Metric, row: &SeriesRow) -> Option<Arc<Native>> {
        let (Some(bounds), Number::Histogram(counts, _)) = (bounds_of(&self.plan, metric), &row.number)
        else {
            return None;
        };
        let total = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let kept = row.native.as_ref().filter(|native| native.is_of(total)).cloned();
        kept.or_else(|| self.is_native(metric).then(|| Arc::new(Native::of_buckets(bounds, counts))))
    }

    /// Takes over the input's own counters.
    pub fn restore_counters(&mut self, row: &InputRow) {
        self.counters = row.clone();
        for (key, seconds) in &row.rule_seconds {
            if let Some(rule) = self.plan.rule(key) {
                self.seconds[rule] = *seconds;
            }
        }
    }

    fn metric_of(&self, id: &SeriesId, number: &Number) -> Option<Metric> {
        if id.metric == EXCEPTIONS {
            return Some(Metric::Exceptions);
        }
        let rule = self.plan.rule(&id.rule)?;
        let names = self.plan.rules[rule].labels.iter().map(|label| label.name.as_str());
        let (fixed, family) = if id.metric == PATTERN_EVENTS {
            (2, None)
        } else {
            (0, Some(self.plan.families.iter().position(|f| f.name == id.metric)?))
        };
        // A rule whose labels changed starts new series, and so does one with other buckets.
        if !id.labels.iter().skip(fixed).map(|(name, _)| name.as_str()).eq(names) {
            return None;
        }
        match family {
            None => Some(Metric::Pattern(rule)),
            Some(family) => {
                let fits = number.fits(&empty(&self.plan.families[family].kind));
                fits.then_some(Metric::Rule(family, rule))
            }
        }
    }
}

/// The upper bounds of a histogram's buckets.
fn bounds_of(plan: &Plan, metric: Metric) -> Option<&[f64]> {
    match metric {
        Metric::Rule(family, _) => match &plan.families[family].kind {
            MetricKind::Histogram(bounds) => Some(bounds),
            _ => None,
        },
        _ => None,
    }
}

/// The store's key of a series.
pub(super) fn series_id(input: &str, stream: &StreamKey, plan: &Plan, series: Series<'_>) -> SeriesId {
    let rule = match series.metric {
        Metric::Exceptions => String::new(),
        Metric::Pattern(rule) | Metric::Rule(_, rule) => rule_key(&plan.rules[rule]),
    };
    SeriesId {
        input: input.to_owned(),
        stream: stream.clone(),
        metric: metric_name(plan, series.metric).to_owned(),
        rule,
        labels: series.labels.iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect(),
    }
}
