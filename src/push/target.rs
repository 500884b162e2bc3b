//! One receiver: where it is, what it speaks, how it is asked. Nothing here prints a secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What a receiver speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Prometheus remote write 2.0; 1.0 where the receiver does not know it.
    RemoteWrite,
    /// Prometheus remote write 1.0 and nothing else.
    RemoteWriteV1,
    /// OpenTelemetry metrics over HTTP, as protobuf.
    Otlp,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}

/// A receiver's URL in its parts. The query may hold a key, so it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `https`.
    pub tls: bool,
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// The port, where the URL names one.
    pub port: Option<u16>,
    /// From the first `/` on.
    pub path: String,
    /// After `?`.
    pub query: Option<Secret>,
}

impl Url {
    /// Reads `http://…` or `https://…`.
    ///
    /// # Errors
    /// What is wrong, without the text itself: it may hold a password.
    pub fn parse(text: &str) -> Result<Url, &'static str> {
        let uri: hyper::Uri = text.parse().map_err(|_| "this is no URL")?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("the URL must begin with http:// or https://"),
        };
        let authority = uri.authority().ok_or("the URL names no host")?;
        if authority.as_str().contains('@') {
            return Err("the URL holds a user or password");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("the URL names no host");
        }
        let query = uri.query().map(Secret::new);
        Ok(Url { tls, host, port: authority.port_u16(), path: uri.path().to_owned(), query })
    }

    /// The port to connect to.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.tls { 443 } else { 80 })
    }

    /// What the `Host` header says.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        self.port.map_or(host.clone(), |port| format!("{host}:{port}"))
    }

    /// What the request line says.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{}", self.path, query.reveal()),
            None => self.path.clone(),
        }
    }
}

/// Without the query.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}{}", if self.tls { "s" } else { "" }, self.authority(), self.path)
    }
}

/// Who logtally is to the receiver. Files are read for each request, so that a new secret needs no reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the config")]
pub enum Auth {
    #[default]
    None,
    Basic {
        username: String,
        password_file: PathBuf,
    },
    Bearer {
        token_file: PathBuf,
    },
}

/// How TLS is spoken. Files are read for each connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of the authorities to trust, as PEM; the system's where there is none.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, as PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that the receiver's certificate must have, where it is not the URL's host.
    pub server_name: Option<String>,
    /// Trust whoever answers.
    pub insecure_skip_verify: bool,
}

/// A receiver and how it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The `target` label of the metrics about it; each name once.
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// What it speaks.
    pub protocol: Protocol,
    /// Time between two cuts.
    pub interval: Duration,
    /// How long one request may take.
    pub timeout: Duration,
    /// Headers of every request.
    pub headers: Vec<(String, Secret)>,
    /// Who we are.
    pub auth: Auth,
    /// How TLS is spoken.
    pub tls: Tls,
    /// Labels that every series gets which does not have them.
    pub labels: Vec<(String, String)>,
    /// It takes sparse histograms.
    pub native: bool,
    /// Bytes of cuts that wait at most.
    pub queue_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_and_hide_their_query() {
        let url = Url::parse("https://prom.example:9090/api/v1/write?key=hush").unwrap();
        assert!(url.tls);
        assert_eq!((url.host.as_str(), url.port_or_default()), ("prom.example", 9090));
        assert_eq!(url.path_and_query(), "/api/v1/write?key=hush");
        assert_eq!(url.to_string(), "https://prom.example:9090/api/v1/write");
        assert!(!format!("{url:?}").contains("hush"));
        let url = Url::parse("http://[::1]").unwrap();
        assert_eq!((url.host.as_str(), url.port_or_default()), ("::1", 80));
        assert_eq!((url.authority().as_str(), url.path_and_query().as_str()), ("[::1]", "/"));
    }

    #[test]
    fn urls_that_cannot_be_are_refused_without_being_shown() {
        for text in ["", "/write", "ftp://a/b", "prom:9090", "http://", "http://u:hush@a/", "http://a b/"] {
            let why = Url::parse(text).unwrap_err();
            assert!(!why.contains("hush"), "{text}: {why}");
        }
    }
}
