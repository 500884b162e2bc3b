//! Many lines at a time against one by one: the same counts, and the same memory of the file.

use logtally::event::{Exception, Role};
use logtally::parse::{Lane, Memory, Options, Parser, Stretch};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lines of one kind after which nothing is learnt from further ones.
const SETTLED: usize = 18;

/// Counts of a block: events by level, further lines, lines that name an exception.
type Counts = ([u64; 8], u64, u64);

pub fn stretches(input: &[u8]) -> u64 {
    let Ok(parser) = Parser::new(&Options::default()) else { return 0 };
    let lines: Vec<&[u8]> = input
        .split(|b| *b == b'\n')
        .filter(|line| !line.contains(&0x1b) && !line.contains(&0))
        .take(48)
        .collect();
    // The whole twice, and before it the first lines so often that the file's memory settles.
    let first = lines.iter().take(4).flat_map(|line| std::iter::repeat_n(*line, SETTLED));
    let all: Vec<&[u8]> = first.chain(lines.iter().copied()).chain(lines.iter().copied()).collect();
    let mut memory = Memory::default();
    let mut expected: Counts = Default::default();
    for line in &all {
        let found = parser.line(&mut memory, line.strip_suffix(b"\r").unwrap_or(line));
        match found.role {
            Role::Start => expected.0[found.level.index()] += 1,
            Role::Continuation => expected.1 += 1,
        }
        expected.2 += u64::from(found.exception != Exception::None);
    }
    let block: Vec<u8> = all.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    let (counts, other) = by_stretches(&parser, &block);
    assert_eq!(counts, expected, "both ways count the same");
    assert_eq!(other, memory, "both ways remember the same");
    let mut outcome = DefaultHasher::new();
    (memory.format().as_str(), counts.0.map(|n| n.min(1)), counts.1.min(1), counts.2.min(1))
        .hash(&mut outcome);
    outcome.finish()
}

/// As the pipeline walks a block that no rule looks at.
fn by_stretches(parser: &Parser, block: &[u8]) -> (Counts, Memory) {
    let (mut memory, mut lane) = (Memory::default(), Lane::default());
    let mut counts: Counts = Default::default();
    let ends: Vec<u32> = (0u32..).zip(block).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let (mut start, mut next) = (0, 0);
    while next < ends.len() {
        let stretch = |start, next: usize| Stretch {
            block,
            start,
            ends: &ends[next..],
            before: block.len(),
            line_bytes: 1 << 20,
        };
        let taken = parser
            .run(&mut lane, &mut memory, stretch(start, next), &mut counts.0)
            .map_or(0, |run| run.lines);
        if taken > 0 {
            next += taken;
            start = ends[next - 1] as usize + 1;
        }
        if next == ends.len() {
            break;
        }
        let further = parser.further(&memory, stretch(start, next));
        counts.1 += further as u64;
        if further > 0 {
            next += further;
            start = ends[next - 1] as usize + 1;
            continue;
        }
        let line = &block[start..ends[next] as usize];
        let found = parser.line_by(&mut lane, &mut memory, line.strip_suffix(b"\r").unwrap_or(line), true);
        match found.role {
            Role::Start => counts.0[found.level.index()] += 1,
            Role::Continuation => counts.1 += 1,
        }
        counts.2 += u64::from(found.exception != Exception::None);
        start = ends[next] as usize + 1;
        next += 1;
    }
    (counts, memory)
}
