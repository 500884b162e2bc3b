//! All of `/proc/meminfo` under node_exporter's names: text in, bytes (or bare counts) by name out.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_memory_*`.
#[derive(Debug, Default)]
pub(crate) struct Memory;

impl Collect for Memory {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let values = parse(&source::read(&tick.roots.proc("meminfo"))?)?;
        tick.facts.memory_used = used_ratio(&values);
        for (name, value) in values {
            let help = format!("Memory information field {name}.");
            out.gauge(&format!("node_memory_{name}"), &help, &[], value);
        }
        Ok(())
    }
}

/// Lines `Active(anon):  12 kB` become (`Active_anon_bytes`, 12288); without a unit the name has no suffix.
fn parse(text: &str) -> Result<Vec<(String, f64)>, Failure> {
    let mut values: Vec<(String, f64)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.split_ascii_whitespace();
        let name = fields.next().and_then(|name| name.strip_suffix(':'));
        let (Some(name), Some(value)) = (name, fields.next()) else {
            return Err(Failure::broken(format!("meminfo: no name and value in {line:?}")));
        };
        let value = source::number(value, "meminfo")?;
        let name = clean(name);
        let entry = match fields.next() {
            None => (name, value),
            Some("kB") => (format!("{name}_bytes"), value * 1024.0),
            Some(unit) => return Err(Failure::broken(format!("meminfo: unknown unit {unit:?}"))),
        };
        if !values.iter().any(|(known, _)| *known == entry.0) {
            values.push(entry);
        }
    }
    if values.is_empty() { Err(Failure::broken("meminfo: empty")) } else { Ok(values) }
}

/// `Active(anon)` as `Active_anon`; nothing but letters, digits and `_` gets into a metric name.
fn clean(name: &str) -> String {
    let name = name.replace('(', "_").replace(')', "");
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The share of memory that is not available to new programs.
fn used_ratio(values: &[(String, f64)]) -> Option<f64> {
    let find = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let total = find("MemTotal_bytes").filter(|total| *total > 0.0)?;
    Some((1.0 - find("MemAvailable_bytes")? / total).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_brackets_become_names() {
        let text = "MemTotal:  100 kB\nMemAvailable: 25 kB\nActive(anon):  2 kB\nHugePages_Total:  3\n";
        let values = parse(text).unwrap();
        assert!(values.contains(&("Active_anon_bytes".to_owned(), 2048.0)));
        assert!(values.contains(&("HugePages_Total".to_owned(), 3.0)));
        assert_eq!(used_ratio(&values), Some(0.75));
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in
            ["", "MemTotal", "MemTotal:", "MemTotal: x kB", "MemTotal: 1 MB", "MemTotal 1 kB", "\u{0}\u{0}"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn more_available_than_there_is_does_not_leave_the_range() {
        let values = parse("MemTotal: 1 kB\nMemAvailable: 99999999999999 kB\n").unwrap();
        assert_eq!(used_ratio(&values), Some(0.0));
    }
}
