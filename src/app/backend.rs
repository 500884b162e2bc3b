//! What the server serves: scrapes, the status of everything, and reloads.

use super::build::{self, Built};
use super::glance::Glance;
use super::hosting::Hosting;
use super::metrics::OwnMetrics;
use super::run::{Load, feeds};
use super::status;
use crate::error::Problem;
use crate::expose::Merged;
use crate::follow::{Clock, Follow};
use crate::notice::Log;
use crate::tally::exposition::Source;
use crate::web::{self, ScrapeError, status::Status, status::Totals};
use std::sync::{Arc, Mutex, PoisonError};

/// The running exporter.
pub(super) struct Exporter {
    follow: Arc<Follow>,
    /// Everything that is no log: the host and the process.
    registry: prometheus::Registry,
    hosting: Arc<Hosting>,
    load: Load,
    pub(super) built: Mutex<Arc<Built>>,
    reloads: Mutex<Reloads>,
    glance: Mutex<Glance>,
    started: f64,
    gate: web::Gate,
    log: Arc<Log>,
}

/// How the last attempt to load the config went.
#[derive(Clone, Debug)]
pub(super) struct Reloads {
    /// When it last succeeded, in seconds since the epoch.
    pub(super) loaded: f64,
    /// Why the last attempt failed.
    pub(super) error: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exporter {
    pub(super) fn new(
        built: Built,
        follow: Arc<Follow>,
        hosting: Arc<Hosting>,
        load: Load,
        gate: web::Gate,
        log: Arc<Log>,
    ) -> Result<Exporter, Vec<Problem>> {
        let started = Clock::read().wall;
        Ok(Exporter {
            follow,
            registry: hosting.registry()?,
            hosting,
            load,
            built: Mutex::new(Arc::new(built)),
            reloads: Mutex::new(Reloads { loaded: started, error: None }),
            glance: Mutex::default(),
            started,
            gate,
            log,
        })
    }

    fn own(&self) -> OwnMetrics {
        let reloads = lock(&self.reloads).clone();
        OwnMetrics {
            store: self.follow.store_state(),
            reloaded: reloads.error.is_none(),
            loaded: reloads.loaded,
            unmatched: self.follow.peek(|shard| (shard.input().to_owned(), shard.unmatched())),
        }
    }

    fn load_anew(&self) -> Result<Built, Vec<Problem>> {
        build::build((self.load)()?)
    }

    /// Takes a new config over, or leaves everything as it is.
    fn take_over(&self) -> Result<String, Vec<Problem>> {
        let built = self.load_anew()?;
        let feeds = feeds(&built)?;
        let host = self.hosting.prepare(&built.config)?;
        let said = status::difference(&lock(&self.built), &built);
        self.follow.reload(feeds, built.guard.clone()).map_err(|error| {
            vec![Problem::error(crate::error::Place::new("store", 0, 0), error.to_string())]
        })?;
        self.hosting.change(host);
        *lock(&self.built) = Arc::new(built);
        Ok(said)
    }
}

impl web::Backend for Exporter {
    fn scrape(&self) -> Result<Box<dyn Source>, ScrapeError> {
        let cut = self.follow.scrape();
        // The store's numbers after this very commit.
        let own = self.own();
        Ok(Box::new(Merged::new(Box::new(cut), &[&own], &self.registry.gather())))
    }

    fn status(&self) -> Status {
        let reloads = lock(&self.reloads).clone();
        let built = lock(&self.built).clone();
        let mut status =
            status::of(&self.follow, &built, lock(&self.glance).host(&self.registry.gather()), &reloads);
        status.started = self.started;
        status.not_ready = self.ready().err();
        status::warn_of_problems(&self.gate.warnings(), &mut status.warnings);
        status
    }

    fn totals(&self) -> Totals {
        status::totals(&self.follow)
    }

    fn ready(&self) -> Result<(), String> {
        if let Some(error) = self.follow.store_state().error {
            return Err(format!("the store fails: {error}"));
        }
        match self.follow.is_caught_up() {
            true => Ok(()),
            false => Err("catching up with what stands in the files".to_owned()),
        }
    }

    fn healthy(&self) -> Result<(), String> {
        match self.follow.workers_alive() {
            true => Ok(()),
            false => Err("a reader has ended; restart logtally and report its log".to_owned()),
        }
    }

    fn reload(&self) -> Result<String, String> {
        let result = self.take_over();
        let mut reloads = lock(&self.reloads);
        match result {
            Ok(said) => {
                *reloads = Reloads { loaded: Clock::read().wall, error: None };
                self.log.info("config reloaded", &[("changes", &said)]);
                Ok(said)
            }
            Err(problems) => {
                let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                self.log.error("config not reloaded, the old one stays", &[("problems", &text)]);
                reloads.error = Some(text.clone());
                Err(text)
            }
        }
    }

    fn note(&self, fact: web::Fact) {
        match &fact {
            web::Fact::AcceptFailed(error) => {
                self.log.error("cannot accept connections", &[("error", error)])
            }
            web::Fact::Panicked(what) => self.log.error("a request failed inside", &[("what", what)]),
            web::Fact::Refused(why) => self.log.warn("a scrape was refused", &[("why", why)]),
            web::Fact::Exposed => self.log.warn(
                "anyone who reaches this machine can read the metrics",
                &[("hint", &"add basic_auth_users or client certificates with --web.config.file, or listen on 127.0.0.1")],
            ),
            web::Fact::Denied => self.log.warn("a client sent a wrong user or password", &[]),
            web::Fact::AccessChanged(path) => {
                self.log.info("web config taken over", &[("path", &path.display())])
            }
            web::Fact::AccessRefused(problems) => self
                .log
                .error("web config not taken over, the one before is in force", &[("problems", problems)]),
        }
    }
}
