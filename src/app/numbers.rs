//! All numbers of the exporter at one moment, for scrapes and for pushes alike.

use super::metrics::OwnMetrics;
use crate::expose::Merged;
use crate::follow::{Follow, Viewer};
use crate::push::{self, Part, Pushes};
use crate::tally::exposition::{Source, Visit};
use std::sync::{Arc, Mutex, PoisonError};

/// Where numbers come from.
pub(super) struct Numbers {
    pub(super) follow: Arc<Follow>,
    /// Everything that is no log: the host and the process.
    pub(super) registry: prometheus::Registry,
    pub(super) reloads: Mutex<Reloads>,
    pub(super) pushes: Pushes,
}

/// How the last attempt to load the config went.
#[derive(Clone, Debug)]
pub(super) struct Reloads {
    /// When it last succeeded, in seconds since the epoch.
    pub(super) loaded: f64,
    /// Why the last attempt failed.
    pub(super) error: Option<String>,
}

impl Numbers {
    /// A durable cut of the logs with everything else beside it; `scraper` as in [`Backend::scrape`](crate::web::Backend::scrape).
    pub(super) fn scrape(&self, scraper: Option<&str>) -> Merged {
        let cut = self.follow.scrape(scraper.map_or(Viewer::Passer, Viewer::Scraper));
        self.beside(Box::new(cut))
    }

    /// A main source with the host's numbers and our own.
    fn beside(&self, main: Box<dyn Source>) -> Merged {
        // The store's numbers after this very commit.
        let own = self.own();
        Merged::new(main, &[&own, &*self.pushes.source()], &self.registry.gather())
    }

    fn own(&self) -> OwnMetrics {
        let reloads = self.reloads();
        OwnMetrics {
            store: self.follow.store_state(),
            reloaded: reloads.error.is_none(),
            loaded: reloads.loaded,
            unmatched: self.follow.peek(|shard| (shard.input().to_owned(), shard.unmatched())),
        }
    }

    /// How the last attempt to load the config went.
    pub(super) fn reloads(&self) -> Reloads {
        self.reloads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of an attempt to load the config.
    pub(super) fn note_reload(&self, change: impl FnOnce(&mut Reloads)) {
        change(&mut self.reloads.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A source without numbers.
struct Nothing;

impl Source for Nothing {
    fn visit(&self, _to: &mut dyn Visit) {}
}

impl push::Numbers for Numbers {
    fn parts(&self) -> Vec<Part> {
        let logs = Part { source: Box::new(self.follow.scrape(Viewer::Recorder)), from_zero: true };
        let rest = Part { source: Box::new(self.beside(Box::new(Nothing))), from_zero: false };
        vec![logs, rest]
    }
}
