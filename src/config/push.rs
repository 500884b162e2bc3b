//! `push:` as it was written, and the receivers that it becomes.

use super::raw::{RawPush, RawPushTls, RawSize};
use super::ready::Problems;
use crate::push::{Auth, Protocol, Secret, Target, Tls, Url};
use crate::rules::yaml::{At, suggestion};
use crate::tally::units::{self, Unit};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PROTOCOLS: [(&str, Protocol); 3] = [
    ("remote_write", Protocol::RemoteWrite),
    ("remote_write_v1", Protocol::RemoteWriteV1),
    ("otlp", Protocol::Otlp),
];
/// Headers that say what the message is: they come with the protocol.
const OURS: [&str; 7] = [
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-prometheus-remote-write-version",
];

/// The receivers. `base`: where relative paths start.
pub(super) fn ready(list: Vec<RawPush>, base: &Path, problems: &mut Problems) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for raw in list {
        let (spot, named) = (raw.url.spot, raw.name.is_some());
        let Some(target) = target(raw, base, problems) else { continue };
        if targets.iter().any(|known| known.name == target.name) {
            let what = if named { "push targets are named" } else { "push targets have the URL" };
            let message = format!("two {what} '{}'", target.name);
            problems.error_at(spot, message, "give each its own name with the key name".to_owned());
        }
        targets.push(target);
    }
    targets
}

fn target(raw: RawPush, base: &Path, problems: &mut Problems) -> Option<Target> {
    let file = |path: At<String>, problems: &mut Problems| file(base, &path, problems);
    let protocol = raw.protocol.map_or(Protocol::RemoteWrite, |word| protocol(&word, problems));
    let interval = time(raw.interval, "interval", 15.0, [0.1, 3600.0], problems);
    let timeout = time(raw.timeout, "timeout", 10.0, [0.1, 300.0], problems);
    let mut headers = Vec::new();
    for (name, value) in raw.headers.0 {
        check_header(&name, &value, problems);
        headers.push((name.value, Secret::new(value.value)));
    }
    let auth = match (raw.basic_auth, raw.bearer_token_file) {
        (Some(basic), Some(_)) => {
            let message = "basic_auth and bearer_token_file exclude each other";
            problems.error(&basic, message, "keep the one that the receiver wants");
            Auth::None
        }
        (Some(basic), None) => {
            let basic = basic.value;
            Auth::Basic { username: basic.username.value, password_file: file(basic.password_file, problems) }
        }
        (None, Some(token)) => Auth::Bearer { token_file: file(token, problems) },
        (None, None) => Auth::None,
    };
    let tls = raw.tls.map_or_else(Tls::default, |raw| tls(raw, base, problems));
    let labels = labels(raw.labels.0, problems);
    let queue_bytes = raw.queue_bytes.map_or(32 << 20, |size| queue_bytes(&size, problems));
    if raw.name.as_ref().is_some_and(|name| name.value.trim().is_empty()) {
        problems.error_at(
            raw.url.spot,
            "name is empty".to_owned(),
            "leave it out, or write a name".to_owned(),
        );
    }
    let url = Url::parse(&raw.url.value).map_err(|why| {
        let hint = match why.contains("user") {
            true => "use basic_auth with a password_file: a URL is shown and logged",
            false => "such as https://prom.example/api/v1/write",
        };
        problems.error(&raw.url, why, hint);
    });
    let url = url.ok()?;
    let name = raw.name.map_or_else(|| url.to_string(), |name| name.value);
    let native = raw.send_native_histograms;
    Some(Target { name, url, protocol, interval, timeout, headers, auth, tls, labels, native, queue_bytes })
}

fn protocol(word: &At<String>, problems: &mut Problems) -> Protocol {
    if let Some((_, protocol)) = PROTOCOLS.iter().find(|(name, _)| *name == word.value) {
        return *protocol;
    }
    let hint = suggestion(&word.value, PROTOCOLS.iter().map(|(name, _)| *name));
    problems.error(word, format!("unknown protocol '{}'", word.value), &hint.unwrap_or_default());
    Protocol::RemoteWrite
}

fn time(
    text: Option<At<String>>,
    key: &str,
    default: f64,
    [least, most]: [f64; 2],
    problems: &mut Problems,
) -> Duration {
    let Some(text) = text else { return Duration::from_secs_f64(default) };
    match units::parse(&text.value, Some(Unit::SECONDS)) {
        Ok(seconds) if (least..=most).contains(&seconds) => Duration::from_secs_f64(seconds),
        _ => {
            let most = humantime::format_duration(Duration::from_secs_f64(most));
            let hint = format!("allowed are 100ms to {most}, such as {default}s");
            problems.error(&text, format!("the {key} of a push is '{}'", text.value), &hint);
            Duration::from_secs_f64(default)
        }
    }
}

fn queue_bytes(size: &At<RawSize>, problems: &mut Problems) -> usize {
    let bytes = match &size.value {
        RawSize::Bytes(bytes) => Some(*bytes as f64),
        RawSize::Text(text) => units::parse(text, Some(Unit::BYTES)).ok(),
    };
    match bytes {
        Some(bytes) if (65_536.0..=4_294_967_296.0).contains(&bytes) => bytes as usize,
        _ => {
            let hint = "allowed are 64KiB to 4GiB, such as 32MiB";
            problems.error(size, "queue_bytes is no size of a queue", hint);
            32 << 20
        }
    }
}

