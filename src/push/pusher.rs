//! All receivers: each has a task that takes cuts and one that sends them, so that a slow receiver holds up no cut.

use super::queue::{Front, Queue};
use super::record::{Part, Recorder};
use super::send::send;
use super::stats::{AllStats, Stats};
use super::target::Target;
use super::tls;
use crate::tally::exposition::Source;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Where cuts come from.
pub trait Numbers: Send + Sync + 'static {
    /// All numbers at one moment, durable. May block.
    fn parts(&self) -> Vec<Part>;
}

/// What happened, for whoever keeps the log. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "fields are what they are called: a target's name, a number of samples, a reason"
)]
pub enum Note {
    /// A request got no good answer and is tried again.
    Failing { target: String, why: String },
    /// After failures a request went through.
    Works { target: String },
    /// Samples that the receiver will never take.
    Refused { target: String, samples: u64, why: String },
    /// Samples that the queue had no room for.
    Dropped { target: String, samples: u64 },
    /// The receiver speaks remote write 1.0 only.
    Older { target: String },
}

type Tell = Arc<dyn Fn(Note) + Send + Sync>;

/// All receivers.
pub struct Pushes {
    running: Mutex<Vec<Running>>,
    /// By name; those of a receiver that is gone stay, so that its counters do not go down should it come back.
    stats: Mutex<Vec<(String, Arc<Stats>)>>,
    reloads: Arc<Reloads>,
    tell: Tell,
}

/// Reloads of the config, during and after which series may be new here and not newly born.
#[derive(Debug, Default)]
struct Reloads {
    under_way: AtomicU64,
    over: AtomicU64,
}

impl Reloads {
    /// Differs from what it was, or is `None`, where a reload has touched the time in between.
    fn mark(&self) -> Option<u64> {
        (self.under_way.load(SeqCst) == 0).then(|| self.over.load(SeqCst))
    }
}

/// A reload under way, until it is dropped.
pub struct Reload(Arc<Reloads>);

impl Drop for Reload {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, SeqCst);
        self.0.under_way.fetch_sub(1, SeqCst);
    }
}

/// What becomes of the receivers.
pub struct Change(Vec<Arc<Target>>);

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Phase {
    /// Cuts are taken and sent.
    Running,
    /// No more cuts; each request is tried once more.
    Last,
}

struct Running {
    lane: Arc<Lane>,
    phase: watch::Sender<Phase>,
    tasks: Vec<JoinHandle<()>>,
}

/// What the two tasks of a receiver share.
pub(super) struct Lane {
    pub(super) target: Arc<Target>,
    recorder: Mutex<Recorder>,
    queue: Mutex<Queue>,
    /// There is something to send.
    pub(super) filled: Notify,
    /// The last cut has been taken.
    pub(super) closed: AtomicBool,
    pub(super) stats: Arc<Stats>,
    reloads: Arc<Reloads>,
    /// The mark of the last cut.
    mark: Mutex<Option<u64>>,
    pub(super) tell: Tell,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pushes {
    /// No receivers yet. `tell` is called from tasks and must not block for long.
    pub fn new(tell: impl Fn(Note) + Send + Sync + 'static) -> Pushes {
        let (running, stats, reloads) = Default::default();
        Pushes { running, stats, reloads, tell: Arc::new(tell) }
    }

    /// To be held while the config is reloaded: counters that come in by it bring their numbers along and were not born now.
    pub fn reload(&self) -> Reload {
        self.reloads.under_way.fetch_add(1, SeqCst);
        Reload(self.reloads.clone())
    }

    /// Checks what can be checked without asking anybody. Nothing changes yet.
    ///
    /// # Errors
    /// The receiver's name and what is wrong with its files.
    pub fn prepare(targets: Vec<Target>) -> Result<Change, Vec<(String, String)>> {
        let wrong = |target: &Target| {
            let why = if target.url.tls { tls::config(&target.tls).err() } else { None };
            why.map(|why| (target.name.clone(), why))
        };
        let problems: Vec<(String, String)> = targets.iter().filter_map(wrong).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Change(targets.into_iter().map(Arc::new).collect()))
    }

    /// Goes over to these receivers: one whose settings are the same keeps its queue, any other starts anew.
    pub fn change(&self, change: Change, numbers: &Arc<dyn Numbers>, runtime: &Handle) {
        let mut running = lock(&self.running);
        let (keep, end): (Vec<Running>, Vec<Running>) =
            running.drain(..).partition(|known| change.0.contains(&known.lane.target));
        end.iter().for_each(Running::abort);
        let is_new = |target: &Arc<Target>| !keep.iter().any(|known| known.lane.target == *target);
        let fresh: Vec<Arc<Target>> = change.0.iter().filter(|target| is_new(target)).cloned().collect();
        *running = keep;
        running.extend(fresh.into_iter().map(|target| self.start(target, numbers, runtime)));
        let named = |name: &str| running.iter().any(|known| known.lane.target.name == name);
        for (_, stats) in lock(&self.stats).iter().filter(|(name, _)| !named(name)) {
            stats.queued.store(0, Relaxed);
            stats.set_trouble(None);
        }
    }

