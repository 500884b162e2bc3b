//! Whole files read once, by all cores, with the numbers that following them from the beginning would give.
//!
//! A large plain file is cut into stretches that are counted side by side. Each begins at an event's start under the
//! memory that parsing will most likely have there; afterwards the stretches are joined in order, and one whose
//! beginning or memory was not what the stretch before it ended with is counted again, from the right place.

mod blocks;
mod chunk;
mod source;
#[cfg(test)]
mod tests;

use crate::pipeline::{Carry, Into, Pipeline, Scratch};
use crate::tally::Tally;
use crate::tally::exposition::Head;
use crate::tally::guard::Guard;
use crate::tally::plan::Plan;
use crate::tally::stream::StreamKey;
use blocks::Blocks;
use chunk::{From, Stretch};
use source::Source;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Stretches are not shorter than this: below, starting one costs more than it gains.
const LEAST: u64 = 8 << 20;
/// Stretches are not longer than this, so that the cores end together.
const MOST: u64 = 64 << 20;

/// A file to read.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its path; `-` is standard input.
    pub path: PathBuf,
    /// The stream it counts under.
    pub key: StreamKey,
    /// The labels of that stream.
    pub head: Head,
}

/// What is read, and how.
#[derive(Debug)]
pub struct Options<'a> {
    /// The input's pipeline.
    pub pipeline: &'a Pipeline,
    /// What its rules count.
    pub plan: Arc<Plan>,
    /// The input's name.
    pub input: &'a str,
    /// Bytes of a line that are looked at.
    pub line_bytes: usize,
    /// Threads to use, at least 1.
    pub threads: usize,
    /// Now, in seconds since the epoch.
    pub now: f64,
}

/// What was read.
#[derive(Debug)]
pub struct Outcome {
    /// All numbers, a stream per file.
    pub tally: Tally,
    /// Files read.
    pub files: u64,
    /// Files that could not be read to their end; what was read of them before is counted.
    pub failed: Vec<(PathBuf, io::Error)>,
}

/// What a stretch is counted with.
struct Rules<'a> {
    pipeline: &'a Pipeline,
    plan: &'a Arc<Plan>,
    input: &'a str,
    item: &'a Item,
    line_bytes: usize,
    now: f64,
}

impl Rules<'_> {
    /// An empty tally with the item's stream.
    fn tally(&self) -> (Tally, usize) {
        let mut tally = Tally::new(self.input, self.plan.clone(), Arc::new(Guard::new(usize::MAX)));
        let stream = tally.stream(&self.item.key, || self.item.head.clone(), false);
        (tally, stream)
    }
}

enum Job {
    Stream(usize, Box<dyn io::Read + Send>),
    Stretch { item: usize, part: usize, from: u64, to: u64 },
}

/// A plain file that is read in stretches.
struct Plain {
    file: File,
    /// Bytes it has now; what is appended later is left out.
    size: u64,
    outlook: Carry,
    parts: Vec<Option<io::Result<Stretch>>>,
}

/// Reads the files and counts them. `progress` is told bytes as they are read, `guard` bounds the series.
pub fn count(
    options: &Options<'_>,
    items: &[Item],
    guard: Arc<Guard>,
    progress: &(dyn Fn(u64) + Sync),
) -> Outcome {
    let mut tally = Tally::new(options.input, options.plan.clone(), guard);
    let mut outcome = Vec::new();
    let mut failed = Vec::new();
    let mut jobs = VecDeque::new();
    let mut plains: Vec<Option<Plain>> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        plains.push(None);
        match prepare(options, item) {
            Ok(Prepared::Stream(reader)) => jobs.push_back(Job::Stream(at, reader)),
            Ok(Prepared::Plain(plain)) => {
                // A span may begin in one stretch and end in the next: such files are read from front to back.
                let threads = if options.plan.has_spans() { 1 } else { options.threads };
                let length = stretch_length(plain.size, threads);
                jobs.extend(cuts(at, plain.size, length));
                plains[at] = Some(plain);
            }
            Err(error) => failed.push((at, error)),
        }
    }
    let results = Mutex::new((plains, &mut outcome));
    let queue = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| work(options, items, &queue, &results, progress));
        }
    });
    let (plains, _) = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (at, result, part) in outcome {
        join_result(&mut tally, &mut failed, at, result, &part);
    }
    for (at, plain) in plains.into_iter().enumerate() {
        let Some(plain) = plain else { continue };
        let rules = rules(options, options.pipeline, &items[at]);
        if let Err(error) = join(&rules, plain, &mut tally) {
            failed.push((at, error));
        }
    }
    failed.sort_by_key(|(at, _)| *at);
    let failed: Vec<(PathBuf, io::Error)> =
        failed.into_iter().map(|(at, error)| (items[at].path.clone(), error)).collect();
    Outcome { tally, files: (items.len() - failed.len()) as u64, failed }
}

fn join_result(
    tally: &mut Tally,
    failed: &mut Vec<(usize, io::Error)>,
    at: usize,
    result: io::Result<()>,
    part: &Tally,
) {
    tally.absorb(part);
    if let Err(error) = result {
        failed.push((at, error));
    }
}

