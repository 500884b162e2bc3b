//! One input under way: its files, their open events and its numbers, in step with each other.
//!
//! A shard has no thread and reads no clock: whoever holds it steps it. All that a step settles (offsets, open
//! events, counters) leaves in one set of changes, so that a commit holds them together or not at all.

use super::rows::{self, Kept};
use super::sink::{Reading, Sink};
use super::{Clock, Feed, facts};
use crate::notice::Log;
use crate::pipeline::{Carry, Scratch};
use crate::store::Changes;
use crate::tail::{self, FileId, From, Listed, State, Tailer, What};
use crate::tally::Tally;
use crate::tally::cut::InputCut;
use crate::tally::guard::Guard;
use crate::tally::plan::rule_key;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An event without a further line for this long has ended.
pub const EVENT_IDLE: Duration = Duration::from_secs(1);

/// One input under way.
pub struct Shard {
    pub(super) feed: Feed,
    pub(super) tailer: Tailer,
    pub(super) tally: Tally,
    pub(super) readings: HashMap<FileId, Reading>,
    /// Files whose open event waits for its end.
    pub(super) waiting: BTreeSet<FileId>,
    /// Files whose open event changed since the last commit.
    pub(super) touched: BTreeSet<FileId>,
    scratch: Scratch,
    from: From,
    /// No listing was ever taken, in this run or an earlier one.
    first: bool,
    /// A listing was taken in this run.
    listed: bool,
    /// Only what stood there before the very first listing and scrape was known beforehand: later streams begin at 0.
    /// Scrapes of an earlier run have shown what there was, so that this holds from the start where the store kept anything.
    newborn: bool,
    pub(super) unmatched: u64,
    /// The last step left something to read.
    backlog: bool,
    /// Streams without a file, since when.
    gone: HashMap<usize, Instant>,
}

/// A followed file, for people.
#[derive(Clone, Copy, Debug)]
pub struct FileView<'a> {
    /// The path that its content was first seen under.
    pub path: &'a Path,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes of it that are not read yet.
    pub unread: u64,
    /// The format that was found.
    pub format: &'static str,
    /// Its stream in the tally.
    pub stream: Option<usize>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes read.
    pub read: u64,
    /// There is more to read at once.
    pub backlog: bool,
    /// A file was cut: what was cut away may stand in a copy, which a listing shows.
    pub cut: bool,
}

impl Shard {
    /// A shard that goes on from what the store kept.
    pub fn new(
        feed: Feed,
        guard: Arc<Guard>,
        options: tail::Options,
        kept: Kept,
        from: From,
        now: Instant,
    ) -> Shard {
        let mut tally = Tally::new(&feed.name, feed.plan.clone(), guard);
        let first = kept.counters.is_none();
        if let Some(counters) = &kept.counters {
            tally.restore_counters(counters);
        }
        for (id, row) in &kept.streams {
            tally.restore_stream(&id.stream, row, || feed.labels.head(&id.stream));
        }
        for (id, row) in &kept.series {
            tally.restore_series(id, row);
        }
        let mut readings = HashMap::new();
        for (id, saved) in &kept.files {
            let Some(carry) = kept.carries.get(id) else { continue };
            let rule = |name: &str| feed.plan.rule(name).map(|at| at as u32);
            let carry = Carry::restore(carry, rule);
            let stream = stream_of(&feed, &mut tally, &saved.path, false);
            readings.insert(*id, Reading { carry, stream, read: true, last: now });
        }
        let waiting = readings.iter().filter(|(_, r)| r.carry.waits()).map(|(id, _)| *id).collect();
        Shard {
            tailer: Tailer::new(options, kept.files, now),
            feed,
            tally,
            readings,
            waiting,
            touched: BTreeSet::new(),
            scratch: Scratch::default(),
            from,
            first,
            listed: false,
            newborn: !first,
            unmatched: 0,
            backlog: true,
            gone: HashMap::new(),
        }
    }

