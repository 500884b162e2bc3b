//! What happens in which order, drawn from a seed; and how it is done to a world and a subject.

use super::Random;
use super::judge::{Judge, Numbers, differences, misplaced, sum};
use super::world::{Followed, Reopen, World};
use std::path::Path;

/// An exporter that can be put through a schedule.
pub(super) trait Subject {
    /// Whether it runs.
    fn is_up(&self) -> bool;
    /// Starts it, on what an earlier life left.
    fn start(&mut self);
    /// Ends it without a word.
    fn kill(&mut self);
    /// Asks it to stop and waits for it.
    fn stop(&mut self);
    /// Loads the rules anew; `extra`: with one rule more.
    fn reload(&mut self, extra: bool);
    /// As a reload, but what ends the subject comes between.
    fn reload_amid(&mut self, extra: bool, amid: Amid);
    /// From now on, until it starts anew, commits fail or work again.
    fn fail(&mut self, failing: bool);
    /// One scrape.
    fn scrape(&mut self) -> Numbers;
    /// Lets it work a little.
    fn breathe(&mut self, millis: u64);
    /// Lets it work until `done`, at most as long as anybody would wait; gives the last scrape.
    fn settle(&mut self, judge: &mut Judge, done: &dyn Fn(&Numbers) -> bool) -> Result<Numbers, String>;
}

/// Something that happens; the first number says to which log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Write(usize, u64),
    Piece(usize),
    Finish(usize),
    Block(usize),
    Trace(usize),
    TraceLine(usize),
    Rename(usize, Reopen),
    Open(usize),
    Delete(usize),
    CopyTruncate(usize, bool),
    Compress(usize, &'static str),
    Kill,
    Stop,
    Start,
    Reload(bool),
    ReloadAmid(bool, Amid),
    Fail(bool),
    Scrape,
    Settle,
    Breathe(u64),
}

/// What comes before the end of a reload.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amid {
    /// It is asked to stop, at once.
    Stop,
    /// It was asked to stop before.
    Stopped,
    /// It is killed, after so many milliseconds.
    Kill(u64),
}

/// The rules of all schedules; one more is there or not. `late` and `span` can match newlines: they wait for the
/// event's end, the one with its match in the first line, the other over all lines.
pub(super) fn rules(extra: bool) -> String {
    let mut text = "group: g\nrules:
  - {name: boom, match: 'boom (?P<k>[a-z])', labels: {k: '${k}'}}
  - {name: oops, match: 'oops'}
  - {name: late, match: 'failed\\s+oops'}
  - {name: span, match: 'begin #[0-9]+\\n(?s:.*)and done'}
  - name: slow
    match: 'took (?P<s>[0-9.]+)s'
    metrics:
      - {type: histogram, name: shop_seconds, help: Time., value: '${s}', unit: s, buckets: [0.1, 1, 10]}
"
    .to_owned();
    if extra {
        text.insert_str(
            text.find("  - {name: oops").unwrap(),
            "  - {name: extra, match: 'shop.db boom (?P<e>[a-d])', labels: {e: '${e}'}}\n",
        );
    }
    text
}

/// The config of all schedules: logs in one folder, rules in another.
pub(super) fn config(dir: &Path, rules: &Path) -> String {
    let (dir, rules) = (dir.display(), rules.display());
    format!(
        "inputs:
  - {{name: one, include: ['{dir}/a/app.log*'], labels: {{team: t}}}}
  - {{name: two, include: ['{dir}/b/*.log', '{dir}/a/app.log*'], path_label: name}}
rules: ['{rules}/rules.yml']
host: off
"
    )
}

fn amid(draw: u64) -> Amid {
    match draw {
        0 => Amid::Stop,
        1 => Amid::Stopped,
        millis => Amid::Kill(millis - 2),
    }
}

/// Draws a schedule.
pub(super) fn draw(seed: u64, most: u64) -> Vec<Op> {
    let mut random = Random::new(seed);
    let len = 10 + random.below(most);
    let mut ops = Vec::new();
    for _ in 0..len {
        let log = [0, 0, 0, 1, 1, 2][random.below(6) as usize];
        ops.push(match random.below(72) {
            0..=11 => Op::Write(log, 1 + random.below(6)),
            12..=13 => Op::Write(log, 200),
            14..=16 => Op::Piece(log),
            17 => Op::Finish(log),
            18..=20 => Op::Trace(log),
            21..=24 => Op::TraceLine(log),
            25..=30 => {
                Op::Rename(log, [Reopen::Early, Reopen::Late, Reopen::Created][random.below(3) as usize])
            }
            31..=34 => Op::Open(log),
            35 => Op::Delete(log),
            36..=38 => Op::CopyTruncate(log, random.below(2) == 0),
            39..=40 => Op::Compress(log, [".gz", ".zst"][random.below(2) as usize]),
            41..=45 => Op::Kill,
            46 => Op::Stop,
            47..=52 => Op::Start,
            53..=54 => Op::Reload(random.below(2) == 0),
            55..=58 => Op::Scrape,
            59 => Op::Settle,
            60..=62 => Op::Fail(true),
            63 => Op::Fail(false),
            64..=65 => Op::Block(log),
            66 => Op::ReloadAmid(random.below(2) == 0, amid(random.below(6))),
            _ => Op::Breathe(random.below(25)),
        });
    }
    ops
}

