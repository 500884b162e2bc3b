//! A new config under way: inputs keep their files, offsets, open events and numbers; what is unchanged goes on.

use super::rows::{self, Kept};
use super::shard::{Shard, stream_of};
use super::sink::Reading;
use super::{Feed, Follow, lock};
use crate::pipeline::Carry;
use crate::store::StoreError;
use crate::tally::Tally;
use crate::tally::guard::Guard;
use crate::tally::plan::rule_key;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

impl Follow {
    /// Goes over to new inputs and rules between two lines: nothing is lost, nothing counted twice. Reading pauses
    /// for the moment that it takes.
    ///
    /// # Errors
    /// Where the store cannot be read for an input that is new, or has not taken everything yet; everything stays as
    /// it was.
    pub fn reload(self: &Arc<Follow>, feeds: Vec<Feed>, guard: Arc<Guard>) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.reloading);
        self.stop_workers();
        self.commit();
        let result = self.take_over(feeds, guard);
        if !self.ended.load(Ordering::Relaxed) {
            self.start();
        }
        result
    }

    fn take_over(&self, feeds: Vec<Feed>, guard: Arc<Guard>) -> Result<(), StoreError> {
        let mut durable = lock(&self.durable);
        let mut shards = lock(&self.shards);
        let known = |feed: &Feed| shards.iter().any(|shard| lock(shard).feed.name == feed.name);
        let mut kept: HashMap<String, Kept> = HashMap::new();
        if !feeds.iter().all(known)
            && let Some(store) = durable.flushed()?
        {
            kept = rows::load(store)?;
        }
        let old = std::mem::take(&mut *shards);
        for feed in feeds {
            let same = old.iter().find(|shard| lock(shard).feed.name == feed.name);
            shards.push(match same {
                Some(shard) => {
                    lock(shard).reform(feed, guard.clone());
                    shard.clone()
                }
                None => {
                    let kept = kept.remove(&feed.name).unwrap_or_default();
                    let tail = self.options.tail.clone();
                    let shard =
                        Shard::new(feed, guard.clone(), tail, kept, self.options.from, Instant::now());
                    Arc::new(Mutex::new(shard))
                }
            });
        }
        *lock(&self.guard) = guard;
        Ok(())
    }
}

impl Shard {
    /// The same files under another pipeline: everything that is still counted keeps its number.
    pub fn reform(&mut self, feed: Feed, guard: Arc<Guard>) {
        let rows = self.tally.export();
        let mut tally = Tally::new(&feed.name, feed.plan.clone(), guard);
        if let Some(counters) = &rows.input {
            tally.restore_counters(counters);
        }
        for (id, row) in &rows.streams {
            if let Some(row) = row {
                tally.restore_stream(&id.stream, row, || feed.labels.head(&id.stream));
            }
        }
        let dropped: Vec<_> = rows
            .series
            .iter()
            .filter(|(id, row)| row.as_ref().is_some_and(|row| !tally.restore_series(id, row)))
            .map(|(id, _)| id.clone())
            .collect();
        tally.forget(dropped);
        let paths: HashMap<u64, Vec<u8>> =
            self.tailer.files().map(|file| (file.id, super::shard::bytes_of(file.path))).collect();
        let old = self.feed.plan.clone();
        let readings = std::mem::take(&mut self.readings);
        for (id, reading) in readings {
            let Some(path) = paths.get(&id) else { continue };
            let saved = reading.carry.save(|rule| rule_key(&old.rules[rule as usize]));
            let carry = Carry::restore(&saved, |name| feed.plan.rule(name).map(|at| at as u32));
            let stream = stream_of(&feed, &mut tally, path, false);
            self.readings.insert(id, Reading { carry, stream, ..reading });
            self.touched.insert(id);
        }
        self.tally = tally;
        self.feed = feed;
        self.forget_gone();
    }
}
