//! "Exporter": is logtally itself well, does it read everything, and what does it cost?

use super::board::{Board, Row, label_variable, target_variables};
use super::panel::Panel;
use super::style::{BLUE, GREEN, ORANGE, RED};
use serde_json::{Value, json};

/// Narrows `up` and `process_*`, which every target has, to the targets that are logtally.
const OURS: &str = "and on (job, instance) last_over_time(logtally_build_info{@}[$__range])";

pub(super) fn board() -> Board {
    let mut variables = target_variables("logtally_build_info");
    variables.push(label_variable("input", "Input", "logtally_files"));
    Board {
        uid: "logtally-exporter",
        title: "Exporter",
        description: "Whether logtally is well, reads everything it should, and what that costs.",
        from: "now-3h",
        variables,
        rows: vec![
            Row::new("Health", health()),
            Row::new("Completeness", completeness()),
            Row::new("Counts made durable", store()),
            Row::new("Series and rules", series()),
            Row::new("Cost", cost()),
            Row::new("Host collectors", collectors()),
        ],
    }
}

/// 1 is good, 0 is not.
fn works(good: &str, bad: &str) -> Value {
    json!([{"type": "value", "options": {"0": {"text": bad, "color": RED, "index": 0}, "1": {"text": good, "color": GREEN, "index": 1}}}])
}

fn health() -> Vec<Panel> {
    let good_or_bad: &[(Option<f64>, &str)] = &[(None, RED), (Some(1.0), GREEN)];
    let none_is_good: &[(Option<f64>, &str)] = &[(None, GREEN), (Some(1.0), ORANGE)];
    vec![
        Panel::stat("Up", "Whether the last scrape of every selected instance worked. If not: is the process running, is the port open to Prometheus, does the scrape time out?")
            .query(&format!("min(up{{@}} {OURS})"), "up")
            .unit("short").set("mappings", works("all up", "down")).steps(good_or_bad),
        Panel::stat("Store", "Whether counts can be made durable. If not: the disk is full, read-only or the folder is not writable; counts wait in memory, and a crash now would read files again.")
            .query("min(logtally_store_up{@})", "store")
            .unit("short").set("mappings", works("works", "failing")).steps(good_or_bad),
        Panel::stat("Last reload", "Whether the configuration was understood when it was last loaded. If not, the exporter runs on the one before: `logtally check` tells what is wrong.")
            .query("min(logtally_config_last_reload_successful{@})", "reload")
            .unit("short").set("mappings", works("good", "failed")).steps(good_or_bad),
        Panel::stat("Collectors failing", "Host collectors whose last run failed. The row Host collectors names them; the exporter's own log says why.")
            .query("count(logtally_collector_success{@} == 0) or vector(0)", "failing")
            .unit("short").decimals(0).steps(none_is_good),
        Panel::stat("Bytes lost", "Bytes that could not be counted in the time range. 0 proves that every count is complete; the row Completeness tells the reason of others.")
            .instant("round(sum(increase(logtally_lost_bytes_total{@input}[$__range])))", "lost")
            .unit("bytes").option("graphMode", json!("none")).steps(&[(None, GREEN), (Some(1.0), RED)]),
        Panel::stat("File errors", "Failed attempts to open or read a file in the time range, but for files that were missing, as between a rotation and the first new line. Mostly rights: the exporter's user must be allowed to read the log and to enter its folder.")
            .instant("round(sum(increase(logtally_file_errors_total{@input,reason!=\"missing\"}[$__range])))", "errors")
            .unit("short").option("graphMode", json!("none")).steps(none_is_good),
        Panel::stat("Uptime", "Time since the youngest selected instance started. A value that keeps falling back is a crash loop: look into the service manager's journal.")
            .query(&format!("time() - max(process_start_time_seconds{{@}} {OURS})"), "uptime")
            .unit("s").decimals(0).option("graphMode", json!("none")).steps(&[(None, ORANGE), (Some(600.0), GREEN)]),
        Panel::stat("Series", "Series that the exporter holds. Every one costs memory here and in Prometheus; the row Series and rules shows which metric has most.")
            .query("sum(logtally_series{@})", "series")
            .unit("short").decimals(0).steps(&[(None, BLUE), (Some(50_000.0), ORANGE), (Some(200_000.0), RED)]),
        Panel::table("Instances", "The version that each instance runs. Mixed versions are normal during an update and a mistake afterwards.")
            .column("max by (job, instance, version, revision) (logtally_build_info{@})")
            .column("sum by (job, instance) (logtally_files{@input})")
            .column("time() - max by (job, instance) (logtally_config_last_reload_success_timestamp_seconds{@})")
            .columns(&[("instance", "Instance"), ("job", "Job"), ("version", "Version"), ("revision", "Revision"), ("Value #B", "Files"), ("Value #C", "Config loaded"), ("Value #A", "Build")], "Instance")
            .unit("short").decimals(0)
            .field("Build", &[("custom.hidden", json!(true))])
            .field("Job", &[("custom.width", json!(90))]).field("Version", &[("custom.width", json!(80))]).field("Revision", &[("custom.width", json!(120))]).field("Files", &[("custom.width", json!(60))])
            .field("Config loaded", &[("unit", json!("s"))])
            .size(12, 6),
        Panel::states("Scrapes", "Whether each instance could be scraped, over time. Red at regular distances is a scrape that times out; red after a change is a target that moved.")
            .query(&format!("max by (instance) (up{{@}} {OURS})"), "{{instance}}")
            .unit("short").set("mappings", works("up", "down")).steps(good_or_bad)
            .size(12, 6),
    ]
}

