//! `logtally run`: everything started in order, and stopped in order.

use super::backend::Exporter;
use super::build::{self, Built};
use super::hosting::Hosting;
use super::pushing;
use crate::config::{Config, Input, Storage};
use crate::discover::Globs;
use crate::error::{Place, Problem};
use crate::follow::{Feed, Follow, Labels};
use crate::notice::Log;
use crate::store::Store;
use crate::tally::exposition::Head;
use crate::tally::stream::StreamKey;
use crate::{follow, push, web};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How long serving waits for the first listing of files.
const LISTING: Duration = Duration::from_secs(3);

/// What the command line says beyond the config.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses to serve on.
    pub listen: Vec<String>,
    /// Whether systemd's sockets are served on instead.
    pub systemd_socket: bool,
    /// How the server behaves.
    pub web: web::Options,
    /// Where to begin in files that existed before the first start.
    pub from: crate::tail::From,
    /// Stands for `/proc`.
    pub procfs: PathBuf,
    /// Stands for `/sys`.
    pub sysfs: PathBuf,
    /// Stands for `/`.
    pub rootfs: PathBuf,
    /// Folder of `*.prom` files to expose.
    pub textfile: Option<PathBuf>,
}

/// Loads the config anew; called at start and at each reload.
pub type Load = Box<dyn Fn() -> Result<Config, Vec<Problem>> + Send + Sync>;

/// Runs until a signal asks it to stop.
///
/// # Errors
/// What keeps it from starting: config, rules, store, addresses.
pub fn run(load: Load, options: Options, log: Arc<Log>) -> Result<(), Vec<Problem>> {
    let built = build::build(load()?)?;
    for warning in &built.warnings {
        log.warn("config", &[("problem", warning)]);
    }
    for warning in &options.web.gate.warnings() {
        log.warn("web config", &[("problem", warning)]);
    }
    let listeners = match options.systemd_socket {
        true => web::inherited()?,
        false => web::bind(&options.listen)?,
    };
    let store = open_store(&built.config.storage)?;
    let feeds = feeds(&built)?;
    let pushes = pushing::prepare(&built.config)?;
    let settings = follow::Options {
        from: options.from,
        files: built.config.files,
        tail: crate::tail::Options { line_bytes: built.config.line_bytes, ..Default::default() },
        ..Default::default()
    };
    let path = store.as_ref().map(|store| store.path().to_path_buf());
    let follow = Follow::new(feeds, built.guard.clone(), store, settings, log.clone()).map_err(|error| {
        vec![Problem::error(Place::new(path.unwrap_or_default(), 0, 0), error.to_string())]
    })?;
    let follow = Arc::new(follow);
    let (hosting, sampler) = Hosting::new(&built.config, &options)?;
    let hosting = Arc::new(hosting);
    let gate = options.web.gate.clone();
    let exporter = Exporter::new(built, follow.clone(), hosting.clone(), load, gate, log.clone())?;
    let sampler = hosting.start(sampler, log.clone());
    follow.start();
    follow.await_listing(LISTING);
    let exporter = Arc::new(exporter);
    let (supervised, end) = std::sync::mpsc::channel();
    let watched = exporter.clone();
    let supervisor = std::thread::spawn(move || watched.supervisor.supervise(&*watched, &end));
    serve(listeners, exporter, pushes, options.web, &log);
    drop(supervised);
    log.info("stopping", &[]);
    hosting.stop();
    follow.stop();
    let _ = sampler.join();
    let _ = supervisor.join();
    log.info("stopped", &[]);
    Ok(())
}

fn open_store(storage: &Storage) -> Result<Option<Store>, Vec<Problem>> {
    match storage {
        Storage::None => Ok(None),
        Storage::Folder(folder) => Store::open(folder).map(Some).map_err(|error| {
            let text = error.to_string();
            let (message, hint) = text.split_once("\n  hint: ").unwrap_or((&text, ""));
            let problem = Problem::error(Place::new("store", 0, 0), message);
            vec![if hint.is_empty() { problem } else { problem.hint(hint) }]
        }),
    }
}

/// The labels of an input's files, as its config says.
struct Labelled(Arc<Input>);

impl Labels for Labelled {
    fn stream_key(&self, path: &Path) -> StreamKey {
        self.0.stream_key(path)
    }

    fn head(&self, key: &StreamKey) -> Head {
        self.0.head(key)
    }
}

pub(super) fn feeds(built: &Built) -> Result<Vec<Feed>, Vec<Problem>> {
    let feed = |feed: &build::Feed| {
        let input = &feed.input;
        let globs = Globs::new(&input.include, &input.exclude).map_err(|error| {
            Problem::error(Place::new(format!("input {}", input.name), 0, 0), error.to_string())
        })?;
        Ok(Feed {
            name: input.name.clone(),
            globs: Arc::new(globs),
            labels: Arc::new(Labelled(input.clone())),
            pipeline: feed.pipeline.clone(),
            plan: feed.plan.clone(),
        })
    };
    let (good, bad): (Vec<_>, Vec<_>) = built.feeds.iter().map(feed).partition(Result::is_ok);
    let bad: Vec<Problem> = bad.into_iter().filter_map(Result::err).collect();
    if bad.is_empty() { Ok(good.into_iter().filter_map(Result::ok).collect()) } else { Err(bad) }
}

/// Serves until a signal asks to stop. SIGHUP reloads.
fn serve(
    listeners: Vec<web::Listener>,
    exporter: Arc<Exporter>,
    pushes: push::Change,
    options: web::Options,
    log: &Arc<Log>,
) {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return log.error("cannot start the server", &[("error", &error)]),
    };
    let log = log.clone();
    runtime.block_on(async move {
        // Signals are heard before anybody is told that it serves.
        let (asked, hangups) = (asked_to_stop(), signal(SignalKind::hangup()).ok());
        let reloads = hangups.map(|hangups| tokio::spawn(reload_on_hangup(hangups, exporter.clone())));
        let (stop, stopped) = watch::channel(false);
        exporter.change_pushes(pushes, &Handle::current());
        let last_pushes = tokio::spawn(push_last(exporter.clone(), stopped));
        let teller = stop.clone();
        let stopping = exporter.clone();
        tokio::spawn(async move {
            asked.await;
            stopping.supervisor.stopping();
            teller.send_replace(true);
        });
        for listener in &listeners {
            let mut address = listener.to_string();
            if options.gate.is_tls() {
                address = address.replacen("http:", "https:", 1);
            }
            log.info("serving", &[("address", &address), ("path", &options.telemetry_path)]);
        }
        let until = heard(stop.subscribe());
        if let Err(error) = web::serve(listeners, exporter, options, until).await {
            log.error("the server failed", &[("error", &error)]);
        }
        stop.send_replace(true);
        let _ = last_pushes.await;
        if let Some(reloads) = reloads {
            reloads.abort();
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(500));
}

/// Done when the stop is told.
async fn heard(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Sends what waits once more, while requests in flight go on.
async fn push_last(exporter: Arc<Exporter>, stopped: watch::Receiver<bool>) {
    heard(stopped).await;
    exporter.numbers.pushes.finish(pushing::LAST).await;
}

async fn reload_on_hangup(mut hangups: Signal, exporter: Arc<Exporter>) {
    while hangups.recv().await.is_some() {
        let exporter = exporter.clone();
        let _ = tokio::task::spawn_blocking(move || web::Backend::reload(&*exporter)).await;
    }
}

/// Hears from now on; done when a signal asks to stop.
fn asked_to_stop() -> impl Future<Output = ()> + Send {
    let heard = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut term), Ok(mut int)) = heard else { return std::future::pending().await };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
}
