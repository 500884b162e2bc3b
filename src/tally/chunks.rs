//! The series of one input, in chunks that cuts share.
//!
//! A cut of a hundred thousand series must not touch each of them: it holds the chunks as they are, and a chunk is
//! copied when one of its series changes for the first time after that. Chunks hold series of one metric, so that a
//! family is walked without looking at the others.

use super::birth::Birth;
use super::chunk::{CHUNK, Chunk};
use super::exemplar::Exemplar;
use super::native::Native;
use super::series::{Key, Metric, Number, Series};
use std::collections::HashMap;
use std::sync::Arc;

/// The series of one input. A position names one until [`SeriesStore::retain`] is called.
#[derive(Debug, Default)]
pub(super) struct SeriesStore {
    chunks: Vec<Arc<Chunk>>,
    /// The chunk of each metric that has room.
    open: HashMap<Metric, usize>,
    index: HashMap<Key, usize>,
    /// What changed since the last commit, each once.
    dirty: Vec<usize>,
    /// Which these are, for each chunk.
    marks: Vec<[bool; CHUNK]>,
    /// Those that no cut has held.
    unseen: Vec<usize>,
    /// Those that the last cut was the first to hold.
    born: Vec<usize>,
}

impl SeriesStore {
    /// The position of a series, where it exists.
    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// Adds a series that is not there yet; `native`, `birth` and `created` as in [`Series`].
    pub(super) fn insert(
        &mut self,
        key: Key,
        number: Number,
        native: Option<Arc<Native>>,
        birth: Birth,
        created: f64,
    ) -> usize {
        let metric = key.metric;
        let chunk = match self.open.get(&metric) {
            Some(&chunk) => chunk,
            None => {
                self.chunks.push(Arc::new(Chunk::new(metric)));
                self.marks.push([false; CHUNK]);
                self.open.insert(metric, self.chunks.len() - 1);
                self.chunks.len() - 1
            }
        };
        let into = Arc::make_mut(&mut self.chunks[chunk]);
        let at = chunk * CHUNK + into.len();
        into.push(&key, number, native, birth, created);
        if into.len() == CHUNK {
            self.open.remove(&metric);
        }
        if birth == Birth::UNSEEN {
            self.unseen.push(at);
        }
        self.index.insert(key, at);
        at
    }

