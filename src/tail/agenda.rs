//! When each content is looked at next.

use super::FileId;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// Contents by the time of their next look: what is due is found without asking all of them.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    queue: BTreeSet<(Instant, FileId)>,
    planned: HashMap<FileId, Instant>,
}

impl Agenda {
    /// Looks at a content at this time, and not when it was planned before.
    pub(super) fn plan(&mut self, id: FileId, at: Instant) {
        if let Some(before) = self.planned.insert(id, at) {
            self.queue.remove(&(before, id));
        }
        self.queue.insert((at, id));
    }

    /// The content exists no more.
    pub(super) fn forget(&mut self, id: FileId) {
        if let Some(before) = self.planned.remove(&id) {
            self.queue.remove(&(before, id));
        }
    }

    /// Takes out one content that is due, the most overdue first. It is not looked at again unless it is planned again.
    pub(super) fn take(&mut self, now: Instant) -> Option<FileId> {
        let (_, id) = self.queue.first().copied().filter(|(at, _)| *at <= now)?;
        self.forget(id);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_content_is_due_once_and_at_its_last_plan() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut agenda = Agenda::default();
        for (id, seconds) in [(1, 5), (2, 3), (3, 4), (2, 6), (4, 9)] {
            agenda.plan(id, at(seconds));
        }
        agenda.forget(3);
        let mut due = |now| std::iter::from_fn(|| agenda.take(at(now))).collect::<Vec<_>>();
        assert!(due(4).is_empty());
        assert_eq!(due(6), [1, 2]);
        assert!(due(8).is_empty());
        assert_eq!(due(9), [4]);
        assert!(due(100).is_empty());
    }
}
