//! CPU seconds by mode from `/proc/stat`: text in, seconds per CPU out, never going back.

use std::collections::BTreeMap;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// The kernel gives these files in hundredths of a second on every architecture that we know.
pub(crate) const USER_HZ: f64 = 100.0;

/// Idle time that drops by this much (seconds) means a CPU that was unplugged and came back.
const HOTPLUG_SECONDS: f64 = 3.0;

/// Order of the columns of a `cpuN` line.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
const IOWAIT: usize = 4;
const COLUMNS: usize = 10;

/// Seconds of one CPU: the eight modes, then guest and guest_nice.
type Seconds = [f64; COLUMNS];

/// `node_cpu_seconds_total` and `node_cpu_guest_seconds_total`.
#[derive(Debug, Default)]
pub(crate) struct Cpu {
    seen: BTreeMap<u32, Seconds>,
}

impl Collect for Cpu {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        self.advance(parse(tick.stat_text()?)?);
        let (mut busy, mut total) = (0.0, 0.0);
        for (cpu, seconds) in &self.seen {
            let cpu = cpu.to_string();
            for (mode, value) in MODES.iter().zip(seconds) {
                let labels = [("cpu", cpu.as_str()), ("mode", mode)];
                out.counter(
                    "node_cpu_seconds_total",
                    "Seconds the CPUs spent in each mode.",
                    &labels,
                    *value,
                );
            }
            for (mode, value) in [("user", seconds[8]), ("nice", seconds[9])] {
                let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
                out.counter("node_cpu_guest_seconds_total", help, &[("cpu", &cpu), ("mode", mode)], value);
            }
            let all: f64 = seconds[..MODES.len()].iter().sum();
            total += all;
            busy += all - seconds[IDLE] - seconds[IOWAIT];
        }
        tick.facts.cpu = Some((busy, total));
        Ok(())
    }
}

impl Cpu {
    /// Takes a reading over: no mode of a CPU goes back, unless the CPU was plugged in anew.
    fn advance(&mut self, read: BTreeMap<u32, Seconds>) {
        self.seen.retain(|cpu, _| read.contains_key(cpu));
        for (cpu, fresh) in read {
            let kept = self.seen.entry(cpu).or_insert(fresh);
            if kept[IDLE] - fresh[IDLE] >= HOTPLUG_SECONDS {
                *kept = fresh;
                continue;
            }
            for (old, new) in kept.iter_mut().zip(fresh) {
                *old = old.max(new);
            }
        }
    }
}

/// The `cpuN` lines of `/proc/stat`. Old kernels have fewer columns; what lacks is 0.
fn parse(text: &str) -> Result<BTreeMap<u32, Seconds>, Failure> {
    let mut cpus = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("cpu") else { continue };
        let mut fields = rest.split_ascii_whitespace();
        if rest.starts_with(' ') {
            continue; // the sum over all CPUs
        }
        let Some(cpu) = fields.next().and_then(|number| number.parse().ok()) else {
            return Err(Failure::broken(format!("stat: no CPU number in {line:?}")));
        };
        let mut seconds = [0.0; COLUMNS];
        let mut columns = 0;
        for (slot, field) in seconds.iter_mut().zip(fields) {
            *slot = source::number(field, "stat")? / USER_HZ;
            columns += 1;
        }
        if columns < 4 {
            return Err(Failure::broken(format!("stat: only {columns} columns in {line:?}")));
        }
        cpus.insert(cpu, seconds);
    }
    if cpus.is_empty() { Err(Failure::broken("stat: no CPU line")) } else { Ok(cpus) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_seconds_and_the_sum_line_is_skipped() {
        let cpus = parse("cpu  9 9 9 9\ncpu0 100 20 30 4000 5 6 7 8 9 10\ncpu12 1 2 3 4\nctxt 5\n").unwrap();
        assert_eq!(cpus.len(), 2);
        assert_eq!(cpus[&0], [1.0, 0.2, 0.3, 40.0, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1]);
        assert_eq!(cpus[&12][4..], [0.0; 6]);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in
            ["", "intr 5\n", "cpu0\n", "cpu0 1 2\n", "cpu0 a b c d\n", "cpux 1 2 3 4\n", "cpu0 1 2 3 -\n"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn idle_and_iowait_do_not_step_back_but_a_replugged_cpu_starts_anew() {
        let mut cpu = Cpu::default();
        let at = |idle: f64, iowait: f64| {
            let mut seconds = [1.0; COLUMNS];
            seconds[IDLE] = idle;
            seconds[IOWAIT] = iowait;
            BTreeMap::from([(0, seconds)])
        };
        cpu.advance(at(100.0, 7.0));
        cpu.advance(at(99.99, 6.5));
        assert_eq!((cpu.seen[&0][IDLE], cpu.seen[&0][IOWAIT]), (100.0, 7.0));
        cpu.advance(at(101.0, 6.9));
        assert_eq!((cpu.seen[&0][IDLE], cpu.seen[&0][IOWAIT]), (101.0, 7.0));
        cpu.advance(at(98.0, 0.5));
        assert_eq!((cpu.seen[&0][IDLE], cpu.seen[&0][IOWAIT]), (98.0, 0.5));
        cpu.advance(BTreeMap::new());
        assert!(cpu.seen.is_empty());
    }
}
