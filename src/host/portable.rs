//! What `sysinfo` gives on every system: load, boot time, memory, disks, file systems, networks, how busy CPUs are.
//!
//! On Linux the load and the boot time come from here. Elsewhere these collectors are all there is of `node_*`;
//! they are compiled into the tests of every system, so that they stay right.

use sysinfo::System;

#[cfg(any(test, not(all(target_os = "linux", not(logtally_portable)))))]
pub(crate) use elsewhere::{Cpu, Disk, Filesystem, Memory, Network, Stat};

/// Load averages of 1, 5 and 15 minutes.
pub(crate) fn load() -> Option<[f64; 3]> {
    let load = System::load_average().ok()?;
    Some([load.one, load.five, load.fifteen])
}

/// Seconds since 1970 at which the machine started.
pub(crate) fn boot_time() -> Option<f64> {
    System::boot_time().ok().map(|seconds| seconds as f64)
}

#[cfg(any(test, not(all(target_os = "linux", not(logtally_portable)))))]
mod elsewhere {
    use std::collections::HashSet;
    use std::time::Instant;

    use sysinfo::{DiskRefreshKind, Disks, Networks, System};

    use crate::host::batch::Batch;
    use crate::host::collect::{Collect, Tick};
    use crate::host::source::Failure;

    fn broken(error: impl std::fmt::Display) -> Failure {
        Failure::broken(format!("sysinfo: {error}"))
    }

    /// How busy all CPUs are, for the bursts; seconds by mode are told nowhere.
    #[derive(Debug, Default)]
    pub(crate) struct Cpu {
        system: Option<System>,
        last: Option<Instant>,
        busy: f64,
        total: f64,
    }

    impl Collect for Cpu {
        fn collect(&mut self, tick: &mut Tick<'_>, _out: &mut Batch) -> Result<(), Failure> {
            if self.system.is_none() {
                self.system = Some(System::new().map_err(broken)?);
            }
            let Some(system) = self.system.as_mut() else { return Err(Failure::Absent) };
            system.refresh_cpu_usage();
            // A share since the last refresh, of which the first is none.
            let share = f64::from(system.global_cpu_usage() / 100.0).clamp(0.0, 1.0);
            if let Some(last) = self.last.replace(tick.now) {
                let seconds = tick.now.saturating_duration_since(last).as_secs_f64();
                self.total += seconds;
                self.busy += seconds * share;
                tick.facts.cpu = Some((self.busy, self.total));
            }
            Ok(())
        }
    }

    /// Bytes that the mounted disks read and wrote.
    #[derive(Debug, Default)]
    pub(crate) struct Disk;

    impl Collect for Disk {
        fn collect(&mut self, _tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
            let kind = DiskRefreshKind::nothing().with_io_usage();
            let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(broken)?;
            let mut seen = HashSet::new();
            for disk in disks.iter() {
                let device = disk.name().to_string_lossy();
                if !seen.insert(device.clone().into_owned()) {
                    continue;
                }
                let usage = disk.usage();
                for (name, help, bytes) in [
                    (
                        "node_disk_read_bytes_total",
                        "The total number of bytes read successfully.",
                        usage.total_read_bytes,
                    ),
                    (
                        "node_disk_written_bytes_total",
                        "The total number of bytes written successfully.",
                        usage.total_written_bytes,
                    ),
                ] {
                    out.counter(name, help, &[("device", &device)], bytes as f64);
                }
            }
            Ok(())
        }
    }

    /// Totals of memory and swap.
    #[derive(Debug, Default)]
    pub(crate) struct Memory(Option<System>);

