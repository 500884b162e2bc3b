//! Programs that log, and rotators that move their files: every line written is also counted here.

use super::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the files hold, by series without its path: what the exporter must come to.
pub(super) type Truth = BTreeMap<String, f64>;

const LEVELS: [(&str, &str); 5] = [
    ("DEBUG", "debug"),
    ("INFO", "info"),
    ("WARNING", "warning"),
    ("ERROR", "error"),
    ("CRITICAL", "critical"),
];
const EXCEPTIONS: [&str; 3] = ["ValueError", "shop.db.Timeout", "KeyError"];
pub(super) const BOUNDS: [f64; 3] = [0.1, 1.0, 10.0];

/// How a file is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// Its rotated names match the glob too.
    AllNames,
    /// Only its own name does.
    OneName,
    /// It is a link that moves on to new files.
    Link,
}

/// How a file is rotated by renaming.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reopen {
    /// The writer opens the new file at once.
    Early,
    /// The new file appears when the writer gets round to it.
    Late,
    /// The rotator makes the new file, the writer comes later.
    Created,
}

/// What was once written to one file, wherever that file goes.
#[derive(Default)]
pub(super) struct Content {
    /// The paths under which it can have been seen first.
    pub(super) paths: BTreeSet<PathBuf>,
    /// It has been seen: no later path is its first one.
    seen: bool,
    /// What it holds.
    pub(super) truth: Truth,
}

impl Content {
    fn at(path: &Path) -> Content {
        Content { paths: BTreeSet::from([path.to_path_buf()]), ..Content::default() }
    }

    fn moves_to(&mut self, path: PathBuf) {
        if !self.seen {
            self.paths.insert(path);
        }
    }
}

/// A rotated file.
struct Rotated {
    /// `.gz`, `.zst` or nothing.
    ending: &'static str,
    /// The store knows the content.
    known: bool,
    content: usize,
}

/// One log and the program that writes it.
pub(super) struct Log {
    path: PathBuf,
    pub(super) followed: Followed,
    inputs: &'static [&'static str],
    writer: File,
    /// Where the writer writes, by [`World::contents`].
    content: usize,
    /// What stands at the end without a newline, and what it will count when that comes.
    piece: Option<(String, Truth)>,
    /// The rest of a traceback: lines, with what each counts.
    trace: Vec<(String, Truth)>,
    /// Rotated, and the writer has not reopened.
    moved: bool,
    /// Newest first.
    rotated: Vec<Rotated>,
    /// The store knows the current file.
    pub(super) known: bool,
    turns: u32,
}

/// All logs.
pub(super) struct World {
    pub(super) logs: Vec<Log>,
    pub(super) truth: Truth,
    pub(super) contents: Vec<Content>,
    next: u64,
}

fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

fn one(name: &str, labels: &str) -> Truth {
    Truth::from([(format!("{name}{{{labels}}}"), 1.0)])
}

fn add(to: &mut Truth, more: Truth) {
    more.into_iter().for_each(|(series, value)| *to.entry(series).or_default() += value);
}

impl World {
    pub(super) fn new(dir: &Path) -> World {
        for folder in ["a", "b", "elsewhere"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let (mut logs, mut contents) = (Vec::new(), Vec::new());
        let all: [(&str, Followed, &'static [&'static str]); 3] = [
            ("a/app.log", Followed::AllNames, &["one", "two"]),
            ("b/main.log", Followed::OneName, &["two"]),
            ("b/link.log", Followed::Link, &["two"]),
        ];
        for (name, followed, inputs) in all {
            let path = dir.join(name);
            let target = if followed == Followed::Link { path.with_extension("out0") } else { path.clone() };
            let writer = append(&target);
            if followed == Followed::Link {
                std::os::unix::fs::symlink(&target, &path).unwrap();
            }
            contents.push(Content::at(&path));
            logs.push(Log {
                path,
                followed,
                inputs,
                writer,
                content: contents.len() - 1,
                piece: None,
                trace: Vec::new(),
                moved: false,
                rotated: Vec::new(),
                known: false,
                turns: 0,
            });
        }
        World { logs, truth: Truth::new(), contents, next: 0 }
    }

