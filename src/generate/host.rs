//! "Host": the machine under the programs, from `node_*` families and from logtally's own faster samples.

use super::board::{Board, Row, target_variables};
use super::panel::Panel;
use super::style::{BLUE, CYAN, GREEN, GREY, ORANGE, PURPLE, RED};
use serde_json::json;

/// A share that may fill up: fine, then a warning, then too much.
const FILLING: &[(Option<f64>, &str)] = &[(None, GREEN), (Some(0.8), ORANGE), (Some(0.9), RED)];

pub(super) fn board() -> Board {
    Board {
        uid: "logtally-host",
        title: "Host",
        description: "The machine under the programs: CPU, memory, disks, file systems and network, with bursts that a scrape alone cannot see.",
        from: "now-3h",
        variables: target_variables("node_uname_info"),
        rows: vec![
            Row::new("Now", tiles()),
            Row::new("CPU", cpu()),
            Row::new("Memory", memory()),
            Row::new("Disks", disks()),
            Row::new("File systems", filesystems()),
            Row::new("Network", network()),
            Row::new("Pressure and kernel", kernel()),
        ],
    }
}

fn tiles() -> Vec<Panel> {
    vec![
        Panel::stat("CPU", "Share of CPU time in use. Above 90 % for long, work waits: see the load and which mode it is below.")
            .query(r#"1 - avg(rate(node_cpu_seconds_total{@,mode="idle"}[@]))"#, "cpu")
            .unit("percentunit").decimals(1).steps(FILLING),
        Panel::stat("CPU peak", "The largest one-second sample of the last minute. Far above the average, the load comes in bursts that averages hide; users feel them as slow requests.")
            .query("max(logtally_host_cpu_utilization_max_ratio{@})", "peak")
            .unit("percentunit").decimals(1).no_value("node only").steps(FILLING),
        Panel::stat("Load per CPU", "Processes that run or wait, for each CPU. Above 1, work waits for CPU or disk; above 2 for long, the host is too small or stuck.")
            .query(r#"max(sum by (job, instance) (node_load1{@}) / count by (job, instance) (rate(node_cpu_seconds_total{@,mode="idle"}[@])))"#, "load")
            .unit("short").decimals(2).steps(&[(None, GREEN), (Some(1.0), ORANGE), (Some(2.0), RED)]),
        Panel::stat("Memory", "Share of memory that programs cannot have any more. Above 90 % the kernel soon swaps or kills: find the largest process.")
            .query("max(1 - node_memory_MemAvailable_bytes{@} / node_memory_MemTotal_bytes{@})", "memory")
            .unit("percentunit").decimals(1).steps(FILLING),
        Panel::stat("Fullest file system", "Share of the fullest writable file system. At 100 % programs fail to write, often first their logs: delete, rotate or grow.")
            .query("max(1 - node_filesystem_avail_bytes{@} / node_filesystem_size_bytes{@} unless node_filesystem_readonly{@} == 1)", "full")
            .unit("percentunit").decimals(1).steps(FILLING),
        Panel::stat("Busiest disk", "Share of time in which the busiest disk worked. Near 100 % with rising latency it is the limit; see the row Disks.")
            .query("max(rate(node_disk_io_time_seconds_total{@}[@]))", "busy")
            .unit("percentunit").decimals(1).steps(FILLING),
        Panel::stat("Memory kills", "Processes that the kernel killed for memory in the time range. Any is serious: the log of the kernel names the process; give it less to do or more memory.")
            .instant("round(sum(increase(node_vmstat_oom_kill{@}[$__range])))", "kills")
            .unit("short").option("graphMode", json!("none")).steps(&[(None, GREEN), (Some(1.0), RED)]),
        Panel::stat("Uptime", "Time since the youngest selected host booted. Shorter than you expect: it crashed or was restarted.")
            .query("min(time() - node_boot_time_seconds{@})", "uptime")
            .unit("s").decimals(0).option("graphMode", json!("none")).steps(&[(None, ORANGE), (Some(3600.0), GREEN)]),
    ]
}

fn cpu() -> Vec<Panel> {
    vec![
        Panel::timeseries("CPU by mode", "What CPU time goes to. Much iowait: the disk is the limit; much steal: the hypervisor gives you less than you pay for; much system or softirq: network or kernel work.")
            .query(r#"sum by (mode) (rate(node_cpu_seconds_total{@,mode!="idle"}[@])) / on () group_left () sum(rate(node_cpu_seconds_total{@}[@]))"#, "{{mode}}")
            .unit("percentunit").max(1.0).stacked()
            .colour("user", BLUE).colour("system", ORANGE).colour("iowait", RED).colour("steal", PURPLE)
            .colour("nice", GREEN).colour("softirq", CYAN).colour("irq", GREY).legend_right().size(12, 9),
        Panel::timeseries("CPU use: average and peak", "Average use and the largest one-second sample of each minute. A wide gap means short bursts: they delay requests although the average looks idle.")
            .query(r#"1 - avg(rate(node_cpu_seconds_total{@,mode="idle"}[@]))"#, "average")
            .query("max(max_over_time(logtally_host_cpu_utilization_max_ratio{@}[@]))", "peak second")
            .unit("percentunit").max(1.0).colour("average", BLUE).colour("peak second", ORANGE).size(12, 9),
        Panel::timeseries("Load", "Load of 1, 5 and 15 minutes against the number of CPUs. Long above the dashed line, work waits.")
            .query("sum(node_load1{@})", "1 min").query("sum(node_load5{@})", "5 min").query("sum(node_load15{@})", "15 min")
            .query(r#"count(rate(node_cpu_seconds_total{@,mode="idle"}[@]))"#, "CPUs")
            .unit("short").decimals(2).reference("CPUs").size(8, 8),
        Panel::heatmap("CPU samples", "How many one-second samples fell into each band of CPU use. Two separate bands are work in bursts; a thin line near 100 % is saturation, even where the average looks fine.", "percentunit")
            .buckets("sum by (le) (increase(logtally_host_cpu_utilization_ratio_bucket{@}[@]))")
            .unit("short").size(8, 8),
        Panel::timeseries("Time saturated", "Share of one-second samples above 90 % and above 99 % CPU use. This is how often the host had nothing left to give.")
            .query(r#"1 - sum(rate(logtally_host_cpu_utilization_ratio_bucket{@,le="0.9"}[@])) / (sum(rate(logtally_host_cpu_utilization_ratio_count{@}[@])) > 0)"#, "above 90 %")
            .query(r#"1 - sum(rate(logtally_host_cpu_utilization_ratio_bucket{@,le="0.99"}[@])) / (sum(rate(logtally_host_cpu_utilization_ratio_count{@}[@])) > 0)"#, "above 99 %")
            .unit("percentunit").max(1.0).colour("above 90 %", ORANGE).colour("above 99 %", RED).no_value("node only").size(8, 8),
    ]
}

fn memory() -> Vec<Panel> {
    vec![
        Panel::timeseries("Memory", "What memory is used for. Caches are given back when programs need them; \"used\" that only climbs is a leak.")
            .query("sum(node_memory_MemTotal_bytes{@} - node_memory_MemFree_bytes{@} - node_memory_Buffers_bytes{@} - node_memory_Cached_bytes{@} - node_memory_SReclaimable_bytes{@})", "used")
            .query("sum(node_memory_Cached_bytes{@} + node_memory_SReclaimable_bytes{@})", "cache")
            .query("sum(node_memory_Buffers_bytes{@})", "buffers")
            .query("sum(node_memory_MemFree_bytes{@})", "free")
            .unit("bytes").stacked().colour("used", BLUE).colour("cache", CYAN).colour("buffers", PURPLE).colour("free", "#54606D").legend_right().size(12, 9),
        Panel::timeseries("Memory in use", "Share of memory that programs cannot have any more, average and peak sample. Above 90 % the kernel soon swaps or kills.")
            .query("max(1 - node_memory_MemAvailable_bytes{@} / node_memory_MemTotal_bytes{@})", "now")
            .query("max(max_over_time(logtally_host_memory_used_max_ratio{@}[@]))", "peak second")
            .unit("percentunit").max(1.0).colour("now", BLUE).colour("peak second", ORANGE)
            .limits(&[(None, "transparent"), (Some(0.9), RED)]).size(6, 9),
        Panel::timeseries("Swap and page faults", "Swap in use, and pages a second that had to be read from disk. Faults by the hundreds mean that programs wait for their own memory: add memory or start fewer.")
            .query("sum(node_memory_SwapTotal_bytes{@} - node_memory_SwapFree_bytes{@})", "swap used")
            .query("sum(rate(node_vmstat_pgmajfault{@}[@]))", "major faults")
            .unit("short")
            .field("swap used", &[("unit", json!("bytes")), ("custom.axisPlacement", json!("right"))]).size(6, 9),
    ]
}

fn disks() -> Vec<Panel> {
    vec![
        Panel::timeseries("Throughput", "Bytes a second, reads above and writes below the axis. A flat top is the limit of the disk or of the volume you rent.")
            .query("sum by (device) (rate(node_disk_read_bytes_total{@}[@]))", "{{device}} read")
            .query("sum by (device) (rate(node_disk_written_bytes_total{@}[@]))", "{{device}} write")
            .unit("Bps").below("/write$/").size(8, 8),
        Panel::timeseries("Operations", "Reads and writes completed a second, writes below the axis. Many small ones wear a disk out before its throughput does.")
            .query("sum by (device) (rate(node_disk_reads_completed_total{@}[@]))", "{{device}} read")
            .query("sum by (device) (rate(node_disk_writes_completed_total{@}[@]))", "{{device}} write")
            .unit("iops").below("/write$/").size(8, 8),
        Panel::timeseries("Latency", "Average time of a read and of a write. Above 10 ms on flash or 50 ms on spinning disks, programs feel it.")
            .query("sum by (device) (rate(node_disk_read_time_seconds_total{@}[@])) / (sum by (device) (rate(node_disk_reads_completed_total{@}[@])) > 0)", "{{device}} read")
            .query("sum by (device) (rate(node_disk_write_time_seconds_total{@}[@])) / (sum by (device) (rate(node_disk_writes_completed_total{@}[@])) > 0)", "{{device}} write")
            .unit("s").no_value("idle").size(8, 8),
        Panel::timeseries("Busy", "Share of time in which a disk had work, average and peak second. Parallel disks can be busy all the time and still be fast: read it together with latency.")
            .query("max by (device) (rate(node_disk_io_time_seconds_total{@}[@]))", "{{device}}")
            .query("max by (device) (max_over_time(logtally_host_disk_busy_max_ratio{@}[@]))", "{{device}} peak")
            .unit("percentunit").max(1.0).size(12, 8),
        Panel::timeseries("Queue", "Requests waiting or in work, on average. Above 10 for long, the disk cannot keep up: find the writer, or spread the load.")
            .query("max by (device) (rate(node_disk_io_time_weighted_seconds_total{@}[@]))", "{{device}}")
            .unit("short").decimals(2).size(12, 8),
    ]
}

fn filesystems() -> Vec<Panel> {
    let used =
        "max by (instance, mountpoint) (1 - node_filesystem_avail_bytes{@} / node_filesystem_size_bytes{@})";
    vec![
        Panel::bars("In use", "How full each file system is. Above 90 % make room: the logs and caches first.")
            .instant(used, "{{mountpoint}} {{instance}}").unit("percentunit").decimals(1).max(1.0).steps(FILLING).size(7, 8),
        Panel::timeseries("In use over time", "How full each file system is, over time. The slope tells how long it will last.")
            .query(used, "{{mountpoint}} {{instance}}").unit("percentunit").max(1.0)
            .limits(&[(None, "transparent"), (Some(0.9), RED)]).size(7, 8),
        Panel::table("Space and forecast", "Free space now, what would be free in a day if the last six hours go on, and free inodes. A negative forecast is a full disk tomorrow; few inodes are too many small files.")
            .column("sum by (instance, mountpoint) (node_filesystem_avail_bytes{@})")
            .column("sum by (instance, mountpoint) (predict_linear(node_filesystem_avail_bytes{@}[6h], 86400))")
            .column("min by (instance, mountpoint) (node_filesystem_files_free{@} / (node_filesystem_files{@} > 0))")
            .columns(&[("mountpoint", "Mount point"), ("instance", "Instance"), ("Value #A", "Free"), ("Value #B", "In a day"), ("Value #C", "Inodes free")], "Free")
            .unit("bytes").decimals(1).no_value("-")
            .field("In a day", &[("custom.width", json!(90)), ("custom.cellOptions", json!({"type": "color-text"})), ("thresholds", json!({"mode": "absolute", "steps": [{"color": RED, "value": null}, {"color": GREEN, "value": 0}]}))])
            .field("Inodes free", &[("unit", json!("percentunit")), ("custom.width", json!(105))])
            .field("Free", &[("custom.width", json!(80))])
            .size(10, 8),
    ]
}

fn network() -> Vec<Panel> {
    vec![
        Panel::timeseries("Throughput", "Bytes a second, received above and sent below the axis. Compare a flat top with the speed of the link.")
            .query(r#"sum by (device) (rate(node_network_receive_bytes_total{@,device!="lo"}[@]))"#, "{{device}} in")
            .query(r#"sum by (device) (rate(node_network_transmit_bytes_total{@,device!="lo"}[@]))"#, "{{device}} out")
            .unit("Bps").below("/out$/").size(8, 8),
        Panel::timeseries("Peak second", "The largest one-second sample of each minute. Bursts that reach the speed of the link lose packets although the average is low.")
            .query("max by (device, direction) (max_over_time(logtally_host_network_max_bytes_per_second{@}[@]))", "{{device}} {{direction}}")
            .unit("Bps").no_value("node only").size(8, 8),
        Panel::timeseries("Errors and drops", "Packets a second that were damaged or dropped. Errors are cables, cards or drivers; drops are queues that overflow. Both should be zero.")
            .query("sum by (device) (rate(node_network_receive_errs_total{@}[@]) + rate(node_network_transmit_errs_total{@}[@]))", "{{device}} errors")
            .query("sum by (device) (rate(node_network_receive_drop_total{@}[@]) + rate(node_network_transmit_drop_total{@}[@]))", "{{device}} drops")
            .unit("pps").size(8, 8),
    ]
}

fn kernel() -> Vec<Panel> {
    vec![
        Panel::timeseries("Pressure", "Share of time in which some task waited for CPU, memory or disk. It is the shortest answer to \"what is the bottleneck\": above 10 % users notice.")
            .query("max(rate(node_pressure_cpu_waiting_seconds_total{@}[@]))", "cpu")
            .query("max(rate(node_pressure_memory_waiting_seconds_total{@}[@]))", "memory")
            .query("max(rate(node_pressure_io_waiting_seconds_total{@}[@]))", "disk")
            .unit("percentunit").no_value("kernel without PSI").colour("cpu", BLUE).colour("memory", PURPLE).colour("disk", ORANGE).size(8, 8),
        Panel::timeseries("Processes", "Processes that run and that are stuck in the kernel. Blocked ones wait for a disk or a network file system; many for long is an outage of that.")
            .query("sum(node_procs_running{@})", "running").query("sum(node_procs_blocked{@})", "blocked")
            .unit("short").colour("running", GREEN).colour("blocked", RED).size(8, 8),
        Panel::timeseries("Interrupts and switches", "Context switches and interrupts a second. A jump without more work is a program that wakes itself needlessly, or a device in trouble.")
            .query("sum(rate(node_context_switches_total{@}[@]))", "context switches")
            .query("sum(rate(node_intr_total{@}[@]))", "interrupts")
            .unit("ops").size(8, 8),
        Panel::timeseries("Tables of the kernel", "Share of open files and of tracked connections against their limits. Near 100 % new connections or files fail: find the leak or raise the limit.")
            .query("max(node_filefd_allocated{@} / node_filefd_maximum{@})", "open files")
            .query("max(node_nf_conntrack_entries{@} / node_nf_conntrack_entries_limit{@})", "connections")
            .unit("percentunit").decimals(2).limits(&[(None, "transparent"), (Some(0.75), RED)]).size(8, 8),
        Panel::timeseries("Sockets", "TCP sockets in use and waiting to be forgotten. Many waiting are short connections: keep them alive instead.")
            .query("sum(node_sockstat_TCP_inuse{@})", "in use").query("sum(node_sockstat_TCP_tw{@})", "time wait")
            .unit("short").size(8, 8),
        Panel::timeseries("Clock", "How far the clock is off, and the error that the kernel thinks possible. Beyond 50 ms logs of several hosts no longer line up: look at the time service.")
            .query("max(abs(node_timex_offset_seconds{@}))", "offset")
            .query("max(node_timex_maxerror_seconds{@})", "possible error")
            .unit("s").reference("possible error").size(8, 8),
    ]
}
