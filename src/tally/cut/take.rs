//! How a cut is taken, and taken back.

use super::super::Tally;
use super::super::exemplar::Exemplars;
use super::super::exposition::Head;
use super::super::native::Native;
use super::super::series::Series;
use super::super::stream::Stream;
use super::{InputCut, SeriesCut, StreamCut};
use std::sync::Arc;

impl Tally {
    /// Copies all numbers for a scrape; `files` is how many files the input follows.
    pub fn cut(&mut self, files: u64) -> InputCut {
        let plan = self.plan.clone();
        self.streams.iter_mut().flatten().for_each(|stream| stream.show(&plan));
        self.series.show();
        self.seen(files)
    }

    /// The last cut was not sent, another one was: what it marked as shown is not.
    pub fn take_back(&mut self) {
        self.streams.iter_mut().flatten().for_each(Stream::take_back);
        self.series.take_back();
    }

    /// The numbers of all that scrapes have shown by now, and of nothing else.
    pub fn seen(&self, files: u64) -> InputCut {
        let mut series = Vec::with_capacity(self.series.len());
        for s in self.series.iter().filter(|s| !s.newborn) {
            let stream = self.streams.get(s.key.stream).and_then(Option::as_ref);
            let Some(stream) = stream.filter(|stream| stream.scraped) else { continue };
            // A stream that is shown at 0 shows its declared series at 0 as well.
            let zero = s.is_at_zero() || stream.is_at_zero();
            series.push(SeriesCut {
                head: stream.head.clone(),
                created: Some(if s.created > 0.0 { s.created } else { stream.created })
                    .filter(|at| *at > 0.0),
                metric: s.key.metric,
                labels: s.key.labels.clone(),
                native: self.shown_native(s, zero),
                exemplars: if zero { Exemplars::default() } else { s.exemplars.clone() },
                number: if zero { s.number.zero() } else { s.number.clone() },
            });
        }
        InputCut {
            head: Head::new([("input", self.input.as_str())]),
            plan: self.plan.clone(),
            streams: self.streams.iter().flatten().filter(|s| s.scraped).map(Stream::copy).collect(),
            series,
            counters: self.counters.clone(),
            seconds: self.seconds.clone(),
            files,
        }
    }
}

impl Tally {
    fn shown_native(&self, series: &Series, zero: bool) -> Option<Arc<Native>> {
        let native = series.native.as_ref().filter(|_| self.is_native(series.key.metric))?;
        Some(if zero { Arc::default() } else { native.clone() })
    }
}

impl Stream {
    fn copy(&self) -> StreamCut {
        StreamCut {
            head: self.head.clone(),
            numbers: self.numbers.clone(),
            created: Some(self.created).filter(|at| *at > 0.0),
            zero: self.is_at_zero(),
            exposed: self.exposed,
            format: self.format,
            size: self.size,
            unread: self.unread,
        }
    }
}
