//! Processes by group: what each reading of `/proc/<pid>` says goes in, sums per group come out, never a PID.
//!
//! Which group a process belongs to is decided once, by its command line; the first rule that matches wins. CPU time
//! only grows: what a process used stays in its group when it ends.

use std::collections::HashMap;
use std::path::Path;

use regex::Regex;

use super::ProcessGroup;
use super::batch::Batch;
use super::cpu::USER_HZ;
use super::processes::Process;
use super::source;

/// A process over time: PIDs come back, start times with them do not.
type Identity = (u32, u64);

/// The rules and what they have matched so far.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    rules: Vec<(String, Regex)>,
    members: HashMap<Identity, Member>,
    totals: Vec<Totals>,
    /// Processes of the first reading were there before us: they did not start now.
    begun: bool,
}

#[derive(Debug)]
struct Member {
    name: String,
    group: Option<usize>,
    cpu_seconds: f64,
    /// Seen in the reading under way.
    alive: bool,
}

/// Sums of one group; the first two live on, the others are of one reading.
#[derive(Debug, Default, Clone, PartialEq)]
struct Totals {
    cpu_seconds: f64,
    starts: f64,
    processes: f64,
    threads: f64,
    resident_bytes: f64,
    open_files: Option<f64>,
}

impl Groups {
    /// The groups of a config.
    ///
    /// # Errors
    /// A pattern that is no regex, an empty or a repeated name.
    pub(crate) fn new(groups: &[ProcessGroup]) -> Result<Groups, String> {
        let mut rules: Vec<(String, Regex)> = Vec::new();
        for ProcessGroup { name, matching } in groups {
            if name.is_empty() || rules.iter().any(|(known, _)| known == name) {
                return Err(format!("process group {name:?}: every group needs a name of its own"));
            }
            let regex = Regex::new(matching).map_err(|error| format!("process group {name:?}: {error}"))?;
            rules.push((name.clone(), regex));
        }
        Ok(Groups { totals: vec![Totals::default(); rules.len()], rules, ..Groups::default() })
    }

    /// True where no group is configured, and nothing needs to be read for one.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Takes one process of this reading; `folder` is its `/proc/<pid>`.
    pub(crate) fn see(&mut self, pid: u32, process: &Process<'_>, folder: &Path) {
        let cpu_seconds = process.cpu_ticks / USER_HZ;
        let identity = (pid, process.start);
        let known = self.members.get(&identity);
        // A process that has become another program (exec) is judged anew; what it used before stays where it was.
        let group = match known {
            Some(member) if member.name == process.name => member.group,
            _ => self.group_of(folder, process.name),
        };
        let started = self.begun && known.is_none_or(|member| member.group != group);
        let grown = match known {
            Some(member) => (cpu_seconds - member.cpu_seconds).max(0.0),
            None if self.begun => cpu_seconds,
            None => 0.0,
        };
        let member = Member { name: process.name.to_owned(), group, cpu_seconds, alive: true };
        self.members.insert(identity, member);
        let Some(totals) = group.and_then(|group| self.totals.get_mut(group)) else { return };
        totals.cpu_seconds += grown;
        totals.starts += f64::from(u8::from(started));
        totals.processes += 1.0;
        totals.threads += process.threads;
        totals.resident_bytes += process.resident_pages * source::page_size();
        if let Ok(open) = std::fs::read_dir(folder.join("fd")) {
            *totals.open_files.get_or_insert(0.0) += open.count() as f64;
        }
    }

    /// The rule that the command line matches; kernel threads have none and go by their name.
    fn group_of(&self, folder: &Path, name: &str) -> Option<usize> {
        let line = source::read(&folder.join("cmdline")).unwrap_or_default();
        let line = line.trim_end_matches('\0').replace('\0', " ");
        let text = if line.is_empty() { name } else { &line };
        self.rules.iter().position(|(_, regex)| regex.is_match(text))
    }

