//! Facts of the tail become one line of the log and one counter each, here and nowhere else.

use crate::notice::Log;
use crate::tail::{Fact, LostReason, OpenReason, What};
use crate::tally::Tally;
use crate::tally::rows::{FILE_ERRORS, LOST};

/// Logs and counts what happened.
pub(super) fn handle(tally: &mut Tally, facts: &[Fact], log: &Log) {
    for fact in facts {
        let path = fact.path.display();
        let about: [(&str, &dyn std::fmt::Display); 2] = [("input", &fact.input), ("path", &path)];
        match &fact.what {
            What::Opened => log.info("following file", &about),
            What::Resumed => log.debug("going on where the last run stopped", &about),
            What::Continued(to) => {
                let to = to.display();
                log.info("file goes on under another name", &[about[0], about[1], ("to", &to)]);
            }
            What::Rotated => {
                tally.change_counters(|counters| counters.rotations += 1);
                log.info("file was rotated", &about);
            }
            What::Truncated => {
                tally.change_counters(|counters| counters.truncations += 1);
                log.info("file was truncated", &about);
            }
            What::Lost { bytes, reason } => {
                tally.change_counters(|counters| counters.lost[lost_index(*reason)] += bytes);
                let reason = reason.as_str();
                log.warn(
                    "bytes could not be counted",
                    &[about[0], about[1], ("bytes", bytes), ("reason", &reason)],
                );
            }
            What::FailedAgain(reason) => {
                tally.change_counters(|counters| counters.errors[error_index(*reason)] += 1);
            }
            What::Failed(reason) => {
                tally.change_counters(|counters| counters.errors[error_index(*reason)] += 1);
                let reason = reason.as_str();
                log.warn("file cannot be read", &[about[0], about[1], ("reason", &reason)]);
            }
        }
    }
}

/// Counts a path that a listing could not look at.
pub(super) fn count_failure(tally: &mut Tally, kind: std::io::ErrorKind) {
    let reason = match kind {
        std::io::ErrorKind::NotFound => OpenReason::Missing,
        std::io::ErrorKind::PermissionDenied => OpenReason::Permission,
        _ => OpenReason::Other,
    };
    tally.change_counters(|counters| counters.errors[error_index(reason)] += 1);
}

fn lost_index(reason: LostReason) -> usize {
    LOST.iter().position(|name| *name == reason.as_str()).unwrap_or(0)
}

fn error_index(reason: OpenReason) -> usize {
    FILE_ERRORS.iter().position(|name| *name == reason.as_str()).unwrap_or(FILE_ERRORS.len() - 1)
}
