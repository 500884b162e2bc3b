//! How many files may be held open: the limit of the process, raised as far as it goes, less what everything else needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that the server, the store and the searches keep for themselves.
const RESERVE: u64 = 256;
/// The most that macOS takes, whatever its limit says (`OPEN_MAX` of its `sys/syslimits.h`).
const OPEN_MAX: u64 = 10_240;

/// Raises the limit on open files to what the system allows, and gives how many of them are for followed files.
pub(super) fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else { return usize::MAX };
    // What the kernel allows without a limit differs; as much as anybody follows is enough.
    let wanted = limit.maximum.unwrap_or(1 << 20);
    let raise = |wanted: &u64| {
        let raised = Rlimit { current: Some(*wanted), maximum: limit.maximum };
        *wanted > current && setrlimit(Resource::Nofile, raised).is_ok()
    };
    share([wanted, wanted.min(OPEN_MAX)].into_iter().find(raise).unwrap_or(current))
}

/// What of the limit is for followed files.
fn share(limit: u64) -> usize {
    usize::try_from(limit - RESERVE.min(limit / 2)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_everything_else() {
        assert_eq!((share(1024), share(64), share(1)), (768, 32, 1));
    }

    #[test]
    fn the_limit_goes_up_and_not_down() {
        let before = getrlimit(Resource::Nofile);
        let files = raise();
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert!(after.current >= before.current && files > 0);
    }
}