    /// Ends a reading: adds the families and forgets the processes that were not seen in it.
    pub(crate) fn finish(&mut self, out: &mut Batch) {
        for ((name, _), totals) in self.rules.iter().zip(&mut self.totals) {
            let labels = [("group", name.as_str())];
            let help = "CPU time that the group's processes have used since the exporter watches them.";
            out.counter("logtally_process_group_cpu_seconds_total", help, &labels, totals.cpu_seconds);
            let help = "Processes of the group that have started since the exporter watches it.";
            out.counter("logtally_process_group_starts_total", help, &labels, totals.starts);
            let help = "Resident memory of the group's processes; shared pages count in each.";
            out.gauge("logtally_process_group_resident_memory_bytes", help, &labels, totals.resident_bytes);
            out.gauge(
                "logtally_process_group_processes",
                "Processes of the group.",
                &labels,
                totals.processes,
            );
            out.gauge(
                "logtally_process_group_threads",
                "Threads of the group's processes.",
                &labels,
                totals.threads,
            );
            if let Some(open) = totals.open_files {
                let help = "Open file descriptors of those of the group's processes that we may look into.";
                out.gauge("logtally_process_group_open_fds", help, &labels, open);
            }
            *totals = Totals { cpu_seconds: totals.cpu_seconds, starts: totals.starts, ..Totals::default() };
        }
        self.members.retain(|_, member| std::mem::replace(&mut member.alive, false));
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, start: u64, cpu_ticks: f64) -> Process<'_> {
        Process { name, state: 'S', threads: 2.0, cpu_ticks, start, resident_pages: 10.0 }
    }

    fn groups() -> Groups {
        let group =
            |name: &str, matching: &str| ProcessGroup { name: name.into(), matching: matching.into() };
        Groups::new(&[group("db", "^postgres( |:|$)"), group("any", "worker")]).unwrap()
    }

    fn finish(groups: &mut Groups) -> Vec<Totals> {
        let totals = groups.totals.clone();
        groups.finish(&mut Batch::default());
        totals
    }

    #[test]
    fn cpu_time_counts_from_when_we_watch_and_outlives_the_process() {
        let (mut groups, folder) = (groups(), Path::new("/nonexistent"));
        groups.see(1, &process("postgres", 5, 1000.0), folder);
        let first = finish(&mut groups);
        assert_eq!((first[0].cpu_seconds, first[0].starts, first[0].processes), (0.0, 0.0, 1.0));
        groups.see(1, &process("postgres", 5, 1100.0), folder);
        groups.see(2, &process("postgres", 9, 50.0), folder);
        let second = finish(&mut groups);
        assert_eq!((second[0].cpu_seconds, second[0].starts, second[0].processes), (1.5, 1.0, 2.0));
        groups.see(2, &process("postgres", 9, 50.0), folder);
        let third = finish(&mut groups);
        assert_eq!((third[0].cpu_seconds, third[0].processes, third[0].threads), (1.5, 1.0, 2.0));
        // The same PID with another start is another process.
        groups.see(2, &process("postgres", 77, 10.0), folder);
        assert_eq!((groups.totals[0].starts, groups.totals[0].cpu_seconds), (2.0, 1.6));
    }

    #[test]
    fn a_new_name_is_a_start_only_in_another_group() {
        let (mut groups, folder) = (groups(), Path::new("/nonexistent"));
        groups.see(1, &process("sh", 5, 0.0), folder);
        finish(&mut groups);
        groups.see(1, &process("postgres", 5, 10.0), folder);
        assert_eq!(finish(&mut groups)[0].starts, 1.0);
        groups.see(1, &process("postgres: idle", 5, 10.0), folder);
        assert_eq!(finish(&mut groups)[0].starts, 1.0);
    }

    #[test]
    fn the_command_line_decides_and_the_name_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cmdline"), "python3\0worker.py\0").unwrap();
        let groups = groups();
        assert_eq!(groups.group_of(folder.path(), "python3"), Some(1));
        assert_eq!(groups.group_of(Path::new("/nonexistent"), "postgres"), Some(0));
        assert_eq!(groups.group_of(Path::new("/nonexistent"), "bash"), None);
    }

    #[test]
    fn bad_groups_are_refused() {
        let group =
            |name: &str, matching: &str| ProcessGroup { name: name.into(), matching: matching.into() };
        assert!(Groups::new(&[group("a", "(")]).unwrap_err().contains("\"a\""));
        assert!(Groups::new(&[group("a", "x"), group("a", "y")]).is_err());
        assert!(Groups::new(&[group("", "x")]).is_err());
    }
}
