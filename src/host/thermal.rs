//! Thermal zones from `/sys/class/thermal`: one folder per zone in, degrees out.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{Failure, attribute, attribute_number, entries};

/// `node_thermal_zone_temp`, `node_cooling_device_*`.
#[derive(Debug, Default)]
pub(crate) struct Thermal;

impl Collect for Thermal {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let folder = tick.roots.sys("class/thermal");
        if !folder.is_dir() {
            return Err(Failure::Absent);
        }
        for (name, path) in entries(&folder) {
            let kind = attribute(&path.join("type")).unwrap_or_default();
            if let Some(zone) = name.strip_prefix("thermal_zone") {
                // A zone whose sensor sleeps refuses to be read; it just lacks its series.
                if let Some(temp) = attribute_number(&path.join("temp")) {
                    let labels = [("type", kind.as_str()), ("zone", zone)];
                    out.gauge(
                        "node_thermal_zone_temp",
                        "Zone temperature in Celsius",
                        &labels,
                        temp as f64 / 1000.0,
                    );
                }
            } else if let Some(device) = name.strip_prefix("cooling_device") {
                let labels = [("name", device), ("type", kind.as_str())];
                for (file, name, help) in [
                    (
                        "cur_state",
                        "node_cooling_device_cur_state",
                        "Current throttle state of the cooling device",
                    ),
                    (
                        "max_state",
                        "node_cooling_device_max_state",
                        "Maximum throttle state of the cooling device",
                    ),
                ] {
                    if let Some(state) = attribute_number(&path.join(file)) {
                        out.gauge(name, help, &labels, state as f64);
                    }
                }
            }
        }
        Ok(())
    }
}
