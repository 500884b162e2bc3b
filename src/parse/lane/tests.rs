//! The lane against the grammar: whatever it has learnt, it says what the grammar says, or nothing.

use super::*;
use crate::parse::tests::{parser, samples_once};
use crate::parse::{Memory, detect};
use proptest::prelude::*;

#[test]
fn common_layouts_are_learnt() {
    for [first, second] in [
        [
            "2026-11-20 12:00:00,123 INFO shop.api GET / HTTP",
            "2027-01-02 03:04:05,678 CRITICAL shop.db it is full, really",
        ],
        [
            "2026-11-20 12:00:00.123 | INFO     | a.b:c:1 - text text text",
            "2026-11-20 12:00:01.456 | ERROR    | x:y:123 - Oh: no",
        ],
        [
            "[2026-11-20 12:00:00,123] INFO shop.api GET / HTTP",
            "[2027-01-02 03:04:05,678] DEBUG shop.db it is full, really",
        ],
        [
            "2026-11-20T12:00:00Z WARN main.rs text and so on",
            "2026-11-20T12:10:59Z ERROR main.rs Error: text and so on",
        ],
        [
            r#"{"ts":1700000000,"level":"info","msg":"text"}"#,
            r#"{"ts":1800000001,"level":"error","msg":"a\n","exc_info":"KeyError: 1"}"#,
        ],
        [
            r#"{"level":30,"time":1700000000000,"pid":1,"msg":"text"}"#,
            r#"{"level":50,"time":1800000000001,"err":{"type":"E"},"msg":"a\n"}"#,
        ],
        [
            r#"{"time": "2026-11-20T12:00:00Z", "levelname": "INFO", "a": {}}"#,
            r#"{"time": "2027-11-20T13:00:00Z", "levelname": "ERROR", "b": 1}"#,
        ],
        [
            "time=2026-11-20T12:00:00Z level=info msg=\"text text\"",
            "time=2026-12-20T12:01:02Z level=error msg=oops",
        ],
        ["INFO:shop.api:GET /", "CRITICAL:a:"],
        ["I1120 12:00:00.123000       1 api.go:12] text", "E1121 13:30:01.456000 7 x.go:1]   text"],
        [
            "10.0.0.1 - - [20/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"agent\"",
            "255.10.0.11 - me [21/Nov/2026:13:30:01 +0000] \"\" 502 12",
        ],
        ["081109 203615 148 INFO dfs.DataNode$X: text", "091110 213616 007 WARN dfs.Y: other text"],
        [
            "[Sun Dec 04 04:47:44 2026] [error] text",
            "[Sun Dec 05 14:47:45 2027] [crit] [client 1.2.3.4] text",
        ],
        [
            "[2026-11-20 12:00:00 +0000] [123] [INFO] Starting",
            "[2026-11-21 12:30:00 +0000] [456] [ERROR] Worker (pid:1)",
        ],
        ["2026/11/20 12:00:00 [error] 123#0: *1 text", "2026/11/21 12:30:00 [warn] 7#7: text"],
        ["Nov 20 12:00:00 web-1 sshd[24200]: text", "Nov 21 12:30:00 web-1 CRON[1]:  error: text"],
        [
            "2026-11-20 12:00:00,123 INFO [main] org.shop.Api: text",
            "2026-11-21 12:30:00,124 WARN [a b] (x) text",
        ],
    ] {
        let mut lane = Lane::default();
        assert_eq!(lane.head(first.as_bytes()), None);
        lane.learn(first.as_bytes(), || detect::head(first.as_bytes()));
        for line in [first, second] {
            let head = lane.head(line.as_bytes());
            assert!(head.is_some(), "{line}");
            assert_eq!(head, detect::head(line.as_bytes()), "{line}");
        }
    }
}

