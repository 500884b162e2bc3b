//! Push as the app sees it: what the config says of it, and what there is to tell.

use crate::config::Config;
use crate::error::{Place, Problem};
use crate::notice::Log;
use crate::push::{Change, Note, Pushes};
use crate::web::status::Warning;
use std::time::Duration;

/// How long the last attempts may take after the signal to stop.
pub(super) const LAST: Duration = Duration::from_secs(3);

/// Checks what the receivers need; nothing changes yet.
///
/// # Errors
/// Files that hold no certificates or keys.
pub(super) fn prepare(config: &Config) -> Result<Change, Vec<Problem>> {
    let file = config.file.clone().unwrap_or_default();
    let problem = |(name, why): (String, String)| {
        Problem::error(Place::new(&file, 0, 0), format!("push to {name}: {why}"))
            .hint("give certificates and keys as PEM")
    };
    Pushes::prepare(config.push.clone()).map_err(|list| list.into_iter().map(problem).collect())
}

/// Checks what the config says of push as far as that goes without asking anybody.
///
/// # Errors
/// As [`prepare`].
pub fn check_push(config: &Config) -> Result<(), Vec<Problem>> {
    prepare(config).map(drop)
}

/// Writes to the log what happened.
pub(super) fn say(log: &Log, note: &Note) {
    match note {
        Note::Failing { target, why } => {
            log.warn("push fails and is tried again", &[("target", target), ("error", why)])
        }
        Note::Works { target } => log.info("push works again", &[("target", target)]),
        Note::Refused { target, samples, why } => {
            log.error("push refused", &[("target", target), ("samples", samples), ("error", why)])
        }
        Note::Dropped { target, samples } => log.error(
            "the oldest samples were dropped: the queue of a push is full",
            &[("target", target), ("samples", samples)],
        ),
        Note::Older { target } => {
            log.info("the push target speaks remote write 1.0 only", &[("target", target)])
        }
    }
}

/// What the page says of receivers that do not take what they are sent.
pub(super) fn warnings(pushes: &Pushes) -> Vec<Warning> {
    let warning = |(name, why): (String, String)| Warning {
        what: format!("push to {name}: {why}"),
        next: "check the receiver and the config's push section".to_owned(),
        since: None,
        count: 1,
    };
    pushes.troubles().into_iter().map(warning).collect()
}
