//! The one loop over time: lists folders, steps the shards, commits, and gives consistent cuts to scrapes.
//!
//! Files are read on plain threads; only this room and those above it read clocks. A [`Shard`] is one input under
//! way, stepped by whoever holds it: its worker, or a scrape that wants the newest lines.

mod commit;
mod descriptors;
mod durable;
mod facts;
mod reload;
mod rows;
mod shard;
mod sink;
mod viewers;
pub mod whole;
mod worker;

pub use durable::{COMMIT_BOUNDS, StoreState};
pub use rows::{Kept, highest, load};
pub use shard::{EVENT_IDLE, FileView, Shard};
pub use viewers::Viewer;

use crate::discover::{Globs, Waker, Watch};
use crate::notice::Log;
use crate::pipeline::Pipeline;
use crate::store::{Store, StoreError};
use crate::tail::{self, From};
use crate::tally::cut::Cut;
use crate::tally::exposition::Head;
use crate::tally::guard::Guard;
use crate::tally::plan::Plan;
use crate::tally::stream::StreamKey;
use durable::Durable;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use viewers::Viewers;

/// What an input's files are labelled with.
pub trait Labels: Send + Sync {
    /// The stream of the file under this path.
    fn stream_key(&self, path: &Path) -> StreamKey;
    /// All labels of a stream.
    fn head(&self, key: &StreamKey) -> Head;
}

/// An input: what it follows, and where its lines go.
#[derive(Clone)]
pub struct Feed {
    /// The input's name.
    pub name: String,
    /// Which files.
    pub globs: Arc<Globs>,
    /// Their labels.
    pub labels: Arc<dyn Labels>,
    /// Bytes in, counts out.
    pub pipeline: Arc<Pipeline>,
    /// What the rules count.
    pub plan: Arc<Plan>,
}

/// How files are followed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to begin in files that existed before the first start.
    pub from: From,
    /// How the tail works.
    pub tail: tail::Options,
    /// Files followed at most, over all inputs.
    pub files: usize,
    /// Time between two commits that no scrape asked for.
    pub commit_every: Duration,
    /// Time between two listings that nothing hinted at, where folders tell of changes.
    pub list_every: Duration,
    /// The same where some folder does not.
    pub poll_every: Duration,
    /// Rows that may wait for a store that fails before reading pauses.
    pub waiting: usize,
    /// Time after which the streams of files that are gone leave.
    pub retire_after: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            from: From::End,
            tail: tail::Options::default(),
            files: 20_000,
            commit_every: Duration::from_secs(3),
            list_every: Duration::from_secs(10),
            poll_every: Duration::from_secs(1),
            // Far more than the limits on files and series leave room for: only weeks of rotations come to it.
            waiting: 1_000_000,
            retire_after: Duration::from_secs(3600),
        }
    }
}

/// One moment, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// For durations.
    pub now: Instant,
    /// Seconds since the epoch.
    pub wall: f64,
}

impl Clock {
    /// This moment.
    pub fn read() -> Clock {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { now: Instant::now(), wall: wall.as_secs_f64() }
    }
}

/// All inputs under way.
pub struct Follow {
    shards: Mutex<Vec<Arc<Mutex<Shard>>>>,
    durable: Mutex<Durable>,
    viewers: Mutex<Viewers>,
    guard: Mutex<Arc<Guard>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    beats: Mutex<Vec<Arc<Beat>>>,
    wakers: Mutex<Vec<Waker>>,
    reloading: Mutex<()>,
    options: Options,
    log: Arc<Log>,
    stop: AtomicBool,
    /// Stopped for good: no reload starts the workers again.
    ended: AtomicBool,
    /// How many wait for shards that workers may hold.
    asking: AtomicUsize,
    /// So much waits for the store that no more may come.
    full: AtomicBool,
    /// Workers, counted anew at each start of one, that have listed their files.
    listed: (Mutex<usize>, Condvar),
}

