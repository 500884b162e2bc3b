//! What the page at `/` shows and `/api/v1/status` says: the exporter's own view of its work, for people.
//!
//! Times are seconds since 1970, sizes bytes, shares 0 to 1. A field that does not apply is absent.

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::level::Level;

/// Everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The source revision it was built from; empty where it is not known.
    pub revision: String,
    /// When it started.
    pub started: f64,
    /// When this status was made.
    pub now: f64,
    /// Whether all is caught up and the store works; else what is missing.
    pub not_ready: Option<String>,
    /// Sums over all inputs.
    pub totals: Totals,
    /// By name.
    pub inputs: Vec<Input>,
    /// Files that are followed, and those that cannot be read.
    pub files: Vec<File>,
    /// How many they are; `files` may hold fewer.
    pub files_total: usize,
    /// Rules in force, by group and name.
    pub rules: Vec<Rule>,
    /// Whether rules show samples.
    pub samples: bool,
    /// The host at a glance; absent with `host: off`.
    pub host: Option<Host>,
    /// What needs attention, the gravest first.
    pub warnings: Vec<Warning>,
    /// The config in force.
    pub config: Config,
    /// Where counts are made durable.
    pub store: Store,
}

impl Status {
    /// Leaves at most `files` files: those that cannot be read first, then by what is unread, then the latest.
    pub fn trim(&mut self, files: usize) {
        self.files_total = self.files_total.max(self.files.len());
        if self.files.len() > files {
            let key = |f: &File| (f.error.is_none(), std::cmp::Reverse(f.unread));
            let late = |f: &File| f.last_event.unwrap_or(0.0);
            self.files.sort_by(|a, b| key(a).cmp(&key(b)).then(late(b).total_cmp(&late(a))));
            self.files.truncate(files);
        }
    }
}

/// Counts since the first start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Totals {
    pub lines: u64,
    pub bytes: u64,
    pub events: u64,
    pub levels: Levels,
}

/// Events per level, in the order of [`Level::index`]; an object by level name in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels(pub [u64; 8]);

impl Serialize for Levels {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(8))?;
        for level in Level::ALL {
            map.serialize_entry(level.as_str(), &self.0[level.index()])?;
        }
        map.end()
    }
}

/// A named set of files.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Input {
    /// Its name, the label `input`.
    pub name: String,
    /// Files followed.
    pub files: usize,
    /// Its counts.
    pub totals: Totals,
}

/// A followed file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct File {
    /// The path under which its content was first seen.
    pub path: String,
    /// The input it belongs to.
    pub input: String,
    /// The format in force, or what was recognised so far.
    pub format: String,
    /// Events per level.
    pub levels: Levels,
    /// Its size.
    pub size: u64,
    /// Bytes that are not counted yet.
    pub unread: u64,
    /// When its last event was read.
    pub last_event: Option<f64>,
    /// Why it cannot be read, if it cannot.
    pub error: Option<String>,
}

/// A rule in force.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rule {
    /// Its group.
    pub group: String,
    /// Its name, the label `pattern`.
    pub name: String,
    /// Events that matched.
    pub events: u64,
    /// When one last did.
    pub last_match: Option<f64>,
    /// Time spent confirming it.
    pub seconds: f64,
    /// A line that matched lately, redacted; absent where there is none yet, and where samples are turned off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
}

/// The host at a glance.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Operating system and kernel, for people.
    pub system: String,
    /// When it was booted.
    pub booted: f64,
    /// Processors.
    pub cpus: usize,
    /// Share of processor time in use.
    pub cpu_used: f64,
    /// The largest share within the last minute.
    pub cpu_peak: f64,
    /// Load over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    /// Memory in all.
    pub memory_bytes: u64,
    /// Share of memory in use.
    pub memory_used: f64,
    /// Swap in all; 0 without.
    pub swap_bytes: u64,
    /// Share of swap in use.
    pub swap_used: f64,
    /// Bytes a second that came in and went out on all real interfaces.
    pub network: [f64; 2],
    /// File systems on real devices.
    pub filesystems: Vec<Filesystem>,
}

/// A mounted file system.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount: String,
    /// Its size.
    pub size: u64,
    /// Share in use.
    pub used: f64,
}

/// What needs attention.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Warning {
    /// What is wrong, with its object.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// Since when.
    pub since: Option<f64>,
    /// How often it happened.
    pub count: u64,
}

/// The config in force.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Config {
    /// The file; absent without one.
    pub file: Option<String>,
    /// All settings in force as YAML, without secrets.
    pub text: String,
    /// When it was last read.
    pub loaded: f64,
    /// Why the last reload failed, if it did; then the one before is in force.
    pub error: Option<String>,
}

/// Where counts are made durable.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Store {
    /// Its file; absent with `--storage.path none`.
    pub path: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// When it last took a commit.
    pub committed: Option<f64>,
    /// How long that took.
    pub commit_seconds: f64,
    /// Why commits fail, if they do.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_eyes_stays_when_files_are_many() {
        let file = |path: &str, unread, last, error: Option<&str>| File {
            path: path.to_owned(),
            unread,
            last_event: Some(last),
            error: error.map(str::to_owned),
            ..File::default()
        };
        let files = vec![
            file("old", 0, 1.0, None),
            file("new", 0, 2.0, None),
            file("behind", 9, 1.0, None),
            file("broken", 0, 1.0, Some("permission denied")),
        ];
        let mut status = Status { files, ..Status::default() };
        status.trim(3);
        assert_eq!(status.files_total, 4);
        assert_eq!(
            status.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["broken", "behind", "new"]
        );
    }

    #[test]
    fn levels_are_an_object_of_all_eight() {
        let levels = Levels([1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            serde_json::to_string(&levels).unwrap(),
            r#"{"trace":1,"debug":2,"info":3,"notice":4,"warning":5,"error":6,"critical":7,"unknown":8}"#
        );
    }
}
