//! The inputs alone, in this process: pipeline, tally and store are the real ones, threads and time are ours. A crash
//! drops everything that was not committed.

use super::Random;
use super::judge::{Judge, Numbers, read};
use super::schedule::{Amid, Op, Subject, config, draw, rules, run};
use crate::support::shrink::shrink;
use logtally::app::build::{Built, build};
use logtally::config::{Given, Input, load};
use logtally::discover::Globs;
use logtally::expose::{Format, encode};
use logtally::follow::{self, Clock, Feed, Labels, Shard};
use logtally::notice::{self, Log, Severity};
use logtally::store::{Changes, Store};
use logtally::tail::{self, From, Listed};
use logtally::tally::cut::Cut;
use logtally::tally::exposition::Head;
use logtally::tally::guard::Guard;
use logtally::tally::stream::StreamKey;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// Schedules of a run; `LOGTALLY_SCHEDULES` asks for more.
const SCHEDULES: u64 = 1500;

struct Labelled(Arc<Input>);

impl Labels for Labelled {
    fn stream_key(&self, path: &Path) -> StreamKey {
        self.0.stream_key(path)
    }

    fn head(&self, key: &StreamKey) -> Head {
        self.0.head(key)
    }
}

/// What lives between two crashes.
struct Life {
    store: Store,
    shards: Vec<Shard>,
    guard: Arc<Guard>,
    pending: Changes,
    /// What the last scrape showed that was made durable.
    kept: Cut,
    cuts: u32,
    failing: bool,
}

struct Model {
    dir: PathBuf,
    random: Random,
    now: Instant,
    log: Log,
    /// Which rules are in force at the next start.
    extra: bool,
    life: Option<Life>,
}

/// The schedules' config as it is built, without and with the extra rule: once for all, since only folders differ.
static BUILT: [LazyLock<Built>; 2] = [LazyLock::new(|| built(false)), LazyLock::new(|| built(true))];

fn built(extra: bool) -> Built {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("logtally.yml"), config(Path::new("/anywhere"), dir.path())).unwrap();
    std::fs::write(dir.path().join("rules.yml"), rules(extra)).unwrap();
    let given = Given { config: Some(dir.path().join("logtally.yml")), ..Given::default() };
    build(load(&given).unwrap()).unwrap()
}

/// The inputs of the schedules over a folder.
pub(super) fn feeds(dir: &Path, extra: bool) -> Vec<Feed> {
    let place = |path: &PathBuf| dir.join(path.strip_prefix("/anywhere").unwrap());
    let feed = |feed: &logtally::app::build::Feed| Feed {
        name: feed.input.name.clone(),
        globs: Arc::new(Globs::new(&feed.input.include.iter().map(place).collect::<Vec<_>>(), &[]).unwrap()),
        labels: Arc::new(Labelled(feed.input.clone())),
        pipeline: feed.pipeline.clone(),
        plan: feed.plan.clone(),
    };
    BUILT[usize::from(extra)].feeds.iter().map(feed).collect()
}

fn listed(feed: &Feed) -> (Vec<Listed>, u64) {
    let listing = feed.globs.list();
    let input: Arc<str> = feed.name.as_str().into();
    let files = listing.files.into_iter().map(|found| Listed {
        path: found.path,
        input: input.clone(),
        dev: found.dev,
        ino: found.ino,
        size: found.size,
        archive: found.is_archive,
        target: found.target,
        changed: found.changed,
    });
    (files.collect(), listing.unmatched.len() as u64)
}

impl Model {
    fn new(dir: &Path, seed: u64) -> Model {
        let log = Log::new(Severity::Error, notice::Format::Logfmt, Box::new(std::io::sink()));
        Model {
            dir: dir.to_path_buf(),
            random: Random::new(seed),
            now: Instant::now(),
            log,
            extra: false,
            life: None,
        }
    }

    fn clock(&self) -> Clock {
        Clock { now: self.now, wall: 1.0 }
    }

    fn list(&mut self) {
        let clock = self.clock();
        let Some(life) = &mut self.life else { return };
        for shard in &mut life.shards {
            let (files, unmatched) = listed(shard.feed());
            shard.sync(&files, unmatched, clock, &self.log);
        }
    }

    fn step(&mut self, drain: bool) {
        let clock = self.clock();
        let Some(life) = &mut self.life else { return };
        for shard in &mut life.shards {
            for _ in 0..10_000 {
                if !shard.step(clock, &self.log).backlog || !drain {
                    break;
                }
            }
        }
    }

    fn commit(&mut self) -> Option<Cut> {
        let life = self.life.as_mut()?;
        life.cuts += 1;
        let number = life.cuts;
        let cuts = life.shards.iter_mut().map(|shard| shard.cut(number)).collect();
        if life.write() {
            life.kept = Cut::new(cuts, number, &life.guard);
        } else {
            life.shards.iter_mut().for_each(|shard| shard.take_back(number));
        }
        Some(life.kept.clone())
    }

