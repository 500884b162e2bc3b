//! `GET /metrics`: a cut of all numbers, encoded and compressed as it leaves.
//!
//! The walk runs on a thread for blocking work and hands over chunks through a short queue, so a scrape of any size
//! holds little memory, and a client that reads slowly holds up only itself.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT, VARY,
};
use hyper::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::body::{Body, Piece};
use super::guests::Guest;
use super::routes::{Site, say};
use super::{Fact, ScrapeError};
use crate::expose::{Encoding, Format, Style, encode, encoding, negotiate};

/// Chunks between the walk and the connection: one more is being made, and one sent.
const QUEUE: usize = 1;
/// A client that has let a scrape wait this long makes room for another.
const PATIENCE: Duration = Duration::from_millis(250);
/// Who has not got a place among the scrapes at once after this time is told to come back.
const WAIT: Duration = Duration::from_secs(2);

/// How long a scraper waits for the answer, in seconds.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// Characters of an agent's name that tell it from others.
const AGENT: usize = 100;

impl Site {
    /// The answer to a scrape.
    pub(super) async fn scrape(
        self: Arc<Site>,
        head: bool,
        headers: &HeaderMap,
        guest: Arc<Guest>,
    ) -> Response<Body> {
        let format = negotiate(joined(headers, ACCEPT.as_str()).as_deref());
        let encoding = encoding(joined(headers, ACCEPT_ENCODING.as_str()).as_deref());
        let (queue, pieces) = mpsc::channel(QUEUE);
        if !head && let Err(answer) = self.cut(headers, guest, format, encoding, queue).await {
            return answer;
        }
        let mut response = Response::new(Body::stream(pieces));
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        fields.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if let Some(name) = encoding.name() {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }

    /// Waits for the cut; from then on the queue fills by itself.
    async fn cut(
        &self,
        headers: &HeaderMap,
        guest: Arc<Guest>,
        format: Format,
        encoding: Encoding,
        queue: mpsc::Sender<Piece>,
    ) -> Result<(), Response<Body>> {
        let refuse = |text: String| {
            self.backend.note(Fact::Refused(text.clone()));
            say(StatusCode::SERVICE_UNAVAILABLE, text)
        };
        let limit = self.time_limit(headers);
        let permit = self.admit().await.ok_or_else(|| {
            refuse(format!(
                "Too many scrapes at once (--web.max-requests={}), try again.",
                self.options.max_requests
            ))
        })?;
        let (tell, told) = oneshot::channel();
        let scraper = scraper(headers, guest.address());
        let style = Style { format, created: self.options.created_timestamps };
        let backend = Arc::clone(&self.backend);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            match backend.scrape(scraper.as_deref()) {
                Err(ScrapeError(text)) => drop(tell.send(Err(text))),
                Ok(source) => {
                    if tell.send(Ok(())).is_ok() {
                        let mut out = Out { to: Compressor::new(encoding), queue, guest, gone: false };
                        encode(style, &*source, &mut |chunk| out.push(chunk));
                        out.finish();
                    }
                }
            }
        });
        match tokio::time::timeout(limit, told).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(text))) => Err(refuse(text)),
            // The sender is gone without a word: the call panicked.
            Ok(Err(_)) => Err(self.panicked(work.await.err())),
            Err(_) => Err(refuse(format!("No numbers within {limit:?}."))),
        }
    }

    /// A place among the scrapes at once.
    async fn admit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.scrapes).try_acquire_owned() {
            return Some(permit);
        }
        // The wait keeps its place: whoever asks again and again stands behind those who ask once. An evicted
        // connection drops its queue, and the walk behind it ends at its next chunk.
        let mut permit = std::pin::pin!(Arc::clone(&self.scrapes).acquire_owned());
        let deadline = Instant::now() + WAIT;
        while Instant::now() < deadline {
            self.guests.evict_stalled(PATIENCE);
            if let Ok(permit) = tokio::time::timeout(PATIENCE / 4, permit.as_mut()).await {
                return permit.ok();
            }
        }
        None
    }

    /// How long the client will wait, a little less; our own limit where it does not say.
    fn time_limit(&self, headers: &HeaderMap) -> Duration {
        let seconds = headers
            .get(TIMEOUT)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse::<f64>().ok())
            .filter(|s| *s > 0.0 && *s < 86_400.0);
        let Some(said) = seconds.map(Duration::from_secs_f64) else { return self.options.backend_timeout };
        let limit = said.saturating_sub(self.options.timeout_offset).max(said / 2);
        limit.min(self.options.backend_timeout)
    }
}

/// The name of a scraper: Prometheus and its kin say how long they wait, which nobody else does. Two that scrape side by
/// side run under two addresses mostly; behind one, they count as one.
fn scraper(headers: &HeaderMap, address: Option<IpAddr>) -> Option<String> {
    headers.get(TIMEOUT)?;
    let agent = headers.get(USER_AGENT).map_or("".into(), |agent| String::from_utf8_lossy(agent.as_bytes()));
    let agent: String = agent.chars().take(AGENT).collect();
    Some(address.map_or(agent.clone(), |address| format!("{address} {agent}")))
}

/// A header that may stand several times, as one list.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The way of a chunk: compressed, queued, or dropped once the client is gone.
struct Out {
    to: Compressor,
    queue: mpsc::Sender<Piece>,
    guest: Arc<Guest>,
    gone: bool,
}

impl Out {
    fn push(&mut self, chunk: Vec<u8>) {
        if self.gone {
            return;
        }
        match self.to.feed(chunk) {
            Ok(Some(bytes)) => self.send(Piece::Bytes(bytes.into())),
            Ok(None) => {}
            Err(_) => self.gone = true,
        }
    }

    fn finish(mut self) {
        if self.gone {
            return;
        }
        let Ok(rest) = std::mem::replace(&mut self.to, Compressor::Identity).finish() else { return };
        if !rest.is_empty() {
            self.send(Piece::Bytes(Bytes::from(rest)));
        }
        self.send(Piece::End);
    }

    fn send(&mut self, piece: Piece) {
        match self.queue.try_send(piece) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => self.gone = true,
            Err(mpsc::error::TrySendError::Full(piece)) => {
                self.guest.stall(true);
                self.gone = self.queue.blocking_send(piece).is_err();
                self.guest.stall(false);
            }
        }
    }
}

/// Compressed bytes leave when this many are there.
const COMPRESSED: usize = 32 * 1024;

enum Compressor {
    Identity,
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Compressor {
    fn new(encoding: Encoding) -> Compressor {
        match encoding {
            Encoding::Identity => Compressor::Identity,
            // The lowest level: metrics repeat themselves so much that more effort hardly shows.
            Encoding::Gzip => Compressor::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::fast()))),
            Encoding::Zstd => match zstd::stream::write::Encoder::new(Vec::new(), 1) {
                Ok(encoder) => Compressor::Zstd(Box::new(encoder)),
                Err(_) => Compressor::Identity,
            },
        }
    }

    fn feed(&mut self, chunk: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        let out = match self {
            Compressor::Identity => return Ok(Some(chunk)),
            Compressor::Gzip(gzip) => {
                gzip.write_all(&chunk)?;
                gzip.get_mut()
            }
            Compressor::Zstd(zstd) => {
                zstd.write_all(&chunk)?;
                zstd.get_mut()
            }
        };
        Ok((out.len() >= COMPRESSED).then(|| std::mem::take(out)))
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Compressor::Identity => Ok(Vec::new()),
            Compressor::Gzip(gzip) => gzip.finish(),
            Compressor::Zstd(zstd) => zstd.finish(),
        }
    }
}
