//! One request in, one answer out: which path and method mean what, and the headers that every answer carries.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::access::{Access, Denied, Verdict};
use super::body::Body;
use super::guests::{Guest, Guests};
use super::history::History;
use super::status::Status;
use super::{Backend, Fact, Options};

const TEXT: &str = "text/plain; charset=utf-8";

/// Calls of the backend other than scrapes and reloads that may run at once; more have to wait.
const CALLS: usize = 8;
/// How long such a call may take in all.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Scripts, styles and data from here only, no frames, no forms: the page shows what strangers wrote into logs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files in a status, unless all are asked for.
const FILES: usize = 500;

/// What `/api/v1/status` says.
#[derive(serde::Serialize)]
struct StatusAnswer {
    #[serde(flatten)]
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<(f64, [u64; 8])>>,
}

/// What all connections share.
pub(super) struct Site {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) options: Options,
    pub(super) guests: Arc<Guests>,
    pub(super) scrapes: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    history: History,
    page: Bytes,
}

impl Site {
    pub(super) fn new(backend: Arc<dyn Backend>, options: Options, guests: Arc<Guests>) -> Site {
        let max = if options.max_requests == 0 { Semaphore::MAX_PERMITS } else { options.max_requests };
        // Links are relative, so that the page also works below a path of a reverse proxy.
        let metrics = escape(options.telemetry_path.trim_start_matches('/'));
        let page = include_str!("assets/page.html").replace("{{metrics}}", &metrics);
        Site {
            backend,
            options,
            guests,
            scrapes: Arc::new(Semaphore::new(max)),
            calls: Arc::new(Semaphore::new(CALLS)),
            history: History::default(),
            page: page.into(),
        }
    }

