//! The rest of `/proc/stat`: interrupts, context switches, forks, run queue; and the boot time.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::portable;
use super::source::{self, Failure};

const BOOT: &str = "btime";

/// Key in `/proc/stat`, metric, help, and whether it only grows.
const FAMILIES: [(&str, &str, &str, bool); 6] = [
    ("intr", "node_intr_total", "Total number of interrupts serviced.", true),
    ("ctxt", "node_context_switches_total", "Total number of context switches.", true),
    ("processes", "node_forks_total", "Total number of forks.", true),
    (BOOT, "node_boot_time_seconds", "Node boot time, in unixtime.", false),
    ("procs_running", "node_procs_running", "Number of processes in runnable state.", false),
    (
        "procs_blocked",
        "node_procs_blocked",
        "Number of processes blocked waiting for I/O to complete.",
        false,
    ),
];

/// `node_boot_time_seconds`, `node_procs_*`, `node_intr_total` and their like.
#[derive(Debug, Default)]
pub(crate) struct Stat;

impl Collect for Stat {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let values = parse(tick.stat_text()?)?;
        for ((key, name, help, counter), value) in FAMILIES.iter().zip(values) {
            let boot = (*key == BOOT && tick.roots.is_own_proc()).then(portable::boot_time).flatten();
            let Some(value) = boot.or(value) else { continue };
            if *counter {
                out.counter(name, help, &[], value);
            } else {
                out.gauge(name, help, &[], value);
            }
        }
        Ok(())
    }
}

/// The values in the order of `FAMILIES`; old kernels lack some.
fn parse(text: &str) -> Result<[Option<f64>; FAMILIES.len()], Failure> {
    let mut values = [None; FAMILIES.len()];
    for line in text.lines() {
        let mut fields = line.split_ascii_whitespace();
        let key = fields.next().unwrap_or_default();
        let Some(slot) = FAMILIES.iter().position(|family| family.0 == key) else { continue };
        let field = fields.next().ok_or_else(|| Failure::broken(format!("stat: no value for {key}")))?;
        values[slot] = Some(source::number(field, "stat")?);
    }
    if values.iter().all(Option::is_none) { Err(Failure::broken("stat: no known line")) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_number_of_the_long_line_counts() {
        let values =
            parse("cpu 1 2\nintr 317507 0 0 14\nctxt 5\nbtime 1795191581\nprocs_running 2\n").unwrap();
        assert_eq!(values[0], Some(317_507.0));
        assert_eq!(values[3], Some(1_795_191_581.0));
        assert_eq!(values[5], None);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in ["", "cpu 1", "intr", "ctxt x"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