fn rules<'a>(options: &'a Options<'_>, pipeline: &'a Pipeline, item: &'a Item) -> Rules<'a> {
    Rules {
        pipeline,
        plan: &options.plan,
        input: options.input,
        item,
        line_bytes: options.line_bytes,
        now: options.now,
    }
}

enum Prepared {
    Stream(Box<dyn io::Read + Send>),
    Plain(Plain),
}

fn prepare(options: &Options<'_>, item: &Item) -> io::Result<Prepared> {
    Ok(match source::open(&item.path)? {
        Source::Stream(reader) => Prepared::Stream(reader),
        Source::Plain(file) => {
            let size = file.metadata()?.len();
            let outlook =
                chunk::outlook(&rules(options, options.pipeline, item), &file, &mut Scratch::default())?;
            Prepared::Plain(Plain { file, size, outlook, parts: Vec::new() })
        }
    })
}

/// How long the stretches of a file of this size are.
fn stretch_length(size: u64, threads: usize) -> u64 {
    match threads {
        0 | 1 => size.max(1),
        threads => (size / (threads as u64 * 4)).clamp(LEAST, MOST),
    }
}

/// The stretches of a file of this size.
fn cuts(item: usize, size: u64, length: u64) -> impl Iterator<Item = Job> {
    let parts = size.div_ceil(length).max(1);
    (0..parts).map(move |part| Job::Stretch {
        item,
        part: part as usize,
        from: part * length,
        to: if part + 1 == parts { u64::MAX } else { (part + 1) * length },
    })
}

type Results<'a> = Mutex<(Vec<Option<Plain>>, &'a mut Vec<(usize, io::Result<()>, Tally)>)>;

fn work(
    options: &Options<'_>,
    items: &[Item],
    queue: &Mutex<VecDeque<Job>>,
    results: &Results<'_>,
    progress: &(dyn Fn(u64) + Sync),
) {
    let pipeline = options.pipeline.for_thread();
    let mut scratch = Scratch::default();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match job {
            None => return,
            Some(Job::Stream(at, reader)) => {
                let (result, tally) =
                    stream(&rules(options, &pipeline, &items[at]), reader, &mut scratch, progress);
                results.lock().unwrap_or_else(PoisonError::into_inner).1.push((at, result, tally));
            }
            Some(Job::Stretch { item, part, from, to }) => {
                let taken = take(results, item);
                let Ok((file, outlook)) = taken else { continue };
                let from =
                    if from == 0 { From::Here(0, Carry::default()) } else { From::After(from, outlook) };
                let stretch = chunk::count(
                    &rules(options, &pipeline, &items[item]),
                    &file,
                    from,
                    to,
                    &mut scratch,
                    progress,
                );
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(plain) = results.0[item].as_mut() {
                    if plain.parts.len() <= part {
                        plain.parts.resize_with(part + 1, || None);
                    }
                    plain.parts[part] = Some(stretch);
                }
            }
        }
    }
}

/// A handle of its own for a thread, and what parsing will remember.
fn take(results: &Results<'_>, item: usize) -> io::Result<(File, Carry)> {
    let results = results.lock().unwrap_or_else(PoisonError::into_inner);
    let plain = results.0[item].as_ref().ok_or(io::ErrorKind::NotFound)?;
    Ok((plain.file.try_clone()?, plain.outlook.clone()))
}

/// Counts what can only be read from front to back.
fn stream(
    rules: &Rules<'_>,
    reader: Box<dyn io::Read + Send>,
    scratch: &mut Scratch,
    progress: &dyn Fn(u64),
) -> (io::Result<()>, Tally) {
    let (mut tally, stream) = rules.tally();
    let mut carry = Carry::default();
    let mut blocks = Blocks::new(reader, rules.line_bytes);
    let result = loop {
        match blocks.next() {
            Ok(Some(block)) => {
                let mut into = Into { tally: &mut tally, stream, now: rules.now, clock: None };
                let bytes = block.bytes.len() as u64 + block.skipped;
                rules.pipeline.feed(&mut carry, block.bytes, bytes, &mut into, scratch);
                progress(bytes);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    rules.pipeline.flush(
        &mut carry,
        &mut Into { tally: &mut tally, stream, now: rules.now, clock: None },
        scratch,
    );
    (result, tally)
}

/// Joins the stretches of a file; one that began wrong is counted again.
fn join(rules: &Rules<'_>, plain: Plain, into: &mut Tally) -> io::Result<()> {
    let mut scratch = Scratch::default();
    let count = plain.parts.len();
    let mut before: Option<Stretch> = None;
    for (at, part) in plain.parts.into_iter().enumerate() {
        let mut stretch = part.ok_or(io::ErrorKind::UnexpectedEof)??;
        if let Some(before) = &before {
            let continues = stretch.start == before.end && plain.outlook.remembers_as(&before.carry);
            if stretch.end <= before.end {
                // No event starts in it: the one before went on through it.
                continue;
            }
            if !continues {
                let to = if at + 1 == count { u64::MAX } else { stretch.end.max(before.end) };
                let from = From::Here(before.end, before.carry.between_events());
                stretch = chunk::count(rules, &plain.file, from, to, &mut scratch, &|_| {})?;
            }
        }
        into.absorb(&stretch.tally);
        before = Some(stretch);
    }
    Ok(())
}