    /// Lines that are written by now, over all inputs.
    pub(super) fn lines(&self) -> f64 {
        let lines = self.truth.iter().filter(|(series, _)| series.starts_with("log_lines_total"));
        lines.map(|(_, value)| value).sum()
    }

    /// One event of one line, with all that it counts.
    fn event(&mut self, random: &mut Random) -> (String, Truth) {
        self.next += 1;
        let (word, level) = LEVELS[random.below(5) as usize];
        let mut text = format!("2026-11-20 12:00:00,{:03} {word} shop.db", self.next % 1000);
        let mut counts = one("log_events_total", &format!("level={level}"));
        if random.below(2) == 0 {
            let k = char::from(b'a' + random.below(8) as u8);
            text += &format!(" boom {k}");
            add(&mut counts, one("log_pattern_events_total", &format!("k={k},level={level},pattern=boom")));
        }
        if random.below(2) == 0 {
            let quarters = random.below(60);
            let seconds = quarters as f64 / 4.0;
            text += &format!(" took {seconds}s");
            add(&mut counts, one("log_pattern_events_total", &format!("level={level},pattern=slow")));
            add(&mut counts, one("shop_seconds_count", ""));
            add(&mut counts, Truth::from([("shop_seconds_sum{}".to_owned(), seconds)]));
            for bound in BOUNDS.into_iter().filter(|bound| seconds <= *bound) {
                add(&mut counts, one("shop_seconds_bucket", &format!("le={bound}")));
            }
            add(&mut counts, one("shop_seconds_bucket", "le=+Inf"));
        }
        text += &format!(" #{}", self.next);
        if random.below(12) == 0 {
            text += &"x".repeat(random.below(3000) as usize);
        }
        (text, counts)
    }

    fn count(&mut self, log: usize, text: &str, counts: Truth) {
        let mut counts = counts;
        add(&mut counts, one("log_lines_total", ""));
        add(&mut counts, Truth::from([("log_bytes_total{}".to_owned(), text.len() as f64 + 1.0)]));
        for input in self.logs[log].inputs {
            let labelled = counts.iter().map(|(series, value)| {
                let (name, labels) = series.split_once('{').unwrap();
                let labels = labels.trim_end_matches('}');
                let mut all: Vec<&str> = labels.split(',').filter(|label| !label.is_empty()).collect();
                let input = format!("input={input}");
                all.push(&input);
                all.sort_unstable();
                (format!("{name}{{{}}}", all.join(",")), *value)
            });
            let labelled: Truth = labelled.collect();
            add(&mut self.contents[self.logs[log].content].truth, labelled.clone());
            add(&mut self.truth, labelled);
        }
    }

    /// Writes what is pending in pieces: the end of a line, the rest of a traceback.
    pub(super) fn finish(&mut self, log: usize) {
        if let Some((text, counts)) = self.logs[log].piece.take() {
            self.logs[log].writer.write_all(b" end\n").unwrap();
            self.count(log, &format!("{text} end"), counts);
        }
        while self.trace_line(log) {}
    }

    /// Writes the next line of an open traceback.
    pub(super) fn trace_line(&mut self, log: usize) -> bool {
        let this = &mut self.logs[log];
        if this.piece.is_some() || this.trace.is_empty() {
            return false;
        }
        let (text, counts) = this.trace.remove(0);
        this.writer.write_all(format!("{text}\n").as_bytes()).unwrap();
        self.count(log, &text, counts);
        true
    }

