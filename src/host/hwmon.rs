//! Hardware sensors from `/sys/class/hwmon`: one folder per chip in, temperatures in degrees out.

use std::path::Path;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{Failure, attribute, attribute_number, entries};

/// Suffix of a temperature's file, metric, help. All count in thousandths of a degree.
const TEMPERATURES: [(&str, &str, &str); 6] = [
    ("input", "node_hwmon_temp_celsius", "Hardware monitor for temperature (input)"),
    ("max", "node_hwmon_temp_max_celsius", "Hardware monitor for temperature (max)"),
    ("min", "node_hwmon_temp_min_celsius", "Hardware monitor for temperature (min)"),
    ("crit", "node_hwmon_temp_crit_celsius", "Hardware monitor for temperature (crit)"),
    ("crit_alarm", "node_hwmon_temp_crit_alarm_celsius", "Hardware monitor for temperature (crit_alarm)"),
    ("alarm", "node_hwmon_temp_alarm", "Hardware sensor alarm status (temp)"),
];

/// `node_hwmon_*` of temperatures, with chip names and sensor labels.
#[derive(Debug, Default)]
pub(crate) struct Hwmon;

impl Collect for Hwmon {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let folder = tick.roots.sys("class/hwmon");
        if !folder.is_dir() {
            return Err(Failure::Absent);
        }
        for (_, path) in entries(&folder) {
            expose_chip(&path, out);
        }
        Ok(())
    }
}

fn expose_chip(folder: &Path, out: &mut Batch) {
    let chip = chip(folder);
    if let Some(name) =
        attribute(&folder.join("name")).map(|name| clean(&name)).filter(|name| !name.is_empty())
    {
        let help = "Annotation metric for human-readable chip names";
        out.gauge("node_hwmon_chip_names", help, &[("chip", &chip), ("chip_name", &name)], 1.0);
    }
    // Old drivers keep the sensors one folder further down.
    let mut files = entries(folder);
    files.extend(entries(&folder.join("device")));
    for (file, path) in files {
        let Some((sensor, kind)) = temperature_file(&file) else { continue };
        if kind == "label" {
            if let Some(label) = attribute(&path).filter(|label| !label.is_empty()) {
                let help = "Label for given chip and sensor";
                let labels = [("chip", chip.as_str()), ("sensor", sensor), ("label", &label)];
                out.gauge("node_hwmon_sensor_label", help, &labels, 1.0);
            }
            continue;
        }
        let Some((kind, name, help)) = TEMPERATURES.iter().find(|known| known.0 == kind) else { continue };
        let Some(value) = attribute_number(&path) else { continue };
        let value = if *kind == "alarm" { value as f64 } else { value as f64 / 1000.0 };
        out.gauge(name, help, &[("chip", &chip), ("sensor", sensor)], value);
    }
}

/// `temp12_input` is (`temp12`, `input`).
fn temperature_file(file: &str) -> Option<(&str, &str)> {
    let (sensor, kind) = file.split_once('_')?;
    let number = sensor.strip_prefix("temp")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((sensor, kind))
}

/// The name of a chip that stays the same over restarts: bus and device, else its own name, else `hwmonN`.
fn chip(folder: &Path) -> String {
    if let Ok(device) = folder.join("device").canonicalize() {
        let name = |path: Option<&Path>| clean(&path?.file_name()?.to_string_lossy()).into();
        let bus: Option<String> =
            device.join("subsystem").canonicalize().ok().and_then(|bus| name(Some(&bus)));
        let own: Option<String> = name(Some(&device));
        match (bus, own) {
            (Some(bus), Some(own)) if !bus.is_empty() && !own.is_empty() => return format!("{bus}_{own}"),
            (_, Some(own)) if !own.is_empty() => return own,
            _ => {}
        }
    }
    if let Some(name) =
        attribute(&folder.join("name")).map(|name| clean(&name)).filter(|name| !name.is_empty())
    {
        return name;
    }
    clean(&folder.file_name().unwrap_or_default().to_string_lossy())
}

/// Lower case; everything but letters, digits and `:` becomes `_`, and none of it stands at the ends.
fn clean(name: &str) -> String {
    let name: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == ':' { c } else { '_' })
        .collect();
    name.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_temperatures_are_sensors() {
        assert_eq!(temperature_file("temp1_input"), Some(("temp1", "input")));
        assert_eq!(temperature_file("temp2_crit_alarm"), Some(("temp2", "crit_alarm")));
        for other in ["temp_input", "tempx_input", "fan1_input", "temp1", "name", ""] {
            assert_eq!(temperature_file(other), None, "{other}");
        }
    }

    #[test]
    fn names_are_made_of_safe_characters() {
        assert_eq!(clean("0000:00:18.3"), "0000:00:18_3");
        assert_eq!(clean(" Core Temp! "), "core_temp");
        assert_eq!(clean("..."), "");
    }
}