fn completeness() -> Vec<Panel> {
    vec![
        Panel::timeseries("Lost bytes by reason", "Bytes in five minutes that could not be counted. `truncated`: the file was cut before it was read; `rotated_unread`: it went away unread; `decode`: an archive was damaged. Rotate later, or without copytruncate.")
            .query("sum by (reason) (increase(logtally_lost_bytes_total{@input}[5m]))", "{{reason}}")
            .unit("bytes").size(8, 8),
        Panel::timeseries("File errors by reason", "Failed attempts in five minutes. `permission`: give the exporter's user the right to read; `missing`: the file went away while it was needed; `read`: look at the disk.")
            .query("sum by (reason) (increase(logtally_file_errors_total{@input}[5m]))", "{{reason}}")
            .unit("short").size(8, 8),
        Panel::timeseries("Unread bytes", "Bytes that wait to be read, by instance. Rising without end: the reader is slower than the writers; see the row Cost for rules that take long.")
            .query("sum by (instance) (log_file_unread_bytes{@input})", "{{instance}}")
            .unit("bytes").size(8, 8),
        Panel::timeseries("Files by input", "Files that are followed, by input. A step down is a folder that went away or a glob that no longer matches; a rise without end is a program that never deletes its logs.")
            .query("sum by (input) (logtally_files{@input})", "{{input}}")
            .unit("short").size(8, 8),
        Panel::timeseries("Rotations and truncations", "Files replaced or cut in five minutes. Truncations come from `copytruncate` and can lose lines that were written in between: prefer rotation by rename.")
            .query("sum(increase(logtally_rotations_total{@input}[5m]))", "rotations")
            .query("sum(increase(logtally_truncations_total{@input}[5m]))", "truncations")
            .unit("short").decimals(1).size(8, 8),
        Panel::timeseries("Paths without a file and long lines", "Configured paths that match nothing now, and lines longer than the limit in the last five minutes. The first is a typing error or a program that has not started; the second is data in a log: raise `limits.line_bytes` if you need it counted whole.")
            .query("sum by (input) (logtally_unmatched_paths{@input})", "no file: {{input}}")
            .query("sum by (input) (increase(logtally_truncated_lines_total{@input}[5m]))", "long lines: {{input}}")
            .unit("short").size(8, 8),
    ]
}

fn store() -> Vec<Panel> {
    vec![
        Panel::timeseries("Commit time", "How long it takes to make counts durable, by quantile. It is part of every scrape: over a second, the disk is busy or slow; move `storage` to another one.")
            .query("histogram_quantile(0.5, sum by (le) (rate(logtally_commit_seconds_bucket{@}[@])))", "median")
            .query("histogram_quantile(0.99, sum by (le) (rate(logtally_commit_seconds_bucket{@}[@])))", "99 %")
            .unit("s").no_value("no commits").size(8, 8),
        Panel::heatmap("Commits by duration", "Commits by how long they took. A band that wanders upwards is a store that grows or a disk that slows down.", "s")
            .buckets("sum by (le) (increase(logtally_commit_seconds_bucket{@}[@]))")
            .unit("short").size(8, 8),
        Panel::timeseries("Commits and failures", "Commits a second and those that failed. Any failure: look at free space and rights of the storage folder; counts are kept in memory until a commit succeeds.")
            .query("sum(rate(logtally_commit_seconds_count{@}[@]))", "commits")
            .query("sum(rate(logtally_commit_failures_total{@}[@]))", "failures")
            .unit("cps").colour("commits", BLUE).colour("failures", RED).size(8, 8),
    ]
}

