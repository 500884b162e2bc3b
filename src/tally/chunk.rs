//! A few series of one metric, in columns.
//!
//! A scrape of a hundred thousand series mostly waits for memory. In columns it reads what it needs, labels and
//! numbers, from one end to the other, and passes over what only few series have.

use super::birth::Birth;
use super::exemplar::{Exemplar, Exemplars};
use super::exposition::Value;
use super::native::Native;
use super::pairs::Rendered;
use super::series::{Key, Metric, Number, Series};
use std::ops::Range;
use std::sync::Arc;

/// Series of a chunk at most: few, since one that changes has the numbers of all of them copied; not fewer, since
/// memory is read ahead only after a start.
pub(super) const CHUNK: usize = 256;

/// Series of one metric, in the order of their birth.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    metric: Metric,
    /// Never changed once they are there: copies of a chunk share them.
    labels: Arc<Texts>,
    /// Neighbours of one stream: that stream, and where they end.
    streams: Vec<(usize, usize)>,
    numbers: Vec<Number>,
    births: Vec<Birth>,
    /// See [`Series::created`].
    created: Vec<f64>,
    /// Empty as long as no series has any.
    details: Vec<Details>,
}

/// What few series have.
#[derive(Clone, Debug, Default)]
struct Details {
    native: Option<Arc<Native>>,
    exemplars: Exemplars,
}

/// Texts, one after the other.
#[derive(Clone, Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    fn start(&self, at: usize) -> usize {
        if at == 0 { 0 } else { self.ends[at - 1] as usize }
    }

    fn get(&self, at: usize) -> &str {
        &self.text[self.start(at)..self.ends[at] as usize]
    }
}

impl Chunk {
    /// Without any series.
    pub(super) fn new(metric: Metric) -> Chunk {
        Chunk {
            metric,
            labels: Arc::default(),
            streams: Vec::new(),
            numbers: Vec::new(),
            births: Vec::new(),
            created: Vec::new(),
            details: Vec::new(),
        }
    }

    /// Adds a series; all as in [`Series`].
    pub(super) fn push(
        &mut self,
        key: &Key,
        number: Number,
        native: Option<Arc<Native>>,
        birth: Birth,
        created: f64,
    ) {
        Arc::make_mut(&mut self.labels).push(key.labels.rendered().text());
        self.numbers.push(number);
        match self.streams.last_mut() {
            Some((stream, end)) if *stream == key.stream => *end += 1,
            _ => self.streams.push((key.stream, self.len())),
        }
        self.births.push(birth);
        self.created.push(created);
        if !self.details.is_empty() {
            self.details.push(Details::default());
        }
        if native.is_some() {
            self.details(self.len() - 1).native = native;
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The metric of all its series.
    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    /// One series.
    pub(super) fn get(&self, at: usize) -> Series<'_> {
        let details = self.details.get(at);
        let run = self.streams.partition_point(|(_, end)| *end <= at);
        Series {
            stream: self.streams[run].0,
            metric: self.metric,
            labels: Rendered::of(self.labels.get(at)),
            number: &self.numbers[at],
            native: details.and_then(|details| details.native.as_ref()),
            exemplars: details.map_or(&[], |details| details.exemplars.list()),
            created: self.created[at],
            birth: self.births[at],
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Series<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Neighbours of one stream, with that stream.
    pub(super) fn by_stream(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut from = 0;
        self.streams.iter().map(move |&(stream, end)| (stream, std::mem::replace(&mut from, end)..end))
    }

    /// Some of one stream as a run, where each of them was shown by the cut of number `since` and has no details.
    /// `bounds` are the upper bounds of a histogram's buckets, `created` is since when the stream counts.
    pub(super) fn run<'a>(
        &'a self,
        of: Range<usize>,
        since: u32,
        bounds: &'a [f64],
        created: Option<f64>,
    ) -> Option<Run<'a>> {
        // All of them without a stop, which is many at a time.
        let unseen = self.births[of.clone()].iter().fold(false, |any, birth| any | birth.is_after(since));
        (!unseen && self.details.is_empty()).then(|| Run {
            text: &self.labels.text,
            from: self.labels.start(of.start),
            ends: &self.labels.ends[of.clone()],
            numbers: &self.numbers[of.clone()],
            created: &self.created[of],
            stream_created: created,
            bounds,
        })
    }

    /// A number, to be changed.
    pub(super) fn number(&mut self, at: usize) -> &mut Number {
        &mut self.numbers[at]
    }

    /// The sparse form of a histogram, where it has one.
    pub(super) fn native(&mut self, at: usize) -> Option<&mut Native> {
        self.details.get_mut(at)?.native.as_mut().map(Arc::make_mut)
    }

    /// Takes the place of what a series holds.
    pub(super) fn replace(&mut self, at: usize, number: Number, native: Option<Arc<Native>>) {
        self.numbers[at] = number;
        if native.is_some() || !self.details.is_empty() {
            self.details(at).native = native;
        }
    }

    /// A series counted a traced event.
    pub(super) fn exemplify(&mut self, at: usize, exemplar: Exemplar) {
        self.details(at).exemplars.put(exemplar);
    }

    /// Since which cut a series is shown.
    pub(super) fn bear(&mut self, at: usize, birth: Birth) {
        self.births[at] = birth;
    }

    fn details(&mut self, at: usize) -> &mut Details {
        self.details.resize_with(self.numbers.len(), Details::default);
        &mut self.details[at]
    }
}

/// Series of one stream, one after the other, that stand at their numbers and have no details but their age.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The labels of more than these.
    text: &'a str,
    from: usize,
    ends: &'a [u32],
    numbers: &'a [Number],
    created: &'a [f64],
    stream_created: Option<f64>,
    bounds: &'a [f64],
}

