//! Bytes per second of the whole way from a block to its counts, of its first step alone, and of a scrape's text.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot begin may stop")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use logtally::expose;
use logtally::frame;
use logtally::level::Levels;
use logtally::matching::Scanner;
use logtally::matching::pattern::{Pattern, Target};
use logtally::parse::{Options, Parser};
use logtally::pipeline::{Carry, Into, Limits, Pipeline, Scratch};
use logtally::tally::Tally;
use logtally::tally::cut::Cut;
use logtally::tally::exposition::Head;
use logtally::tally::guard::Guard;
use logtally::tally::plan::Plan;
use logtally::tally::spec::Counted;
use logtally::tally::stream::StreamKey;
use std::sync::Arc;

/// What the reader of whole files hands over at a time.
const BLOCK: usize = 256 << 10;
const STREAMS: usize = 200;

fn main() {
    divan::main();
}

fn patterns() -> Vec<Pattern> {
    let pattern = |(at, any): (usize, &str)| Pattern {
        name: format!("bench/{at}"),
        any: vec![any.to_owned()],
        not: None,
        levels: Levels::ALL,
        target: Target::Message,
    };
    include_str!("patterns.txt").lines().enumerate().map(pattern).collect()
}

fn plan(rules: usize) -> Arc<Plan> {
    let counted = |at| Counted {
        group: "bench".into(),
        name: format!("r{at}"),
        labels: Vec::new(),
        metrics: Vec::new(),
        levels: Levels::ALL,
        span: None,
    };
    Arc::new(Plan::new((0..rules).map(counted).collect(), false))
}

fn block(format: &str) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK + 512);
    for i in 0.. {
        let level = ["DEBUG", "INFO", "INFO", "INFO", "WARNING", "ERROR"][i * 7 % 6];
        let text = match i % 20 {
            0 => format!("connection timed out after {}.5s to db-3", i % 60),
            10 => format!("GET /products/{i} status=503 took={}ms", i % 900),
            _ => format!("GET /products/{i} status=200 took={}ms client=10.0.0.{}", i * 7 % 900, i % 256),
        };
        let ms = i % 1000;
        let line = match format {
            "python" => format!("2026-11-20 12:00:00,{ms:03} {level} shop.web {text}\n"),
            "loguru" => format!("2026-11-20 12:00:00.{ms:03} | {level:<8} | shop.web:get:12 - {text}\n"),
            "json" => format!(
                "{{\"time\": \"2026-11-20T12:00:00.{ms:03}Z\", \"level\": \"{}\", \"message\": \"{text}\"}}\n",
                level.to_lowercase()
            ),
            "logfmt" => format!(
                "time=2026-11-20T12:00:00.{ms:03}Z level={} logger=shop.web msg=\"{text}\"\n",
                level.to_lowercase()
            ),
            other => unreachable!("{other}"),
        };
        if block.len() + line.len() > BLOCK {
            return block;
        }
        block.extend_from_slice(line.as_bytes());
    }
    block
}

#[divan::bench]
fn line_ends(bencher: Bencher<'_, '_>) {
    let block = block("python");
    let mut ends = frame::Ends::default();
    bencher.counter(BytesCount::new(block.len())).bench_local(|| {
        ends.find(black_box(&block));
        black_box(frame::lines(&block, &ends, 1 << 20).count())
    });
}

#[divan::bench(args = ["python", "loguru", "json", "logfmt"], consts = [0, 20])]
fn counts<const RULES: usize>(bencher: Bencher<'_, '_>, format: &str) {
    let block = block(format);
    let patterns = &patterns()[..RULES];
    let scanner = Arc::new(Scanner::new(patterns).unwrap());
    let parser = Parser::new(&Options::default()).unwrap();
    let pipeline = Pipeline::new(parser, scanner, patterns, Limits::default());
    let mut tally = Tally::new("bench", plan(RULES), Arc::new(Guard::new(usize::MAX)));
    let stream = tally.stream(&StreamKey::default(), Head::default, false);
    let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
    bencher.counter(BytesCount::new(block.len())).bench_local(|| {
        let mut into = Into { tally: &mut tally, stream, now: 0.0, clock: None };
        pipeline.feed(&mut carry, black_box(&block), block.len() as u64, &mut into, &mut scratch);
    });
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let guard = Arc::new(Guard::new(usize::MAX));
    let mut tally = Tally::new("bench", plan(20), guard.clone());
    for stream in 0..STREAMS {
        let labels = vec![("path".to_owned(), format!("/var/log/shop/{stream}.log"))];
        let key = StreamKey { labels };
        tally.stream(&key, Head::default, false);
    }
    tally.settle();
    let cut = Cut::new(vec![tally.cut(1, STREAMS as u64)], 1, &guard);
    let length = |cut: &Cut| {
        let mut length = 0;
        expose::encode(expose::Format::Text, cut, &mut |chunk| length += chunk.len());
        length
    };
    bencher.counter(BytesCount::new(length(&cut))).bench_local(|| black_box(length(&cut)));
}
