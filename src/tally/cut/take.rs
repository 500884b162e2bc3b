//! How a cut is taken, and taken back.

use super::super::Tally;
use super::super::exposition::Head;
use super::super::stream::Stream;
use super::{InputCut, StreamCut};

impl Tally {
    /// Copies all numbers for the scrape of this number; `files` is how many files the input follows.
    pub fn cut(&mut self, cut: u32, files: u64) -> InputCut {
        let plan = self.plan.clone();
        self.streams.iter_mut().flatten().for_each(|stream| stream.show(&plan, cut));
        self.series.show(cut);
        self.seen(files)
    }

    /// The cut of this number, the last one, was not sent, another one was: what it marked as shown is not.
    pub fn take_back(&mut self, cut: u32) {
        self.streams.iter_mut().flatten().for_each(|stream| stream.take_back(cut));
        self.series.take_back();
    }

    /// The numbers of all that scrapes have shown by now, and of nothing else.
    pub fn seen(&self, files: u64) -> InputCut {
        InputCut {
            head: Head::new([("input", self.input.as_str())]),
            plan: self.plan.clone(),
            streams: self
                .streams
                .iter()
                .map(|s| s.as_ref().filter(|s| s.scraped).map(Stream::copy))
                .collect(),
            series: self.series.chunks().to_vec(),
            counters: self.counters.clone(),
            seconds: self.seconds.clone(),
            files,
        }
    }
}

impl Stream {
    fn copy(&self) -> StreamCut {
        StreamCut {
            head: self.head.clone(),
            numbers: self.numbers.clone(),
            created: Some(self.created).filter(|at| *at > 0.0),
            birth: self.birth,
            exposed: self.exposed,
            format: self.format,
            size: self.size,
            unread: self.unread,
        }
    }
}
