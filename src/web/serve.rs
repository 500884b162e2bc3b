//! Listeners in, answers out: accepts, bounds, watches and ends connections.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

use super::bind::{Kind, Listener};
use super::guests::{Guest, Guests};
use super::history::EVERY;
use super::patience::Patient;
use super::routes::Site;
use super::{Backend, Fact, Options};

/// A request's head may be this long; proxies and browsers stay far below.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 100;

/// Answers on every listener until `shutdown` resolves, then lets requests in flight go on for
/// [`Options::grace`] at most. Fails only if a listener cannot be handed to the runtime.
pub async fn serve(
    listeners: Vec<Listener>,
    backend: Arc<dyn Backend>,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let grace = options.grace;
    let guests = Arc::new(Guests::new(options.max_connections));
    let site = Arc::new(Site::new(backend, options, guests));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    if listeners.iter().any(Listener::is_public)
        && let Some(fact) = site.options.gate.exposed()
    {
        site.backend.note(fact);
    }
    for listener in listeners {
        let site = Arc::clone(&site);
        match listener.kind {
            Kind::Tcp(tcp) => {
                tcp.set_nonblocking(true)?;
                let tcp = TcpListener::from_std(tcp)?;
                tasks.spawn(accept(site, stopped.clone(), async move || {
                    let (stream, from) = tcp.accept().await?;
                    // Answers leave in whole chunks already; waiting for more would only delay the last one.
                    stream.set_nodelay(true).map(|()| (stream, Some(from.ip())))
                }));
            }
            Kind::Unix(unix, file) => {
                unix.set_nonblocking(true)?;
                let unix = UnixListener::from_std(unix)?;
                tasks.spawn(accept(site, stopped.clone(), async move || {
                    let _keeps_the_file = &file;
                    unix.accept().await.map(|(stream, _)| (stream, None))
                }));
            }
        }
    }
    tasks.spawn(sample(Arc::clone(&site), stopped));
    shutdown.await;
    // Nobody listens any more if all accept loops are gone, and then nobody needs to be told.
    let _ = stop.send(true);
    if tokio::time::timeout(grace, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tasks.shutdown().await;
    }
    Ok(())
}

/// Samples the totals until the stop.
async fn sample(site: Arc<Site>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        // Connections made under an older web config end even where no new ones come.
        site.access().await;
        tokio::select! {
            () = site.sample() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Accepts until the stop, then waits for its connections.
async fn accept<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    site: Arc<Site>,
    mut stopped: watch::Receiver<bool>,
    next: impl AsyncFn() -> io::Result<(S, Option<IpAddr>)>,
) {
    let mut connections = JoinSet::new();
    let mut pause = Duration::ZERO;
    loop {
        let stream = tokio::select! {
            stream = next() => stream,
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        // A flood of accepts must not leave the finished ones behind.
        while connections.try_join_next().is_some() {}
        match stream {
            Ok((stream, from)) => {
                pause = Duration::ZERO;
                // With all others busy there is no room; the client sees its connection closed.
                if let Some(guest) = site.guests.enter(from) {
                    connections.spawn(converse(Arc::clone(&site), stream, guest, stopped.clone()));
                }
            }
            Err(error) if of_one_client(&error) => {}
            Err(error) => {
                site.backend.note(Fact::AcceptFailed(error.to_string()));
                // Without descriptors the next accept fails at once: trying on would burn a core.
                pause = (pause * 2).clamp(Duration::from_millis(50), Duration::from_secs(1));
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stopped.wait_for(|stop| *stop) => break,
                }
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Whether the error concerns only the client that was about to be accepted.
fn of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected)
}

/// One connection from its first byte to its end.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    site: Arc<Site>,
    stream: S,
    guest: Arc<Guest>,
    mut stopped: watch::Receiver<bool>,
) {
    /// Leaves the list even when the task is aborted.
    struct Seat(Arc<Site>, Arc<Guest>);
    impl Drop for Seat {
        fn drop(&mut self) {
            self.0.guests.leave(&self.1);
        }
    }
    let _seat = Seat(Arc::clone(&site), Arc::clone(&guest));
    let access = site.access().await;
    let options = &site.options;
    // Below TLS, so that its limits hold for handshakes too.
    let stream = Patient::new(stream, Arc::clone(&guest), options.header_timeout, options.write_timeout);
    let Some(tls) = &access.tls else {
        return talk(site, stream, guest, stopped, access.epoch).await;
    };
    let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
    let stream = tokio::select! {
        accepted = handshake => accepted,
        () = guest.asked_to_leave() => return,
        _ = stopped.wait_for(|stop| *stop) => return,
    };
    // A handshake that fails is the client's affair: it is told by TLS itself.
    if let Ok(stream) = stream {
        talk(site, stream, guest, stopped, access.epoch).await;
    }
}

/// HTTP on a connection that was let in under the web config of `epoch`.
async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    site: Arc<Site>,
    stream: S,
    guest: Arc<Guest>,
    mut stopped: watch::Receiver<bool>,
    epoch: u64,
) {
    let mut epochs = site.options.gate.epochs();
    let service = {
        let (site, guest) = (Arc::clone(&site), Arc::clone(&guest));
        service_fn(move |request| {
            guest.begin();
            Arc::clone(&site).answer(request, Arc::clone(&guest))
        })
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(site.options.idle_timeout)
        .max_header_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .max_buf_size(2 * HEAD_BYTES);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut leaving = false;
    loop {
        tokio::select! {
            // Errors here are the client's: it went, was too slow or sent no HTTP.
            _ = connection.as_mut() => return,
            () = guest.asked_to_leave() => return,
            _ = stopped.wait_for(|stop| *stop), if !leaving => {}
            _ = epochs.wait_for(|now| *now != epoch), if !leaving => {}
        }
        if !leaving {
            leaving = true;
            connection.as_mut().graceful_shutdown();
        }
    }
}
