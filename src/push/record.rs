//! From a walk over all numbers to a cut that can wait: its points, series born at 0, and series that are gone.
//!
//! Series are remembered from cut to cut, so that a cut that waits holds numbers and not names, and so that each
//! receiver sees every birth at 0 whoever else looks at the numbers.

use crate::tally::exposition::{Desc, Detail, Head, Kind, Source, Value, Visit};
use crate::tally::native::Native;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A series as receivers know it.
#[derive(Debug, PartialEq)]
pub(super) struct Series {
    /// Its family.
    pub(super) family: Arc<Desc>,
    /// Its labels as they are exposed.
    pub(super) labels: Vec<(Box<str>, Box<str>)>,
    /// Upper bounds, of histograms.
    pub(super) bounds: Box<[f64]>,
    /// A histogram that is sent in its sparse form as well.
    pub(super) native: bool,
    /// When it stood at 0, in milliseconds since the epoch; 0 where that was before anyone looked.
    pub(super) born: i64,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Point {
    /// Of counters, gauges and untyped series.
    Number(f64),
    /// Of histograms.
    Histogram(Box<Buckets>),
    /// The series has ended.
    Gone,
}

/// A histogram's state; see [`crate::tally::exposition::Buckets`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Buckets {
    pub(super) counts: Box<[u64]>,
    pub(super) sum: f64,
    pub(super) native: Option<Native>,
}

/// All values of one moment.
#[derive(Debug)]
pub(super) struct Cut {
    /// Milliseconds since the epoch.
    pub(super) at: i64,
    /// Those that are gone first: they end a moment earlier, so that another series may take their place.
    pub(super) points: Vec<(Arc<Series>, Point)>,
}

impl Point {
    /// Samples of remote write that stand for it.
    pub(super) fn samples(&self, series: &Series) -> usize {
        match series.family.kind {
            // Each bound, the infinite one, sum and count; and all of it once more in one.
            Kind::Histogram => series.bounds.len() + 3 + usize::from(series.native),
            _ => 1,
        }
    }

    /// When it holds, in milliseconds since the epoch.
    pub(super) fn time(&self, cut: i64) -> i64 {
        if *self == Point::Gone { cut - 1 } else { cut }
    }

    fn bytes(&self) -> usize {
        let more = match self {
            Point::Histogram(buckets) => {
                let sparse = buckets.native.as_ref().map_or(0, Native::heap_bytes);
                size_of::<Buckets>() + size_of_val(&*buckets.counts) + sparse
            }
            _ => 0,
        };
        size_of::<(Arc<Series>, Point)>() + more
    }
}

impl Cut {
    /// Memory that it takes besides its series, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Cut>() + self.points.iter().map(|(_, point)| point.bytes()).sum::<usize>()
    }
}

/// A source, and whether its counters count from 0 where a series of theirs is new. Those of logs do; a network device
/// that appears brings its own count.
pub struct Part {
    /// The numbers.
    pub source: Box<dyn Source>,
    /// New counters and histograms are shown at 0 once.
    pub from_zero: bool,
}

/// What one receiver has been told of.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    known: HashMap<Box<[u8]>, Known>,
    families: HashMap<String, Arc<Desc>>,
    round: u64,
    /// The next cut is taken as it is: no series of it counts as born now.
    trusting: bool,
    /// The receiver takes sparse histograms.
    native: bool,
}

#[derive(Debug)]
struct Known {
    series: Arc<Series>,
    /// The last cut that held it.
    round: u64,
}

impl Recorder {
    /// A recorder whose first cut is taken as it is: a counter that goes on from an earlier run was not born now.
    /// `native`: the receiver takes sparse histograms.
    pub(super) fn new(native: bool) -> Recorder {
        Recorder { trusting: true, native, ..Recorder::default() }
    }

    /// What comes next may hold series that are new here and not newly born.
    pub(super) fn trust_next(&mut self) {
        self.trusting = true;
    }

    /// The cut of these sources; of two families of one name the first counts.
    pub(super) fn record(&mut self, parts: &[Part], at: i64) -> Cut {
        self.round += 1;
        let trusting = std::mem::take(&mut self.trusting);
        let points = Vec::with_capacity(self.known.len());
        let mut walk = Walk {
            family: Arc::new(Desc { name: "".into(), help: "".into(), kind: Kind::Untyped, unit: None }),
            names: HashSet::new(),
            mute: false,
            births: false,
            key: Vec::new(),
            recorder: self,
            points,
            at,
        };
        for part in parts {
            walk.births = part.from_zero && !trusting;
            part.source.visit(&mut walk);
        }
        let (living, names) = (walk.points, walk.names);
        let mut points = self.bury();
        points.extend(living);
        self.families.retain(|name, _| names.contains(name));
        Cut { at, points }
    }