impl Follow {
    /// Goes on from what the store kept; without a store everything is kept in memory only.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn new(
        feeds: Vec<Feed>,
        guard: Arc<Guard>,
        store: Option<Store>,
        options: Options,
        log: Arc<Log>,
    ) -> Result<Follow, StoreError> {
        let mut store = store;
        let mut options = options;
        let open = descriptors::raise() / feeds.len().max(1);
        options.tail.max_open = options.tail.max_open.min(open.max(1));
        let mut kept = match &mut store {
            Some(store) => rows::load(store)?,
            None => HashMap::new(),
        };
        // File ids are unique over all inputs, those that no config names any more included.
        options.tail.ids.fetch_max(highest(&kept) + 1, Ordering::Relaxed);
        let now = Instant::now();
        let shard = |feed: Feed| {
            let kept = kept.remove(&feed.name).unwrap_or_default();
            let shard = Shard::new(feed, guard.clone(), options.tail.clone(), kept, options.from, now);
            Arc::new(Mutex::new(shard))
        };
        let shards: Vec<Arc<Mutex<Shard>>> = feeds.into_iter().map(shard).collect();
        let mut durable = Durable::new(store);
        if durable.is_kept() {
            let seen = shards.iter().map(|shard| lock(shard).seen()).collect();
            durable.keep(Cut::new(seen, 0, &guard));
        }
        Ok(Follow {
            shards: Mutex::new(shards),
            durable: Mutex::new(durable),
            viewers: Mutex::default(),
            guard: Mutex::new(guard),
            workers: Mutex::default(),
            beats: Mutex::default(),
            wakers: Mutex::default(),
            reloading: Mutex::default(),
            options,
            log,
            stop: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            asking: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            listed: Default::default(),
        })
    }

    /// Starts the workers that read; each owns some of the inputs.
    pub fn start(self: &Arc<Follow>) {
        self.stop.store(false, Ordering::Relaxed);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = self.shards();
        let count = shards.len().min(cores);
        let worker = |first: usize| {
            let follow = self.clone();
            let mine: Vec<Arc<Mutex<Shard>>> = shards.iter().skip(first).step_by(count).cloned().collect();
            let mut watch = Watch::new();
            lock(&self.wakers).push(watch.waker());
            let beat = Arc::new(Beat::new());
            lock(&self.beats).push(beat.clone());
            std::thread::spawn(move || worker::run(&follow, &mine, &mut watch, &beat))
        };
        *lock(&self.workers) = (0..count).map(worker).collect();
    }

    /// Waits until the files that stand there have been listed, so that whatever appears from now on is told from what
    /// stood there before; at most so long, for a folder may hang.
    pub fn await_listing(&self, most: Duration) {
        let count = lock(&self.workers).len();
        let (listed, told) = &self.listed;
        let wait = told.wait_timeout_while(lock(listed), most, |listed| *listed < count);
        drop(wait);
    }

    /// A worker has listed the files of its inputs for the first time.
    pub(crate) fn note_listing(&self) {
        let (listed, told) = &self.listed;
        *lock(listed) += 1;
        told.notify_all();
    }

    /// Ends the workers and commits what they read.
    pub fn stop(&self) {
        self.ended.store(true, Ordering::Relaxed);
        // A reload on the way is let through; later ones start nothing.
        let _after_reloads = lock(&self.reloading);
        self.stop_workers();
        self.commit();
    }

    fn stop_workers(&self) {
        self.stop.store(true, Ordering::Relaxed);
        lock(&self.beats).clear();
        lock(&self.wakers).drain(..).for_each(|waker| waker.wake());
        for worker in lock(&self.workers).drain(..) {
            // A worker that panicked has said so; its shard is whole.
            let _ = worker.join();
        }
    }

    /// Whether every worker still works.
    pub fn workers_alive(&self) -> bool {
        lock(&self.workers).iter().all(|worker| !worker.is_finished())
    }

    /// How long the worker that is slowest to come round has not done so; no end where one has ended.
    pub fn silence(&self) -> Duration {
        if !self.workers_alive() {
            return Duration::MAX;
        }
        lock(&self.beats).iter().map(|beat| beat.age()).max().unwrap_or_default()
    }

    fn shards(&self) -> Vec<Arc<Mutex<Shard>>> {
        lock(&self.shards).clone()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says that somebody wants shards: workers that have much to read let them in between two rounds. A lock alone
    /// does not: who has just let it go takes it again before a waiting one wakes up.
    fn ask(&self) -> Asking<'_> {
        self.asking.fetch_add(1, Ordering::SeqCst);
        Asking(self)
    }

    /// Waits while others want shards.
    pub(crate) fn give_way(&self) {
        while self.asking.load(Ordering::SeqCst) > 0 && !self.is_stopping() {
            std::thread::park_timeout(Duration::from_micros(200));
        }
    }

    /// Whether reading pauses until the store takes what waits for it.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// How the store does.
    pub fn store_state(&self) -> StoreState {
        lock(&self.durable).state()
    }

    /// Whether every input has been listed and read to its end.
    pub fn is_caught_up(&self) -> bool {
        let _asked = self.ask();
        self.shards().iter().all(|shard| lock(shard).is_caught_up())
    }

    /// Looks at each shard in turn.
    pub fn look(&self, mut at: impl FnMut(&Shard)) {
        let _asked = self.ask();
        self.shards().iter().for_each(|shard| at(&lock(shard)));
    }

    /// A cut of the numbers as they are, durable or not, that changes nothing: for people.
    pub fn peek<T>(&self, at: impl Fn(&Shard) -> T) -> Vec<T> {
        let _asked = self.ask();
        self.shards().iter().map(|shard| at(&lock(shard))).collect()
    }
}

/// When a worker last came round.
struct Beat {
    start: Instant,
    /// Milliseconds after the start.
    last: AtomicU64,
}

impl Beat {
    fn new() -> Beat {
        Beat { start: Instant::now(), last: AtomicU64::new(0) }
    }

    fn now(&self) {
        self.last.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    fn age(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}

/// Somebody wants shards, as long as this lives.
struct Asking<'a>(&'a Follow);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A lock that a panic elsewhere does not close: what it guards is consistent between two calls of its methods.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