/// One run of a schedule.
struct Run<'a> {
    world: World,
    subject: &'a mut dyn Subject,
    judge: Judge,
    random: Random,
}

/// Puts a subject through a schedule; `Err` says what does not hold.
pub(super) fn run(dir: &Path, subject: &mut dyn Subject, ops: &[Op], seed: u64) -> Result<(), String> {
    let mut run =
        Run { world: World::new(dir), subject, judge: Judge::default(), random: Random::new(seed ^ 0x5eed) };
    run.subject.start();
    run.scrape()?;
    for (at, op) in ops.iter().enumerate() {
        run.apply(*op).map_err(|error| format!("at step {at}, {op:?}: {error}"))?;
    }
    run.end()
}

impl Run<'_> {
    fn apply(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Write(log, events) => self.world.write(log, events, &mut self.random),
            Op::Piece(log) => self.world.piece(log, &mut self.random),
            Op::Finish(log) => self.world.finish(log),
            Op::Block(log) => self.world.block(log, &mut self.random),
            Op::Trace(log) => self.world.begin_trace(log, &mut self.random),
            Op::TraceLine(log) => {
                self.world.trace_line(log);
            }
            Op::Rename(log, reopen) => {
                if self.world.can_rotate(log) {
                    self.seen(log)?;
                    self.world.rename(log, reopen);
                }
            }
            Op::Open(log) => self.world.reopen(log),
            Op::Delete(log) => {
                if self.world.can_rotate(log) && self.world.logs[log].followed != Followed::Link {
                    self.world.write(log, 1, &mut self.random);
                    self.settle()?;
                    self.world.delete(log);
                    self.world.write(log, 3, &mut self.random);
                    self.settle()?;
                    self.world.reopen(log);
                }
            }
            Op::CopyTruncate(log, refill) => {
                if self.world.can_rotate(log) && self.world.logs[log].followed != Followed::Link {
                    self.seen(log)?;
                    self.world.copy_truncate(log, refill, &mut self.random);
                }
            }
            Op::Compress(log, ending) => self.world.compress(log, ending),
            Op::Kill => self.subject.kill(),
            Op::Stop => self.subject.stop(),
            Op::Start => self.start(),
            Op::Reload(extra) => self.subject.reload(extra),
            Op::ReloadAmid(extra, amid) => self.subject.reload_amid(extra, amid),
            Op::Fail(failing) => self.subject.fail(failing),
            Op::Scrape if self.subject.is_up() => self.scrape()?,
            Op::Scrape => {}
            Op::Settle => self.settle()?,
            Op::Breathe(millis) => self.subject.breathe(millis),
        }
        Ok(())
    }

    fn start(&mut self) {
        if !self.subject.is_up() {
            self.subject.start();
        }
    }

    fn scrape(&mut self) -> Result<(), String> {
        let numbers = self.subject.scrape();
        self.judge.see(&numbers)
    }

    /// A file that only one name follows has to be known before it is moved away from there.
    fn seen(&mut self, log: usize) -> Result<(), String> {
        let known = self.world.logs[log].known;
        if known || self.world.logs[log].followed == Followed::AllNames {
            return Ok(());
        }
        self.world.write(log, 1, &mut self.random);
        self.settle()
    }

    /// Waits until all that is written is counted.
    fn settle(&mut self) -> Result<(), String> {
        self.start();
        self.subject.fail(false);
        let lines = self.world.lines();
        let numbers =
            self.subject.settle(&mut self.judge, &|numbers| sum(numbers, "log_lines_total") >= lines)?;
        let counted = sum(&numbers, "log_lines_total");
        if counted != lines {
            return Err(format!("{counted} lines are counted of {lines}"));
        }
        self.world.all_known();
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        for log in 0..self.world.logs.len() {
            self.world.finish(log);
            self.world.reopen(log);
        }
        self.start();
        self.subject.fail(false);
        let truth = self.world.truth.clone();
        let numbers =
            self.subject.settle(&mut self.judge, &|numbers| differences(&truth, numbers).is_empty())?;
        let differ = differences(&truth, &numbers);
        let lost = sum(&numbers, "logtally_lost_bytes_total");
        if !differ.is_empty() || lost != 0.0 {
            return Err(format!("{lost} bytes told lost\n{}", differ.join("\n")));
        }
        let misplaced = misplaced(&self.world.contents, &numbers);
        if !misplaced.is_empty() {
            return Err(format!("under another path than the first\n{}", misplaced.join("\n")));
        }
        // It stays so.
        let numbers = self.subject.scrape();
        self.judge.see(&numbers)?;
        match differences(&truth, &numbers).is_empty() {
            true => Ok(()),
            false => Err(format!("later: {}", differences(&truth, &numbers).join("\n"))),
        }
    }
}