fn series() -> Vec<Panel> {
    vec![
        Panel::timeseries("Series by metric", "Series held, the ten largest metrics. A metric that climbs towards `limits.series_per_metric` has a label with too many values: take it from the rule or map it to few.")
            .query("topk(10, sum by (metric) (logtally_series{@}))", "{{metric}}")
            .unit("short").size(8, 8),
        Panel::timeseries("Overflow and unusable values", "Increments a second that went to the `__other__` series because a metric is full, and captured values that were no number. Both point at one rule: its labels, or its `value`. Starts of spans that were given up point at its `key` or `timeout`.")
            .query("sum by (metric) (rate(logtally_series_overflow_total{@}[@]))", "overflow: {{metric}}")
            .query("sum by (metric) (rate(logtally_value_errors_total{@}[@]))", "no number: {{metric}}")
            .query("sum by (rule, reason) (rate(logtally_spans_dropped_total{@}[@])) > 0", "given up: {{rule}} ({{reason}})")
            .unit("cps").no_value("none").size(8, 8),
        Panel::timeseries("Time by rule", "Share of one CPU that confirming each rule takes, the ten dearest. One far above the others has a pattern that almost every line might match: `logtally check` says why it is slow.")
            .query("topk(10, sum by (rule) (rate(logtally_rule_seconds_total{@}[@])))", "{{rule}}")
            .unit("percentunit").decimals(2).no_value("no rules").size(8, 8),
    ]
}

fn cost() -> Vec<Panel> {
    vec![
        Panel::timeseries("Read throughput", "Bytes of logs read a second, by instance. It is what the writers write; a flat top with unread bytes is the reader's limit.")
            .query("sum by (instance) (rate(log_bytes_total{@input}[@]))", "{{instance}}")
            .unit("Bps").size(8, 8),
        Panel::timeseries("CPU", "CPUs in use by the exporter. It grows with the bytes read and the rules that match; a full CPU at low throughput is a slow rule: see Time by rule.")
            .query(&format!("rate(process_cpu_seconds_total{{@}}[@]) {OURS}"), "{{instance}}")
            .unit("percentunit").decimals(1).size(8, 8),
        Panel::timeseries("Memory", "Resident memory of the exporter. It follows files and series and should be flat; if it climbs for days with neither, report it.")
            .query(&format!("process_resident_memory_bytes{{@}} {OURS}"), "{{instance}}")
            .unit("bytes").size(8, 8),
        Panel::timeseries("Scrape duration", "How long Prometheus waits for a scrape, commit included. Near the scrape timeout (10 s unless you set it) samples go missing.")
            .query(&format!("scrape_duration_seconds{{@}} {OURS}"), "{{instance}}")
            .unit("s").size(8, 8),
        Panel::timeseries("Samples per scrape", "Samples in a scrape. It is what Prometheus stores each time; a jump is a label that got many values: see Series by metric.")
            .query(&format!("scrape_samples_scraped{{@}} {OURS}"), "{{instance}}")
            .unit("short").size(8, 8),
        Panel::timeseries("Open files", "Open file descriptors and the limit. Each followed file needs one; near the limit raise `LimitNOFILE` of the service.")
            .query(&format!("process_open_fds{{@}} {OURS}"), "{{instance}}")
            .query(&format!("min(process_max_fds{{@}} {OURS})"), "limit")
            .unit("short").reference("limit").custom("scaleDistribution", json!({"type": "log", "log": 10})).size(8, 8),
    ]
}

fn collectors() -> Vec<Panel> {
    vec![
        Panel::states("Collectors", "Whether each host collector works. Red: its files under /proc or /sys cannot be read, often because a container does not mount them; the exporter's log names the file.")
            .query("min by (collector) (logtally_collector_success{@})", "{{collector}}")
            .unit("short").set("mappings", works("works", "failing")).steps(&[(None, RED), (Some(1.0), GREEN)]).size(12, 10),
        Panel::timeseries("Collector duration", "How long each host collector takes, the ten slowest. A file system that hangs shows here first.")
            .query("topk(10, max by (collector) (logtally_collector_duration_seconds{@}))", "{{collector}}")
            .unit("s").size(12, 10),
    ]
}
