//! `logtally-fuzz TARGET SECONDS [SEED]`: random inputs for one target, until the time is over or something is found.
//! `logtally-fuzz TARGET FILE`: one input again.
//!
//! Inputs grow from the samples of the tests by mutation; those whose outcome is new are kept and mutated further. A
//! panic, a broken promise or an input that takes too long per byte ends the run with the input in a file.

mod mutate;
mod stretches;
mod targets;

use mutate::Mutator;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Inputs that are kept.
const MOST_KEPT: usize = 20_000;
/// An input may take this long, and this much more for each of its bytes: a hundred times what is usual.
const LEAST: Duration = Duration::from_secs(2);
const PER_BYTE: Duration = Duration::from_micros(40);
/// Each so many inputs one is a megabyte of a repeated piece.
const LONG_EVERY: u64 = 20_000;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let target = args.first().and_then(|name| targets::find(name));
    let seconds: Option<u64> = args.get(1).and_then(|text| text.parse().ok());
    if let (Some(target), None, Some(file)) = (target, seconds, args.get(1))
        && let Ok(input) = std::fs::read(file)
    {
        println!("{:?}", run(target.run, &input));
        return std::process::ExitCode::SUCCESS;
    }
    let (Some(target), Some(seconds)) = (target, seconds) else {
        println!("logtally-fuzz TARGET SECONDS [SEED]; targets: {}", targets::names().join(" "));
        return std::process::ExitCode::from(2);
    };
    let seed = args.get(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut mutator = Mutator::new(seed, target.words);
    let mut kept = (target.seeds)();
    let mut seen = HashSet::new();
    let (begin, mut tried, mut longest) = (Instant::now(), 0u64, Duration::ZERO);
    while begin.elapsed() < Duration::from_secs(seconds) {
        tried += 1;
        let input = if tried % LONG_EVERY == 0 { mutator.long(&kept) } else { mutator.next(&kept) };
        match run(target.run, &input) {
            Ok((outcome, took)) => {
                longest = longest.max(took);
                if seen.insert(outcome) && kept.len() < MOST_KEPT && input.len() < 1 << 14 {
                    kept.push(input);
                }
            }
            Err(what) => {
                let file = format!("finding-{}-{seed}-{tried}", target.name);
                let written = std::fs::write(&file, &input);
                println!("{what} after {tried} inputs: {file} ({written:?})");
                return std::process::ExitCode::FAILURE;
            }
        }
    }
    println!(
        "{}: {tried} inputs in {} s, {} outcomes, the slowest took {longest:?}",
        target.name,
        begin.elapsed().as_secs(),
        seen.len()
    );
    std::process::ExitCode::SUCCESS
}

/// How long this thread has computed; where the system does not tell, how long the program runs.
fn computed() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}

/// What the input came to and how long it took. An input that seemed slow is tried again: the machine may be busy.
fn run(target: fn(&[u8]) -> u64, input: &[u8]) -> Result<(u64, Duration), String> {
    let allowed = LEAST + PER_BYTE * input.len() as u32;
    for _ in 0..3 {
        let begin = computed();
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| target(input))) else {
            return Err("a panic".into());
        };
        let took = computed().saturating_sub(begin);
        if took <= allowed {
            return Ok((outcome, took));
        }
    }
    Err(format!("slow: more than {allowed:?} for {} bytes", input.len()))
}
