//! The one table of every metric family that logtally itself defines.
//!
//! Counters name their entry here, exposition takes the head from it, dashboards, alerts and the reference
//! are made from it; so they cannot disagree. Families that users' rules define, and `node_*`, are not here.

use crate::tally::exposition::{Desc, Kind};
use std::borrow::Cow;

/// Which labels a family carries besides its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One series per followed file: `input`, the input's own labels, and `path` unless `path_label: none`.
    Stream,
    /// The exporter's own state; nothing besides the family's labels.
    Exporter,
    /// The host's samples; gone with `host: off`.
    Host,
    /// The exporter's process, under the names that every Prometheus client uses.
    Process,
}

/// A label of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label's name.
    pub name: &'static str,
    /// Every value it can take, exposed at 0 from the start; empty where they are not known beforehand.
    pub values: &'static [&'static str],
}

/// A metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The full name, with `_total` for counters.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The base unit, which the name ends in (before `_total`).
    pub unit: Option<&'static str>,
    /// One sentence with its full stop.
    pub help: &'static str,
    /// The labels that come from where the family lives.
    pub scope: Scope,
    /// The family's own labels, in the order they are written.
    pub labels: &'static [Label],
}

impl Entry {
    /// The family's head as exposition wants it.
    pub const fn desc(&self) -> Desc {
        Desc {
            name: Cow::Borrowed(self.name),
            help: Cow::Borrowed(self.help),
            kind: self.kind,
            unit: match self.unit {
                Some(unit) => Some(Cow::Borrowed(unit)),
                None => None,
            },
        }
    }
}

/// The values of every `level` label, by [`Level::index`](crate::level::Level::index).
pub const LEVELS: &[&str] = &["trace", "debug", "info", "notice", "warning", "error", "critical", "unknown"];
/// Why a file could not be read.
pub const FILE_ERROR_REASONS: &[&str] = &["missing", "permission", "open", "read", "other"];
/// Why bytes could not be counted.
pub const LOST_BYTES_REASONS: &[&str] = &["truncated", "rotated_unread", "decode"];
/// Why the start of a span was given up.
pub const SPAN_DROP_REASONS: &[&str] = &["timeout", "overflow", "replaced", "unfinished", "key"];
/// Which way bytes went.
pub const DIRECTIONS: &[&str] = &["receive", "transmit"];

const fn free(name: &'static str) -> Label {
    Label { name, values: &[] }
}

