//! The work that a line takes grows as its length does, whatever stands in it.

use super::{in_bounds, parser, samples_once};
use crate::parse::{Memory, steps};
use proptest::prelude::*;

/// How often the loops may pass over a byte: some grammars are tried one after the other.
const PASSES: u64 = 40;
/// What a line may take however short it is.
const LEAST: u64 = 4000;

fn all_of(line: &[u8]) {
    let parser = parser();
    let mut memory = Memory::default();
    let mut scratch = Vec::new();
    let found = parser.line(&mut memory, line);
    in_bounds(line, &found);
    parser.message(&memory, line, &mut scratch);
    parser.field(&memory, line, "a.b.c", &mut scratch);
    parser.starts_event(&memory, line);
}

fn is_linear(line: &[u8]) {
    let taken = steps::of(|| all_of(line));
    let most = LEAST + PASSES * line.len() as u64;
    let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
    assert!(taken <= most, "{taken} steps for {} bytes: {head}", line.len());
}

/// Long lines of what each grammar repeats.
#[test]
fn long_lines_take_linear_work() {
    let parts: [&[u8]; 22] = [
        b"{\"a\":",
        b"[",
        b"{\"log\":{\"level\":",
        b"a=\"\\",
        b" b=\"\\\" ",
        b"b=\"x ",
        b"a=1 ",
        b"\\\"",
        b"\x1b[",
        b"\x1b]",
        b"x.",
        b"a::",
        b"Traceback (most recent call last)\\n",
        b"Error: x\\n",
        b"<",
        b" [",
        b"(",
        b"| ",
        b",\"\"",
        b"\",",
        b"\"request\":{\"a\":1},",
        b"\"error\":{},",
    ];
    for head in [
        &b""[..],
        b"{",
        b"{\"log\":\"",
        b"2026-11-20 12:00:00 ",
        b"2026-11-20 12:00:00 UTC,",
        b"<11>1 2026-11-20T12:00:00Z h a 1 - [x ",
        b"level=info ",
        b"####<",
        b"127.0.0.1 - \"",
        b"{\"exc_info\":\"Traceback (most recent call last)",
    ] {
        for part in parts {
            let mut line = head.to_vec();
            while line.len() < 1 << 14 {
                line.extend_from_slice(part);
            }
            is_linear(&line);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A piece of any sample, repeated behind the beginning of any other.
    #[test]
    fn any_piece_repeated_takes_linear_work(
        head in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        pick in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 1usize..40,
    ) {
        let samples = samples_once();
        let (head, piece) = (head.get(samples), pick.get(samples));
        let from = from.index(piece.len().max(1)).min(piece.len());
        let piece = &piece[from..(from + length).min(piece.len())];
        let mut line = head[..cut.index(head.len() + 1)].to_vec();
        while !piece.is_empty() && line.len() < 4000 {
            line.extend_from_slice(piece);
        }
        is_linear(&line);
    }
}