    /// Takes over a listing of the input's files.
    pub fn sync(&mut self, listing: &[Listed], unmatched: u64, clock: Clock, log: &Log) {
        let mut found = Vec::new();
        let (first, from) = (self.first, self.from);
        self.tally.set_now(clock.wall);
        let (tailer, mut sink) = self.parts(clock);
        tailer.sync(listing, first, from, clock.now, &mut found, &mut sink);
        self.first = false;
        self.unmatched = unmatched;
        let live: Vec<(FileId, Vec<u8>)> = self
            .tailer
            .files()
            .filter(|file| file.state != State::Done && !self.readings.contains_key(&file.id))
            .map(|file| (file.id, bytes_of(file.path)))
            .collect();
        for (id, path) in live {
            let stream = stream_of(&self.feed, &mut self.tally, &path, self.newborn);
            self.readings
                .insert(id, Reading { carry: Carry::default(), stream, read: false, last: clock.now });
        }
        (self.listed, self.newborn) = (true, true);
        facts::handle(&mut self.tally, &found, log);
    }

    /// Reads what is there, one block of each file, and ends events that have been quiet.
    pub fn step(&mut self, clock: Clock, log: &Log) -> Step {
        self.turn(clock, log, false)
    }

    /// As [`Shard::step`], but only of files that hints named or that had more to give: cheap however many there are.
    pub fn step_hot(&mut self, clock: Clock, log: &Log) -> Step {
        self.turn(clock, log, true)
    }

    fn turn(&mut self, clock: Clock, log: &Log, hot: bool) -> Step {
        let mut found = Vec::new();
        let (tailer, mut sink) = self.parts(clock);
        sink.tally.set_now(clock.wall);
        let progress = match hot {
            true => tailer.hot_round(clock.now, &mut sink, &mut found),
            false => tailer.round(clock.now, &mut sink, &mut found),
        };
        self.end_quiet_events(clock);
        facts::handle(&mut self.tally, &found, log);
        self.backlog = progress.backlog;
        let cut = found.iter().any(|fact| fact.what == What::Truncated);
        Step { read: progress.read, backlog: progress.backlog, cut }
    }

    /// Reads the file of this name next. `false`: no followed file stands there.
    pub fn poke(&mut self, path: &Path) -> bool {
        self.tailer.poke(path)
    }

    /// Looks at every file in the next step: hints were lost.
    pub fn poke_all(&mut self) {
        self.tailer.poke_all();
    }

    /// Whether files wait until others can be closed: a listing is due soon.
    pub fn is_crowded(&self) -> bool {
        self.tailer.is_crowded()
    }

    /// How often files without writes are looked at.
    pub fn set_idle_check(&mut self, every: Duration) {
        self.tailer.set_idle_check(every);
    }

    fn parts(&mut self, clock: Clock) -> (&mut Tailer, Sink<'_>) {
        let sink = Sink {
            feed: &self.feed,
            tally: &mut self.tally,
            readings: &mut self.readings,
            waiting: &mut self.waiting,
            touched: &mut self.touched,
            scratch: &mut self.scratch,
            newborn: self.newborn,
            clock,
        };
        (&mut self.tailer, sink)
    }

    fn end_quiet_events(&mut self, clock: Clock) {
        let readings = &self.readings;
        let quiet = |id: &&FileId| match readings.get(id) {
            Some(reading) => clock.now.saturating_duration_since(reading.last) >= EVENT_IDLE,
            None => true,
        };
        let ended: Vec<FileId> = self.waiting.iter().filter(quiet).copied().collect();
        let (_, mut sink) = self.parts(clock);
        ended.into_iter().for_each(|id| sink.flush(id));
    }

    /// Copies all numbers for the scrape of this number.
    pub fn cut(&mut self, cut: u32) -> InputCut {
        self.newborn = true;
        let files = self.measure();
        self.tally.cut(cut, files)
    }

    /// The cut of this number, the last one, could not be made durable, and another one was sent.
    pub fn take_back(&mut self, cut: u32) {
        self.tally.take_back(cut);
    }

    /// The numbers of what earlier scrapes have shown, those before this run included.
    pub fn seen(&mut self) -> InputCut {
        let files = self.measure();
        self.tally.seen(files)
    }

