//! One connection to one receiver, made anew when it is gone: a body goes out, an answer comes back.

use super::judge::{Answer, Wire};
use super::target::{Auth, Target};
use super::tls;
use base64::Engine as _;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    USER_AGENT,
};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// Bytes of an answer's body that are looked at.
const BODY: usize = 4096;
/// What is said of us.
const AGENT: &str = concat!("logtally/", env!("CARGO_PKG_VERSION"));

type Sender = SendRequest<Full<Bytes>>;

/// The way to a receiver.
pub(super) struct Client {
    target: Arc<Target>,
    connection: Option<Sender>,
}

impl Client {
    /// No connection is made before it is needed.
    pub(super) fn new(target: Arc<Target>) -> Client {
        Client { target, connection: None }
    }

    /// Sends one compressed message within the target's time.
    ///
    /// # Errors
    /// What kept it from getting an answer, for people; no secrets.
    pub(super) async fn post(&mut self, wire: Wire, body: Vec<u8>) -> Result<Answer, String> {
        let limit = self.target.timeout;
        match tokio::time::timeout(limit, self.exchange(wire, body)).await {
            Ok(result) => result,
            Err(_) => {
                self.connection = None;
                Err(format!("no answer within {}", humantime::format_duration(limit)))
            }
        }
    }

    async fn exchange(&mut self, wire: Wire, body: Vec<u8>) -> Result<Answer, String> {
        let request = self.request(wire, body).await?;
        if let Some(mut sender) = self.connection.take()
            && sender.ready().await.is_ok()
            && let Ok(answer) = ask(&mut sender, request.clone()).await
        {
            self.connection = Some(sender);
            return Ok(answer);
        }
        // A connection that has waited may have been closed at the other end: that is no failure of the receiver.
        let mut sender = self.connect().await?;
        let answer = ask(&mut sender, request).await?;
        self.connection = Some(sender);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Sender, String> {
        let url = &self.target.url;
        let address = (url.host.as_str(), url.port_or_default());
        let stream = TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
        // A request leaves in one piece; waiting for more would only delay it.
        let _ = stream.set_nodelay(true);
        if !url.tls {
            return handshake(stream).await;
        }
        let target = self.target.clone();
        let config = blocking(move || tls::config(&target.tls)).await?;
        let name = self.target.tls.server_name.clone().unwrap_or_else(|| url.host.clone());
        let name = ServerName::try_from(name).map_err(|_| "the URL's host is no name for TLS".to_owned())?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        handshake(stream.map_err(|error| format!("TLS: {error}"))?).await
    }

    async fn request(&self, wire: Wire, body: Vec<u8>) -> Result<Request<Full<Bytes>>, String> {
        let target = &*self.target;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() =
            target.url.path_and_query().parse().map_err(|_| "the URL has no path to ask for".to_owned())?;
        let headers = request.headers_mut();
        for (name, value) in &target.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            headers.insert(name, secret(value.reveal())?);
        }
        if let Some(value) = authorization(&target.auth).await? {
            headers.insert(AUTHORIZATION, value);
        }
        let host = HeaderValue::from_str(&target.url.authority()).map_err(|error| error.to_string())?;
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        say_what(headers, wire);
        Ok(request)
    }
}

/// The headers that tell one message form from another.
fn say_what(headers: &mut HeaderMap, wire: Wire) {
    let (kind, encoding, version) = match wire {
        Wire::V1 => ("application/x-protobuf", "snappy", Some("0.1.0")),
        Wire::V2 => ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", Some("2.0.0")),
        Wire::Otlp => ("application/x-protobuf", "gzip", None),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    if let Some(version) = version {
        headers.insert("x-prometheus-remote-write-version", HeaderValue::from_static(version));
    }
}

async fn authorization(auth: &Auth) -> Result<Option<HeaderValue>, String> {
    let text = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { username, password_file } => {
            let password = read_secret(password_file).await?;
            let pair = format!("{username}:{password}");
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Auth::Bearer { token_file } => format!("Bearer {}", read_secret(token_file).await?),
    };
    secret(&text).map(Some)
}

/// A header's value that is not printed, whatever prints the request.
fn secret(text: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| "a secret holds what no header may".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// A file's text without the line end that editors leave.
async fn read_secret(file: &Path) -> Result<String, String> {
    let file = file.to_path_buf();
    blocking(move || {
        let text = std::fs::read_to_string(&file);
        text.map(|text| text.trim().to_owned())
            .map_err(|error| format!("cannot read {}: {error}", file.display()))
    })
    .await
}

/// Reads files on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, String> {
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("cannot connect: {error}"))?;
    // Ends with the sender; what goes wrong on the way, the request tells.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn ask(sender: &mut Sender, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    read(sender.send_request(request).await.map_err(|error| deep(&error))?).await
}

/// Reads the answer to its end, so that the connection can be used again, and keeps its head.
async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let (head, mut body) = response.into_parts();
    let text = |name: &str| head.headers.get(name)?.to_str().ok();
    let parts = ["samples", "histograms", "exemplars"];
    let part = |part: &str| text(&format!("x-prometheus-remote-write-{part}-written"));
    let number = |name: &str| part(name).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    let mut answer = Answer {
        status: head.status.as_u16(),
        written: parts
            .iter()
            .any(|name| part(name).is_some())
            .then(|| number("samples").saturating_add(number("histograms"))),
        retry_after: text(RETRY_AFTER.as_str()).map(str::to_owned),
        body: Vec::new(),
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {}", deep(&error)))?;
        let Some(data) = frame.data_ref() else { continue };
        let room = BODY - answer.body.len();
        answer.body.extend_from_slice(&data[..data.len().min(room)]);
    }
    Ok(answer)
}

/// An error with what it comes from: hyper's own text alone says little.
fn deep(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