    fn start(&self, target: Arc<Target>, numbers: &Arc<dyn Numbers>, runtime: &Handle) -> Running {
        let lane = Arc::new(Lane {
            recorder: Mutex::new(Recorder::new(target.native)),
            queue: Mutex::new(Queue::new(target.queue_bytes)),
            filled: Notify::new(),
            closed: AtomicBool::new(false),
            stats: self.stats_of(&target.name),
            reloads: self.reloads.clone(),
            mark: Mutex::default(),
            tell: self.tell.clone(),
            target,
        });
        let (phase, ends) = watch::channel(Phase::Running);
        let cuts = runtime.spawn(take_cuts(lane.clone(), numbers.clone(), ends.clone()));
        let sends = runtime.spawn(send(lane.clone(), ends));
        Running { lane, phase, tasks: vec![cuts, sends] }
    }

    fn stats_of(&self, name: &str) -> Arc<Stats> {
        let mut all = lock(&self.stats);
        if let Some((_, stats)) = all.iter().find(|(known, _)| known == name) {
            return stats.clone();
        }
        let stats = Arc::new(Stats::default());
        all.push((name.to_owned(), stats.clone()));
        stats
    }

    /// Takes a last cut, tries to send what waits, and ends all tasks within the time given.
    pub async fn finish(&self, limit: Duration) {
        // The receivers stay on the list: the last cut holds the numbers about them.
        let mut tasks = Vec::new();
        for one in lock(&self.running).iter_mut() {
            let _ = one.phase.send(Phase::Last);
            tasks.append(&mut one.tasks);
        }
        let all = async {
            for task in &mut tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
        tasks.iter().for_each(JoinHandle::abort);
    }

    /// The metrics about all receivers that are pushed to now.
    pub fn source(&self) -> Box<dyn Source> {
        let running = lock(&self.running);
        let stats = |known: &Running| (known.lane.target.name.clone(), known.lane.stats.clone());
        Box::new(AllStats(running.iter().map(stats).collect()))
    }

    /// The receivers that do not take what they are sent, and why.
    pub fn troubles(&self) -> Vec<(String, String)> {
        let all = lock(&self.stats);
        all.iter().filter_map(|(name, stats)| Some((name.clone(), stats.trouble()?))).collect()
    }
}

impl Running {
    fn abort(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Milliseconds since the epoch.
pub(super) fn millis(now: SystemTime) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Takes a cut at once, at each interval, and at the end.
async fn take_cuts(lane: Arc<Lane>, numbers: Arc<dyn Numbers>, mut ends: watch::Receiver<Phase>) {
    let mut ticks = tokio::time::interval(lane.target.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            _ = ends.wait_for(|phase| *phase == Phase::Last) => true,
        };
        let (cutting, numbers) = (lane.clone(), numbers.clone());
        // A panic inside is the log's to tell; the next cut is another chance.
        let _ = tokio::task::spawn_blocking(move || cutting.take_cut(&*numbers)).await;
        if last {
            lane.closed.store(true, SeqCst);
            lane.filled.notify_one();
            return;
        }
    }
}

impl Lane {
    fn take_cut(&self, numbers: &dyn Numbers) {
        // No lock is held while the numbers are taken: they include those about the receivers.
        let before = self.reloads.mark();
        let parts = numbers.parts();
        let after = self.reloads.mark();
        let last = std::mem::replace(&mut *lock(&self.mark), after);
        let mut recorder = lock(&self.recorder);
        if before.is_none() || before != after || before != last {
            recorder.trust_next();
        }
        // The time after the numbers: what was counted before it is in them.
        let cut = recorder.record(&parts, millis(SystemTime::now()));
        drop(parts);
        let mut queue = lock(&self.queue);
        let dropped = queue.push(cut) as u64;
        self.stats.queued.store(queue.bytes(), Relaxed);
        drop(queue);
        drop(recorder);
        if dropped > 0 {
            self.stats.dropped.fetch_add(dropped, Relaxed);
            (self.tell)(Note::Dropped { target: self.target.name.clone(), samples: dropped });
        }
        self.filled.notify_one();
    }

    /// The oldest cut that waits.
    pub(super) fn front(&self) -> Option<Front> {
        lock(&self.queue).front()
    }

    /// So many more points of a cut have been dealt with.
    pub(super) fn advance(&self, front: &Front, points: usize) {
        let mut queue = lock(&self.queue);
        queue.advance(front.id, points);
        self.stats.queued.store(queue.bytes(), Relaxed);
    }
}
