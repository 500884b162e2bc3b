//! A web config file into what the port works with: all of it good, or all its problems.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use tokio_rustls::rustls::ServerConfig;

use super::files::Files;
use super::flaw;
use super::raw::{Raw, RawHttp, RawRate};
use super::tls::{Reader, Tls};
use super::users::Users;
use crate::error::{Place, Problem};

/// Who may come in, and how. The default lets everyone in.
#[derive(Default)]
pub(in crate::web) struct Access {
    pub(in crate::web) tls: Option<Arc<ServerConfig>>,
    /// Whether only clients with a verified certificate get through the handshake.
    pub(super) certified: bool,
    pub(super) users: Users,
    /// Set on every answer.
    pub(in crate::web) headers: Vec<(HeaderName, HeaderValue)>,
    /// One request per interval, and so many at once.
    pub(super) rate: Option<(Duration, u32)>,
    pub(super) warnings: Vec<Problem>,
    /// Counts the configs; a connection belongs to the one it was made under.
    pub(in crate::web) epoch: u64,
}

impl Access {
    /// Whether strangers are kept out.
    pub(super) fn authenticates(&self) -> bool {
        self.certified || !self.users.is_empty()
    }
}

/// Reads the file and all that it names. `files` knows what was read in any case.
pub(super) fn load(path: &Path, files: &mut Files) -> Result<Access, Vec<Problem>> {
    let bytes = files.read(path).map_err(|error| {
        let hint = "--web.config.file names a YAML file in the format of Prometheus' exporter-toolkit";
        vec![Problem::error(Place::new(path, 0, 0), format!("cannot read it: {error}")).hint(hint)]
    })?;
    let raw: Option<Raw> =
        serde_yaml::from_slice(&bytes).map_err(|error| vec![flaw::problem(path, &error)])?;
    let raw = raw.unwrap_or_default();
    let mut reader = Reader { path, files, problems: Vec::new(), warnings: Vec::new() };
    let Tls { config, authenticates } =
        raw.tls_server_config.map_or_else(Tls::default, |tls| reader.tls(&tls));
    let headers = raw.http_server_config.map_or_else(Vec::new, |http| headers(&mut reader, http));
    let users = raw.basic_auth_users.map_or_else(Users::default, |users| {
        Users::new(users.0.into_iter().map(|(name, hash)| (name, hash.0)), &mut reader)
    });
    let rate = raw.rate_limit.and_then(|raw| rate(&mut reader, &raw));
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let warnings = reader.warnings;
    Ok(Access { tls: config, certified: authenticates, users, headers, rate, warnings, epoch: 0 })
}

fn headers(reader: &mut Reader<'_>, http: RawHttp) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (header, value) in http.headers.map_or_else(Vec::new, |pairs| pairs.0) {
        let header = header.0;
        // An empty value leaves the header as it is without config.
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        if !header.values.is_empty() && !header.values.contains(&value.as_str()) {
            let hint = format!("allowed: {}", header.values.join(", "));
            reader.error(format!("{} cannot be `{value}`", header.name), &hint);
            continue;
        }
        match (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_str(&value)) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => reader.error(
                format!("{}: the value holds what no header can carry", header.name),
                "use visible ASCII characters on one line",
            ),
        }
    }
    headers
}

fn rate(reader: &mut Reader<'_>, raw: &RawRate) -> Option<(Duration, u32)> {
    let interval = raw.interval.as_ref().map_or(Duration::ZERO, |interval| interval.0.0);
    if interval.is_zero() {
        return None;
    }
    let burst = raw.burst.unwrap_or(0);
    if burst == 0 {
        reader.warn("rate_limit without a burst refuses every request", "set `burst: 1` or more");
    }
    Some((interval, burst))
}
