//! What the exporter says of itself: one line per fact, in logfmt or JSON, on standard error.
//!
//! A storm of the same message is one line with a count: within [`QUIET`], a message is written
//! [`BURST`] times; what was held back is told with the next one.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often a message is written within [`QUIET`] before it is only counted.
pub const BURST: u32 = 5;
/// How long a storm of one message is held back.
pub const QUIET: Duration = Duration::from_secs(60);
/// Messages whose storms are remembered.
const REMEMBERED: usize = 512;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of `--log.level`")]
pub enum Severity {
    Debug,
    Info,
    Warn,
    Error,
}

impl Severity {
    /// The word of `--log.level`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Warn => "warn",
            Severity::Error => "error",
        }
    }
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `--log.format`")]
pub enum Format {
    Logfmt,
    Json,
}

/// The exporter's own log.
pub struct Log {
    least: Severity,
    format: Format,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    storms: HashMap<String, Storm>,
}

struct Storm {
    since: Instant,
    written: u32,
    held: u64,
}

impl Log {
    /// A log that writes lines from `least` on to `out`.
    pub fn new(least: Severity, format: Format, out: Box<dyn Write + Send>) -> Log {
        Log { least, format, state: Mutex::new(State { out, storms: HashMap::new() }) }
    }

    /// Writes a line: a constant message and what it is about.
    pub fn write(&self, severity: Severity, message: &str, about: &[(&str, &dyn Display)]) {
        self.write_at(severity, message, about, Instant::now(), SystemTime::now());
    }

    /// As [`Log::write`], at a given time.
    pub fn write_at(
        &self,
        severity: Severity,
        message: &str,
        about: &[(&str, &dyn Display)],
        now: Instant,
        wall: SystemTime,
    ) {
        if severity < self.least {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = state.admit(message, now) else { return };
        let time = humantime::format_rfc3339_millis(wall).to_string();
        let mut pairs: Vec<(&str, String)> =
            vec![("time", time), ("level", severity.as_str().into()), ("msg", message.into())];
        pairs.extend(about.iter().map(|(key, value)| (*key, value.to_string())));
        if held > 0 {
            pairs.push(("repeated", held.to_string()));
        }
        let line = match self.format {
            Format::Logfmt => logfmt(&pairs),
            Format::Json => json(&pairs),
        };
        // A log that cannot be written has nobody to tell.
        let _ = writeln!(state.out, "{line}");
    }

    /// An error.
    pub fn error(&self, message: &str, about: &[(&str, &dyn Display)]) {
        self.write(Severity::Error, message, about);
    }

    /// A warning.
    pub fn warn(&self, message: &str, about: &[(&str, &dyn Display)]) {
        self.write(Severity::Warn, message, about);
    }

    /// Something worth knowing.
    pub fn info(&self, message: &str, about: &[(&str, &dyn Display)]) {
        self.write(Severity::Info, message, about);
    }

    /// Something for whoever looks for a fault.
    pub fn debug(&self, message: &str, about: &[(&str, &dyn Display)]) {
        self.write(Severity::Debug, message, about);
    }
}

impl State {
    /// Whether a message may be written now, and how many of its kind were held back before it.
    fn admit(&mut self, message: &str, now: Instant) -> Option<u64> {
        if self.storms.len() >= REMEMBERED {
            self.storms.retain(|_, storm| now.duration_since(storm.since) < QUIET || storm.held > 0);
            if self.storms.len() >= REMEMBERED {
                self.storms.clear();
            }
        }
        let storm =
            self.storms.entry(message.to_owned()).or_insert(Storm { since: now, written: 0, held: 0 });
        if now.duration_since(storm.since) >= QUIET {
            let held = std::mem::take(&mut storm.held);
            (storm.since, storm.written) = (now, 1);
            return Some(held);
        }
        if storm.written < BURST {
            storm.written += 1;
            return Some(0);
        }
        storm.held += 1;
        None
    }
}

fn logfmt(pairs: &[(&str, String)]) -> String {
    let value = |text: &str| {
        let plain =
            !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\'));
        if plain { text.to_owned() } else { Value::from(text).to_string() }
    };
    pairs.iter().map(|(key, text)| format!("{key}={}", value(text))).collect::<Vec<_>>().join(" ")
}

fn json(pairs: &[(&str, String)]) -> String {
    let object: Map<String, Value> =
        pairs.iter().map(|(key, text)| ((*key).to_owned(), Value::from(text.as_str()))).collect();
    Value::from(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn lines_are_logfmt_or_json() {
        let at = SystemTime::UNIX_EPOCH;
        let now = Instant::now();
        for (format, want) in [
            (Format::Logfmt, "time=1970-01-01T00:00:00.000Z level=warn msg=\"file gone\" path=/var/log/a\n"),
            (
                Format::Json,
                "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warn\",\"msg\":\"file gone\",\"path\":\"/var/log/a\"}\n",
            ),
        ] {
            let sink = Sink::default();
            let log = Log::new(Severity::Info, format, Box::new(sink.clone()));
            log.write_at(Severity::Warn, "file gone", &[("path", &"/var/log/a")], now, at);
            log.write_at(Severity::Debug, "not said", &[], now, at);
            assert_eq!(sink.text(), want);
        }
    }

    #[test]
    fn a_storm_is_a_few_lines_and_a_count() {
        let sink = Sink::default();
        let log = Log::new(Severity::Info, Format::Logfmt, Box::new(sink.clone()));
        let now = Instant::now();
        for _ in 0..1000 {
            log.write_at(Severity::Error, "again", &[], now, SystemTime::UNIX_EPOCH);
        }
        assert_eq!(sink.text().lines().count(), BURST as usize);
        log.write_at(Severity::Error, "again", &[], now + QUIET, SystemTime::UNIX_EPOCH);
        assert!(sink.text().ends_with(&format!("repeated={}\n", 1000 - BURST)));
    }
}