/// journalctl's verbose records begin as other programs' lines do.
#[test]
fn the_first_line_of_a_record_is_no_header() {
    let first =
        "Sat 2026-11-21 13:34:47.000001 UTC [s=6b4cfa21c0fd41159dc0576a9ce7841f;i=1;b=0123;m=0;t=66;x=aa]";
    let header = "Sat 2026-11-21 13:34:47.000001 UTC something was said";
    let parser = parser();
    assert!(!parser.starts_event(&Memory::default(), first.as_bytes()));
    assert!(!parser.starts_event(&Memory::default(), format!("  {header}").as_bytes()));
    let record = [first, "    PRIORITY=3", "    _PID=42", "    2026-11-21 13:34:47,123 INFO web: a", header];
    let lines: Vec<&str> = [header; 40].into_iter().chain(record).chain(record).collect();
    let (mut lane, mut memory, mut other) = (Lane::default(), Memory::default(), Memory::default());
    for line in &lines {
        let found = parser.line_by(&mut lane, &mut memory, line.as_bytes(), true);
        assert_eq!((&found, &memory), (&parser.line(&mut other, line.as_bytes()), &other), "{line}");
    }
    let block = lines.join("\n").into_bytes();
    let ends: Vec<u32> = (0u32..).zip(&block).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let stretch = Stretch { block: &block, start: 0, ends: &ends, before: block.len(), line_bytes: 1 << 20 };
    let run = parser.run(&mut lane, &mut memory, stretch, &mut [0; 8]);
    assert!(run.is_none_or(|run| run.lines <= 40), "no run goes over a record's first line");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Lines like each other in a row, so that the lane learns and meets what nearly fits.
    #[test]
    fn the_lane_says_what_the_grammar_says(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0..4u8), 1..60),
    ) {
        let all = samples_once();
        let mut lane = Lane::default();
        let mut line = all[0].clone();
        for (pick, seed, what) in picks {
            line = match what {
                0 => pick.get(all).clone(),
                1 => mutated(&line, seed),
                _ => digits_changed(&line, seed),
            };
            if line.contains(&0x1b) || crate::parse::wrap::unwrap(&line).wrapper != crate::parse::wrap::Wrapper::None {
                continue;
            }
            let head = detect::head(&line);
            if let Some(found) = lane.head(&line) {
                prop_assert_eq!(Some(found), head, "{}", String::from_utf8_lossy(&line));
            }
            lane.patience.end();
            lane.learn(&line, || head);
        }
    }

    /// From any memory on, both ways understand the same and remember the same.
    #[test]
    fn both_ways_understand_and_remember_the_same(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0..6u8), 1..80),
    ) {
        let parser = parser();
        let all = samples_once();
        let (mut lane, mut memory, mut other) = (Lane::default(), Memory::default(), Memory::default());
        let mut line = all[0].clone();
        for (pick, seed, what) in picks {
            line = match what {
                0 => pick.get(all).clone(),
                1 => mutated(&line, seed),
                _ => digits_changed(&line, seed),
            };
            lane.patience.end();
            let plain = !line.contains(&0x1b);
            let found = parser.line_by(&mut lane, &mut memory, &line, plain);
            prop_assert_eq!(found, parser.line(&mut other, &line), "{}", String::from_utf8_lossy(&line));
            prop_assert_eq!(&memory, &other);
        }
    }

    /// A run takes lines as they would be taken one by one, and stops where it should.
    #[test]
    fn a_run_is_its_lines_one_by_one(
        base in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<u64>(), 0..12u8), 1..60),
        line_bytes in prop_oneof![4 => Just(1usize << 20), 1 => 20usize..120],
        cut in any::<prop::sample::Index>(),
    ) {
        let parser = parser();
        let bases = [
            &b"2026-11-20 12:00:00,123 INFO shop.api GET /items in 12 ms"[..],
            b"[2026-11-20 12:00:00,123] ERROR worker started job 17",
            b"2026-11-20T12:00:00Z  WARN main took 12 ms",
            br#"{"time":"2026-11-20T12:00:00Z","level":"info","n": 12,"message": "all is well INFO","ok":true}"#,
            b"time=2026-11-20T12:00:00Z level=info n=12 msg=\"all is well here\" done=INFO",
            b"2026-11-20 12:00:00.123 | INFO     | shop.api:get:12 - all is well",
            b"2026-11-20 12:00:00,123 INFO [main] org.shop.Api: all is well",
            b"INFO:shop.api:all is well",
            b"INFO: all is well with shop 12",
            b"[INFO] all is well with shop 12",
            b"[info] all is well with shop 12",
            b"INFO shop all is well",
            b"INFO shop.api - all is well",
            b"INFO:     10.0.0.1:1234 - \"GET / HTTP/1.1\" 200 OK",
            b"all is well INFO with shop number 12",
            b"2026-11-20T12:00:00.123456789Z stdout F 2026-11-20 12:00:00,123 INFO shop.api GET /items in 12 ms",
            b"2026-11-20T12:00:00.123456789Z stderr F INFO: all is well with shop 12",
            b"2026-11-20T12:00:00.123456789Z stdout F {\"level\":\"info\",\"n\":12,\"msg\":\"all is well\"}",
            b"{\"log\":\"2026-11-20 12:00:00,123 INFO shop all is well\\n\",\"stream\":\"stdout\",\"time\":\"x\"}",
            b"I1120 12:00:00.123000       1 api.go:12] all is well",
            b"10.0.0.1 - INFO [20/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 502 12 \"-\" \"agent\"",
            b"081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 terminating",
            b"[Sun Dec 04 04:47:44 2026] [error] [client 10.0.0.1] all is well",
            b"[2026-11-20 12:00:00 +0000] [123] [INFO] Starting all is well",
            b"2026/11/20 12:00:00 [error] 123#0: *1 all is well",
            b"Nov 20 12:00:00 web-1 sshd[24200]: all is INFO well",
        ];
        let base = *base.get(&bases);
        let (mut lane, mut memory) = (Lane::default(), Memory::default());
        for _ in 0..20 {
            parser.line_by(&mut lane, &mut memory, base, true);
        }
        // Pairs behind the level are learnt from the line that ends a run.
        let block = [base, b"\n"].concat();
        let whole = Stretch { block: &block, start: 0, ends: &[base.len() as u32], before: block.len(), line_bytes: 1 << 20 };
        parser.run(&mut lane, &mut memory, whole, &mut [0; 8]);
        let mut lines = vec![base.to_vec()];
        for (seed, what) in changes {
            let last = lines.last().unwrap();
            let line = match what {
                0 => mutated(base, seed),
                1 => mutated(last, seed),
                2 => [&base[..seed as usize % base.len()], b"\r"].concat(),
                _ => digits_changed(base, seed),
            };
            if !line.contains(&b'\n') && !line.contains(&0x1b) {
                lines.push(line);
            }
        }
        let block: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
        let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32).collect();
        let before = cut.index(block.len()) + 1;
        let stretch = Stretch { block: &block, start: 0, ends: &ends, before, line_bytes };
        let (mut counted, mut after) = ([0; 8], memory.clone());
        let run = parser.run(&mut lane, &mut after, stretch, &mut counted);
        let taken = run.as_ref().map_or(0, |run| run.lines);
        let (mut expected, mut last) = ([0; 8], None);
        for (n, line) in lines.iter().take(taken).enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            prop_assert!((ends[n] as usize) < before && line.len() <= line_bytes);
            let found = parser.line(&mut memory, line);
            prop_assert_eq!(found.role, crate::event::Role::Start);
            prop_assert_eq!(&found.exception, &crate::event::Exception::None);
            expected[found.level.index()] += 1;
            let end = ends[n] as usize - usize::from(block[ends[n] as usize - 1] == b'\r');
            let start = end - line.len();
            last = Some((found.level, match found.message {
                crate::event::Message::From(from) => start + from as usize..end,
                crate::event::Message::Within(range) => start + range.start as usize..start + range.end as usize,
                crate::event::Message::Decode => panic!("escapes in a run"),
            }));
        }
        prop_assert_eq!(counted, expected);
        prop_assert_eq!(after, memory);
        prop_assert_eq!(run.map(|run| (run.level, run.message)), last);
        // The first line is plain: it is always taken where it ends early enough and is short enough.
        prop_assert_eq!(taken > 0, (ends[0] as usize) < before && base.len() <= line_bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Lines that go on with an event are those that go on one by one, and change nothing.
    #[test]
    fn what_goes_on_goes_on_one_by_one(
        first in any::<prop::sample::Index>(),
        before in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>(), any::<bool>()), 1..30),
    ) {
        let parser = parser();
        let all = samples_once();
        let lines = [
            &b""[..],
            b"    return self.call(1, 2)",
            b"  File \"/srv/shop.py\", line 12, in call",
            b"Traceback (most recent call last):",
            b"\tat org.shop.Api.get(Api.java:12)",
            b"java.io.IOException: broken pipe",
            b"the details of what went wrong here",
            b"      a further line of this event",
            b"    ERROR 2026-11-20 12:00:00 it was",
            b"2026-11-20 12:00:00,123 ERROR shop.api it failed",
            b"   ",
            b"INFO: all is well with shop 12",
        ];
        let mut memory = Memory::default();
        let base = first.get(all);
        for line in std::iter::repeat_n(&base[..], 20).chain(before.iter().map(|pick| *pick.get(&lines))) {
            parser.line(&mut memory, line);
        }
        let texts: Vec<Vec<u8>> = picks
            .iter()
            .map(|(pick, seed, change)| match pick.get(&lines) {
                line if *change => mutated(line, *seed),
                line => line.to_vec(),
            })
            .filter(|line| !line.contains(&b'\n') && !line.contains(&0x1b))
            .collect();
        let block: Vec<u8> = texts.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
        let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32).collect();
        let stretch = Stretch { block: &block, start: 0, ends: &ends, before: block.len(), line_bytes: 1 << 20 };
        let after = memory.clone();
        for text in texts.iter().take(parser.further(&memory.clone(), stretch)) {
            let found = parser.line(&mut memory, text.strip_suffix(b"\r").unwrap_or(text));
            prop_assert_eq!(found.role, crate::event::Role::Continuation, "{}", String::from_utf8_lossy(text));
            prop_assert_eq!(found.exception, crate::event::Exception::None);
            prop_assert_eq!(&memory, &after, "{}", String::from_utf8_lossy(text));
        }
    }
}

