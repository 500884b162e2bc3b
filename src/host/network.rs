//! Traffic counters from `/proc/net/dev` at each tick, properties of devices from sysfs less often.
//!
//! `/proc/net/dev` sums the detailed error counters exactly as node_exporter does for its classic names.

use std::time::{Duration, Instant};

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::netclass;
use super::source::{self, Failure};

/// Properties such as the speed change rarely, and each is a file of its own.
const PROPERTIES_EVERY: Duration = Duration::from_secs(5);
/// Machines with hundreds of devices read properties this much less often, per device.
const PROPERTIES_PER_DEVICE: Duration = Duration::from_millis(200);

/// Columns of `/proc/net/dev` after the device name.
const COLUMNS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];
const RECEIVE_BYTES: usize = 0;
const TRANSMIT_BYTES: usize = 8;

/// `node_network_*`.
#[derive(Debug, Default)]
pub(crate) struct Network {
    properties: Vec<netclass::Device>,
    read_at: Option<Instant>,
}

impl Collect for Network {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let text = source::read(&tick.roots.proc("net/dev"))?;
        for (device, values) in parse(&text)? {
            for (name, value) in COLUMNS.iter().zip(values) {
                let help = format!("Network device statistic {name}.");
                out.counter(&format!("node_network_{name}_total"), &help, &[("device", device)], value);
            }
            tick.facts.networks.push((device.to_owned(), values[RECEIVE_BYTES], values[TRANSMIT_BYTES]));
        }
        let wait =
            PROPERTIES_EVERY.max(PROPERTIES_PER_DEVICE * u32::try_from(self.properties.len()).unwrap_or(300));
        if self.read_at.is_none_or(|at| tick.now.saturating_duration_since(at) >= wait) {
            self.properties = netclass::read(&tick.roots.sys("class/net"));
            self.read_at = Some(tick.now);
        }
        for device in &self.properties {
            device.expose(out);
        }
        Ok(())
    }
}

/// Device and its sixteen counters. The first two lines are headings.
fn parse(text: &str) -> Result<Vec<(&str, [f64; 16])>, Failure> {
    let mut devices = Vec::new();
    if text.lines().count() < 2 {
        return Err(Failure::broken("net/dev: the headings are missing"));
    }
    for line in text.lines().skip(2).filter(|line| !line.trim().is_empty()) {
        // Aliases such as `eth0:1` have a colon in their name; the counters begin after the last one.
        let Some((device, rest)) = line.rsplit_once(':') else {
            return Err(Failure::broken(format!("net/dev: no device in {line:?}")));
        };
        let mut values = [0.0; 16];
        let mut fields = rest.split_ascii_whitespace();
        for value in &mut values {
            let field =
                fields.next().ok_or_else(|| Failure::broken(format!("net/dev: {line:?} is cut short")))?;
            *value = source::number(field, "net/dev")?;
        }
        devices.push((device.trim(), values));
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Inter-| Receive | Transmit\n face |bytes packets\n";

    #[test]
    fn sixteen_counters_each_also_without_a_blank_after_the_colon() {
        let text = format!(
            "{HEAD}  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n lo: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        );
        let devices = parse(&text).unwrap();
        assert_eq!(devices[0].0, "eth0");
        assert_eq!(devices[0].1[TRANSMIT_BYTES], 9.0);
        assert_eq!(devices[1].0, "lo");
    }

    #[test]
    fn garbage_is_an_error_and_no_device_is_none() {
        assert_eq!(parse(HEAD).unwrap(), []);
        for bad in [
            "",
            "eth0: 1",
            "a\nb\neth0 1 2\n",
            "a\nb\neth0: 1 2\n",
            "a\nb\neth0: x 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
