//! The loop over time: at each tick the collectors that are due read their files, and the snapshot takes it over.
//!
//! Time is an argument of [`Host::sample`]; only `run`, the body of the sampler thread, looks at clocks.

use std::cell::OnceCell;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::batch::Batch;
use super::collect::{Collect, Facts, Tick};
use super::groups::Groups;
use super::snapshot::{Reading, Snapshot};
use super::source::{Failure, Roots};
use super::{COLLECTORS, Options, ProcessGroup};
use super::{conntrack, cpu, disk, entropy, filefd, filesystem, hwmon, load, memory, netstat, network, os};
use super::{pressure, processes, sockstat, stat, textfile, thermal, timex, vmstat};

/// The shortest interval that is taken.
const MIN_INTERVAL: Duration = Duration::from_millis(50);
/// A collector that may read seldom waits at least this many times what its last reading cost.
const THRIFT: u32 = 1000;
/// But never longer than this.
const SELDOM: Duration = Duration::from_secs(60);

/// A collector began to fail, has something to complain about, or works again. Reported once, at the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The collector.
    pub collector: &'static str,
    /// What is wrong; nothing when it works again.
    pub problem: Option<String>,
}

/// The host's collectors and when they are due.
pub struct Host {
    interval: Duration,
    roots: Roots,
    groups: Vec<ProcessGroup>,
    slots: Vec<Slot>,
    snapshot: Snapshot,
}

struct Slot {
    name: &'static str,
    collector: Box<dyn Collect>,
    /// Least time between two readings; zero is each tick.
    every: Duration,
    due: Option<Instant>,
    /// What was last reported of it.
    problem: Option<String>,
}

impl Slot {
    /// What is to be told: a failure when it begins (its words may change at each tick), a remark when it changes.
    fn change(
        &mut self,
        collector: &'static str,
        failure: Option<String>,
        remark: Option<String>,
    ) -> Option<Note> {
        let still_failing = failure.is_some() && self.problem.is_some();
        let problem = failure.or(remark);
        let changed = problem != self.problem && !still_failing;
        if changed || problem.is_none() {
            self.problem.clone_from(&problem);
        }
        changed.then_some(Note { collector, problem })
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("interval", &self.interval)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The collectors that `options` names. Reads nothing and starts no thread.
    ///
    /// # Errors
    /// An unknown collector, an interval that is too short or a wrong process group, with what is allowed.
    pub fn new(options: Options) -> Result<Host, String> {
        if options.interval < MIN_INTERVAL {
            return Err(format!(
                "host interval {:?} is too short; the least is {MIN_INTERVAL:?}",
                options.interval
            ));
        }
        if let Some(unknown) = options.collectors.iter().find(|name| !COLLECTORS.contains(&name.as_str())) {
            return Err(format!("unknown host collector {unknown:?}; there are: {}", COLLECTORS.join(", ")));
        }
        let roots = Roots {
            procfs: options.procfs.clone(),
            sysfs: options.sysfs.clone(),
            rootfs: options.rootfs.clone(),
        };
        let snapshot = Snapshot::default();
        let mut slots = Vec::new();
        for name in
            COLLECTORS.iter().copied().filter(|name| options.collectors.iter().any(|wanted| wanted == name))
        {
            let Some((collector, every)) = build(name, &options)? else { continue };
            slots.push(Slot { name, collector, every, due: None, problem: None });
            snapshot.lock().readings.push(Reading::none(name));
        }
        Ok(Host { interval: options.interval, roots, groups: options.processes, slots, snapshot })
    }

    /// The handle that a registry asks. It stays valid when the sampler ends.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// One tick at `now` (`wall` is the same moment on the clock): reads what is due, and tells what changed.
    pub fn sample(&mut self, now: Instant, wall: SystemTime) -> Vec<Note> {
        let mut facts = Facts::default();
        let mut notes = Vec::new();
        let stat = OnceCell::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.due.is_some_and(|due| now < due) {
                continue;
            }
            let name = slot.name;
            let taken = |family: &str| self.snapshot.lock().is_taken(family, name);
            let (mut batch, mut remark) = (Batch::default(), None);
            let (began, cost) = (Instant::now(), thread_time());
            let result = slot.collector.collect(
                &mut Tick {
                    now,
                    wall,
                    roots: &self.roots,
                    facts: &mut facts,
                    stat: &stat,
                    taken: &taken,
                    remark: &mut remark,
                },
                &mut batch,
            );
            let took = began.elapsed();
            if !slot.every.is_zero() {
                let cost = thread_time().saturating_sub(cost);
                slot.due = Some(now + slot.every.max((cost * THRIFT).min(SELDOM)));
            }
            let (failure, families) = match result {
                Ok(()) => (None, batch.into_families()),
                Err(Failure::Absent) => (None, Vec::new()),
                Err(failure @ Failure::Broken(_)) => (Some(failure.to_string()), Vec::new()),
            };
            let success = failure.is_none();
            self.snapshot.lock().readings[index] = Reading { name, success: Some(success), took, families };
            notes.extend(slot.change(name, failure, remark));
        }
        self.snapshot.lock().bursts.observe(facts, now);
        notes
    }

