//! A world of real files in a temporary folder, and the tailer in it; time is moved by hand.

mod bytes;
mod cuts;
mod files;
mod model;
mod rotation;
#[path = "../../tests/support/shrink.rs"]
mod shrink;

use super::*;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use tempfile::TempDir;

/// Takes lines and remembers them by the label of their content.
#[derive(Clone, Default)]
pub(super) struct Counted {
    pub(super) labels: HashMap<FileId, String>,
    pub(super) lines: Vec<(String, String)>,
    pub(super) skipped: u64,
    pub(super) open: BTreeSet<FileId>,
}

impl Sink for Counted {
    fn opened(&mut self, file: FileId, saved: &Saved, resumed: bool) {
        assert!(self.open.insert(file), "opened twice");
        assert_eq!(resumed, saved.offset > 0);
        let path = String::from_utf8_lossy(&saved.path).into_owned();
        let label = Path::new(&path).file_name().unwrap().to_string_lossy().into_owned();
        self.labels.insert(file, label);
    }

    fn lines(&mut self, file: FileId, chunk: &[u8], skipped: u64, encoding: Encoding) {
        assert!(self.open.contains(&file), "lines of a file that was not opened");
        assert!(!chunk.is_empty());
        self.skipped += skipped;
        let text = match encoding {
            Encoding::Bytes => String::from_utf8_lossy(chunk).into_owned(),
            Encoding::Utf16Le => utf16(chunk, u16::from_le_bytes),
            Encoding::Utf16Be => utf16(chunk, u16::from_be_bytes),
        };
        for line in text.split_inclusive('\n') {
            self.lines.push((self.labels[&file].clone(), line.trim_end_matches(['\n', '\r']).to_owned()));
        }
    }

    fn closed(&mut self, file: FileId) {
        self.open.remove(&file);
    }
}

fn utf16(chunk: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = chunk.as_chunks::<2>();
    assert!(rest.is_empty(), "half a code unit");
    String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>()).unwrap()
}

/// A folder with files, a tailer, and what a crash would leave of both.
pub(super) struct World {
    pub(super) dir: TempDir,
    pub(super) tailer: Tailer,
    pub(super) sink: Counted,
    pub(super) facts: Vec<Fact>,
    pub(super) now: Instant,
    pub(super) options: Options,
    /// Whether the name is followed.
    pub(super) glob: fn(&str) -> bool,
    pub(super) stored: BTreeMap<FileId, Saved>,
    stored_sink: Counted,
}

pub(super) fn all_logs(name: &str) -> bool {
    name.contains(".log")
}

pub(super) fn only_app(name: &str) -> bool {
    name == "app.log"
}

impl World {
    pub(super) fn new(glob: fn(&str) -> bool) -> World {
        World::with(glob, Options { block: 4096, ..Options::default() })
    }

    pub(super) fn with(glob: fn(&str) -> bool, options: Options) -> World {
        let now = Instant::now();
        World {
            dir: tempfile::tempdir().unwrap(),
            tailer: Tailer::new(options.clone(), Vec::new(), now),
            sink: Counted::default(),
            facts: Vec::new(),
            now,
            options,
            glob,
            stored: BTreeMap::new(),
            stored_sink: Counted::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn append(&self, name: &str, text: impl AsRef<[u8]>) -> File {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
        file
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub(super) fn truncate(&self, name: &str) {
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(0).unwrap();
    }

    pub(super) fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn gzip(&self, from: &str, to: &str) {
        let file = File::create(self.path(to)).unwrap();
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(&fs::read(self.path(from)).unwrap()).unwrap();
        packer.finish().unwrap();
        self.remove(from);
    }

    pub(super) fn listing(&self) -> Vec<Listed> {
        let mut listing = Vec::new();
        let input: Arc<str> = "default".into();
        for entry in walkdir::WalkDir::new(self.dir.path()).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if (self.glob)(&name) && meta.is_file() {
                let archive = [".gz", ".zst", ".bz2", ".xz"].iter().any(|ending| name.ends_with(ending));
                let (dev, ino, size) = (meta.dev(), meta.ino(), meta.len());
                let changed = (meta.ctime(), meta.ctime_nsec());
                let path = entry.path().to_path_buf();
                listing.push(Listed {
                    path,
                    input: input.clone(),
                    dev,
                    ino,
                    size,
                    changed,
                    archive,
                    target: None,
                });
            }
        }
        listing
    }

    pub(super) fn sync(&mut self) {
        self.sync_from(false, From::Beginning);
    }

    pub(super) fn sync_from(&mut self, first: bool, from: From) {
        let listing = self.listing();
        self.tailer.sync(&listing, first, from, self.now, &mut self.facts, &mut self.sink);
    }

    pub(super) fn round(&mut self) -> Progress {
        self.now += Duration::from_millis(100);
        self.tailer.round(self.now, &mut self.sink, &mut self.facts)
    }

    /// Rounds until nothing more comes at once.
    pub(super) fn drain(&mut self) {
        for _ in 0..10_000 {
            if !self.round().backlog {
                return;
            }
        }
        panic!("the backlog never ends");
    }

    /// A listing, and everything that can be read.
    pub(super) fn step(&mut self) {
        self.sync();
        self.drain();
    }

    /// Lets the grace period pass.
    pub(super) fn wait(&mut self) {
        self.step();
        self.now += self.options.grace;
        self.step();
        self.step();
    }

    pub(super) fn commit(&mut self) {
        for (id, row) in self.tailer.changed() {
            match row {
                Some(row) => self.stored.insert(id, row),
                None => self.stored.remove(&id),
            };
        }
        self.stored_sink = self.sink.clone();
    }

    /// A crash: everything since the last commit is gone.
    pub(super) fn crash(&mut self) {
        self.sink = self.stored_sink.clone();
        self.sink.open.clear();
        let rows = self.stored.clone().into_iter().collect();
        let ids = Arc::new(AtomicU64::new(1));
        self.tailer = Tailer::new(Options { ids, ..self.options.clone() }, rows, self.now);
    }

    /// A clean stop and a start.
    pub(super) fn restart(&mut self) {
        self.commit();
        self.crash();
    }

    #[track_caller]
    pub(super) fn expect(&self, lines: &[&str]) {
        let mut found: Vec<&str> = self.sink.lines.iter().map(|(_, line)| line.as_str()).collect();
        let mut wanted = lines.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "facts: {:#?}", self.facts);
    }

    pub(super) fn label_of(&self, line: &str) -> &str {
        &self.sink.lines.iter().find(|(_, text)| text == line).unwrap_or_else(|| panic!("no {line}")).0
    }

    pub(super) fn lost(&self) -> u64 {
        self.facts.iter().map(|fact| if let What::Lost { bytes, .. } = fact.what { bytes } else { 0 }).sum()
    }

    pub(super) fn count(&self, what: &What) -> usize {
        self.facts.iter().filter(|fact| fact.what == *what).count()
    }
}