    /// Whole events in one write, so fast as one can.
    pub(super) fn write(&mut self, log: usize, events: u64, random: &mut Random) {
        self.finish(log);
        let mut bytes = Vec::new();
        for _ in 0..events {
            let (text, counts) = self.event(random);
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
            self.count(log, &text, counts);
        }
        self.logs[log].writer.write_all(&bytes).unwrap();
    }

    /// A piece of a line.
    pub(super) fn piece(&mut self, log: usize, random: &mut Random) {
        self.finish(log);
        let (text, counts) = self.event(random);
        self.logs[log].writer.write_all(text.as_bytes()).unwrap();
        self.logs[log].piece = Some((text, counts));
    }

    /// The head of an error and the lines that are to follow it: one event, however it is cut.
    pub(super) fn begin_trace(&mut self, log: usize, random: &mut Random) {
        self.finish(log);
        self.next += 1;
        let exception = EXCEPTIONS[random.below(3) as usize];
        let head = format!("2026-11-20 12:00:01,500 ERROR shop.db failed oops #{}", self.next);
        let mut counts = one("log_events_total", "level=error");
        add(&mut counts, one("log_pattern_events_total", "level=error,pattern=oops"));
        add(&mut counts, one("log_pattern_events_total", "level=error,pattern=late"));
        self.logs[log].writer.write_all(format!("{head}\n").as_bytes()).unwrap();
        self.count(log, &head, counts);
        let mut lines: Vec<(String, Truth)> =
            ["Traceback (most recent call last):", "  File \"x.py\", line 1, in f", "    oops()"]
                .iter()
                .map(|line| ((*line).to_owned(), Truth::new()))
                .collect();
        let named = one("log_exceptions_total", &format!("exception={exception}"));
        lines.push((format!("{exception}: oops {}", self.next), named));
        self.logs[log].trace = lines;
    }

