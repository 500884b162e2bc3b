//! Pressure stall information from `/proc/pressure`: text in, stalled and waiting seconds out.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// Resource, line, metric, help. CPU `full` says nothing at system level, and IRQ has no `some`.
const FAMILIES: [(&str, &str, &str, &str); 6] = [
    (
        "cpu",
        "some",
        "node_pressure_cpu_waiting_seconds_total",
        "Total time in seconds that processes have waited for CPU time",
    ),
    (
        "io",
        "some",
        "node_pressure_io_waiting_seconds_total",
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    (
        "io",
        "full",
        "node_pressure_io_stalled_seconds_total",
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    (
        "memory",
        "some",
        "node_pressure_memory_waiting_seconds_total",
        "Total time in seconds that processes have waited for memory",
    ),
    (
        "memory",
        "full",
        "node_pressure_memory_stalled_seconds_total",
        "Total time in seconds no process could make progress due to memory congestion",
    ),
    (
        "irq",
        "full",
        "node_pressure_irq_stalled_seconds_total",
        "Total time in seconds no process could make progress due to IRQ congestion",
    ),
];

/// `node_pressure_*`.
#[derive(Debug, Default)]
pub(crate) struct Pressure;

impl Collect for Pressure {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let mut found = false;
        for resource in ["cpu", "io", "memory", "irq"] {
            let text = match source::read_optional(&tick.roots.proc(&format!("pressure/{resource}"))) {
                Ok(text) => text,
                Err(Failure::Absent) => continue,
                Err(failure) => return Err(failure),
            };
            found = true;
            for (_, line, name, help) in FAMILIES.iter().filter(|family| family.0 == resource) {
                out.counter(name, help, &[], total_seconds(&text, line)?);
            }
        }
        if found { Ok(()) } else { Err(Failure::Absent) }
    }
}

/// `total=` of the line `some …` or `full …`, which counts microseconds.
fn total_seconds(text: &str, kind: &str) -> Result<f64, Failure> {
    let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(kind));
    let total =
        line.and_then(|line| line.split_ascii_whitespace().find_map(|field| field.strip_prefix("total=")));
    let total = total.ok_or_else(|| Failure::broken(format!("pressure: no total on the line {kind:?}")))?;
    Ok(source::number(total, "pressure")? / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_seconds() {
        let text = "some avg10=0.10 avg60=0.00 avg300=0.00 total=14520601\nfull avg10=0.00 total=7\n";
        assert_eq!(total_seconds(text, "some").unwrap(), 14.520_601);
        assert_eq!(total_seconds(text, "full").unwrap(), 0.000_007);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in ["", "some", "some avg10=0 total=", "some total=x", "full total=1"] {
            assert!(total_seconds(bad, "some").is_err(), "{bad:?}");
        }
    }
}