    /// Forgets what the present round has not seen.
    fn bury(&mut self) -> Vec<(Arc<Series>, Point)> {
        let round = self.round;
        let gone = self.known.extract_if(|_, known| known.round != round);
        gone.map(|(_, known)| (known.series, Point::Gone)).collect()
    }
}

/// A walk under way.
struct Walk<'a> {
    recorder: &'a mut Recorder,
    family: Arc<Desc>,
    /// Families so far.
    names: HashSet<String>,
    /// The present family is one too many.
    mute: bool,
    births: bool,
    /// The present series' key, as a buffer.
    key: Vec<u8>,
    points: Vec<(Arc<Series>, Point)>,
    at: i64,
}

impl Visit for Walk<'_> {
    fn family(&mut self, desc: &Desc) {
        self.mute = !self.names.insert(desc.name.to_string());
        let known = self.recorder.families.get(&*desc.name).filter(|known| ***known == *desc);
        self.family = known.cloned().unwrap_or_else(|| Arc::new(desc.clone()));
        if !self.mute {
            self.recorder.families.insert(desc.name.to_string(), self.family.clone());
        }
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        self.detailed(head, more, value, Detail::default());
    }

    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        let is_histogram = matches!(value, Value::Histogram(_));
        if self.mute || is_histogram != (self.family.kind == Kind::Histogram) {
            return;
        }
        let native = detail.native.filter(|_| self.recorder.native);
        self.set_key(head, more, &value, native.is_some());
        let round = self.recorder.round;
        let mut point = point(&value, native);
        let series = match self.recorder.known.get_mut(self.key.as_slice()) {
            // Twice in one walk: the first counts, as for every receiver.
            Some(known) if known.round == round => return,
            Some(known) if known.series.family == self.family => {
                known.round = round;
                known.series.clone()
            }
            _ => {
                let counts = matches!(self.family.kind, Kind::Counter | Kind::Histogram);
                let born = self.births && counts;
                if born {
                    point = zero(point);
                }
                let native = native.is_some();
                let series = Arc::new(Series { native, ..self.series(head, more, &value, born) });
                let known = Known { series: series.clone(), round };
                self.recorder.known.insert(self.key.as_slice().into(), known);
                series
            }
        };
        self.points.push((series, point));
    }
}

impl Walk<'_> {
    /// Names, labels and bounds, apart from each other by bytes that no text holds.
    fn set_key(&mut self, head: &Head, more: &[(&str, &str)], value: &Value<'_>, native: bool) {
        self.key.clear();
        self.key.extend_from_slice(self.family.name.as_bytes());
        let shared = head.pairs().iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in shared.chain(more.iter().copied()) {
            self.key.push(0xff);
            self.key.extend_from_slice(name.as_bytes());
            self.key.push(0xfe);
            self.key.extend_from_slice(value.as_bytes());
        }
        if let Value::Histogram(buckets) = value {
            self.key.push(if native { 0xfc } else { 0xfd });
            buckets.bounds.iter().for_each(|bound| self.key.extend_from_slice(&bound.to_le_bytes()));
        }
    }

    fn series(&self, head: &Head, more: &[(&str, &str)], value: &Value<'_>, born: bool) -> Series {
        let shared = head.pairs().iter().cloned();
        let own = more.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let bounds = match value {
            Value::Histogram(buckets) => buckets.bounds.into(),
            _ => [].into(),
        };
        Series {
            family: self.family.clone(),
            labels: shared.chain(own).collect(),
            bounds,
            native: false,
            born: if born { self.at } else { 0 },
        }
    }
}

fn point(value: &Value<'_>, native: Option<&Native>) -> Point {
    match value {
        Value::Int(n) => Point::Number(*n as f64),
        Value::Float(x) => Point::Number(*x),
        Value::Histogram(b) => {
            let native = native.cloned();
            Point::Histogram(Box::new(Buckets { counts: b.counts.into(), sum: b.sum, native }))
        }
    }
}

fn zero(point: Point) -> Point {
    match point {
        Point::Histogram(mut buckets) => {
            buckets.counts.fill(0);
            buckets.sum = 0.0;
            buckets.native = buckets.native.map(|_| Native::default());
            Point::Histogram(buckets)
        }
        _ => Point::Number(0.0),
    }
}
