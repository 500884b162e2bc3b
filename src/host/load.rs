//! Load averages: from sysinfo on this machine, from `loadavg` under another root.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::portable;
use super::source::{self, Failure};

/// `node_load1`, `node_load5`, `node_load15`.
#[derive(Debug, Default)]
pub(crate) struct Load;

impl Collect for Load {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let loads = if tick.roots.is_own_proc() {
            portable::load().ok_or_else(|| Failure::broken("no load average"))?
        } else {
            parse(&source::read(&tick.roots.proc("loadavg"))?)?
        };
        for ((name, help), value) in [
            ("node_load1", "1m load average."),
            ("node_load5", "5m load average."),
            ("node_load15", "15m load average."),
        ]
        .into_iter()
        .zip(loads)
        {
            out.gauge(name, help, &[], value);
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<[f64; 3], Failure> {
    let mut loads = [0.0; 3];
    let mut fields = text.split_ascii_whitespace();
    for load in &mut loads {
        *load = fields
            .next()
            .and_then(|field| field.parse().ok())
            .filter(|value: &f64| value.is_finite() && *value >= 0.0)
            .ok_or_else(|| Failure::broken("loadavg: three numbers are wanted"))?;
    }
    Ok(loads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_or_an_error() {
        assert_eq!(parse("0.51 1.25 12.00 3/109 12525\n").unwrap(), [0.51, 1.25, 12.0]);
        for bad in ["", "0.1 0.2", "a b c", "nan 1 1", "1 inf 1", "1 -1 1"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