    /// The whole answer to a request. Its body tells the guest when it has left.
    pub(super) async fn answer(
        self: Arc<Site>,
        request: Request<Incoming>,
        guest: Arc<Guest>,
    ) -> Result<Response<Body>, Infallible> {
        let access = self.access().await;
        guest.stranger(true);
        let verdict = self.options.gate.judge(&access, request.headers()).await;
        guest.stranger(false);
        let mut response = match verdict {
            Verdict::Welcome => self.route(&request, &guest).await,
            Verdict::Denied(why) => self.denied(why),
            Verdict::TooMany => say(StatusCode::TOO_MANY_REQUESTS, "Too many requests; see rate_limit."),
        };
        let headers = response.headers_mut();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-security-policy", POLICY),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for (name, value) in &access.headers {
            headers.insert(name.clone(), value.clone());
        }
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        Ok(response.map(|body| body.of(guest)))
    }

    /// Who may come in now.
    pub(super) async fn access(&self) -> Arc<Access> {
        self.options.gate.access(|fact| self.backend.note(fact)).await
    }

    /// The answer to whoever has no right to one.
    fn denied(&self, why: Denied) -> Response<Body> {
        // Whoever sent no password is asked for it, which is nothing to worry about.
        if why != Denied::Unnamed {
            self.backend.note(Fact::Denied);
        }
        let mut response = say(StatusCode::UNAUTHORIZED, "Unauthorized.");
        let headers = response.headers_mut();
        headers.insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"logtally\", charset=\"UTF-8\""),
        );
        if why == Denied::Busy {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    async fn route(self: &Arc<Site>, request: &Request<Incoming>, guest: &Arc<Guest>) -> Response<Body> {
        let path = request.uri().path();
        if path == "/-/reload" {
            return self.reload(request).await;
        }
        let known = path == self.options.telemetry_path
            || matches!(path, "/" | "/-/healthy" | "/-/ready" | "/api/v1/status")
            || asset(path).is_some();
        if !known {
            return say(
                StatusCode::NOT_FOUND,
                format!(
                    "Not found; there are /, {}, /api/v1/status, /-/healthy, /-/ready.",
                    self.options.telemetry_path
                ),
            );
        }
        let head = request.method() == Method::HEAD;
        if !head && request.method() != Method::GET {
            return not_allowed("GET, HEAD");
        }
        if path == self.options.telemetry_path {
            return Arc::clone(self).scrape(head, request.headers(), Arc::clone(guest)).await;
        }
        match path {
            "/" => file("text/html; charset=utf-8", self.page.clone()),
            "/-/healthy" => self.probe("healthy", |backend| backend.healthy()).await,
            "/-/ready" => self.probe("ready", |backend| backend.ready()).await,
            "/api/v1/status" => self.status(request.uri().query().unwrap_or("")).await,
            path => match asset(path) {
                Some((kind, bytes)) => file(kind, Bytes::from_static(bytes)),
                None => say(StatusCode::NOT_FOUND, "Not found."),
            },
        }
    }

    async fn probe(&self, word: &str, ask: fn(&dyn Backend) -> Result<(), String>) -> Response<Body> {
        match self.call(ask).await {
            Ok(Ok(())) => say(StatusCode::OK, format!("logtally is {word}.")),
            Ok(Err(why)) => say(StatusCode::SERVICE_UNAVAILABLE, format!("logtally is not {word}: {why}")),
            Err(answer) => *answer,
        }
    }

    /// The status as JSON. `?history` adds the last ten minutes, `?files=all` all files instead of the first few.
    async fn status(&self, query: &str) -> Response<Body> {
        let asks = |what: &str| query.split('&').any(|part| part == what);
        let history = asks("history").then(|| self.history.rows());
        let files = if asks("files=all") { usize::MAX } else { FILES };
        let json = move |backend: &dyn Backend| {
            let mut status = backend.status();
            status.trim(files);
            serde_json::to_vec(&StatusAnswer { status, history })
        };
        match self.call(json).await {
            Ok(Ok(json)) => {
                let mut response = Response::new(Body::whole(json));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Ok(Err(error)) => say(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Err(answer) => *answer,
        }
    }

    /// Takes a sample for the history.
    pub(super) async fn sample(&self) {
        if let Ok(totals) = self.call(|backend| backend.totals()).await {
            self.history.push(totals.levels);
        }
    }

    async fn reload(&self, request: &Request<Incoming>) -> Response<Body> {
        if !self.options.enable_lifecycle {
            return say(
                StatusCode::FORBIDDEN,
                "Reloading over HTTP is off; --web.enable-lifecycle turns it on.",
            );
        }
        if !matches!(*request.method(), Method::POST | Method::PUT) {
            return not_allowed("POST, PUT");
        }
        // A page of another site can make a browser post here; browsers say so.
        let site = request.headers().get("sec-fetch-site").map_or(&b"none"[..], HeaderValue::as_bytes);
        if !matches!(site, b"none" | b"same-origin") {
            return say(StatusCode::FORBIDDEN, "Another site's page may not reload logtally.");
        }
        match self.call(|backend| backend.reload()).await {
            Ok(Ok(text)) => say(StatusCode::OK, text),
            Ok(Err(text)) => say(StatusCode::INTERNAL_SERVER_ERROR, text),
            Err(answer) => *answer,
        }
    }

    /// Runs a blocking call; the error is the answer to give instead. One that outlasts its time keeps its place
    /// among the calls at once, so that a backend that hangs does not collect threads.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Backend) -> T + Send + 'static,
    ) -> Result<T, Box<Response<Body>>> {
        let limit = CALL_TIMEOUT.min(self.options.backend_timeout);
        let (calls, backend) = (Arc::clone(&self.calls), Arc::clone(&self.backend));
        let call = async {
            let permit = calls.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                work(&*backend)
            })
            .await
        };
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Box::new(self.panicked(Some(error)))),
            Err(_) => {
                let text = format!("No answer within {limit:?}.");
                self.backend.note(Fact::Refused(text.clone()));
                Err(Box::new(say(StatusCode::SERVICE_UNAVAILABLE, text)))
            }
        }
    }

    /// The answer after a panic in the backend.
    pub(super) fn panicked(&self, error: Option<JoinError>) -> Response<Body> {
        self.backend.note(Fact::Panicked(error.map_or_else(String::new, |e| e.to_string())));
        say(StatusCode::INTERNAL_SERVER_ERROR, "Internal error; logtally's own log has more.")
    }
}

/// A plain text answer of one line.
pub(super) fn say(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut text = text.into();
    text.push('\n');
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}

fn not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response =
        say(StatusCode::METHOD_NOT_ALLOWED, format!("Method not allowed; allowed: {allowed}."));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A file of the page; browsers ask again each time, for it changes with the program.
fn file(kind: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The page's own files, compiled in.
fn asset(path: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match path {
        "/assets/icon.svg" => ("image/svg+xml", include_bytes!("assets/icon.svg")),
        "/assets/uplot.css" => ("text/css; charset=utf-8", include_bytes!("assets/uplot.css")),
        "/assets/uplot.js" => ("text/javascript; charset=utf-8", include_bytes!("assets/uplot.js")),
        "/assets/page.css" => ("text/css; charset=utf-8", include_bytes!("assets/page.css")),
        "/assets/words.js" => ("text/javascript; charset=utf-8", include_bytes!("assets/words.js")),
        "/assets/page.js" => ("text/javascript; charset=utf-8", include_bytes!("assets/page.js")),
        _ => return None,
    })
}

/// Text for a double-quoted HTML attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
