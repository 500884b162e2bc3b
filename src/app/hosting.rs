//! The host's part of the app: which settings hold, the thread that samples, and what a reload changes of it.

use super::run::Options;
use crate::config::{Config, HostChoice};
use crate::error::{Place, Problem};
use crate::host::{self, Host, Note, Order};
use crate::notice::Log;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The host as it is sampled.
pub(super) struct Hosting {
    options: Options,
    choice: Mutex<Option<HostChoice>>,
    snapshot: host::Snapshot,
    tell: Sender<Order>,
}

/// What a reload does to the host.
pub(super) struct Change {
    choice: Option<HostChoice>,
    /// Nothing where all stays as it is.
    order: Option<Order>,
}

/// What the sampler thread begins with.
pub(super) struct Start {
    host: Option<Host>,
    orders: Receiver<Order>,
}

impl Hosting {
    /// Checks the settings. No thread starts here.
    ///
    /// # Errors
    /// Settings that the host refuses.
    pub(super) fn new(config: &Config, options: &Options) -> Result<(Hosting, Start), Vec<Problem>> {
        let host = config.host.as_ref().map(|choice| build(choice, options)).transpose()?;
        let (tell, orders) = channel();
        let choice = Mutex::new(config.host.clone());
        let hosting = Hosting { options: options.clone(), choice, snapshot: host::Snapshot::default(), tell };
        Ok((hosting, Start { host, orders }))
    }

    /// The registry of everything that is no log: the host and the process.
    ///
    /// # Errors
    /// Never, unless two of its parts have one name.
    pub(super) fn registry(&self) -> Result<prometheus::Registry, Vec<Problem>> {
        let registry = prometheus::Registry::new();
        let parts: [Box<dyn prometheus::core::Collector>; 2] =
            [Box::new(host::OwnProcess::new()), Box::new(self.snapshot.clone())];
        for part in parts {
            registry.register(part).map_err(|error| problem(error.to_string()))?;
        }
        Ok(registry)
    }

    /// Starts the thread that samples.
    pub(super) fn start(&self, start: Start, log: Arc<Log>) -> JoinHandle<()> {
        let snapshot = self.snapshot.clone();
        std::thread::spawn(move || host::run(start.host, &snapshot, &start.orders, |note| say(&log, &note)))
    }

    /// What another config changes; nothing happens yet.
    ///
    /// # Errors
    /// Settings that the host refuses.
    pub(super) fn prepare(&self, config: &Config) -> Result<Change, Vec<Problem>> {
        let choice = config.host.clone();
        let same = *self.choice.lock().unwrap_or_else(PoisonError::into_inner) == choice;
        let order = match &choice {
            _ if same => None,
            Some(choice) => Some(Order::Sample(Box::new(build(choice, &self.options)?))),
            None => Some(Order::Off),
        };
        Ok(Change { choice, order })
    }

    /// Does it.
    pub(super) fn change(&self, change: Change) {
        if let Some(order) = change.order {
            *self.choice.lock().unwrap_or_else(PoisonError::into_inner) = change.choice;
            // A thread that has ended was told to stop: nobody needs the order any more.
            let _ = self.tell.send(order);
        }
    }

    /// Ends the thread after its tick.
    pub(super) fn stop(&self) {
        let _ = self.tell.send(Order::Stop);
    }
}

fn build(choice: &HostChoice, options: &Options) -> Result<Host, Vec<Problem>> {
    let group = |(name, matching): &(String, String)| host::ProcessGroup {
        name: name.clone(),
        matching: matching.clone(),
    };
    Host::new(host::Options {
        interval: choice.interval,
        collectors: choice.collectors.clone().unwrap_or_else(|| host::Options::default().collectors),
        procfs: options.procfs.clone(),
        sysfs: options.sysfs.clone(),
        rootfs: options.rootfs.clone(),
        textfile: options.textfile.clone(),
        processes: choice.processes.iter().map(group).collect(),
    })
    .map_err(problem)
}

fn problem(message: String) -> Vec<Problem> {
    vec![Problem::error(Place::new("host", 0, 0), message)]
}

fn say(log: &Log, note: &Note) {
    match &note.problem {
        Some(problem) => {
            log.warn("host collector fails", &[("collector", &note.collector), ("error", problem)])
        }
        None => log.info("host collector works again", &[("collector", &note.collector)]),
    }
}