    /// A commit that no scrape asked for: nothing was shown.
    fn commit_unseen(&mut self) {
        if let Some(life) = &mut self.life {
            life.write();
        }
    }
}

impl Life {
    fn write(&mut self) -> bool {
        self.shards.iter_mut().for_each(|shard| shard.collect(&mut self.pending));
        if !self.failing {
            self.store.commit(&std::mem::take(&mut self.pending)).unwrap();
        }
        !self.failing
    }
}

impl Subject for Model {
    fn is_up(&self) -> bool {
        self.life.is_some()
    }

    fn start(&mut self) {
        let guard = Arc::new(Guard::new(2000));
        let mut store = Store::open(&self.dir.join("state")).unwrap();
        let mut kept = follow::load(&mut store).unwrap();
        let options = tail::Options { block: 2048, ..tail::Options::default() };
        options.ids.fetch_max(follow::highest(&kept) + 1, Ordering::Relaxed);
        let shard = |feed: Feed| {
            let kept = kept.remove(&feed.name).unwrap_or_default();
            Shard::new(feed, guard.clone(), options.clone(), kept, From::End, self.now)
        };
        let mut shards: Vec<Shard> = feeds(&self.dir, self.extra).into_iter().map(shard).collect();
        let kept = Cut::new(shards.iter_mut().map(Shard::seen).collect(), 0, &guard);
        self.life =
            Some(Life { store, shards, guard, pending: Changes::new(), kept, cuts: 0, failing: false });
        self.list();
    }

    fn kill(&mut self) {
        self.life = None;
    }

    fn stop(&mut self) {
        self.commit_unseen();
        self.life = None;
    }

    fn reload(&mut self, extra: bool) {
        self.extra = extra;
        self.commit_unseen();
        let guard = Arc::new(Guard::new(2000));
        let Some(life) = &mut self.life else { return };
        for (shard, feed) in life.shards.iter_mut().zip(feeds(&self.dir, extra)) {
            shard.reform(feed, guard.clone());
        }
        life.guard = guard;
    }

    fn reload_amid(&mut self, extra: bool, amid: Amid) {
        match amid {
            Amid::Stop => self.reload(extra),
            Amid::Stopped => self.commit_unseen(),
            Amid::Kill(millis) if millis % 2 == 0 => self.reload(extra),
            Amid::Kill(_) => {}
        }
        self.extra = extra;
        match amid {
            Amid::Kill(_) => self.kill(),
            Amid::Stop | Amid::Stopped => self.stop(),
        }
    }

    fn fail(&mut self, failing: bool) {
        if let Some(life) = &mut self.life {
            life.failing = failing;
        }
    }

    fn scrape(&mut self) -> Numbers {
        if self.random.below(2) == 0 {
            self.list();
        }
        self.step(true);
        let cut = self.commit().expect("it runs");
        let mut text = Vec::new();
        encode(Format::Text, &cut, &mut |chunk| text.extend(chunk));
        read(&String::from_utf8(text).unwrap())
    }

    fn breathe(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis * 10);
        for _ in 0..self.random.below(4) {
            match self.random.below(4) {
                0 => self.list(),
                1 => self.commit_unseen(),
                _ => self.step(false),
            }
        }
    }

    fn settle(&mut self, judge: &mut Judge, done: &dyn Fn(&Numbers) -> bool) -> Result<Numbers, String> {
        for _ in 0..30 {
            self.list();
            let numbers = self.scrape();
            judge.see(&numbers)?;
            if done(&numbers) {
                return Ok(numbers);
            }
            self.now += Duration::from_millis(200);
        }
        Ok(self.scrape())
    }
}

fn attempt(ops: &[Op], seed: u64) -> Result<(), String> {
    // In memory, where there is such a place: what is tested is the order of things, not the disk.
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut model = Model::new(dir.path(), seed);
        run(dir.path(), &mut model, ops, seed)
    }));
    outcome.unwrap_or_else(|panic| {
        Err(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".into()))
    })
}

#[test]
fn inputs_count_each_line_once_over_crashes() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let now = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64 % 1_000_000_000;
    let first = number("SEED").unwrap_or_else(now);
    let count = number("LOGTALLY_SCHEDULES").or(number("SEED").map(|_| 1)).unwrap_or(SCHEDULES);
    eprintln!("{count} schedules from SEED={first} on");
    for seed in first..first + count {
        let ops = draw(seed, 60);
        if let Err(error) = attempt(&ops, seed) {
            let (ops, error) = shrink(ops, error, |ops| attempt(ops, seed));
            panic!("SEED={seed} fails, cut down to {ops:?}\n{error}");
        }
    }
}
