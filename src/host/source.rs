//! Where the kernel's files are and how they are read: replaceable roots, bounded reads, two kinds of failure.
//!
//! Parsers get text and give numbers; only this file opens something for them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any kernel file of ours has; a root that points elsewhere cannot fill the memory.
const MAX_FILE: u64 = 16 << 20;

/// Why a collector gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// This machine has no such thing: success without series.
    Absent,
    /// It should be there and cannot be read or understood: success 0.
    Broken(String),
}

impl Failure {
    /// A broken source, with what was wrong.
    pub(crate) fn broken(what: impl Into<String>) -> Failure {
        Failure::Broken(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Absent => f.write_str("not on this machine"),
            Failure::Broken(what) => f.write_str(what),
        }
    }
}

/// The folders that stand for `/proc`, `/sys` and `/`.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    /// Stands for `/proc`.
    pub(crate) procfs: PathBuf,
    /// Stands for `/sys`.
    pub(crate) sysfs: PathBuf,
    /// Stands for `/`.
    pub(crate) rootfs: PathBuf,
}

impl Roots {
    /// A path under procfs.
    pub(crate) fn proc(&self, path: &str) -> PathBuf {
        self.procfs.join(path)
    }

    /// A path under sysfs.
    pub(crate) fn sys(&self, path: &str) -> PathBuf {
        self.sysfs.join(path)
    }

    /// Where a path of the host (absolute) is seen from here.
    pub(crate) fn root(&self, path: &str) -> PathBuf {
        self.rootfs.join(path.trim_start_matches('/'))
    }

    /// True where a library that cannot be pointed elsewhere sees what our files say.
    pub(crate) fn is_own_proc(&self) -> bool {
        cfg!(not(all(target_os = "linux", not(logtally_portable)))) || self.procfs == Path::new("/proc")
    }
}

/// The text of a file that must be there.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    read_raw(path).map_err(|error| Failure::broken(format!("{}: {error}", path.display())))
}

/// The text of a file that a machine need not have (no such kernel option, no such hardware).
pub(crate) fn read_optional(path: &Path) -> Result<String, Failure> {
    read_raw(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported | io::ErrorKind::NotADirectory => {
            Failure::Absent
        }
        _ => Failure::broken(format!("{}: {error}", path.display())),
    })
}

/// One trimmed line of a sysfs attribute; `None` where it is missing or the driver refuses.
pub(crate) fn attribute(path: &Path) -> Option<String> {
    Some(read_raw(path).ok()?.trim().to_owned())
}

/// A whole number of a sysfs attribute.
pub(crate) fn attribute_number(path: &Path) -> Option<i64> {
    attribute(path)?.parse().ok()
}

fn read_raw(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(4096);
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// A kernel number, or what was wrong with it.
pub(crate) fn number(text: &str, file: &str) -> Result<f64, Failure> {
    // Through u64 or i64: `f64` alone would take "inf", "nan" and "1e9", which no kernel file holds.
    if let Ok(value) = text.parse::<u64>() {
        return Ok(value as f64);
    }
    text.parse::<i64>()
        .map(|value| value as f64)
        .map_err(|_| Failure::broken(format!("{file}: {text:?} is no number")))
}

/// Bytes of a page, in which the kernel counts some memory.
pub(crate) fn page_size() -> f64 {
    #[cfg(unix)]
    return rustix::param::page_size() as f64;
    #[cfg(not(unix))]
    return 4096.0;
}

/// What is in a folder, sorted by name; an unreadable folder is an empty one.
pub(crate) fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(read) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(String, PathBuf)> = read
        .filter_map(Result::ok)
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kernel_numbers_only() {
        assert_eq!(number("18446744073709551615", "f").unwrap(), u64::MAX as f64);
        assert_eq!(number("-5", "f").unwrap(), -5.0);
        for bad in ["", "nan", "inf", "1e9", "12kB", "99999999999999999999999"] {
            assert!(number(bad, "f").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_file_is_absent_or_broken_as_the_caller_means() {
        let missing = Path::new("/nonexistent/folder/file");
        assert_eq!(read_optional(missing), Err(Failure::Absent));
        assert!(matches!(read(missing), Err(Failure::Broken(_))));
    }

    #[test]
    fn absolute_paths_of_the_host_land_under_its_root() {
        let roots = Roots { procfs: "/p".into(), sysfs: "/s".into(), rootfs: "/host".into() };
        assert_eq!(roots.root("/etc/os-release"), Path::new("/host/etc/os-release"));
        assert_eq!(roots.root("/"), Path::new("/host/"));
    }
}
