//! What the server serves: scrapes, the status of everything, and reloads.

use super::build::{self, Built};
use super::glance::Glance;
use super::hosting::Hosting;
use super::numbers::{Numbers, Reloads};
use super::pushing;
use super::run::{Load, feeds};
use super::status;
use super::supervisor::{Supervisor, Watched};
use crate::error::Problem;
use crate::follow::{Clock, Follow};
use crate::notice::Log;
use crate::push::{self, Pushes};
use crate::tally::exposition::Source;
use crate::web::{self, ScrapeError, status::Status, status::Totals};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// The running exporter.
pub(super) struct Exporter {
    follow: Arc<Follow>,
    pub(super) numbers: Arc<Numbers>,
    hosting: Arc<Hosting>,
    load: Load,
    pub(super) built: Mutex<Arc<Built>>,
    glance: Mutex<Glance>,
    started: f64,
    gate: web::Gate,
    pub(super) supervisor: Supervisor,
    log: Arc<Log>,
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
        let tell = log.clone();
        let numbers = Numbers {
            follow: follow.clone(),
            registry: hosting.registry()?,
            reloads: Mutex::new(Reloads { loaded: started, error: None }),
            pushes: Pushes::new(move |note| pushing::say(&tell, &note)),
        };
        Ok(Exporter {
            follow,
            numbers: Arc::new(numbers),
            hosting,
            load,
            built: Mutex::new(Arc::new(built)),
            glance: Mutex::default(),
            started,
            gate,
            supervisor: Supervisor::from_env().unwrap_or_else(|why| {
                log.warn("cannot tell the service manager", &[("error", &why)]);
                Supervisor::none()
            }),
            log,
        })
    }

    /// Goes over to these receivers.
    pub(super) fn change_pushes(&self, change: push::Change, runtime: &Handle) {
        let numbers: Arc<dyn push::Numbers> = self.numbers.clone();
        self.numbers.pushes.change(change, &numbers, runtime);
    }

    fn load_anew(&self) -> Result<Built, Vec<Problem>> {
        build::build((self.load)()?)
    }

    /// Takes a new config over, or leaves everything as it is.
    fn take_over(&self) -> Result<String, Vec<Problem>> {
        let built = self.load_anew()?;
        let feeds = feeds(&built)?;
        let host = self.hosting.prepare(&built.config)?;
        let pushes = pushing::prepare(&built.config)?;
        let said = status::difference(&lock(&self.built), &built);
        let _under_way = self.numbers.pushes.reload();
        self.follow.reload(feeds, built.guard.clone()).map_err(|error| {
            vec![Problem::error(crate::error::Place::new("store", 0, 0), error.to_string())]
        })?;
        self.hosting.change(host);
        if let Ok(runtime) = Handle::try_current() {
            self.change_pushes(pushes, &runtime);
        }
        *lock(&self.built) = Arc::new(built);
        Ok(said)
    }
}

impl Watched for Exporter {
    fn ready(&self) -> Result<(), String> {
        web::Backend::ready(self)
    }

    fn silence(&self) -> Duration {
        self.follow.silence()
    }
}

impl web::Backend for Exporter {
    fn scrape(&self, scraper: Option<&str>) -> Result<Box<dyn Source>, ScrapeError> {
        Ok(Box::new(self.numbers.scrape(scraper)))
    }

    fn status(&self) -> Status {
        let reloads = self.numbers.reloads();
        let built = lock(&self.built).clone();
        let mut status = status::of(
            &self.follow,
            &built,
            lock(&self.glance).host(&self.numbers.registry.gather()),
            &reloads,
        );
        status.started = self.started;
        status.not_ready = web::Backend::ready(self).err();
        status::warn_of_problems(&self.gate.warnings(), &mut status.warnings);
        status.warnings.extend(pushing::warnings(&self.numbers.pushes));
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
        self.supervisor.reloading();
        let result = self.take_over();
        self.supervisor.reloaded(result.is_ok());
        match result {
            Ok(said) => {
                let loaded = Clock::read().wall;
                self.numbers.note_reload(|reloads| *reloads = Reloads { loaded, error: None });
                self.log.info("config reloaded", &[("changes", &said)]);
                Ok(said)
            }
            Err(problems) => {
                let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                self.log.error("config not reloaded, the old one stays", &[("problems", &text)]);
                self.numbers.note_reload(|reloads| reloads.error = Some(text.clone()));
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