/// Numbers that follow from a seed.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    }
}

/// The line with a few bytes changed, put in or left out.
fn mutated(line: &[u8], seed: u64) -> Vec<u8> {
    const BYTES: &[u8] = b" \t-|:[](){}<>\"'=.,/%+#0129TZUTCAPMinfoERROR\\\xff";
    let mut next = random(seed);
    let mut line = line.to_vec();
    for _ in 0..1 + next(3) {
        let at = next(line.len().clamp(1, 80)).min(line.len());
        let byte = BYTES[next(BYTES.len())];
        match next(3) {
            0 => line.insert(at, byte),
            1 if at < line.len() => drop(line.remove(at)),
            _ if at < line.len() => line[at] = byte,
            _ => line.push(byte),
        }
    }
    line
}

/// The same line at another time, perhaps with another level: what stands in a log's next line.
fn digits_changed(line: &[u8], seed: u64) -> Vec<u8> {
    let mut next = random(seed);
    let mut line = line.to_vec();
    for byte in &mut line {
        if byte.is_ascii_digit() && next(3) == 0 {
            *byte = b'0' + next(10) as u8;
        }
    }
    let words =
        ["INFO", "DEBUG", "WARNING", "error", "CRITICAL", "info", "Warn", "NOTICE", "METRIC", "level"];
    let (old, new) = (words[next(words.len())], words[next(words.len())]);
    if let Some(at) = memchr::memmem::find(&line, old.as_bytes()) {
        line.splice(at..at + old.len(), new.bytes());
    }
    line
}
