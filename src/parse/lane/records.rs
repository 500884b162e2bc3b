//! Containers' records: where the program's own line stands in one, told by the shape of what stands before it.

use super::shape::Shape;
use super::stretch::Plain;
use crate::level::Level;
use crate::parse::swar::{equal, first};
use crate::parse::{record, time};
use std::ops::Range;

/// What records of a whole line begin with.
#[derive(Clone, Debug)]
pub(super) enum Records {
    /// Kubernetes': a timestamp of this shape, and ` std` behind it.
    Cri(Shape),
    /// Docker's.
    Docker,
}

const DOCKER: &[u8] = b"{\"log\":\"";

impl Records {
    /// The records of which a line is one.
    pub(super) fn of(line: &[u8]) -> Option<Records> {
        if line.starts_with(DOCKER) {
            return Some(Records::Docker);
        }
        let end = time::iso(line, 0).filter(|end| line[*end..].starts_with(b" std"))?;
        let shape = Shape::new(&line[..end + 4], std::slice::from_ref(&(0..end)))?;
        Some(Records::Cri(shape))
    }

    /// Where the program's line stands in the record at `start..end`, if it is whole and without escapes.
    #[inline(always)]
    pub(super) fn inner(&self, block: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
        match self {
            Records::Cri(shape) => {
                let rest = block.get(start..end).filter(|line| shape.fits(line))?.get(shape.len()..)?;
                let whole = rest.starts_with(b"out F ") || rest.starts_with(b"err F ");
                whole.then(|| (start + shape.len() + 6, end))
            }
            Records::Docker => {
                let line = block.get(start..end).filter(|line| line.starts_with(DOCKER))?;
                let text = DOCKER.len();
                let close = match first(line, text, line.len().min(text + 64), |t| {
                    equal(t, b'"') | equal(t, b'\\')
                }) {
                    Some(close) => close,
                    None => text + memchr::memchr2(b'"', b'\\', &line[text..])?,
                };
                let rest = line[close..].strip_prefix(b"\\n\",\"stream\":\"std")?;
                let whole = rest.starts_with(b"out\"") || rest.starts_with(b"err\"");
                whole.then_some((start + text, start + close))
            }
        }
    }
}

/// Lines inside records.
pub(super) struct Within<'a, P> {
    pub(super) records: &'a Records,
    pub(super) plain: P,
}

impl<P: Plain> Plain for Within<'_, P> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let (from, to) = self.records.inner(block, start, end)?;
        if record::is_verbose(&block[from..to]) {
            return None;
        }
        self.plain.line(block, from, to).filter(|(_, message)| message.end <= to)
    }
}
