//! Random schedules of writing, rotating, stopping and crashing, held against what was written.
//!
//! Every line is unique, so the end of a schedule tells which line was lost or counted twice. A failing schedule prints its
//! seed and is cut down to the steps that it takes to fail.

use super::shrink::shrink;
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A small generator of its own, so that a seed gives the same schedule for ever.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Whole lines of some length.
    Lines(u8, u16),
    CrLf,
    /// A piece of a line; the next piece or line completes it.
    Piece(u8),
    /// `app.log` becomes `app.log.1`, older ones move up; the writer goes on in the old one until `Reopen`.
    Rename,
    Reopen,
    /// A line of the writer that has not reopened yet.
    Late,
    DeleteCreate,
    CopyTruncate,
    /// The same, and what follows fills the file past the old size at once.
    CopyTruncateRefill,
    /// The oldest rotated file is compressed.
    Compress,
    /// The oldest rotated file is deleted, once all of it is safe.
    DropOldest,
    Sync,
    Round,
    Drain,
    Commit,
    Crash,
    Pass(u16),
}

fn schedule(seed: u64) -> Vec<Op> {
    let mut random = Random(seed);
    let len = 10 + random.next(70);
    let mut ops = Vec::new();
    for _ in 0..len {
        ops.push(match random.next(40) {
            0..=6 => Op::Lines(1 + random.next(4) as u8, random.next(200) as u16),
            7 => Op::Lines(40, 150),
            8 => Op::CrLf,
            9..=11 => Op::Piece(random.next(9) as u8),
            12..=13 => Op::Rename,
            14..=15 => Op::Reopen,
            16..=17 => Op::Late,
            18 => Op::DeleteCreate,
            19..=20 => Op::CopyTruncate,
            21 => Op::CopyTruncateRefill,
            22..=23 => Op::Compress,
            24 => Op::DropOldest,
            25..=29 => Op::Sync,
            30..=33 => Op::Round,
            34 => Op::Drain,
            35..=36 => Op::Commit,
            37..=38 => Op::Crash,
            _ => Op::Pass(random.next(4000) as u16),
        });
    }
    ops
}

/// The writer's side of the world.
struct Model {
    world: World,
    written: Vec<String>,
    next: usize,
    /// What the writer has open, and the piece of a line that stands at its end.
    writer: File,
    piece: String,
    /// The file that was renamed and is still written to.
    late: Option<(File, String)>,
    rotated: Vec<String>,
    only_app: bool,
}

impl Model {
    fn new(only_app: bool) -> Model {
        let glob = if only_app { super::only_app } else { all_logs };
        let world = World::with(glob, Options { block: 2048, line_bytes: 4096, ..Options::default() });
        let writer = world.append("app.log", "");
        Model {
            world,
            written: Vec::new(),
            next: 0,
            writer,
            piece: String::new(),
            late: None,
            rotated: Vec::new(),
            only_app,
        }
    }

    fn text(&mut self, len: u16) -> String {
        self.next += 1;
        format!("{}-{}", self.next, "x".repeat(usize::from(len)))
    }

    fn line(&mut self, len: u16, end: &str) {
        let text = self.text(len);
        self.writer.write_all(format!("{text}{end}").as_bytes()).unwrap();
        self.written.push(format!("{}{text}", std::mem::take(&mut self.piece)));
    }

    fn finish_late(&mut self) {
        if let Some((mut file, piece)) = self.late.take() {
            let text = self.text(3);
            file.write_all(format!("{text}\n").as_bytes()).unwrap();
            self.written.push(piece + &text);
        }
    }

    fn finish_piece(&mut self) {
        if !self.piece.is_empty() {
            self.line(1, "\n");
        }
    }

    fn shift(&mut self) {
        for n in (1..20).rev() {
            for ending in ["", ".gz"] {
                let from = format!("app.log.{n}{ending}");
                if self.world.path(&from).exists() {
                    self.world.rename(&from, &format!("app.log.{}{ending}", n + 1));
                }
            }
        }
        let up = |name: &String| {
            let (n, ending) =
                name["app.log.".len()..].split_once('.').map_or((&name[8..], ""), |(n, e)| (n, e));
            let dot = if ending.is_empty() { "" } else { "." };
            format!("app.log.{}{dot}{ending}", n.parse::<u32>().unwrap() + 1)
        };
        self.rotated = self.rotated.iter().map(up).collect();
        self.rotated.insert(0, "app.log.1".into());
    }

