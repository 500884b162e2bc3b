//! Open file handles of the machine from `/proc/sys/fs/file-nr`.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_filefd_allocated`, `node_filefd_maximum`.
#[derive(Debug, Default)]
pub(crate) struct Filefd;

impl Collect for Filefd {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let (allocated, maximum) = parse(&source::read(&tick.roots.proc("sys/fs/file-nr"))?)?;
        out.gauge("node_filefd_allocated", "File descriptor statistics: allocated.", &[], allocated);
        out.gauge("node_filefd_maximum", "File descriptor statistics: maximum.", &[], maximum);
        Ok(())
    }
}

/// Allocated, (unused, always 0), maximum.
fn parse(text: &str) -> Result<(f64, f64), Failure> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [allocated, _, maximum] = fields[..] else {
        return Err(Failure::broken("file-nr: three numbers are wanted"));
    };
    Ok((source::number(allocated, "file-nr")?, source::number(maximum, "file-nr")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_third_number() {
        assert_eq!(parse("964\t0\t9223372036854775807\n").unwrap(), (964.0, 9_223_372_036_854_775_807.0));
        for bad in ["", "1 2", "1 2 3 4", "a 0 b"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
