//! The files that a web config consists of: read with a mark, by which a change is seen later without reading.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest::{Context, SHA256};

/// Configs, keys and certificates are far smaller.
const LIMIT: u64 = 4 << 20;
/// A file that changed so short a time before it was read may change again without a new time.
const SETTLED: Duration = Duration::from_secs(2);

/// What a changed file has changed: device, inode, size, the times of content and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u64, u64, u64, i128, i128);

impl Mark {
    fn of(meta: &Metadata) -> Mark {
        let nanos = |s: i64, n: i64| i128::from(s) * 1_000_000_000 + i128::from(n);
        Mark(
            meta.dev(),
            meta.ino(),
            meta.len(),
            nanos(meta.mtime(), meta.mtime_nsec()),
            nanos(meta.ctime(), meta.ctime_nsec()),
        )
    }
}

/// Files as they were read, together.
pub(super) struct Files {
    marks: Vec<(PathBuf, Option<Mark>)>,
    content: Context,
    settled: bool,
}

impl Files {
    pub(super) fn new() -> Files {
        Files { marks: Vec::new(), content: Context::new(&SHA256), settled: true }
    }

    /// The content of a file, which counts among the files from now on, readable or not.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let result = read(path);
        let mark = result.as_ref().ok().map(|(_, mark, _)| *mark);
        self.marks.push((path.to_path_buf(), mark));
        match result {
            Ok((bytes, _, changed)) => {
                let age = SystemTime::now().duration_since(changed).unwrap_or(SETTLED);
                self.settled &= age >= SETTLED;
                self.content.update(&[1]);
                self.content.update(&(bytes.len() as u64).to_le_bytes());
                self.content.update(&bytes);
                Ok(bytes)
            }
            Err(error) => {
                self.content.update(&[0]);
                self.content.update(error.to_string().as_bytes());
                Err(error)
            }
        }
    }

    /// Whether a file may differ from what was read.
    pub(super) fn changed(&self) -> bool {
        !self.settled
            || self
                .marks
                .iter()
                .any(|(path, mark)| *mark != std::fs::metadata(path).ok().as_ref().map(Mark::of))
    }

    /// A digest of all that was read.
    pub(super) fn digest(&self) -> Vec<u8> {
        self.content.clone().finish().as_ref().to_vec()
    }
}

fn read(path: &Path) -> io::Result<(Vec<u8>, Mark, SystemTime)> {
    // A pipe would let us wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let file = File::open(path)?;
    let meta = file.metadata()?;
    let mut bytes = Vec::new();
    (&file).take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is larger than 4 MiB"));
    }
    Ok((bytes, Mark::of(&meta), meta.modified()?))
}