    /// One event of several lines in one write, which a rule sees whole.
    pub(super) fn block(&mut self, log: usize, random: &mut Random) {
        self.finish(log);
        self.next += 1;
        let (word, level) = LEVELS[random.below(5) as usize];
        let head = format!("2026-11-20 12:00:02,500 {word} shop.db begin #{}", self.next);
        let mut counts = one("log_events_total", &format!("level={level}"));
        add(&mut counts, one("log_pattern_events_total", &format!("level={level},pattern=span")));
        let parts = 1 + random.below(3);
        let lines: Vec<String> = std::iter::once(head)
            .chain((0..parts).map(|part| format!("    part {part} of it")))
            .chain(["    and done".to_owned()])
            .collect();
        self.logs[log].writer.write_all(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
        lines.iter().for_each(|line| self.count(log, line, std::mem::take(&mut counts)));
    }

    /// Where the `at`th newest rotated file is.
    fn rotated_path(&self, log: usize, at: usize) -> PathBuf {
        let log = &self.logs[log];
        PathBuf::from(format!("{}.{}{}", log.path.display(), at + 1, log.rotated[at].ending))
    }

    fn shift(&mut self, log: usize) {
        for at in (0..self.logs[log].rotated.len()).rev() {
            let from = self.rotated_path(log, at);
            let Rotated { ending, content, .. } = self.logs[log].rotated[at];
            let to = PathBuf::from(format!("{}.{}{ending}", self.logs[log].path.display(), at + 2));
            fs::rename(from, &to).unwrap();
            self.contents[content].moves_to(to);
        }
    }

    /// What the writer wrote stands in the newest rotated file from now on.
    fn rotated(&mut self, log: usize) -> PathBuf {
        let this = &mut self.logs[log];
        let to = PathBuf::from(format!("{}.1", this.path.display()));
        this.rotated.insert(0, Rotated { ending: "", known: this.known, content: this.content });
        this.known = false;
        self.contents[this.content].moves_to(to.clone());
        to
    }

    /// The writer writes a new content at the log's path.
    fn fresh(&mut self, log: usize) {
        self.contents.push(Content::at(&self.logs[log].path));
        self.logs[log].content = self.contents.len() - 1;
    }

    /// Whether a rotation makes sense now.
    pub(super) fn can_rotate(&self, log: usize) -> bool {
        !self.logs[log].moved && self.logs[log].rotated.len() < 9
    }

    /// Rotates by renaming; a link moves on.
    pub(super) fn rename(&mut self, log: usize, reopen: Reopen) {
        if self.logs[log].followed == Followed::Link {
            self.finish(log);
            let this = &mut self.logs[log];
            this.turns += 1;
            let target = this.path.with_extension(format!("out{}", this.turns));
            this.writer = append(&target);
            let fresh = this.path.with_extension("fresh");
            std::os::unix::fs::symlink(&target, &fresh).unwrap();
            fs::rename(&fresh, &this.path).unwrap();
            this.known = false;
            self.fresh(log);
            return;
        }
        self.shift(log);
        let to = self.rotated(log);
        let this = &mut self.logs[log];
        fs::rename(&this.path, to).unwrap();
        this.moved = true;
        match reopen {
            Reopen::Early => self.reopen(log),
            Reopen::Late => {}
            Reopen::Created => drop(append(&this.path)),
        }
    }

    /// The writer goes over to the new file.
    pub(super) fn reopen(&mut self, log: usize) {
        if std::mem::take(&mut self.logs[log].moved) {
            self.finish(log);
            self.logs[log].writer = append(&self.logs[log].path);
            self.fresh(log);
        }
    }

    /// Deletes the file; the writer has it open still.
    pub(super) fn delete(&mut self, log: usize) {
        self.finish(log);
        fs::remove_file(&self.logs[log].path).unwrap();
        self.logs[log].moved = true;
        self.logs[log].known = false;
    }

    /// Copies the file and cuts it; `refill`: it grows past where it was at once.
    pub(super) fn copy_truncate(&mut self, log: usize, refill: bool, random: &mut Random) {
        self.finish(log);
        self.shift(log);
        let to = self.rotated(log);
        let this = &mut self.logs[log];
        fs::copy(&this.path, to).unwrap();
        let size = this.writer.metadata().unwrap().len();
        this.writer.set_len(0).unwrap();
        self.fresh(log);
        while refill && self.logs[log].writer.metadata().unwrap().len() <= size {
            self.write(log, 3, random);
        }
    }

    /// Compresses the oldest plain rotated file whose content is in the store.
    pub(super) fn compress(&mut self, log: usize, ending: &'static str) {
        let first = usize::from(self.logs[log].moved);
        let plain = |(at, file): &(usize, &Rotated)| *at >= first && file.ending.is_empty() && file.known;
        let Some((at, _)) = self.logs[log].rotated.iter().enumerate().rev().find(plain) else { return };
        let from = self.rotated_path(log, at);
        self.logs[log].rotated[at].ending = ending;
        let to = File::create(self.rotated_path(log, at)).unwrap();
        let text = fs::read(&from).unwrap();
        if ending == ".gz" {
            let mut to = flate2::write::GzEncoder::new(to, flate2::Compression::fast());
            to.write_all(&text).unwrap();
            to.finish().unwrap();
        } else {
            zstd::stream::copy_encode(text.as_slice(), to, 1).unwrap();
        }
        fs::remove_file(from).unwrap();
    }

    /// Everything that is there by now is in the store.
    pub(super) fn all_known(&mut self) {
        for log in &mut self.logs {
            let written = log.writer.metadata().unwrap().len() > 0;
            log.known = written && !log.moved;
            log.rotated.iter_mut().for_each(|file| file.known = true);
            // The newest rotated one may still be empty, and get its first line from a late writer.
            if let Some(file) = log.rotated.first_mut().filter(|_| log.moved) {
                file.known = written;
            }
        }
        self.contents.iter_mut().filter(|content| !content.truth.is_empty()).for_each(|c| c.seen = true);
    }
}