    impl Collect for Memory {
        fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
            if self.0.is_none() {
                self.0 = Some(System::new().map_err(broken)?);
            }
            let Some(system) = self.0.as_mut() else { return Err(Failure::Absent) };
            system.refresh_memory();
            let (total, available) = (system.total_memory(), system.available_memory());
            for (name, bytes) in [
                ("MemTotal_bytes", total),
                ("MemFree_bytes", system.free_memory()),
                ("MemAvailable_bytes", available),
                ("SwapTotal_bytes", system.total_swap()),
                ("SwapFree_bytes", system.free_swap()),
            ] {
                let help = format!("Memory information field {name}.");
                out.gauge(&format!("node_memory_{name}"), &help, &[], bytes as f64);
            }
            if total > 0 {
                tick.facts.memory_used = Some((1.0 - available as f64 / total as f64).clamp(0.0, 1.0));
            }
            Ok(())
        }
    }

    /// The boot time.
    #[derive(Debug, Default)]
    pub(crate) struct Stat;

    impl Collect for Stat {
        fn collect(&mut self, _tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
            let boot = System::boot_time().map_err(broken)?;
            out.gauge("node_boot_time_seconds", "Node boot time, in unixtime.", &[], boot as f64);
            Ok(())
        }
    }

    /// Sizes of the mounted disks.
    #[derive(Debug, Default)]
    pub(crate) struct Filesystem;

    impl Collect for Filesystem {
        fn collect(&mut self, _tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
            let disks = Disks::new_with_refreshed_list().map_err(broken)?;
            let mut seen = HashSet::new();
            for disk in disks.iter() {
                let (device, kind) = (disk.name().to_string_lossy(), disk.file_system().to_string_lossy());
                let point = disk.mount_point().to_string_lossy();
                let labels = [("device", device.as_ref()), ("fstype", &kind), ("mountpoint", &point)];
                if !seen.insert(format!("{labels:?}")) {
                    continue;
                }
                let readonly = f64::from(u8::from(disk.is_read_only()));
                for (name, help, value) in [
                    ("node_filesystem_size_bytes", "Filesystem size in bytes.", disk.total_space() as f64),
                    (
                        "node_filesystem_avail_bytes",
                        "Filesystem space available to non-root users in bytes.",
                        disk.available_space() as f64,
                    ),
                    ("node_filesystem_readonly", "Filesystem read-only status.", readonly),
                ] {
                    out.gauge(name, help, &labels, value);
                }
            }
            Ok(())
        }
    }

    /// Traffic of the network devices.
    #[derive(Debug, Default)]
    pub(crate) struct Network(Option<Networks>);

    impl Collect for Network {
        fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
            if self.0.is_none() {
                self.0 = Some(Networks::new().map_err(broken)?);
            }
            let Some(networks) = self.0.as_mut() else { return Err(Failure::Absent) };
            networks.refresh(true);
            for (device, data) in &*networks {
                let device = device.to_string_lossy();
                for (name, value) in [
                    ("receive_bytes", data.total_received()),
                    ("receive_packets", data.total_packets_received()),
                    ("receive_errs", data.total_errors_on_received()),
                    ("transmit_bytes", data.total_transmitted()),
                    ("transmit_packets", data.total_packets_transmitted()),
                    ("transmit_errs", data.total_errors_on_transmitted()),
                ] {
                    let help = format!("Network device statistic {name}.");
                    out.counter(
                        &format!("node_network_{name}_total"),
                        &help,
                        &[("device", &device)],
                        value as f64,
                    );
                }
                let (received, sent) = (data.total_received() as f64, data.total_transmitted() as f64);
                tick.facts.networks.push((device.into_owned(), received, sent));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
#[cfg(all(target_os = "linux", not(logtally_portable)))]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use prometheus::proto::MetricFamily;

    use crate::host::batch::Batch;
    use crate::host::collect::{Collect, Facts, Tick};
    use crate::host::source::Roots;
    use crate::host::{disk, memory, network, stat};

    fn families(collector: &mut dyn Collect) -> Vec<MetricFamily> {
        collect(collector, Instant::now()).0
    }

    fn collect(collector: &mut dyn Collect, now: Instant) -> (Vec<MetricFamily>, Facts) {
        let roots = Roots { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
        let mut facts = Facts::default();
        let mut tick = Tick {
            now,
            wall: SystemTime::now(),
            roots: &roots,
            facts: &mut facts,
            stat: &std::cell::OnceCell::new(),
            taken: &|_| false,
            remark: &mut None,
        };
        let mut out = Batch::default();
        collector.collect(&mut tick, &mut out).unwrap();
        (out.into_families(), facts)
    }

    /// Shares become seconds, for the bursts take differences; the first look has nothing to compare with.
    #[test]
    fn busy_seconds_add_up_and_are_no_more_than_went_by() {
        let (mut cpu, start) = (super::Cpu::default(), Instant::now());
        assert_eq!(collect(&mut cpu, start), (Vec::new(), Facts::default()));
        let (_, facts) = collect(&mut cpu, start + Duration::from_secs(2));
        let (busy, total) = facts.cpu.unwrap();
        assert!(total == 2.0 && (0.0..=2.0).contains(&busy), "{busy} of {total}");
        let later = collect(&mut cpu, start + Duration::from_secs(3)).1.cpu.unwrap();
        assert!(later.1 == 3.0 && (busy..=busy + 1.0).contains(&later.0));
    }

    fn find<'a>(families: &'a [MetricFamily], name: &str) -> &'a MetricFamily {
        families.iter().find(|family| family.name() == name).unwrap()
    }

    /// The kernel's files are the referee for what the library gives.
    #[test]
    fn the_library_agrees_with_the_kernel_files() {
        let (ours, theirs) = (families(&mut super::Memory::default()), families(&mut memory::Memory));
        for name in ["node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes"] {
            assert_eq!(find(&ours, name), find(&theirs, name));
        }
        let boot = "node_boot_time_seconds";
        assert_eq!(find(&families(&mut super::Stat), boot), find(&families(&mut stat::Stat), boot));
        let (ours, theirs) =
            (families(&mut super::Network::default()), families(&mut network::Network::default()));
        for family in &ours {
            let same = find(&theirs, family.name());
            assert_eq!(same.get_metric().len(), family.get_metric().len(), "{}", family.name());
        }
        for family in families(&mut super::Disk) {
            let same = find(&families(&mut disk::Disk::default()), family.name()).clone();
            assert_eq!((same.get_field_type(), same.help()), (family.get_field_type(), family.help()));
        }
        for family in families(&mut super::Filesystem) {
            assert!(family.get_metric().iter().all(|metric| metric.get_label().len() == 3));
        }
    }
}