fn check_header(name: &At<String>, value: &At<String>, problems: &mut Problems) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.value.is_empty() || !name.value.chars().all(token) {
        let message = format!("'{}' is no name of a header", name.value);
        problems.error(name, message, "use letters, digits and dashes, such as X-Scope-OrgID");
    } else if OURS.contains(&name.value.to_ascii_lowercase().as_str()) {
        let message = format!("the header {} is logtally's own", name.value);
        problems.error(name, message, "leave it out: it follows from the protocol and the URL");
    }
    if !value.value.chars().all(|c| c == '\t' || (' '..='~').contains(&c)) {
        // The value may be a secret and is not shown.
        let message = format!("the value of the header {} holds what no header may", name.value);
        problems.error(value, message, "use visible ASCII characters on one line");
    }
}

fn tls(raw: RawPushTls, base: &Path, problems: &mut Problems) -> Tls {
    let identity = match (raw.cert_file, raw.key_file) {
        (Some(cert), Some(key)) => Some((file(base, &cert, problems), file(base, &key, problems))),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            problems.error(&one, "cert_file and key_file belong together", "give both, or neither");
            None
        }
    };
    Tls {
        ca_file: raw.ca_file.map(|path| file(base, &path, problems)),
        identity,
        server_name: raw.server_name.map(|name| name.value),
        insecure_skip_verify: raw.insecure_skip_verify,
    }
}

/// A file that must be there, whatever it holds later.
fn file(base: &Path, path: &At<String>, problems: &mut Problems) -> PathBuf {
    let full = base.join(&path.value);
    if let Err(error) = std::fs::File::open(&full) {
        let message = format!("cannot read {}: {error}", full.display());
        problems.error(path, message, "check the path, and that the user of logtally may read it");
    }
    full
}

/// The user's labels, with `job` and `instance` where they do not name them.
fn labels(given: Vec<(At<String>, At<String>)>, problems: &mut Problems) -> Vec<(String, String)> {
    let mut labels: Vec<(String, String)> = Vec::new();
    for (name, value) in given {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let text = &name.value;
        if text.is_empty()
            || text.starts_with("__")
            || text.starts_with(|c: char| c.is_ascii_digit())
            || !text.chars().all(valid)
        {
            let message = format!("'{text}' is no label name");
            problems.error(&name, message, "use letters, digits and underscores, and begin with a letter");
        }
        labels.push((name.value, value.value));
    }
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    for (name, value) in [("job", "logtally".to_owned()), ("instance", host())] {
        if !labels.iter().any(|(known, _)| known == name) {
            labels.push((name.to_owned(), value));
        }
    }
    labels
}

/// The config's text without what headers and queries of URLs say, for people to look at. Where a secret does not
/// stand in it as it is meant, being escaped or folded, nothing is shown.
pub(super) fn redacted(text: &str, targets: &[Target]) -> String {
    let mut shown = text.to_owned();
    let headers = targets.iter().flat_map(|target| target.headers.iter().map(|(_, value)| value));
    let mut secrets: Vec<&str> = headers
        .chain(targets.iter().filter_map(|target| target.url.query.as_ref()))
        .map(Secret::reveal)
        .filter(|secret| !secret.is_empty())
        .collect();
    // A secret may be part of a longer one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        if !text.contains(secret) {
            return "# Not shown: secrets stand in it in a way that cannot be cut out.\n".to_owned();
        }
        shown = shown.replace(secret, "<hidden>");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ready::{Given, parse};

    fn config(text: &str) -> crate::config::Config {
        parse(Path::new("logtally.yml"), text, &Given::default()).unwrap()
    }

    #[test]
    fn a_target_has_defaults_and_says_who_sends() {
        let target = config("push: [{url: 'http://prom:9090/api/v1/write?k=v'}]").push.remove(0);
        assert_eq!(target.name, "http://prom:9090/api/v1/write");
        assert_eq!(target.protocol, Protocol::RemoteWrite);
        assert_eq!((target.interval.as_secs(), target.timeout.as_secs()), (15, 10));
        assert_eq!(target.labels[0], ("job".to_owned(), "logtally".to_owned()));
        assert!(target.labels[1].0 == "instance" && !target.labels[1].1.is_empty());
        assert_eq!(target.queue_bytes, 32 << 20);
    }

    #[test]
    fn secrets_are_cut_out_of_what_is_shown() {
        let text = "push:\n- {url: 'http://a/?key=hush', headers: {X-A: hushhush, X-B: hush}}\n";
        let config = config(text);
        assert!(config.text.contains("X-A: <hidden>") && !config.text.contains("hush"), "{}", config.text);
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn a_secret_that_is_escaped_hides_the_whole_text() {
        let config = config("push:\n- {url: 'http://a/', headers: {X-A: \"h\\x75sh\"}}\n");
        assert!(config.text.starts_with("# Not shown"), "{}", config.text);
    }
}
