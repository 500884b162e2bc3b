//! Elsewhere than on Linux: nobody tells of writes, so waits end by time or by another thread.
//!
//! Compiled into the tests of every system, so that it stays right.

#![cfg_attr(
    all(target_os = "linux", not(logtally_portable)),
    expect(unreachable_pub, reason = "public where it is the one that is used")
)]

use super::{Hint, Watched};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Bell>);

impl Waker {
    /// Ends the wait that is on, or the next one.
    pub fn wake(&self) {
        *self.0.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.heard.notify_one();
    }
}

/// Watches folders, that is: only waits.
#[derive(Debug, Default)]
pub struct Watch(Arc<Bell>);

impl Watch {
    /// Starts to watch nothing.
    pub fn new() -> Watch {
        Watch::default()
    }

    /// A handle that ends waits.
    pub fn waker(&self) -> Waker {
        Waker(self.0.clone())
    }

    /// Whether events come at all: they do not.
    pub fn works(&self) -> bool {
        false
    }

    /// All folders need polling.
    pub fn set(&mut self, dirs: &BTreeSet<PathBuf>) -> Watched {
        Watched { blind: dirs.iter().cloned().collect(), added: false }
    }

    /// Waits for a waker or the time; whichever comes first.
    pub fn wait(&mut self, timeout: Duration) -> Hint {
        let rung = self.0.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.heard.wait_timeout_while(rung, timeout, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Hint { woken: std::mem::take(&mut rung), ..Hint::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_polled_and_a_wait_without_events_takes_its_time() {
        let mut watch = Watch::new();
        let dirs = BTreeSet::from([std::env::temp_dir()]);
        let watched = watch.set(&dirs);
        assert_eq!((watched.blind.len(), watched.added, watch.works()), (1, false, false));
        let (short, before) = (Duration::from_millis(5), std::time::Instant::now());
        assert_eq!(watch.wait(short), Hint::default());
        assert!(before.elapsed() >= short);
    }

    #[test]
    fn another_thread_ends_this_wait_or_the_next_and_only_one() {
        let mut watch = Watch::new();
        let waker = watch.waker();
        let thread = std::thread::spawn(move || waker.wake());
        assert!(watch.wait(Duration::from_secs(20)).woken);
        thread.join().unwrap();
        watch.waker().wake();
        assert!(watch.wait(Duration::from_secs(20)).woken);
        assert_eq!(watch.wait(Duration::ZERO), Hint::default());
    }
}
