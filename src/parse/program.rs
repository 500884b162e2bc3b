//! Headers of single programs that no family shares and that no timestamp begins: NCCL, Slurm, npm's relatives, Comware.

use crate::level::Level;
use crate::parse::bracket::closing;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::time::{self, Shape};
use crate::parse::{logfmt, undated, word};

/// Who writes npm's words behind a name of its own, `gyp ERR! text`.
const NPM: [&[u8]; 5] = [b"gyp", b"lerna", b"node-pre-gyp", b"prebuild-install", b"node-gyp"];
/// Slurm's programs on a terminal, `slurmctld: error: text`.
const SLURM: [&[u8]; 8] =
    [b"slurmctld", b"slurmd", b"slurmdbd", b"slurmstepd", b"srun", b"sbatch", b"salloc", b"sacctmgr"];

/// Whether npm's words follow a name.
pub(super) fn is_npms(name: &[u8]) -> bool {
    NPM.contains(&name)
}

fn named(level: Level, message: usize) -> Head {
    Head { without: 0, ..Head::new(Format::Named, Some(level), message) }.weak()
}

/// A line that begins with the name of one of these programs.
pub(super) fn named_first(text: &[u8]) -> Option<Head> {
    let length = text.iter().take(20).take_while(|b| b.is_ascii_lowercase() || **b == b'-').count();
    let (name, rest) = text.split_at(length);
    match rest {
        [b' ', ..] if is_npms(name) => undated::npm_word(text, length + 1),
        [b':', b' ', rest @ ..] if SLURM.contains(&name) => {
            let letters = rest.iter().take(8).take_while(|b| b.is_ascii_lowercase()).count();
            let level = word::header(&rest[..letters])?;
            let number = usize::from(level == Level::Debug && matches!(rest.get(letters), Some(b'2'..=b'5')));
            let end = letters + number;
            (rest.get(end) == Some(&b':')).then(|| named(level, skip_blanks(text, length + 2 + end + 1)))
        }
        _ => None,
    }
}

/// NCCL's host, process and thread: `web-1:4242:4243 [0] NCCL INFO text`, with the place in its source before a warning.
pub(super) fn nccl(text: &[u8]) -> Option<Head> {
    let length = text.iter().take(100).position(|b| *b == b' ')?;
    let numbers = text[..length].rsplit(|b| *b == b':').take(2);
    let numbered =
        numbers.filter(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)).count() == 2;
    if !numbered || text.get(length + 1) != Some(&b'[') {
        return None;
    }
    let mut at = closing(text, length + 1)? + 2;
    if !text.get(at..)?.starts_with(b"NCCL ") {
        at += text[at..].iter().take(100).position(|b| *b == b' ')? + 1;
    }
    let rest = text.get(at..)?.strip_prefix(b"NCCL ")?;
    let letters = rest.iter().take(7).take_while(|b| b.is_ascii_uppercase()).count();
    let level = word::header(&rest[..letters])?;
    Some(named(level, skip_blanks(text, at + 5 + letters)))
}

/// Comware's `%Nov 20 12:00:00:123 2026 host MODULE/5/MNEMONIC: text`, its severity syslog's.
pub(super) fn comware(text: &[u8]) -> Option<Head> {
    let stamp = time::stamp(text, 1).filter(|stamp| stamp.shape == Shape::Bsd)?;
    let rest = text.get(stamp.end..text.len().min(stamp.end + 160))?;
    let colon = memchr::memmem::find(rest, b": ")?;
    let from = rest[..colon].iter().rposition(|b| *b == b' ')? + 1;
    let mut parts = rest[from..colon].split(|b| *b == b'/');
    let (Some(_), Some([digit @ b'0'..=b'7']), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let level = word::syslog(u32::from(digit - b'0'));
    Some(Head::new(Format::Syslog, Some(level), stamp.end + colon + 2))
}

/// logfmt behind a name in a bracket, as Longhorn shows its processes': `[pvc-1] time="…" level=info msg="…"`.
pub(super) fn pairs(text: &[u8]) -> Option<Head> {
    let at = closing(text, 0)? + 1;
    let rest = text.get(at..)?.strip_prefix(b" ")?;
    let known = [&b"time="[..], b"level=", b"ts="].iter().any(|key| rest.starts_with(key));
    if known { logfmt::walk(text, at + 1, None, false) } else { None }
}
