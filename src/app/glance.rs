//! The host at a glance, read off the families that a scrape would show; rates from one look to the next.

use crate::web::status::{Filesystem, Host};
use prometheus::proto::{Metric, MetricFamily};

/// What the last look saw, for rates.
#[derive(Debug, Default)]
pub(super) struct Glance {
    last: Option<Seen>,
    /// The rates of the last look that was far enough from the one before.
    rates: (f64, [f64; 2]),
}

/// Counters at one moment.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: f64,
    /// CPU seconds, all and idle.
    cpu: [f64; 2],
    /// Bytes received and transmitted.
    network: [f64; 2],
}

impl Glance {
    /// What the page says of the host; `None` where it is off.
    pub(super) fn host(&mut self, families: &[MetricFamily]) -> Option<Host> {
        let families = Families(families);
        let uname = families.samples("node_uname_info").first()?;
        self.look(&families);
        let part = |free: f64, whole: f64| if whole > 0.0 { 1.0 - free / whole } else { 0.0 };
        let memory = families.value("node_memory_MemTotal_bytes");
        let swap = families.value("node_memory_SwapTotal_bytes");
        let is_idle = |metric: &&Metric| label(metric, "mode") == "idle";
        Some(Host {
            name: label(uname, "nodename").to_owned(),
            system: format!("{} {}", label(uname, "sysname"), label(uname, "release")),
            booted: families.value("node_boot_time_seconds"),
            cpus: families.samples("node_cpu_seconds_total").iter().filter(is_idle).count(),
            cpu_used: self.rates.0,
            cpu_peak: families.value("logtally_host_cpu_utilization_max_ratio"),
            load: ["node_load1", "node_load5", "node_load15"].map(|name| families.value(name)),
            memory_bytes: memory as u64,
            memory_used: part(families.value("node_memory_MemAvailable_bytes"), memory),
            swap_bytes: swap as u64,
            swap_used: part(families.value("node_memory_SwapFree_bytes"), swap),
            network: self.rates.1,
            filesystems: families.filesystems(),
        })
    }

    fn look(&mut self, families: &Families<'_>) {
        let seen = families.seen();
        let Some(last) = self.last else {
            self.last = Some(seen);
            return;
        };
        let seconds = seen.at - last.at;
        let cpu = seen.cpu[0] - last.cpu[0];
        // The sampler reads once a second: two looks closer than that see the same numbers.
        if seconds < 0.9 || cpu <= 0.0 {
            return;
        }
        let used = (1.0 - (seen.cpu[1] - last.cpu[1]) / cpu).clamp(0.0, 1.0);
        let rate = |way: usize| ((seen.network[way] - last.network[way]) / seconds).max(0.0);
        self.rates = (used, [rate(0), rate(1)]);
        self.last = Some(seen);
    }
}

struct Families<'a>(&'a [MetricFamily]);

impl<'a> Families<'a> {
    fn samples(&self, name: &str) -> &'a [Metric] {
        self.0
            .iter()
            .find(|family| family.name() == name)
            .map(|family| family.get_metric())
            .unwrap_or_default()
    }

    fn value(&self, name: &str) -> f64 {
        self.samples(name).first().map_or(0.0, number)
    }

    fn seen(&self) -> Seen {
        let sum = |name: &str, of: &dyn Fn(&Metric) -> bool| {
            self.samples(name).iter().filter(|metric| of(metric)).map(number).sum::<f64>()
        };
        let real = |metric: &Metric| label(metric, "device") != "lo";
        Seen {
            at: self.value("node_time_seconds"),
            cpu: [
                sum("node_cpu_seconds_total", &|_| true),
                sum("node_cpu_seconds_total", &|metric| label(metric, "mode") == "idle"),
            ],
            network: [
                sum("node_network_receive_bytes_total", &real),
                sum("node_network_transmit_bytes_total", &real),
            ],
        }
    }

    fn filesystems(&self) -> Vec<Filesystem> {
        let free = self.samples("node_filesystem_avail_bytes");
        let of = |size: &Metric| {
            let mount = label(size, "mountpoint");
            let avail = free.iter().find(|metric| label(metric, "mountpoint") == mount).map_or(0.0, number);
            let bytes = number(size);
            let used = if bytes > 0.0 { 1.0 - avail / bytes } else { 0.0 };
            Filesystem { mount: mount.to_owned(), size: bytes as u64, used }
        };
        let sizes = self.samples("node_filesystem_size_bytes");
        sizes.iter().map(of).filter(|filesystem| filesystem.size > 0).collect()
    }
}

fn number(metric: &Metric) -> f64 {
    // One of the two is set; the other reads as 0.
    metric.get_gauge().get_value() + metric.get_counter().get_value()
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value())
}
