//! Properties of network devices from `/sys/class/net`: one folder per device in, gauges and one info out.

use std::path::Path;

use super::batch::Batch;
use super::source::{attribute, attribute_number, entries};

/// Megabits per second, as sysfs counts, in bytes per second.
const MEGABIT: f64 = 125_000.0;

/// Numeric attributes: file, metric after `node_network_`. A driver that refuses one just lacks that series.
const NUMBERS: [(&str, &str); 15] = [
    ("addr_assign_type", "address_assign_type"),
    ("carrier", "carrier"),
    ("dev_id", "device_id"),
    ("dormant", "dormant"),
    ("flags", "flags"),
    ("ifindex", "iface_id"),
    ("iflink", "iface_link"),
    ("link_mode", "iface_link_mode"),
    ("mtu", "mtu_bytes"),
    ("name_assign_type", "name_assign_type"),
    ("netdev_group", "net_dev_group"),
    ("type", "protocol_type"),
    ("tx_queue_len", "transmit_queue_length"),
    ("speed", "speed_bytes"),
    ("statistics/rx_nohandler", NOHANDLER),
];

/// The one counter here that `/proc/net/dev` lacks.
const NOHANDLER: &str = "receive_nohandler";

/// Counters of carrier changes: file, metric.
const CHANGES: [(&str, &str); 3] = [
    ("carrier_changes", "carrier_changes_total"),
    ("carrier_up_count", "carrier_up_changes_total"),
    ("carrier_down_count", "carrier_down_changes_total"),
];

/// Text attributes, which become labels of `node_network_info`.
const TEXTS: [(&str, &str); 5] = [
    ("address", "address"),
    ("broadcast", "broadcast"),
    ("duplex", "duplex"),
    ("ifalias", "ifalias"),
    ("operstate", "operstate"),
];

/// What sysfs says about one device.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Device {
    name: String,
    numbers: Vec<(&'static str, f64)>,
    changes: Vec<(&'static str, f64)>,
    texts: Vec<(&'static str, String)>,
}

/// The devices under a `class/net` folder; none where there is no such folder.
pub(crate) fn read(folder: &Path) -> Vec<Device> {
    entries(folder)
        .into_iter()
        .filter(|(_, path)| path.is_dir())
        .map(|(name, path)| device(name, &path))
        .collect()
}

fn device(name: String, folder: &Path) -> Device {
    let numbers = NUMBERS
        .iter()
        .filter_map(|(file, metric)| {
            let value = flag_number(&attribute(&folder.join(file))?)?;
            Some((*metric, if *file == "speed" { value * MEGABIT } else { value }))
        })
        .collect();
    let changes = CHANGES
        .iter()
        .filter_map(|(file, metric)| Some((*metric, attribute_number(&folder.join(file))? as f64)))
        .collect();
    let texts = TEXTS
        .iter()
        .map(|(file, label)| (*label, attribute(&folder.join(file)).unwrap_or_default()))
        .collect();
    Device { name, numbers, changes, texts }
}

/// `flags` and `dev_id` are hexadecimal, the rest decimal.
fn flag_number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok().map(|value| value as f64),
        None => text.parse::<i64>().ok().map(|value| value as f64),
    }
}

impl Device {
    /// Adds this device's series.
    pub(crate) fn expose(&self, out: &mut Batch) {
        let device = self.name.as_str();
        for (metric, value) in &self.numbers {
            if *metric == NOHANDLER {
                let help = format!("Network device statistic {metric}.");
                out.counter(&format!("node_network_{metric}_total"), &help, &[("device", device)], *value);
                continue;
            }
            let help = format!("Network device property: {metric}");
            out.gauge(&format!("node_network_{metric}"), &help, &[("device", device)], *value);
        }
        for (metric, value) in &self.changes {
            let help = format!("Network device property: {metric}");
            out.counter(&format!("node_network_{metric}"), &help, &[("device", device)], *value);
        }
        let mut labels = vec![("device", device)];
        labels.extend(self.texts.iter().map(|(label, text)| (*label, text.as_str())));
        let help = "Non-numeric data from /sys/class/net/<iface>, value is always 1.";
        out.gauge("node_network_info", help, &labels, 1.0);
        let up = self.texts.iter().any(|(label, text)| *label == "operstate" && text == "up");
        let help = "Value is 1 if operstate is 'up', 0 otherwise.";
        out.gauge("node_network_up", help, &[("device", device)], f64::from(u8::from(up)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_and_decimal_attributes_are_numbers() {
        assert_eq!(flag_number("0x1003"), Some(4099.0));
        assert_eq!(flag_number("-1"), Some(-1.0));
        for bad in ["", "0x", "up", "0xzz", "99999999999999999999"] {
            assert_eq!(flag_number(bad), None, "{bad:?}");
        }
    }
}
