//! Who is connected, and since when each has kept us waiting.
//!
//! Slow and idle clients cost nothing until a limit is reached. Then the one that has kept us waiting longest makes
//! room for the one who asks, so that any number of them cannot keep a good client out.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// One connection.
#[derive(Debug)]
pub(super) struct Guest {
    id: u64,
    start: Instant,
    /// Where it comes from; `None` through a socket in the file system.
    address: Option<IpAddr>,
    /// Requests whose head arrived.
    requests: AtomicU32,
    /// Since when the client owes us a request, in ms after `start` plus one; 0 while a request is worked on.
    idle: AtomicU64,
    /// Since when a scrape waits for the client to read, likewise; 0 while it does not.
    stalled: AtomicU64,
    leave: Notify,
}

impl Guest {
    /// Where it comes from; `None` through a socket in the file system.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// How many requests have come.
    pub(super) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A request's head has arrived.
    pub(super) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.idle.store(0, Ordering::Relaxed);
    }

    /// Whether it is not known yet who asks; then the guest may have to make room as an idle one.
    pub(super) fn stranger(&self, unknown: bool) {
        self.idle.store(if unknown { self.now() } else { 0 }, Ordering::Relaxed);
    }

    /// The answer has left, or was given up.
    pub(super) fn end(&self) {
        self.idle.store(self.now(), Ordering::Relaxed);
    }

    /// Whether a request is being worked on.
    pub(super) fn busy(&self) -> bool {
        self.idle.load(Ordering::Relaxed) == 0
    }

    /// Whether a scrape waits for the client to read on.
    pub(super) fn stall(&self, stalled: bool) {
        self.stalled.store(if stalled { self.now() } else { 0 }, Ordering::Relaxed);
    }

    /// Resolves when the guest has to go.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64 + 1
    }
}

/// All connections.
#[derive(Debug)]
pub(super) struct Guests {
    start: Instant,
    max: usize,
    list: Mutex<(u64, Vec<Arc<Guest>>)>,
}

impl Guests {
    pub(super) fn new(max: usize) -> Guests {
        Guests { start: Instant::now(), max: max.max(1), list: Mutex::new((0, Vec::new())) }
    }

    /// Lets one more in; at the limit the longest idle one has to go. `None` if all are busy.
    pub(super) fn enter(&self, address: Option<IpAddr>) -> Option<Arc<Guest>> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.1.len() >= self.max {
            let idle = |g: &Guest| g.idle.load(Ordering::Relaxed);
            let at = longest(&list.1, idle)?;
            list.1.swap_remove(at).leave.notify_one();
        }
        list.0 += 1;
        let mut guest = Guest {
            id: list.0,
            start: self.start,
            address,
            requests: AtomicU32::new(0),
            idle: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            leave: Notify::new(),
        };
        *guest.idle.get_mut() = guest.now();
        let guest = Arc::new(guest);
        list.1.push(Arc::clone(&guest));
        Some(guest)
    }

    /// The connection is closed.
    pub(super) fn leave(&self, guest: &Guest) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.1.retain(|other| other.id != guest.id);
    }

    /// Asks the client whose scrape has waited longest for it to leave, if one has waited at least `patience`.
    pub(super) fn evict_stalled(&self, patience: Duration) -> bool {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = (self.start.elapsed().saturating_sub(patience)).as_millis() as u64 + 1;
        let stalled = |g: &Guest| match g.stalled.load(Ordering::Relaxed) {
            since if since > newest => 0,
            since => since,
        };
        let Some(at) = longest(&list.1, stalled) else { return false };
        list.1.swap_remove(at).leave.notify_one();
        true
    }
}

/// The guest with the smallest non-zero time.
fn longest(list: &[Arc<Guest>], since: impl Fn(&Guest) -> u64) -> Option<usize> {
    let waiting = list.iter().enumerate().map(|(i, g)| (since(g), i)).filter(|(since, _)| *since > 0);
    waiting.min().map(|(_, i)| i)
}
