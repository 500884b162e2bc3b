//! What a system without `/proc` gives; run on Linux with `--cfg logtally_portable`.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use super::*;

/// All families of the docs' list, whatever machine this is: sysinfo knows a load, a memory and a boot time on each.
#[test]
fn what_sysinfo_knows_is_served_and_every_collector_succeeds() {
    let mut host = Host::new(Options::default()).unwrap();
    let (start, wall) = (Instant::now(), SystemTime::now());
    let notes = host.sample(start, wall);
    host.sample(start + Duration::from_secs(1), wall);
    host.sample(start + Duration::from_secs(2), wall);
    assert_eq!(notes, []);
    let families = host.snapshot().families();
    let names: BTreeSet<&str> = families.iter().map(|family| family.name()).collect();
    for name in [
        "node_load1",
        "node_boot_time_seconds",
        "node_time_seconds",
        "node_uname_info",
        "node_memory_MemTotal_bytes",
        "node_network_receive_bytes_total",
        "logtally_host_cpu_utilization_ratio",
        "logtally_host_memory_used_ratio",
        "logtally_collector_success",
    ] {
        assert!(names.contains(name), "{name} is missing: {names:?}");
    }
    for name in
        ["node_cpu_seconds_total", "node_vmstat_pgfault", "node_filefd_allocated", "node_processes_pids"]
    {
        assert!(!names.contains(name), "{name} comes from /proc");
    }
    let success = families.iter().find(|family| family.name() == "logtally_collector_success").unwrap();
    assert!(success.get_metric().iter().all(|metric| metric.get_gauge().get_value() == 1.0));
}

#[test]
fn process_groups_are_refused_in_words() {
    let group = ProcessGroup { name: "db".to_owned(), matching: "postgres".to_owned() };
    let refused = Host::new(Options { processes: vec![group], ..Options::default() }).unwrap_err();
    assert!(refused.contains("Linux only") && refused.contains("host.processes"), "{refused}");
}
