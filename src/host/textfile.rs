//! Metrics that other programs leave in a folder: `*.prom` files in, their families out, bad files marked.
//!
//! A file counts whole or not at all; one that would repeat a series or a family of ours is bad.

use std::collections::{BTreeMap, HashSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prometheus::proto::MetricFamily;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};
use super::text_format;

/// Larger files are an accident.
const MAX_BYTES: u64 = 8 << 20;
/// Names that belong to other parts of the exporter.
const RESERVED: [&str; 4] = ["logtally_", "log_", "process_", "node_textfile_"];

/// `node_textfile_*` and what the files hold.
#[derive(Debug, Default)]
pub(crate) struct Textfile {
    folder: Option<PathBuf>,
    files: BTreeMap<PathBuf, Parsed>,
}

/// A file as it was when it was read last.
#[derive(Debug)]
struct Parsed {
    stamp: (Option<SystemTime>, u64),
    result: Result<Vec<MetricFamily>, String>,
}

impl Textfile {
    /// Reads `folder`; without one there is only the error flag, at 0.
    pub(crate) fn new(folder: Option<PathBuf>) -> Textfile {
        Textfile { folder, files: BTreeMap::new() }
    }
}

impl Collect for Textfile {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let mut problems: Vec<String> = Vec::new();
        if let Some(folder) = self.folder.clone() {
            match list(&folder) {
                Ok(paths) => self.refresh(paths),
                Err(error) => {
                    self.files.clear();
                    problems.push(format!("{}: {error}", folder.display()));
                }
            }
        }
        let mut merged = Merged::default();
        for (path, parsed) in &self.files {
            let added = parsed
                .result
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|families| merged.add(families, path, tick.taken));
            match added {
                Ok(()) => {
                    let mtime = parsed.stamp.0.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
                    let help = "Unixtime mtime of textfiles successfully read.";
                    let label = path.to_string_lossy();
                    let value = mtime.map_or(0.0, |since| since.as_secs_f64());
                    out.gauge("node_textfile_mtime_seconds", help, &[("file", &label)], value);
                }
                Err(what) => problems.push(format!("{}: {what}", path.display())),
            }
        }
        let help = "1 if there was an error opening or reading a file, 0 otherwise";
        out.gauge("node_textfile_scrape_error", help, &[], f64::from(u8::from(!problems.is_empty())));
        merged.families.into_values().for_each(|family| out.family(family));
        *tick.remark = (!problems.is_empty()).then(|| problems.join("; "));
        Ok(())
    }
}

impl Textfile {
    /// Reads what is new or changed and forgets what is gone.
    fn refresh(&mut self, paths: Vec<PathBuf>) {
        // `list` sorts.
        self.files.retain(|path, _| paths.binary_search(path).is_ok());
        for path in paths {
            let stamp = match path.metadata() {
                Ok(metadata) => stamp(&metadata),
                Err(error) => {
                    self.files.insert(path, Parsed { stamp: (None, 0), result: Err(error.to_string()) });
                    continue;
                }
            };
            if self.files.get(&path).is_none_or(|known| known.stamp != stamp) {
                let result = read(&path, stamp.1);
                self.files.insert(path, Parsed { stamp, result });
            }
        }
    }
}

fn stamp(metadata: &Metadata) -> (Option<SystemTime>, u64) {
    (metadata.modified().ok(), metadata.len())
}

fn read(path: &Path, bytes: u64) -> Result<Vec<MetricFamily>, String> {
    if bytes > MAX_BYTES {
        return Err(format!("{bytes} bytes are too many; at most {MAX_BYTES} are read"));
    }
    text_format::parse(&source::read(path).map_err(|failure| failure.to_string())?)
}

/// The `*.prom` files of a folder, sorted. A pipe or a device by that name would block us: only plain files count.
fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "prom"))
        .filter(|path| path.metadata().map_or(true, |metadata| metadata.is_file()))
        .collect();
    paths.sort();
    Ok(paths)
}

/// The families of several files by name.
#[derive(Debug, Default)]
struct Merged {
    families: BTreeMap<String, MetricFamily>,
    series: HashSet<String>,
}

impl Merged {
    /// Adds a file's families, or none of them.
    fn add(
        &mut self,
        families: &[MetricFamily],
        path: &Path,
        taken: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        let mut fresh = Vec::new();
        for family in families {
            let name = family.name();
            if taken(name) || RESERVED.iter().any(|prefix| name.starts_with(prefix)) {
                return Err(format!("{name} is a metric of the exporter itself"));
            }
            if self.families.get(name).is_some_and(|known| known.get_field_type() != family.get_field_type())
            {
                return Err(format!("{name} has another type in another file"));
            }
            for metric in family.get_metric() {
                let labels: Vec<_> =
                    metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
                let key = format!("{name}{labels:?}");
                if self.series.contains(&key) {
                    return Err(format!("{name} comes in another file with the same labels"));
                }
                fresh.push(key);
            }
        }
        self.series.extend(fresh);
        for family in families {
            match self.families.get_mut(family.name()) {
                Some(known) => known.mut_metric().extend(family.get_metric().iter().cloned()),
                None => {
                    let mut family = family.clone();
                    if family.help().is_empty() {
                        family.set_help(format!("Metric read from {}", path.display()));
                    }
                    self.families.insert(family.name().to_owned(), family);
                }
            }
        }
        Ok(())
    }
}
