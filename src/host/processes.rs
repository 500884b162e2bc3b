//! Processes and threads by state from `/proc/<pid>/stat`: text in, state and thread count out.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_processes_*`.
#[derive(Debug, Default)]
pub(crate) struct Processes;

impl Collect for Processes {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let census = Census::take(&tick.roots.procfs)?;
        for (state, count) in &census.states {
            let state = state.to_string();
            out.gauge(
                "node_processes_state",
                "Number of processes in each state.",
                &[("state", &state)],
                *count,
            );
        }
        for (state, count) in &census.thread_states {
            let state = state.to_string();
            let labels = [("thread_state", state.as_str())];
            out.gauge("node_processes_threads_state", "Number of threads in each state.", &labels, *count);
        }
        out.gauge("node_processes_threads", "Allocated threads in system", &[], census.threads);
        out.gauge("node_processes_pids", "Number of PIDs", &[], census.pids);
        for (file, name, help) in [
            ("sys/kernel/threads-max", "node_processes_max_threads", "Limit of threads in the system"),
            ("sys/kernel/pid_max", "node_processes_max_processes", "Number of max PIDs limit"),
        ] {
            if let Ok(text) = source::read_optional(&tick.roots.proc(file)) {
                out.gauge(name, help, &[], source::number(text.trim(), file)?);
            }
        }
        Ok(())
    }
}

/// Counts over all processes.
#[derive(Debug, Default)]
struct Census {
    states: BTreeMap<char, f64>,
    thread_states: BTreeMap<char, f64>,
    threads: f64,
    pids: f64,
}

impl Census {
    /// A process that ends while we look is not counted, and one that we may not see neither.
    fn take(procfs: &Path) -> Result<Census, Failure> {
        let read = std::fs::read_dir(procfs)
            .map_err(|error| Failure::broken(format!("{}: {error}", procfs.display())))?;
        let mut census = Census::default();
        for entry in read.filter_map(Result::ok) {
            if entry.file_name().to_str().is_none_or(|name| name.parse::<u32>().is_err()) {
                continue;
            }
            let path = entry.path();
            let Ok(text) = source::read(&path.join("stat")) else { continue };
            let Some((state, threads)) = parse(&text) else { continue };
            *census.states.entry(state).or_default() += 1.0;
            census.pids += 1.0;
            census.threads += threads;
            if threads <= 1.0 {
                *census.thread_states.entry(state).or_default() += 1.0;
            } else {
                census.add_threads(&path.join("task"));
            }
        }
        Ok(census)
    }

    fn add_threads(&mut self, tasks: &Path) {
        let Ok(read) = std::fs::read_dir(tasks) else { return };
        for entry in read.filter_map(Result::ok) {
            let Ok(text) = source::read(&entry.path().join("stat")) else { continue };
            if let Some((state, _)) = parse(&text) {
                *self.thread_states.entry(state).or_default() += 1.0;
            }
        }
    }
}

/// State letter and number of threads. The name stands in brackets and may hold anything, also brackets.
fn parse(text: &str) -> Option<(char, f64)> {
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next().filter(char::is_ascii_alphabetic)?;
    let threads: u32 = fields.nth(16)?.parse().ok()?;
    Some((state, f64::from(threads)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_and_blanks_do_not_shift_the_fields() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 9 9 0 0 1 2 0 0 20 0 7 0 100 200 300";
        assert_eq!(parse(text), Some(('S', 7.0)));
    }

    #[test]
    fn garbage_is_skipped() {
        for bad in [
            "",
            "42",
            "42 (a",
            "42 (a)",
            "42 (a) S 1 2",
            "42 (a) 9 1 42 42 0 -1 4 9 9 0 0 1 2 0 0 20 0 7",
            "é)",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
