//! The metric names that a PromQL expression reads, and the lists they must stand in.

use crate::tally::catalog;
use crate::tally::exposition::Kind;
use std::collections::BTreeSet;

/// Prometheus' own.
const PROMETHEUS: &[&str] = &["up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"];

/// The host's families that dashboards and alerts read; all are node_exporter's.
const NODE: &[&str] = &[
    "node_boot_time_seconds",
    "node_context_switches_total",
    "node_cpu_seconds_total",
    "node_disk_io_time_seconds_total",
    "node_disk_io_time_weighted_seconds_total",
    "node_disk_read_bytes_total",
    "node_disk_read_time_seconds_total",
    "node_disk_reads_completed_total",
    "node_disk_write_time_seconds_total",
    "node_disk_writes_completed_total",
    "node_disk_written_bytes_total",
    "node_filefd_allocated",
    "node_filefd_maximum",
    "node_filesystem_avail_bytes",
    "node_filesystem_device_error",
    "node_filesystem_files",
    "node_filesystem_files_free",
    "node_filesystem_readonly",
    "node_filesystem_size_bytes",
    "node_intr_total",
    "node_load1",
    "node_load15",
    "node_load5",
    "node_memory_Buffers_bytes",
    "node_memory_Cached_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemFree_bytes",
    "node_memory_MemTotal_bytes",
    "node_memory_SReclaimable_bytes",
    "node_memory_SwapFree_bytes",
    "node_memory_SwapTotal_bytes",
    "node_network_receive_bytes_total",
    "node_network_receive_drop_total",
    "node_network_receive_errs_total",
    "node_network_receive_packets_total",
    "node_network_transmit_bytes_total",
    "node_network_transmit_drop_total",
    "node_network_transmit_errs_total",
    "node_network_transmit_packets_total",
    "node_nf_conntrack_entries",
    "node_nf_conntrack_entries_limit",
    "node_pressure_cpu_waiting_seconds_total",
    "node_pressure_io_waiting_seconds_total",
    "node_pressure_memory_waiting_seconds_total",
    "node_procs_blocked",
    "node_procs_running",
    "node_sockstat_TCP_inuse",
    "node_sockstat_TCP_tw",
    "node_textfile_scrape_error",
    "node_timex_maxerror_seconds",
    "node_timex_offset_seconds",
    "node_timex_sync_status",
    "node_uname_info",
    "node_vmstat_oom_kill",
    "node_vmstat_pgmajfault",
];

/// Whether the name can be read: a family of the catalog (or a histogram's part), of the host, or of Prometheus.
pub(super) fn is_known(name: &str) -> bool {
    let of_histogram = ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|part| name.strip_suffix(part))
        .any(|stem| catalog::by_name(stem).is_some_and(|entry| entry.kind == Kind::Histogram));
    let exact = catalog::by_name(name).is_some_and(|entry| entry.kind != Kind::Histogram);
    exact || of_histogram || NODE.contains(&name) || PROMETHEUS.contains(&name)
}

/// The metric names of an expression: words that are no function, keyword, label or duration.
pub(super) fn metric_names(expr: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut rest, mut labels_next) = (expr, false);
    while let Some(c) = rest.chars().next() {
        if c == '"' || c == '\'' {
            rest = after_string(rest, c);
        } else if c == '{' {
            rest = after_matchers(rest);
        } else if c == '[' {
            rest = rest.split_once(']').map_or("", |(_, after)| after);
        } else if c == '(' && labels_next {
            rest = rest.split_once(')').map_or("", |(_, after)| after);
            labels_next = false;
        } else if c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '$' {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':' && c != '$')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            labels_next = ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word);
            let keyword = labels_next || ["and", "or", "unless", "bool", "offset"].contains(&word);
            if !keyword && !c.is_ascii_digit() && c != '$' && !is_call(after) {
                names.insert(word.to_owned());
            }
            rest = after;
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
    names
}

/// Whether a word before this text is a function or an aggregation: `(` or a grouping follows.
fn is_call(after: &str) -> bool {
    let after = after.trim_start();
    after.starts_with('(') || after.starts_with("by (") || after.starts_with("without (")
}

fn after_string(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return &text[i + 1..],
            _ => {}
        }
    }
    ""
}

fn after_matchers(text: &str) -> &str {
    let mut rest = &text[1..];
    loop {
        let Some(at) = rest.find(['"', '\'', '}']) else { return "" };
        match rest[at..].chars().next() {
            Some('}') => return &rest[at + 1..],
            Some(quote) => rest = after_string(&rest[at..], quote),
            None => return "",
        }
    }
}

#[test]
fn names_are_found_and_nothing_else() {
    let found = |expr| metric_names(expr).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(
        found(
            r#"sum by (a, b) (rate(x_total{l="}y{",m!~'z'}[5m] offset $__range)) / on (job) group_left () y > bool 1e3"#
        ),
        "x_total y"
    );
    assert_eq!(found("sum(a:b:c) without (d) unless time() - e"), "a:b:c e");
    assert_eq!(found("topk(3, f[1h:5m] @ end())"), "f");
    assert!(is_known("logtally_commit_seconds_bucket") && !is_known("logtally_commit_seconds"));
    assert!(!is_known("log_events") && !is_known("log_events_total_sum"));
}

#[test]
fn the_host_list_is_sorted_and_unique() {
    assert!(NODE.windows(2).all(|w| w[0] < w[1]));
}
