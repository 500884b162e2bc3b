//! Disk counters from `/proc/diskstats`: text in, one row of counters per device out.

use regex::Regex;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// node_exporter's default: no partitions, no RAM, loop or floppy disks.
const EXCLUDE: &str = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

/// The kernel counts in sectors of this size, whatever the disk has.
const SECTOR: f64 = 512.0;

/// One column of diskstats: name, help, factor to the base unit, and whether it is a level, not a counter.
struct Column(&'static str, &'static str, f64, bool);

const MS: f64 = 0.001;

/// The columns after the device name, in the kernel's order; newer ones stand at the end.
const COLUMNS: [Column; 17] = [
    Column("reads_completed_total", "The total number of reads completed successfully.", 1.0, false),
    Column("reads_merged_total", "The total number of reads merged.", 1.0, false),
    Column("read_bytes_total", "The total number of bytes read successfully.", SECTOR, false),
    Column("read_time_seconds_total", "The total number of seconds spent by all reads.", MS, false),
    Column("writes_completed_total", "The total number of writes completed successfully.", 1.0, false),
    Column("writes_merged_total", "The number of writes merged.", 1.0, false),
    Column("written_bytes_total", "The total number of bytes written successfully.", SECTOR, false),
    Column("write_time_seconds_total", "This is the total number of seconds spent by all writes.", MS, false),
    Column("io_now", "The number of I/Os currently in progress.", 1.0, true),
    Column("io_time_seconds_total", "Total seconds spent doing I/Os.", MS, false),
    Column("io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.", MS, false),
    Column("discards_completed_total", "The total number of discards completed successfully.", 1.0, false),
    Column("discards_merged_total", "The total number of discards merged.", 1.0, false),
    Column("discarded_sectors_total", "The total number of sectors discarded successfully.", 1.0, false),
    Column(
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        MS,
        false,
    ),
    Column("flush_requests_total", "The total number of flush requests completed successfully", 1.0, false),
    Column(
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        MS,
        false,
    ),
];

/// Position of the time that the device was busy.
const IO_TIME: usize = 9;
/// What even the oldest supported kernels write.
const LEAST_COLUMNS: usize = 11;

/// `node_disk_*`.
#[derive(Debug)]
pub(crate) struct Disk {
    exclude: Option<Regex>,
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { exclude: Regex::new(EXCLUDE).ok() }
    }
}

impl Collect for Disk {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let text = source::read(&tick.roots.proc("diskstats"))?;
        for (device, values) in parse(&text)? {
            if self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(device)) {
                continue;
            }
            for (Column(name, help, factor, level), value) in COLUMNS.iter().zip(&values) {
                let name = format!("node_disk_{name}");
                let value = scale(*value, *factor);
                if *level {
                    out.gauge(&name, help, &[("device", device)], value);
                } else {
                    out.counter(&name, help, &[("device", device)], value);
                }
            }
            if let Some(milliseconds) = values.get(IO_TIME) {
                tick.facts.disks.push((device.to_owned(), milliseconds * MS));
            }
        }
        Ok(())
    }
}

/// Milliseconds are divided, so that 45358 ms reads 45.358 and not 45.358000000000004.
fn scale(value: f64, factor: f64) -> f64 {
    if factor == MS { value / 1000.0 } else { value * factor }
}

/// Device and its columns, in the file's order. An empty file is a machine without disks.
fn parse(text: &str) -> Result<Vec<(&str, Vec<f64>)>, Failure> {
    let mut devices = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let Some(device) = fields.next() else {
            return Err(Failure::broken(format!("diskstats: no device in {line:?}")));
        };
        let values: Vec<f64> = fields
            .take(COLUMNS.len())
            .map(|field| source::number(field, "diskstats"))
            .collect::<Result<_, _>>()?;
        if values.len() < LEAST_COLUMNS {
            return Err(Failure::broken(format!("diskstats: only {} columns for {device}", values.len())));
        }
        devices.push((device, values));
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_kernels_columns_are_read() {
        let text =
            " 8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n 254 0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n";
        let devices = parse(text).unwrap();
        assert_eq!(devices[0].1.len(), 11);
        assert_eq!(devices[1].1.len(), 17);
        assert_eq!(devices[1].0, "vda");
    }

    #[test]
    fn partitions_are_left_out_and_whole_disks_kept() {
        let exclude = Regex::new(EXCLUDE).unwrap();
        for out in ["ram0", "loop7", "fd0", "sda1", "vdb12", "xvda1", "hda3", "nvme0n1p1"] {
            assert!(exclude.is_match(out), "{out}");
        }
        for kept in ["sda", "vda", "nvme0n1", "dm-0", "md127", "zram0", "mmcblk0p1", "sr0"] {
            assert!(!exclude.is_match(kept), "{kept}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_nothing_is_no_disk() {
        assert_eq!(parse("\n").unwrap(), []);
        for bad in ["8 0", "8 0 sda 1 2 3", "8 0 sda 1 2 3 4 5 6 7 8 9 10 x", "\u{0}"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
