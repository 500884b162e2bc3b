//! Commits, and the cuts that go with them: what a scrape sends is durable before it leaves.

use super::durable::Durable;
use super::{Clock, Follow, Shard, Viewer, lock};
use crate::tally::cut::Cut;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Follow {
    /// Commits all that is settled.
    pub fn commit(&self) {
        self.settle(&mut lock(&self.durable), |_| ());
    }

    /// Reads what has just been written, commits, and gives the numbers that are now durable: those of this moment
    /// or, where they could not be made durable, those of the last scrape for which that went well. What is sent
    /// can never be unsaid: a crash would make counters go down that were sent before they were durable.
    pub fn scrape(&self, viewer: Viewer<'_>) -> Cut {
        self.catch_up(Duration::from_millis(100));
        let mut durable = lock(&self.durable);
        let number = lock(&self.viewers).next();
        let (cuts, is_durable) = self.settle(&mut durable, |shard| shard.cut(number));
        let cut = if is_durable {
            let cut = Cut::new(cuts, number, &lock(&self.guard));
            durable.keep(cut.clone());
            cut
        } else {
            self.shards().iter().for_each(|shard| lock(shard).take_back(number));
            durable.kept().unwrap_or_else(|| Cut::new(Vec::new(), 0, &lock(&self.guard)))
        };
        let since = lock(&self.viewers).show(cut.number(), viewer, Instant::now());
        cut.since(since)
    }

    /// Reads on for a short while, so that a scrape sees what was written before it.
    fn catch_up(&self, most: Duration) {
        if self.is_full() {
            return;
        }
        let _asked = self.ask();
        let until = Instant::now() + most;
        for shard in &self.shards() {
            while lock(shard).step(Clock::read(), &self.log).backlog && Instant::now() < until {}
        }
    }

    /// One commit of everything that changed, with something taken of each shard at the same moment, and whether
    /// all of it is durable now.
    fn settle<T>(&self, durable: &mut Durable, mut take: impl FnMut(&mut Shard) -> T) -> (Vec<T>, bool) {
        let asked = self.ask();
        let held = self.shards();
        let mut shards: Vec<MutexGuard<'_, Shard>> = held.iter().map(|shard| lock(shard)).collect();
        let taken = shards.iter_mut().map(|shard| take(shard)).collect();
        if durable.is_kept() {
            let everything = durable.renew();
            for shard in &mut shards {
                if everything {
                    shard.touch_all();
                }
                shard.collect(durable.pending());
            }
        }
        drop(shards);
        drop(asked);
        let is_durable = durable.commit(&self.log);
        let full = !is_durable && durable.pending().len() > self.options.waiting;
        self.full.store(full, Ordering::Relaxed);
        (taken, is_durable)
    }
}