    /// What a follower of `app.log` alone has to have seen before it is moved away.
    fn seen(&mut self) {
        if self.only_app {
            self.world.sync();
            self.world.round();
            self.world.commit();
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Lines(count, len) => (0..count).for_each(|_| self.line(len, "\n")),
            Op::CrLf => self.line(5, "\r\n"),
            Op::Piece(len) => {
                let text = self.text(len.into()).replace('x', "y");
                self.writer.write_all(text.as_bytes()).unwrap();
                self.piece.push_str(&text);
            }
            Op::Rename if self.rotated.len() < 12 => {
                self.finish_late();
                self.seen();
                self.shift();
                self.world.rename("app.log", "app.log.1");
                let new = self.world.append("app.log", "");
                let old = std::mem::replace(&mut self.writer, new);
                self.late = Some((old, std::mem::take(&mut self.piece)));
            }
            Op::Reopen => self.finish_late(),
            Op::Late => {
                let text = self.text(2);
                if let Some((file, piece)) = &mut self.late {
                    file.write_all(format!("{text}\n").as_bytes()).unwrap();
                    self.written.push(std::mem::take(piece) + &text);
                }
            }
            Op::DeleteCreate => {
                self.finish_piece();
                self.world.sync();
                self.line(7, "\n");
                self.world.remove("app.log");
                let new = self.world.append("app.log", "");
                let mut old = std::mem::replace(&mut self.writer, new);
                let text = self.text(4);
                old.write_all(format!("{text}\n").as_bytes()).unwrap();
                self.written.push(text);
                self.world.step();
                self.world.commit();
            }
            Op::CopyTruncate | Op::CopyTruncateRefill if self.rotated.len() < 12 => {
                self.finish_piece();
                self.seen();
                self.shift();
                let size = fs::metadata(self.world.path("app.log")).unwrap().len();
                self.world.copy("app.log", "app.log.1");
                self.writer.set_len(0).unwrap();
                if matches!(op, Op::CopyTruncateRefill) {
                    while self.writer.metadata().unwrap().len() <= size {
                        self.line(50, "\n");
                    }
                }
            }
            Op::Compress => self.compress(),
            Op::DropOldest if self.rotated.len() > 2 => {
                self.finish_late();
                self.world.step();
                self.world.commit();
                let name = self.rotated.pop().unwrap();
                self.world.remove(&name);
            }
            Op::Sync => self.world.sync(),
            Op::Round => {
                self.world.round();
            }
            Op::Drain => self.world.drain(),
            Op::Commit => self.world.commit(),
            Op::Crash => self.world.crash(),
            Op::Pass(millis) => {
                // A piece left alone for the grace period is the end of its file; that is another test.
                self.finish_late();
                self.world.now += Duration::from_millis(millis.into());
            }
            Op::Rename | Op::CopyTruncate | Op::CopyTruncateRefill | Op::DropOldest => {}
        }
    }

    /// Compresses the oldest plain rotated file, if the store knows its content: an archive of its own is not counted.
    fn compress(&mut self) {
        let Some(at) = self.rotated.iter().rposition(|name| !name.ends_with(".gz")) else { return };
        if at == 0 {
            return;
        }
        self.finish_late();
        let name = self.rotated[at].clone();
        let ino = fs::metadata(self.world.path(&name)).unwrap().ino();
        let text = fs::read(self.world.path(&name)).unwrap();
        let known =
            |saved: &Saved| saved.ino == ino && saved.head.len() <= text.len() && saved.head.fits(&text);
        if self.world.stored.values().any(known) {
            let packed = format!("{name}.gz");
            self.world.gzip(&name, &packed);
            self.rotated[at] = packed;
        }
    }

    fn check(mut self) -> Result<(), String> {
        self.finish_late();
        self.finish_piece();
        (0..3).for_each(|_| self.world.wait());
        let mut found: Vec<&str> = self.world.sink.lines.iter().map(|(_, line)| line.as_str()).collect();
        found.sort_unstable();
        let mut wanted: Vec<&str> = self.written.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        let lost: Vec<&&str> = wanted.iter().filter(|line| found.binary_search(line).is_err()).collect();
        let odd: Vec<&&str> = found.iter().filter(|line| wanted.binary_search(line).is_err()).collect();
        let twice: Vec<&&str> =
            found.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
        if found == wanted && self.world.lost() == 0 {
            return Ok(());
        }
        let bytes = self.world.lost();
        let short =
            |lines: Vec<&&str>| lines.iter().map(|l| l.chars().take(12).collect()).collect::<Vec<String>>();
        Err(format!(
            "lost {:?}, twice {:?}, unknown {:?}, {bytes} bytes told lost; facts {:#?}",
            short(lost),
            short(twice),
            short(odd),
            self.world.facts.iter().map(|f| (f.file, f.path.file_name(), &f.what)).collect::<Vec<_>>()
        ))
    }
}

fn run(ops: &[Op], only_app: bool) -> Result<(), String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut model = Model::new(only_app);
        ops.iter().for_each(|op| model.apply(*op));
        model.check()
    }));
    outcome.unwrap_or_else(|_| Err("a panic".into()))
}

fn schedules(seeds: std::ops::Range<u64>, only_app: bool) {
    for seed in seeds {
        let ops = schedule(seed);
        if let Err(error) = run(&ops, only_app) {
            let (ops, error) = shrink(ops, error, |ops| run(ops, only_app));
            panic!("seed {seed} fails, cut down to {ops:?}\n{error}");
        }
    }
}

#[test]
fn random_schedules_count_each_line_once() {
    schedules(0..800, false);
}

#[test]
fn random_schedules_of_one_followed_file_count_each_line_once() {
    schedules(2_000_000..2_000_500, true);
}

/// More seeds: `cargo test --lib tail::tests::model::many -- --ignored`.
#[test]
#[ignore = "minutes; the two above take seconds"]
fn many_random_schedules() {
    schedules(1_000_000..1_030_000, false);
    schedules(2_000_000..2_020_000, true);
}
