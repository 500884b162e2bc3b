//! Numbers to where nothing can scrape: cuts go in at an interval, remote write or OTLP requests come out.
//!
//! ```text
//! Numbers ──► Recorder ──► Queue ──► remote | otlp ──► Client
//!  a durable   births at 0,  bounded    a request of      HTTP, TLS
//!  cut         series gone   in bytes   some thousand     retried as
//!                                       samples           `judge` says
//! ```
//!
//! Everything but [`Pushes`] and the client is pure: cuts, clocks and answers are arguments. A cut keeps its time and its
//! place in the queue while a receiver is away, so that a short outage loses nothing.

mod client;
mod judge;
mod otlp;
mod pusher;
mod queue;
mod record;
mod remote;
mod send;
mod stats;
mod target;
mod tls;

pub use pusher::{Change, Note, Numbers, Pushes};
pub use record::Part;
pub use target::{Auth, Protocol, Secret, Target, Tls, Url};
pub use tls::config as tls_config;

#[cfg(test)]
mod tests;