impl<'a> Run<'a> {
    /// Labels and value of each.
    pub fn iter(self) -> impl Iterator<Item = (Rendered<'a>, Value<'a>)> {
        let mut from = self.from;
        self.ends.iter().zip(self.numbers).map(move |(&end, number)| {
            let start = std::mem::replace(&mut from, end as usize);
            (Rendered::of(&self.text[start..end as usize]), number.value(self.bounds))
        })
    }

    /// Since when each counts, in seconds since the epoch, where that is known.
    pub fn created(self) -> impl Iterator<Item = Option<f64>> {
        self.created.iter().map(move |&at| if at > 0.0 { Some(at) } else { self.stream_created })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Series of streams 0, 0, 1, 0; the third is as old as its stream.
    fn chunk() -> Chunk {
        let mut chunk = Chunk::new(Metric::Exceptions);
        for (at, stream) in [0, 0, 1, 0].into_iter().enumerate() {
            let labels = [("n", "x".repeat(at))].into_iter().collect();
            let key = Key { stream, metric: Metric::Exceptions, labels };
            let created = if at == 2 { 0.0 } else { at as f64 + 1.0 };
            chunk.push(&key, Number::Count(at as u64), None, Birth::at(5), created);
        }
        chunk
    }

    type Row<'a> = (String, Value<'a>, Option<f64>);

    fn runs(chunk: &Chunk, since: u32) -> Vec<Option<Vec<Row<'_>>>> {
        let runs =
            chunk.by_stream().map(|(stream, of)| chunk.run(of, since, &[], Some(100.0 + stream as f64)));
        runs.map(|run| {
            let run = run?;
            let rows = run.iter().zip(run.created());
            Some(rows.map(|((labels, value), created)| (labels.text().to_owned(), value, created)).collect())
        })
        .collect()
    }

    #[test]
    fn runs_are_of_one_stream_and_hold_what_its_series_hold() {
        let row =
            |at: usize, created| (format!("n=\"{}\"", "x".repeat(at)), Value::Int(at as u64), Some(created));
        let want = [vec![row(0, 1.0), row(1, 2.0)], vec![row(2, 101.0)], vec![row(3, 4.0)]];
        assert_eq!(runs(&chunk(), 5), want.map(Some));
    }

    #[test]
    fn who_has_not_seen_a_birth_gets_no_run_of_it() {
        let mut chunk = chunk();
        chunk.bear(1, Birth::at(6));
        let is_some: Vec<bool> = runs(&chunk, 5).iter().map(Option::is_some).collect();
        assert_eq!(is_some, [false, true, true]);
    }

    #[test]
    fn details_of_one_series_are_its_own() {
        let mut chunk = chunk();
        chunk.exemplify(1, Exemplar { trace_id: "a".into(), value: 1.0, at: 5.0, bucket: 0 });
        let key = Key {
            stream: 2,
            metric: Metric::Exceptions,
            labels: std::iter::empty::<(&str, &str)>().collect(),
        };
        chunk.push(&key, Number::Count(9), Some(Arc::default()), Birth::OLD, 0.0);
        let has: Vec<_> =
            chunk.iter().map(|series| (series.exemplars.len(), series.native.is_some())).collect();
        assert_eq!(has, [(0, false), (1, false), (0, false), (0, false), (0, true)]);
        assert!(runs(&chunk, 5).iter().all(Option::is_none));
    }
}