    /// All chunks, to be shared.
    pub(super) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    fn get(&self, at: usize) -> Series<'_> {
        self.chunks[at / CHUNK].get(at % CHUNK)
    }

    /// The chunk of a series, to be changed, and the series' place there.
    fn part(&mut self, at: usize) -> (&mut Chunk, usize) {
        (Arc::make_mut(&mut self.chunks[at / CHUNK]), at % CHUNK)
    }

    /// The number of a series, to be changed.
    pub(super) fn change(&mut self, at: usize) -> &mut Number {
        self.touch(at);
        let (chunk, at) = self.part(at);
        chunk.number(at)
    }

    /// Takes the place of what a series holds.
    pub(super) fn replace(&mut self, at: usize, number: Number, native: Option<Arc<Native>>) {
        self.touch(at);
        let (chunk, at) = self.part(at);
        chunk.replace(at, number, native);
    }

    /// A value went to a bucket; its number is changed by itself.
    pub(super) fn observe(&mut self, at: usize, value: f64) {
        let (chunk, at) = self.part(at);
        if let Some(native) = chunk.native(at) {
            native.observe(value);
        }
    }

    /// Adds what another holder counted of the same series.
    pub(super) fn absorb(&mut self, at: usize, other: Series<'_>) {
        self.touch(at);
        let (chunk, at) = self.part(at);
        chunk.number(at).absorb(other.number);
        if let (Some(native), Some(more)) = (chunk.native(at), other.native) {
            native.absorb(more);
        }
    }

    /// A traced event was counted.
    pub(super) fn exemplify(&mut self, at: usize, exemplar: Exemplar) {
        let (chunk, at) = self.part(at);
        chunk.exemplify(at, exemplar);
    }

    /// The cut of this number is about to show them: those that none has shown are born.
    pub(super) fn show(&mut self, cut: u32) {
        self.born = std::mem::take(&mut self.unseen);
        self.give(&self.born.clone(), Birth::at(cut));
    }

    /// The last cut was not shown: what it was the first to hold is as before.
    pub(super) fn take_back(&mut self) {
        let born = std::mem::take(&mut self.born);
        self.give(&born, Birth::UNSEEN);
        self.unseen.extend(born);
    }

    /// Nothing is newborn any more.
    pub(super) fn settle(&mut self) {
        let unseen = std::mem::take(&mut self.unseen);
        self.give(&unseen, Birth::OLD);
    }

    fn give(&mut self, to: &[usize], birth: Birth) {
        for &at in to {
            self.touch(at);
            let (chunk, at) = self.part(at);
            chunk.bear(at, birth);
        }
    }

    /// All series, by chunk.
    pub(super) fn iter(&self) -> impl Iterator<Item = Series<'_>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Hands out what changed since the last call.
    pub(super) fn take_dirty(&mut self, mut row: impl FnMut(Series<'_>)) {
        for at in std::mem::take(&mut self.dirty) {
            self.marks[at / CHUNK][at % CHUNK] = false;
            row(self.get(at));
        }
    }

    /// The next call of [`SeriesStore::take_dirty`] gives everything.
    pub(super) fn touch_all(&mut self) {
        for chunk in 0..self.chunks.len() {
            (0..self.chunks[chunk].len()).for_each(|at| self.touch(chunk * CHUNK + at));
        }
    }

    /// Removes series; `keep` decides. Those that leave are handed to `left`.
    pub(super) fn retain(
        &mut self,
        mut keep: impl FnMut(Series<'_>) -> bool,
        mut left: impl FnMut(Series<'_>),
    ) {
        let old = std::mem::take(self);
        for (chunk, marks) in old.chunks.iter().zip(old.marks) {
            for (at, series) in chunk.iter().enumerate() {
                if !keep(series) {
                    left(series);
                    continue;
                }
                let (number, native) = (series.number.clone(), series.native.cloned());
                let at_now = self.insert(series.key(), number, native, series.birth, series.created);
                let (into, place) = self.part(at_now);
                series.exemplars.iter().for_each(|one| into.exemplify(place, one.clone()));
                if marks[at] {
                    self.touch(at_now);
                }
            }
        }
        // What the last cut was the first to hold, where it stays.
        let stays = old.born.iter().map(|&at| old.chunks[at / CHUNK].get(at % CHUNK).key());
        self.born = stays.filter_map(|key| self.find(&key)).collect();
    }

    fn touch(&mut self, at: usize) {
        if !std::mem::replace(&mut self.marks[at / CHUNK][at % CHUNK], true) {
            self.dirty.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(metric: Metric, value: usize) -> Key {
        Key { stream: value % 2, metric, labels: [("n", value.to_string())].into_iter().collect() }
    }

    fn store(of: usize) -> SeriesStore {
        let mut store = SeriesStore::default();
        for n in 0..of {
            for metric in [Metric::Exceptions, Metric::Pattern(0)] {
                store.insert(key(metric, n), Number::Count(0), None, Birth::UNSEEN, 0.0);
            }
        }
        store
    }

    fn dirty(store: &mut SeriesStore) -> Vec<String> {
        let mut keys = Vec::new();
        store.take_dirty(|series| keys.push(format!("{} {:?}", series.labels.text(), series.birth)));
        keys
    }

    #[test]
    fn a_cut_keeps_what_it_holds_and_only_chunks_that_change_are_copied() {
        let mut store = store(3 * CHUNK);
        let cut = store.chunks().to_vec();
        let at = store.find(&key(Metric::Pattern(0), CHUNK + 1)).unwrap();
        *store.change(at) = Number::Count(7);
        let shared = cut.iter().zip(store.chunks()).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!((cut.len(), shared), (6, 5));
        let held = || cut.iter().flat_map(|chunk| chunk.iter());
        assert!(held().all(|series| *series.number == Number::Count(0)));
        assert_eq!(
            (held().count(), store.iter().filter(|s| *s.number == Number::Count(7)).count()),
            (6 * CHUNK, 1)
        );
    }

    #[test]
    fn chunks_are_of_one_metric_and_positions_hold() {
        let store = store(2 * CHUNK + 5);
        assert!(store.chunks().iter().all(|chunk| chunk.iter().all(|s| s.metric == chunk.metric())));
        assert!((0..2 * CHUNK + 5).all(|n| {
            let key = key(Metric::Pattern(0), n);
            store.find(&key).is_some_and(|at| store.get(at).key() == key)
        }));
    }

    #[test]
    fn births_are_taken_back_also_where_series_have_left_meanwhile() {
        let mut store = store(3);
        store.show(5);
        let all = dirty(&mut store);
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|one| one.ends_with("Birth(5)")), "{all:?}");
        assert!(dirty(&mut store).is_empty());
        let at = store.find(&key(Metric::Exceptions, 1)).unwrap();
        store.change(at);
        let mut left = 0;
        store.retain(|series| series.stream == 1, |_| left += 1);
        assert_eq!((left, dirty(&mut store)), (4, vec!["n=\"1\" Birth(5)".to_owned()]));
        store.take_back();
        assert!(store.iter().all(|series| series.birth == Birth::UNSEEN));
        store.show(6);
        store.show(7);
        store.take_back();
        assert!(store.iter().all(|series| series.birth == Birth::at(6)), "that cut was shown");
    }
}