    /// The time between two ticks.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// Shows its samples in `snapshot` from now on, and goes on where `before` stood: collectors that both have keep
    /// their state and their latest values, and the bursts of `snapshot` stay.
    pub(crate) fn take_over(&mut self, before: Option<Host>, snapshot: &Snapshot) {
        let same_groups = before.as_ref().is_some_and(|before| before.groups == self.groups);
        let mut old_slots = before.map_or_else(Vec::new, |before| before.slots);
        let mut latest = snapshot.lock();
        let mut old_readings = std::mem::take(&mut latest.readings);
        for slot in &mut self.slots {
            let name = slot.name;
            let kept = old_slots.iter().position(|old| old.name == name);
            let reading = old_readings.iter().position(|old| old.name == name);
            let (Some(kept), Some(reading)) = (kept.filter(|_| same_groups || name != "processes"), reading)
            else {
                latest.readings.push(Reading::none(name));
                continue;
            };
            *slot = old_slots.swap_remove(kept);
            latest.readings.push(old_readings.swap_remove(reading));
        }
        drop(latest);
        self.snapshot = snapshot.clone();
    }
}

/// CPU time of this thread, which a busy machine does not blow up as it does the time on the wall.
#[cfg(all(target_os = "linux", not(logtally_portable)))]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn thread_time() -> Duration {
    Duration::ZERO
}

/// A collector and the least time between two of its readings.
type Built = (Box<dyn Collect>, Duration);

const EACH: Duration = Duration::ZERO;
const OFTEN: Duration = Duration::from_secs(5);
const SLOW: Duration = Duration::from_secs(15);

/// What stands for a collector where there is no `/proc`; nothing where sysinfo has no such numbers.
#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn build_elsewhere(name: &str) -> Option<Option<Built>> {
    use super::portable;
    match name {
        "memory" => Some(Some((Box::new(portable::Memory::default()), EACH))),
        "network" => Some(Some((Box::new(portable::Network::default()), EACH))),
        "stat" => Some(Some((Box::new(portable::Stat), EACH))),
        "filesystem" => Some(Some((Box::new(portable::Filesystem), OFTEN))),
        "cpu" => Some(Some((Box::new(portable::Cpu::default()), EACH))),
        "disk" => Some(Some((Box::new(portable::Disk), OFTEN))),
        "vmstat" | "filefd" | "processes" => Some(None),
        _ => None,
    }
}

/// The collector of that name.
fn build(name: &str, options: &Options) -> Result<Option<Built>, String> {
    #[cfg(not(all(target_os = "linux", not(logtally_portable))))]
    {
        if name == "processes" && !options.processes.is_empty() {
            return Err("process groups are known on Linux only; take host.processes out".to_owned());
        }
        if let Some(found) = build_elsewhere(name) {
            return Ok(found);
        }
    }
    Ok(Some(match name {
        "cpu" => (Box::new(cpu::Cpu::default()), EACH),
        "memory" => (Box::new(memory::Memory), EACH),
        "load" => (Box::new(load::Load), EACH),
        "disk" => (Box::new(disk::Disk::default()), EACH),
        "filesystem" => (Box::new(filesystem::Filesystem::default()), OFTEN),
        "network" => (Box::new(network::Network::default()), EACH),
        "pressure" => (Box::new(pressure::Pressure), EACH),
        "vmstat" => (Box::new(vmstat::Vmstat), EACH),
        "stat" => (Box::new(stat::Stat), EACH),
        "filefd" => (Box::new(filefd::Filefd), EACH),
        "conntrack" => (Box::new(conntrack::Conntrack), EACH),
        "timex" => (Box::new(timex::Timex), EACH),
        "sockstat" => (Box::new(sockstat::Sockstat), EACH),
        "netstat" => (Box::new(netstat::Netstat), EACH),
        "entropy" => (Box::new(entropy::Entropy), EACH),
        "hwmon" => (Box::new(hwmon::Hwmon), OFTEN),
        "thermal" => (Box::new(thermal::Thermal), OFTEN),
        "processes" => (Box::new(processes::Processes::new(Groups::new(&options.processes)?)), OFTEN),
        "textfile" => (Box::new(textfile::Textfile::new(options.textfile.clone())), OFTEN),
        "os" => (Box::new(os::Os), SLOW),
        _ => return Ok(None),
    }))
}