    /// Tells the streams the sizes of their files, and gives how many files there are.
    fn measure(&mut self) -> u64 {
        let mut files = 0;
        self.tally.clear_files();
        for file in self.tailer.files().filter(|file| file.state != State::Done) {
            files += 1;
            let Some(reading) = self.readings.get(&file.id) else { continue };
            let (size, format) = match file.state {
                State::Live => (file.size, reading.format()),
                _ => (0, None),
            };
            self.tally.add_file(reading.stream, size, file.unread, format);
        }
        files
    }

    /// Gives everything that changed since the last call to the next commit.
    pub fn collect(&mut self, changes: &mut Changes) {
        for (id, saved) in self.tailer.changed() {
            if saved.is_none() {
                self.readings.remove(&id);
                rows::put_carry(changes, id, None);
            }
            rows::put_identity(changes, id, saved.as_ref());
        }
        let plan = self.feed.plan.clone();
        for id in std::mem::take(&mut self.touched) {
            let name = |rule: u32| rule_key(&plan.rules[rule as usize]);
            let carry = self.readings.get(&id).map(|reading| reading.carry.save(name));
            rows::put_carry(changes, id, carry.as_ref());
        }
        let input = &self.feed.name;
        self.tally.each_row(|row| rows::put_row(changes, input, &row));
    }

    /// The next commit holds everything, changed or not.
    pub fn touch_all(&mut self) {
        self.tailer.touch_all();
        self.touched.extend(self.readings.keys());
        self.tally.touch_all();
    }

    /// Lets streams leave whose files have been gone for `after`.
    pub fn retire(&mut self, now: Instant, after: Duration) {
        let here: BTreeSet<usize> = self
            .tailer
            .files()
            .filter(|file| file.state != State::Done)
            .filter_map(|file| Some(self.readings.get(&file.id)?.stream))
            .collect();
        let all: Vec<usize> = self.tally.streams().map(|(at, _)| at).collect();
        for stream in all {
            if here.contains(&stream) {
                self.gone.remove(&stream);
                continue;
            }
            let since = *self.gone.entry(stream).or_insert(now);
            if now.saturating_duration_since(since) >= after {
                self.gone.remove(&stream);
                self.readings.retain(|_, reading| reading.stream != stream);
                self.tally.retire(stream);
            }
        }
    }

    /// Whether everything that is there has been read.
    pub fn is_caught_up(&self) -> bool {
        self.listed && !self.backlog && !self.tailer.is_crowded()
    }

    /// What it follows and where the lines go.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The input's name.
    pub fn input(&self) -> &str {
        &self.feed.name
    }

    /// Its numbers.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Patterns that named no file when they were last listed.
    pub fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// How many files are followed.
    pub fn file_count(&self) -> usize {
        self.tailer.files().filter(|file| file.state != State::Done).count()
    }

    /// The files that are followed.
    pub fn files(&self) -> impl Iterator<Item = FileView<'_>> {
        self.tailer.files().filter(|file| file.state != State::Done).map(|file| {
            let reading = self.readings.get(&file.id);
            FileView {
                path: file.path,
                size: file.size,
                unread: file.unread,
                format: reading.map_or("unknown", |reading| reading.carry.memory().format().as_str()),
                stream: reading.map(|reading| reading.stream),
            }
        })
    }

    /// Files that cannot be read, with the reason as in `logtally_file_errors_total`.
    pub fn failing(&self) -> impl Iterator<Item = (&Path, &'static str)> {
        self.tailer.failing().map(|(path, reason)| (path, reason.as_str()))
    }

    pub(super) fn forget_gone(&mut self) {
        self.gone.clear();
    }

    /// Counts a path that a listing could not look at.
    pub(super) fn count_failure(&mut self, kind: std::io::ErrorKind) {
        facts::count_failure(&mut self.tally, kind);
    }
}

pub(super) fn stream_of(feed: &Feed, tally: &mut Tally, path: &[u8], newborn: bool) -> usize {
    let path = path_of(path);
    let key = feed.labels.stream_key(path);
    tally.stream(&key, || feed.labels.head(&key), newborn)
}

fn path_of(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

pub(super) fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}
