//! The body of the sampler thread: a host goes in and is sampled at its interval; orders change it while it runs.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use super::sampler::{Host, Note};
use super::snapshot::{Latest, Snapshot};

/// What the sampler thread is told from outside.
#[derive(Debug)]
pub enum Order {
    /// Sample this host from now on; what it has in common with the one before goes on without a gap.
    Sample(Box<Host>),
    /// Sample nothing, and show nothing.
    Off,
    /// End.
    Stop,
}

/// Samples what it is told to into `snapshot`, until it is told to stop or nobody is left to tell it.
pub fn run(first: Option<Host>, snapshot: &Snapshot, orders: &Receiver<Order>, mut report: impl FnMut(Note)) {
    let mut host = first;
    if let Some(host) = &mut host {
        host.take_over(None, snapshot);
    }
    let mut next = Instant::now();
    loop {
        let order = match &mut host {
            Some(host) => {
                host.sample(Instant::now(), SystemTime::now()).into_iter().for_each(&mut report);
                orders.recv_timeout(wait(&mut next, host.interval()))
            }
            None => orders.recv().map_err(RecvTimeoutError::from),
        };
        match order {
            Err(RecvTimeoutError::Timeout) => continue,
            Ok(Order::Sample(mut new)) => {
                new.take_over(host.take(), snapshot);
                host = Some(*new);
            }
            Ok(Order::Off) => {
                host = None;
                *snapshot.lock() = Latest::default();
            }
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
        next = Instant::now();
    }
}

/// Time until the next tick. A machine that slept or is overloaded does not catch up.
fn wait(next: &mut Instant, interval: Duration) -> Duration {
    let now = Instant::now();
    *next = (*next + interval).max(now);
    *next - now
}

#[cfg(test)]
mod tests {
    use super::super::{Options, ProcessGroup};
    use super::*;
    use prometheus::proto::MetricFamily;

    fn options(collectors: &[&str], groups: &[&str]) -> Options {
        let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host"));
        let group = |name: &&str| ProcessGroup { name: (*name).to_owned(), matching: ".".to_owned() };
        Options {
            collectors: collectors.iter().map(|name| (*name).to_owned()).collect(),
            procfs: folder.join("proc"),
            processes: groups.iter().map(group).collect(),
            ..Options::default()
        }
    }

    fn host(collectors: &[&str], groups: &[&str]) -> Host {
        Host::new(options(collectors, groups)).unwrap()
    }

    fn names(snapshot: &Snapshot) -> Vec<String> {
        snapshot.families().iter().map(|family: &MetricFamily| family.name().to_owned()).collect()
    }

    #[test]
    #[cfg(all(target_os = "linux", not(logtally_portable)))]
    fn collectors_that_stay_keep_their_values_and_others_come_and_go() {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let snapshot = Snapshot::default();
        let mut first = host(&["load", "memory", "processes"], &["a"]);
        first.take_over(None, &snapshot);
        first.sample(now, wall);
        let has = |name: &str| names(&snapshot).iter().any(|known| known == name);
        assert!(
            has("node_load1") && has("node_memory_MemFree_bytes") && has("logtally_host_memory_used_ratio")
        );
        let mut second = host(&["memory", "filefd", "processes"], &["a", "b"]);
        second.take_over(Some(first), &snapshot);
        assert!(has("node_memory_MemFree_bytes") && has("logtally_host_memory_used_ratio"));
        assert!(!has("node_load1") && !has("node_filefd_maximum"));
        assert!(!has("node_processes_pids"), "other groups need another look");
        second.sample(now + Duration::from_secs(1), wall);
        assert!(has("node_filefd_maximum") && has("node_processes_pids") && !has("node_load1"));
    }

    #[test]
    fn off_shows_nothing_and_on_again_shows_all() {
        let (snapshot, (tell, orders)) = (Snapshot::default(), std::sync::mpsc::channel());
        let shown = snapshot.clone();
        let thread = std::thread::spawn(move || run(Some(host(&["load"], &[])), &shown, &orders, |_| {}));
        let until = |what: &str, good: &dyn Fn(&[String]) -> bool| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !good(&names(&snapshot)) {
                assert!(Instant::now() < deadline, "{what}: {:?}", names(&snapshot));
                std::thread::yield_now();
            }
        };
        until("on", &|names| names.iter().any(|name| name == "node_load1"));
        tell.send(Order::Off).unwrap();
        until("off", &<[String]>::is_empty);
        tell.send(Order::Sample(Box::new(host(&["memory"], &[])))).unwrap();
        until("on again", &|names| names.iter().any(|name| name == "node_memory_MemTotal_bytes"));
        tell.send(Order::Stop).unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn a_late_tick_is_not_caught_up() {
        let (second, start) = (Duration::from_secs(1), Instant::now());
        let mut next = start;
        assert!(wait(&mut next, second) <= second);
        assert_eq!(next, start + second);
        let mut late = start.checked_sub(Duration::from_secs(3600)).unwrap_or(start);
        wait(&mut late, second);
        assert!(late >= start);
    }
}
