//! Processes and threads by state from `/proc/<pid>/stat`: text in, counts out; and the same files for groups.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::groups::Groups;
use super::source::{self, Failure};

/// `node_processes_*` and `logtally_process_group_*`.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    groups: Groups,
}

impl Processes {
    /// Counts processes, and those of `groups` in detail.
    pub(crate) fn new(groups: Groups) -> Processes {
        Processes { groups }
    }
}

impl Collect for Processes {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let census = Census::take(&tick.roots.procfs, &mut self.groups)?;
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
        self.groups.finish(out);
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
    fn take(procfs: &Path, groups: &mut Groups) -> Result<Census, Failure> {
        let read = std::fs::read_dir(procfs)
            .map_err(|error| Failure::broken(format!("{}: {error}", procfs.display())))?;
        let mut census = Census::default();
        for entry in read.filter_map(Result::ok) {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let path = entry.path();
            let Ok(text) = source::read(&path.join("stat")) else { continue };
            let Some(process) = parse(&text) else { continue };
            let (state, threads) = (process.state, process.threads);
            if !groups.is_empty() {
                groups.see(pid, &process, &path);
            }
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
            if let Some(thread) = parse(&text) {
                *self.thread_states.entry(thread.state).or_default() += 1.0;
            }
        }
    }
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, PartialEq)]
pub(crate) struct Process<'a> {
    /// Name of the program, cut to 15 bytes by the kernel.
    pub(crate) name: &'a str,
    /// State letter.
    pub(crate) state: char,
    /// Number of threads.
    pub(crate) threads: f64,
    /// User and system time in hundredths of a second.
    pub(crate) cpu_ticks: f64,
    /// When it started, in hundredths of a second since boot.
    pub(crate) start: u64,
    /// Pages in memory.
    pub(crate) resident_pages: f64,
}

/// The name stands in brackets and may hold anything, also brackets; the fields after it are numbers.
fn parse(text: &str) -> Option<Process<'_>> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(open + 1..close)?;
    let fields: Vec<&str> = text[close + 1..].split_ascii_whitespace().take(22).collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Process {
        name,
        state: fields.first()?.chars().next().filter(char::is_ascii_alphabetic)?,
        threads: number(17)? as f64,
        cpu_ticks: number(11)?.saturating_add(number(12)?) as f64,
        start: number(19)?,
        resident_pages: number(21).unwrap_or(0) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_and_blanks_do_not_shift_the_fields() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 9 9 0 0 1 2 0 0 20 0 7 0 100 200 300";
        let process = parse(text).unwrap();
        assert_eq!((process.name, process.state, process.threads), ("a) b (c)", 'S', 7.0));
        assert_eq!((process.cpu_ticks, process.start, process.resident_pages), (3.0, 100, 300.0));
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
