//! The port: scrapes for Prometheus, a page for people, health for supervisors.
//!
//! [`bind()`] opens the listeners, or [`inherited`] takes those of systemd; [`serve()`] answers on them until its shutdown
//! resolves. What is answered comes from the [`Backend`], whose calls may block and therefore never run on the threads
//! that serve.

mod access;
mod bind;
mod body;
mod guests;
mod history;
mod patience;
mod routes;
mod scrape;
mod serve;
pub mod status;

use std::path::PathBuf;
use std::time::Duration;

pub use access::Gate;
pub use bind::{Listener, bind, inherited};
pub use serve::serve;

use crate::tally::exposition::Source;

/// What the server serves. Every method may block: it is called on a thread for blocking work, never concurrently
/// more often than [`Options::max_requests`] allows, and a panic in it costs one answer (500) and nothing else.
pub trait Backend: Send + Sync + 'static {
    /// A consistent and durable cut of all numbers. It is walked once, as fast as the client reads, so it must not
    /// hold a lock. `scraper` names who comes again and again for all numbers, and is `None` for others: a person, or
    /// a check.
    fn scrape(&self, scraper: Option<&str>) -> Result<Box<dyn Source>, ScrapeError>;
    /// What the page shows.
    fn status(&self) -> status::Status;
    /// The sums of [`Backend::status`] alone: asked for every two seconds, so answer it without walking files where
    /// that is possible.
    fn totals(&self) -> status::Totals {
        self.status().totals
    }
    /// Whether all is caught up and the store works; the error says what is missing.
    fn ready(&self) -> Result<(), String>;
    /// Whether the process does its work; the error says what is wrong.
    fn healthy(&self) -> Result<(), String>;
    /// Reads the config anew; both texts are for people.
    fn reload(&self) -> Result<String, String>;
    /// Takes note of what happened on the port; log and count it here. The default forgets it.
    fn note(&self, fact: Fact) {
        let _ = fact;
    }
}

/// Why there are no numbers; the client gets 503 with this text.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScrapeError(pub String);

/// What happened on the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A listener could not accept; it tries again after a pause. Mostly: no file descriptors left.
    AcceptFailed(String),
    /// A call of the backend panicked; the client got 500.
    Panicked(String),
    /// A client got 503: too many scrapes at once, or the backend was too slow.
    Refused(String),
    /// A listener is open to other machines, and neither certificates nor passwords keep strangers out.
    Exposed,
    /// A client sent a wrong user or password, or too many do so at once.
    Denied,
    /// The web config changed and is in force now.
    AccessChanged(PathBuf),
    /// The web config changed and is not good; the one before is in force. All its problems.
    AccessRefused(String),
}

/// How the server behaves. The defaults are for production.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the metrics are; starts with `/`.
    pub telemetry_path: String,
    /// Whether `POST /-/reload` works.
    pub enable_lifecycle: bool,
    /// Whether scrapes tell since when series count, in the formats that have a place for it.
    pub created_timestamps: bool,
    /// Who may come in; by default everyone.
    pub gate: Gate,
    /// Scrapes at once, beyond which clients get 503; 0 means no limit.
    pub max_requests: usize,
    /// Connections at once; at the limit, whoever has kept us waiting longest makes room.
    pub max_connections: usize,
    /// A request's head must have arrived within this time of its first byte (or of the connection's start).
    pub header_timeout: Duration,
    /// A connection without a request is closed after this time. Above usual scrape intervals.
    pub idle_timeout: Duration,
    /// A client that reads less than 16 KiB in this time, with more waiting for it, is dropped.
    pub write_timeout: Duration,
    /// How long a backend call may take where the client does not say.
    pub backend_timeout: Duration,
    /// Subtracted from the client's own scrape timeout, so that our 503 still reaches it.
    pub timeout_offset: Duration,
    /// How long requests in flight may go on after shutdown.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            telemetry_path: "/metrics".to_owned(),
            enable_lifecycle: false,
            created_timestamps: false,
            gate: Gate::default(),
            max_requests: 40,
            max_connections: 512,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(180),
            write_timeout: Duration::from_secs(10),
            backend_timeout: Duration::from_secs(60),
            timeout_offset: Duration::from_millis(500),
            grace: Duration::from_secs(3),
        }
    }
}

#[cfg(test)]
mod tests;
