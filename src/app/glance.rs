//! The host at a glance, read off the families that a scrape would show.

use crate::web::status::{Filesystem, Host};
use prometheus::proto::{Metric, MetricFamily};

/// What the page says of the host; `None` where it is off.
pub(super) fn host(families: &[MetricFamily]) -> Option<Host> {
    let find = |name: &str| families.iter().find(|family| family.name() == name);
    let samples = |name: &str| find(name).map(|family| family.get_metric()).unwrap_or_default();
    let value = |name: &str| samples(name).first().map_or(0.0, number);
    let cpus = samples("node_cpu_seconds_total").iter().filter(|m| label(m, "mode") == "idle").count();
    let uname = samples("node_uname_info").first()?;
    let part = |free: f64, whole: f64| if whole > 0.0 { 1.0 - free / whole } else { 0.0 };
    let memory = value("node_memory_MemTotal_bytes");
    let swap = value("node_memory_SwapTotal_bytes");
    Some(Host {
        name: label(uname, "nodename").to_owned(),
        system: format!("{} {}", label(uname, "sysname"), label(uname, "release")),
        booted: value("node_boot_time_seconds"),
        cpus,
        cpu_used: value("logtally_host_cpu_utilization_last_ratio"),
        cpu_peak: value("logtally_host_cpu_utilization_max_ratio"),
        load: [value("node_load1"), value("node_load5"), value("node_load15")],
        memory_bytes: memory as u64,
        memory_used: part(value("node_memory_MemAvailable_bytes"), memory),
        swap_bytes: swap as u64,
        swap_used: part(value("node_memory_SwapFree_bytes"), swap),
        network: [0.0, 0.0],
        filesystems: filesystems(
            samples("node_filesystem_size_bytes"),
            samples("node_filesystem_avail_bytes"),
        ),
    })
}

fn filesystems(sizes: &[Metric], free: &[Metric]) -> Vec<Filesystem> {
    let of = |size: &Metric| {
        let mount = label(size, "mountpoint");
        let avail = free.iter().find(|m| label(m, "mountpoint") == mount).map_or(0.0, number);
        let bytes = number(size);
        let used = if bytes > 0.0 { 1.0 - avail / bytes } else { 0.0 };
        Filesystem { mount: mount.to_owned(), size: bytes as u64, used }
    };
    sizes.iter().map(of).filter(|filesystem| filesystem.size > 0).collect()
}

fn number(metric: &Metric) -> f64 {
    // One of the two is set; the other reads as 0.
    metric.get_gauge().get_value() + metric.get_counter().get_value()
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value())
}
