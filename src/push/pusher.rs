//! All receivers: each has a task that takes cuts and one that sends them, so that a slow receiver holds up no cut.

use super::client::Client;
use super::judge::{Answer, Verdict, Wire, backoff, judge, rejected};
use super::queue::{Front, Queue};
use super::record::{Part, Recorder};
use super::remote::Batch;
use super::stats::{AllStats, Stats};
use super::target::{Protocol, Target};
use super::tls;
use crate::tally::exposition::Source;
use flate2::{Compression, write::GzEncoder};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// Samples of one request.
const SAMPLES: usize = 5000;

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
    tell: Tell,
}

/// What becomes of the receivers.
pub struct Change(Vec<Arc<Target>>);

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Phase {
    /// Cuts are taken and sent.
    Running,
    /// No more cuts; each request is tried once more.
    Last,
}

struct Running {
    lane: Arc<Lane>,
    phase: watch::Sender<Phase>,
    tasks: [JoinHandle<()>; 2],
}

/// What the two tasks of a receiver share.
struct Lane {
    target: Arc<Target>,
    recorder: Mutex<Recorder>,
    queue: Mutex<Queue>,
    /// There is something to send.
    filled: Notify,
    /// The last cut has been taken.
    closed: AtomicBool,
    stats: Arc<Stats>,
    tell: Tell,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pushes {
    /// No receivers yet. `tell` is called from tasks and must not block for long.
    pub fn new(tell: impl Fn(Note) + Send + Sync + 'static) -> Pushes {
        Pushes { running: Mutex::default(), stats: Mutex::default(), tell: Arc::new(tell) }
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
        for known in &keep {
            lock(&known.lane.recorder).trust_next();
        }
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
            recorder: Mutex::new(Recorder::new()),
            queue: Mutex::new(Queue::new(target.queue_bytes)),
            filled: Notify::new(),
            closed: AtomicBool::new(false),
            stats: self.stats_of(&target.name),
            tell: self.tell.clone(),
            target,
        });
        let (phase, ends) = watch::channel(Phase::Running);
        let cuts = runtime.spawn(take_cuts(lane.clone(), numbers.clone(), ends.clone()));
        let sends = runtime.spawn(send(lane.clone(), ends));
        Running { lane, phase, tasks: [cuts, sends] }
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
        let mut running: Vec<Running> = lock(&self.running).drain(..).collect();
        for one in &running {
            let _ = one.phase.send(Phase::Last);
        }
        let all = async {
            for one in &mut running {
                for task in &mut one.tasks {
                    let _ = task.await;
                }
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
        running.iter().for_each(Running::abort);
    }

    /// The metrics about all receivers.
    pub fn source(&self) -> Box<dyn Source> {
        Box::new(AllStats(lock(&self.stats).clone()))
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
fn millis(now: SystemTime) -> i64 {
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
        let mut recorder = lock(&self.recorder);
        let parts = numbers.parts();
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

    fn front(&self) -> Option<Front> {
        lock(&self.queue).front()
    }

    fn advance(&self, front: &Front, points: usize) {
        let mut queue = lock(&self.queue);
        queue.advance(front.id, points);
        self.stats.queued.store(queue.bytes(), Relaxed);
    }
}

/// Which message form a receiver is spoken to in.
struct Speech {
    wire: Wire,
    /// The receiver has taken this form.
    sure: bool,
    first: Wire,
}

/// Sends what waits, oldest first.
async fn send(lane: Arc<Lane>, mut ends: watch::Receiver<Phase>) {
    let first = match lane.target.protocol {
        Protocol::RemoteWrite => Wire::V2,
        Protocol::RemoteWriteV1 => Wire::V1,
        Protocol::Otlp => Wire::Otlp,
    };
    let mut speech = Speech { wire: first, sure: false, first };
    let mut client = Client::new(lane.target.clone());
    let mut failures = 0;
    loop {
        // Asked before the queue: what is closed gets no further cut.
        let closed = lane.closed.load(SeqCst);
        let Some(front) = lane.front() else {
            if closed {
                return;
            }
            lane.filled.notified().await;
            continue;
        };
        let is_last = *ends.borrow() == Phase::Last;
        let Err(wait) = attempt(&lane, &mut client, &mut speech, &front).await else {
            failures = 0;
            continue;
        };
        failures += 1;
        lane.stats.retries.fetch_add(1, Relaxed);
        if is_last {
            return;
        }
        let until = Instant::now() + wait.unwrap_or_else(|| backoff(failures, random()));
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            _ = ends.wait_for(|phase| *phase == Phase::Last) => {}
        }
    }
}

/// One request with the next points of a cut.
///
/// # Errors
/// It is to be tried again, after this time where the receiver named one.
async fn attempt(
    lane: &Lane,
    client: &mut Client,
    speech: &mut Speech,
    front: &Front,
) -> Result<(), Option<Duration>> {
    let (points, samples) = next_points(front);
    let body = encode(&lane.target, front, points, speech.wire);
    let name = || lane.target.name.clone();
    let fail = |why: String, wait: Option<Duration>| {
        let before = lane.stats.set_trouble(Some(why.clone()));
        if before.as_ref() != Some(&why) {
            (lane.tell)(Note::Failing { target: name(), why });
        }
        Err(wait)
    };
    let answer = match client.post(speech.wire, body).await {
        Ok(answer) => answer,
        Err(why) => return fail(why, None),
    };
    match judge(speech.wire, speech.sure, &answer, SystemTime::now()) {
        Verdict::Taken => {
            speech.sure = true;
            taken(lane, &answer, speech.wire, samples);
            lane.advance(front, points);
        }
        Verdict::Again(wait) => return fail(said(&answer), wait),
        Verdict::Older => {
            *speech = Speech { wire: Wire::V1, sure: false, first: speech.first };
            (lane.tell)(Note::Older { target: name() });
        }
        Verdict::Refused => {
            // A refusal in 1.0 of what was refused in 2.0: the version was not what was wrong.
            if !speech.sure {
                speech.wire = speech.first;
            }
            let written = answer.written.unwrap_or(0).min(samples);
            refused(lane, samples - written, said(&answer));
            lane.stats.sent.fetch_add(written, Relaxed);
            lane.advance(front, points);
        }
    }
    Ok(())
}

fn taken(lane: &Lane, answer: &Answer, wire: Wire, samples: u64) {
    let lost = if wire == Wire::Otlp { rejected(&answer.body).min(samples) } else { 0 };
    let wall = millis(SystemTime::now()) as f64 / 1000.0;
    lane.stats.succeed(samples - lost, wall);
    if lost > 0 {
        refused(lane, lost, said(answer));
    } else if lane.stats.set_trouble(None).is_some() {
        (lane.tell)(Note::Works { target: lane.target.name.clone() });
    }
}

fn refused(lane: &Lane, samples: u64, why: String) {
    lane.stats.failed.fetch_add(samples, Relaxed);
    lane.stats.set_trouble(Some(format!("refused: {why}")));
    (lane.tell)(Note::Refused { target: lane.target.name.clone(), samples, why });
}

/// How many points fit into a request, and how many samples they are.
fn next_points(front: &Front) -> (usize, u64) {
    let mut samples = 0;
    let fits = front.cut.points[front.done..].iter().try_fold(0, |points, (series, point)| {
        samples += point.samples(series);
        if samples >= SAMPLES { ControlFlow::Break(points + 1) } else { ControlFlow::Continue(points + 1) }
    });
    let (ControlFlow::Break(points) | ControlFlow::Continue(points)) = fits;
    (points, samples as u64)
}

/// The compressed message.
fn encode(target: &Target, front: &Front, points: usize, wire: Wire) -> Vec<u8> {
    let points = &front.cut.points[front.done..front.done + points];
    let batch = Batch { at: front.cut.at, points, labels: &target.labels };
    // Neither can fail: both write to memory, and snappy's limit of 4 GiB is far.
    let snappy = |message: Vec<u8>| snap::raw::Encoder::new().compress_vec(&message).unwrap_or_default();
    match wire {
        Wire::V1 => snappy(batch.v1()),
        Wire::V2 => snappy(batch.v2()),
        Wire::Otlp => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            let _ = gzip.write_all(&batch.otlp(env!("CARGO_PKG_VERSION")));
            gzip.finish().unwrap_or_default()
        }
    }
}

/// What an answer says, for people: one line, and not all of a page.
fn said(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.is_empty() {
        format!("HTTP {}", answer.status)
    } else {
        format!("HTTP {}: {line}", answer.status)
    }
}

/// A number that nobody foresees; the keys of the standard library's hash maps are made of such.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