const fn known(name: &'static str, values: &'static [&'static str]) -> Label {
    Label { name, values }
}

/// Makes the constants and the list of all of them from one table.
macro_rules! catalog {
    ($($id:ident = $scope:ident $kind:ident $name:literal, $unit:expr, [$($label:expr),*], $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub const $id: Entry = Entry {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                help: $help,
                scope: Scope::$scope,
                labels: &[$($label),*],
            };
        )*
        /// Every entry, in the order of the reference.
        pub const ALL: &[&Entry] = &[$(&$id),*];
    };
}

catalog! {
    LOG_EVENTS = Stream Counter "log_events_total", None, [known("level", LEVELS)],
        "Log events read, by level.";
    LOG_LINES = Stream Counter "log_lines_total", None, [],
        "Raw lines read, those of multi-line events included.";
    LOG_BYTES = Stream Counter "log_bytes_total", Some("bytes"), [],
        "Raw bytes read, line ends included.";
    LOG_PATTERN_EVENTS = Stream Counter "log_pattern_events_total", None, [free("pattern"), known("level", LEVELS)],
        "Log events that a rule matched, by rule and level.";
    LOG_EXCEPTIONS = Stream Counter "log_exceptions_total", None, [free("exception")],
        "Exceptions in tracebacks and stack traces, by type.";
    LOG_FORMAT_INFO = Stream Gauge "log_format_info", None, [free("format")],
        "The format that the file's lines have shown; the value is always 1.";
    LOG_LAST_EVENT_TIMESTAMP = Stream Gauge "log_last_event_timestamp_seconds", Some("seconds"), [],
        "When the last event was read, in seconds since the epoch.";
    LOG_FILE_SIZE = Stream Gauge "log_file_size_bytes", Some("bytes"), [],
        "Size of the followed file.";
    LOG_FILE_UNREAD = Stream Gauge "log_file_unread_bytes", Some("bytes"), [],
        "Bytes of the followed file that are not read yet.";

    BUILD_INFO = Exporter Gauge "logtally_build_info", None, [free("version"), free("revision"), free("rustversion")],
        "What runs here; the value is always 1.";
    FILES = Exporter Gauge "logtally_files", None, [free("input")],
        "Files that are followed now.";
    UNMATCHED_PATHS = Exporter Gauge "logtally_unmatched_paths", None, [free("input")],
        "Configured paths and globs that match no file now.";
    FILE_ERRORS = Exporter Counter "logtally_file_errors_total", None, [free("input"), known("reason", FILE_ERROR_REASONS)],
        "Failed attempts to open or read a file, by reason.";
    ROTATIONS = Exporter Counter "logtally_rotations_total", None, [free("input")],
        "Files that were replaced by a new one under the same path.";
    TRUNCATIONS = Exporter Counter "logtally_truncations_total", None, [free("input")],
        "Files that became shorter while they were followed.";
    LOST_BYTES = Exporter Counter "logtally_lost_bytes_total", Some("bytes"), [free("input"), known("reason", LOST_BYTES_REASONS)],
        "Bytes that could not be counted, by reason; 0 proves that none were lost.";
    TRUNCATED_LINES = Exporter Counter "logtally_truncated_lines_total", None, [free("input")],
        "Lines longer than the limit, whose head alone was looked at.";
    SERIES = Exporter Gauge "logtally_series", None, [free("metric")],
        "Series held per metric.";
    SERIES_OVERFLOW = Exporter Counter "logtally_series_overflow_total", None, [free("metric")],
        "Increments sent to the overflow series because the metric had reached its series limit.";
    VALUE_ERRORS = Exporter Counter "logtally_value_errors_total", None, [free("metric")],
        "Captured values that were no usable number and were not added.";
    RULE_SECONDS = Exporter Counter "logtally_rule_seconds_total", Some("seconds"), [free("rule")],
        "Time spent confirming a rule on the events that it might match.";
    SPANS_DROPPED = Exporter Counter "logtally_spans_dropped_total", None, [free("rule"), known("reason", SPAN_DROP_REASONS)],
        "Starts of a rule's spans that were given up without an end, by reason.";
    COMMIT_SECONDS = Exporter Histogram "logtally_commit_seconds", Some("seconds"), [],
        "Time it took to make counts and offsets durable.";
    COMMIT_FAILURES = Exporter Counter "logtally_commit_failures_total", None, [],
        "Commits that failed; their counts stay in memory until one succeeds.";
    STORE_UP = Exporter Gauge "logtally_store_up", None, [],
        "Whether the store works: 1 if the last commit succeeded, else 0.";
    RELOAD_SUCCESSFUL = Exporter Gauge "logtally_config_last_reload_successful", None, [],
        "Whether the last attempt to load the configuration succeeded: 1 if so, else 0.";
    RELOAD_TIMESTAMP = Exporter Gauge "logtally_config_last_reload_success_timestamp_seconds", Some("seconds"), [],
        "When the configuration was last loaded with success, in seconds since the epoch.";
    PUSH_SENT = Exporter Counter "logtally_push_sent_samples_total", None, [free("target")],
        "Samples that a push target has taken.";
    PUSH_FAILED = Exporter Counter "logtally_push_failed_samples_total", None, [free("target")],
        "Samples that a push target has refused for good.";
    PUSH_DROPPED = Exporter Counter "logtally_push_dropped_samples_total", None, [free("target")],
        "Samples that were dropped because the queue of a push target was full.";
    PUSH_RETRIES = Exporter Counter "logtally_push_retries_total", None, [free("target")],
        "Requests to a push target that failed and are tried again.";
    PUSH_QUEUE_BYTES = Exporter Gauge "logtally_push_queue_bytes", Some("bytes"), [free("target")],
        "Bytes of samples that wait for a push target.";
    PUSH_LAST_SUCCESS = Exporter Gauge "logtally_push_last_success_timestamp_seconds", Some("seconds"), [free("target")],
        "When a push target last took samples, in seconds since the epoch; 0 before the first time.";

    COLLECTOR_SUCCESS = Host Gauge "logtally_collector_success", None, [free("collector")],
        "Whether a host collector's last run succeeded: 1 if so, else 0.";
    COLLECTOR_DURATION = Host Gauge "logtally_collector_duration_seconds", Some("seconds"), [free("collector")],
        "How long a host collector's last run took.";
    HOST_CPU_UTILIZATION = Host Histogram "logtally_host_cpu_utilization_ratio", Some("ratio"), [],
        "Samples of the share of CPU time that was not idle, over all CPUs.";
    HOST_CPU_UTILIZATION_MAX = Host Gauge "logtally_host_cpu_utilization_max_ratio", Some("ratio"), [],
        "Largest sample of CPU utilization in the last 60 seconds.";
    HOST_MEMORY_USED = Host Histogram "logtally_host_memory_used_ratio", Some("ratio"), [],
        "Samples of the share of memory that is not available to programs.";
    HOST_MEMORY_USED_MAX = Host Gauge "logtally_host_memory_used_max_ratio", Some("ratio"), [],
        "Largest sample of memory use in the last 60 seconds.";
    HOST_DISK_BUSY = Host Histogram "logtally_host_disk_busy_ratio", Some("ratio"), [free("device")],
        "Samples of the share of time in which a disk had work to do.";
    HOST_DISK_BUSY_MAX = Host Gauge "logtally_host_disk_busy_max_ratio", Some("ratio"), [free("device")],
        "Largest sample of a disk's busy time in the last 60 seconds.";
    HOST_NETWORK = Host Histogram "logtally_host_network_bytes_per_second", Some("bytes_per_second"),
        [free("device"), known("direction", DIRECTIONS)],
        "Samples of a network device's throughput.";
    HOST_NETWORK_MAX = Host Gauge "logtally_host_network_max_bytes_per_second", Some("bytes_per_second"),
        [free("device"), known("direction", DIRECTIONS)],
        "Largest sample of a network device's throughput in the last 60 seconds.";

    PROCESS_CPU = Process Counter "process_cpu_seconds_total", Some("seconds"), [],
        "User and system CPU time of the exporter.";
    PROCESS_OPEN_FDS = Process Gauge "process_open_fds", None, [],
        "Open file descriptors of the exporter.";
    PROCESS_MAX_FDS = Process Gauge "process_max_fds", None, [],
        "File descriptors that the exporter may have open at once.";
    PROCESS_VIRTUAL_MEMORY = Process Gauge "process_virtual_memory_bytes", Some("bytes"), [],
        "Virtual memory size of the exporter.";
    PROCESS_VIRTUAL_MEMORY_MAX = Process Gauge "process_virtual_memory_max_bytes", Some("bytes"), [],
        "Virtual memory that the exporter may have at most; -1 where there is no limit.";
    PROCESS_RESIDENT_MEMORY = Process Gauge "process_resident_memory_bytes", Some("bytes"), [],
        "Resident memory size of the exporter.";
    PROCESS_START_TIME = Process Gauge "process_start_time_seconds", Some("seconds"), [],
        "When the exporter started, in seconds since the epoch.";
    PROCESS_THREADS = Process Gauge "process_threads", None, [],
        "Threads of the exporter.";
}

/// The entry of that full name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn names_are_unique_and_of_our_prefixes() {
        let names: BTreeSet<_> = ALL.iter().map(|e| e.name).collect();
        assert_eq!(names.len(), ALL.len());
        for entry in ALL {
            let prefix = match entry.scope {
                Scope::Stream => "log_",
                Scope::Exporter | Scope::Host => "logtally_",
                Scope::Process => "process_",
            };
            assert!(entry.name.starts_with(prefix), "{}", entry.name);
            assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", entry.name);
            assert_eq!(by_name(entry.name), Some(*entry));
        }
    }

    #[test]
    fn counters_alone_end_in_total_and_units_stand_at_the_end() {
        for entry in ALL {
            let stem = entry.name.strip_suffix("_total");
            assert_eq!(stem.is_some(), entry.kind == Kind::Counter, "{}", entry.name);
            let stem = stem.unwrap_or(entry.name);
            match entry.unit {
                Some(unit) => assert!(stem.ends_with(&format!("_{unit}")), "{}", entry.name),
                None => {
                    for unit in ["seconds", "bytes", "ratio"] {
                        assert!(!stem.ends_with(unit), "{} has no unit", entry.name);
                    }
                }
            }
        }
    }

    #[test]
    fn helps_are_one_sentence() {
        for entry in ALL {
            assert!(entry.help.ends_with('.') && entry.help.len() > 20, "{}", entry.name);
            assert!(!entry.help.contains(['\n', '\\', '"']), "{}", entry.name);
            assert!(!entry.help[..entry.help.len() - 1].contains(". "), "{}", entry.name);
        }
    }

    #[test]
    fn labels_are_sane() {
        for entry in ALL {
            let names: BTreeSet<_> = entry.labels.iter().map(|l| l.name).collect();
            assert_eq!(names.len(), entry.labels.len(), "{}", entry.name);
            for label in entry.labels {
                assert!(label.name.bytes().all(|b| b.is_ascii_lowercase()), "{}", entry.name);
                assert!(
                    !["le", "quantile", "job", "instance", "path"].contains(&label.name),
                    "{}",
                    entry.name
                );
                let values: BTreeSet<_> = label.values.iter().collect();
                assert_eq!(values.len(), label.values.len(), "{}", entry.name);
            }
        }
        assert_eq!(LEVELS, Level::ALL.map(Level::as_str));
    }

    /// One sample of every family in the text format.
    fn sample_scrape() -> String {
        let mut text = String::new();
        for entry in ALL {
            let kind = match entry.kind {
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
                Kind::Gauge | Kind::Untyped => "gauge",
            };
            text += &format!("# HELP {} {}\n# TYPE {} {kind}\n", entry.name, entry.help, entry.name);
            if entry.kind == Kind::Histogram {
                text += &format!("{0}_bucket{{le=\"+Inf\"}} 0\n{0}_sum 0\n{0}_count 0\n", entry.name);
            } else {
                let labels: Vec<_> = entry.labels.iter().map(|l| format!("{}=\"x\"", l.name)).collect();
                text += &format!("{}{{{}}} 0\n", entry.name, labels.join(","));
            }
        }
        text
    }

    #[test]
    fn promtool_has_nothing_to_say() {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool must be on the PATH: install Debian's package `prometheus`");
        promtool.stdin.take().unwrap().write_all(sample_scrape().as_bytes()).unwrap();
        let done = promtool.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.trim().is_empty(), "{said}");
    }
}
