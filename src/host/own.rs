//! The exporter's own process under the names that all Prometheus clients use: `process_*`.
//!
//! Read at the scrape, for it is one process: a few files on Linux, whatever sysinfo can elsewhere.

use std::sync::{LazyLock, Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::batch::Batch;

const CPU: &str = "process_cpu_seconds_total";
const CPU_HELP: &str = "Total user and system CPU time spent in seconds.";

/// `process_*` of this process; register it in a `prometheus::Registry`.
#[derive(Debug, Default)]
pub struct OwnProcess {
    system: Mutex<Option<System>>,
}

impl OwnProcess {
    /// A collector for the process that calls this.
    pub fn new() -> OwnProcess {
        OwnProcess::default()
    }

    fn read(&self, out: &mut Batch) -> Option<()> {
        let pid: Pid = sysinfo::get_current_pid().ok()?;
        let mut held = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = System::new().ok();
        }
        let system = held.as_mut()?;
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        let process = system.process(pid)?;
        out.counter(CPU, CPU_HELP, &[], process.accumulated_cpu_time() as f64 / 1000.0);
        let mut gauge = |name: &str, help: &str, value: f64| out.gauge(name, help, &[], value);
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process.memory() as f64);
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            process.virtual_memory() as f64,
        );
        let start = "Start time of the process since unix epoch in seconds.";
        gauge("process_start_time_seconds", start, process.start_time() as f64);
        if let Some(tasks) = process.tasks() {
            // sysinfo leaves the main thread out of a process's tasks.
            let threads = tasks.len() + usize::from(!tasks.contains(&pid));
            gauge("process_threads", "Number of OS threads in the process.", threads as f64);
        }
        if let Some(open) = told_open_fds().or_else(|| process.open_files()) {
            gauge("process_open_fds", "Number of open file descriptors.", open as f64);
        }
        limits(&mut gauge);
        Some(())
    }
}

/// Open descriptors without looking at each, which takes long where thousands of files are followed: since Linux 6.2
/// the size of their folder is their number; before, it is 0.
fn told_open_fds() -> Option<usize> {
    let told = if cfg!(target_os = "linux") { std::fs::metadata("/proc/self/fd").ok()?.len() } else { 0 };
    usize::try_from(told).ok().filter(|count| *count > 0)
}

#[cfg(unix)]
fn limits(gauge: &mut impl FnMut(&str, &str, f64)) {
    use rustix::process::{Resource, getrlimit};
    // A limit that does not exist is the largest number, as other clients have it.
    let limit = |resource| getrlimit(resource).current.unwrap_or(u64::MAX) as f64;
    gauge("process_max_fds", "Maximum number of open file descriptors.", limit(Resource::Nofile));
    // OpenBSD has no such limit.
    #[cfg(not(target_os = "openbsd"))]
    gauge(
        "process_virtual_memory_max_bytes",
        "Maximum amount of virtual memory available in bytes.",
        limit(Resource::As),
    );
}

#[cfg(not(unix))]
fn limits(_gauge: &mut impl FnMut(&str, &str, f64)) {}

impl Collector for OwnProcess {
    fn desc(&self) -> Vec<&Desc> {
        static DESC: LazyLock<Option<Desc>> =
            LazyLock::new(|| Desc::new(CPU.into(), CPU_HELP.into(), Vec::new(), Default::default()).ok());
        DESC.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut out = Batch::default();
        // A process that cannot see itself has no such series; that is no reason to fail a scrape.
        let _ = self.read(&mut out);
        out.into_families()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_time_and_threads() {
        let own = OwnProcess::new();
        let open: Vec<_> = (0..50).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        let families = own.collect();
        let value = |name: &str| {
            let family = families.iter().find(|family| family.name() == name);
            family.unwrap_or_else(|| panic!("{name} is missing")).get_metric()[0].get_gauge().get_value()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!(value("process_start_time_seconds") > 1.5e9);
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_open_fds") >= 3.0 + open.len() as f64);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(families.iter().any(|family| family.name() == CPU));
        assert!(!own.collect().is_empty(), "a second scrape works as the first");
    }
}
