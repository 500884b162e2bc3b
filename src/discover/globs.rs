//! Lists what a set of patterns names: files, globs with `**`, and folders.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

/// Endings of compressed files.
const ARCHIVES: [&str; 4] = ["gz", "zst", "bz2", "xz"];
/// Endings that no text log has, in folders that are given as a whole.
const NO_TEXT: [&str; 24] = [
    "tar", "tgz", "zip", "7z", "lz4", "lzma", "rar", "db", "sqlite", "sqlite3", "redb", "journal", "png",
    "jpg", "jpeg", "gif", "pdf", "exe", "so", "o", "a", "pyc", "swp", "lock",
];
/// How much of a file is looked at to see whether it is text.
const PEEK_BYTES: usize = 512;

/// One file that a pattern names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it was found, links as they are.
    pub path: PathBuf,
    /// Device of the file behind all links.
    pub dev: u64,
    /// Inode of the file behind all links.
    pub ino: u64,
    /// Its size.
    pub size: u64,
    /// When its inode last changed: seconds and nanoseconds.
    pub changed: (i64, i64),
    /// Compressed, by its name.
    pub is_archive: bool,
    /// Where the file itself stands, if the path is a link: writes to it are told of there.
    pub target: Option<PathBuf>,
}

/// What the patterns name now.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Regular files, sorted by path, each path once.
    pub files: Vec<Found>,
    /// What could not be looked at.
    pub errors: Vec<(PathBuf, io::ErrorKind)>,
    /// Patterns that name nothing yet.
    pub unmatched: Vec<PathBuf>,
    /// The folders whose changes can change the listing or its files: those that hold or could hold a match, those that
    /// links lead to, and where a folder is missing, the nearest above it that is there.
    pub dirs: BTreeSet<PathBuf>,
}

/// What was found out about files and is still true while they are the same.
#[derive(Debug, Default)]
struct Known {
    /// Size (up to what is looked at) and verdict whether it is text, by device and inode.
    text: HashMap<(u64, u64), (u64, bool)>,
    /// Where links lead, with the inode they led to.
    links: HashMap<PathBuf, (u64, PathBuf)>,
}

/// A pattern, understood.
#[derive(Debug)]
struct Pattern {
    given: PathBuf,
    /// The longest prefix without wildcards; for a plain path, all of it.
    root: PathBuf,
    /// `None` for a plain path: a file, or a folder with the logs directly in it.
    glob: Option<GlobSet>,
    /// How deep below the root it can match.
    depth: usize,
}

/// A set of patterns.
#[derive(Debug)]
pub struct Globs {
    patterns: Vec<Pattern>,
    exclude: GlobSet,
    known: Mutex<Known>,
}

impl Globs {
    /// Understands patterns; the error names the one that makes no sense. Excludes match whole paths, or the file's name
    /// where they hold no `/`.
    pub fn new(include: &[PathBuf], exclude: &[PathBuf]) -> Result<Globs, String> {
        let patterns = include.iter().map(|given| Pattern::new(given)).collect::<Result<_, _>>()?;
        let mut set = GlobSetBuilder::new();
        for given in exclude {
            let text = utf8(given)?;
            let text = if text.contains('/') { text.to_owned() } else { format!("**/{text}") };
            set.add(glob(&text)?);
            // A folder excludes all below it.
            set.add(glob(&format!("{}/**", text.trim_end_matches('/')))?);
        }
        let exclude = set.build().map_err(|error| error.to_string())?;
        Ok(Globs { patterns, exclude, known: Mutex::default() })
    }

    /// Looks at the disk.
    pub fn list(&self) -> Listing {
        let known = self.known.lock().map(|mut known| std::mem::take(&mut *known)).unwrap_or_default();
        let mut look = Look { globs: self, known, next: Known::default(), listing: Listing::default() };
        for pattern in &self.patterns {
            let before = look.listing.files.len();
            look.pattern(pattern);
            if look.listing.files.len() == before {
                look.listing.unmatched.push(pattern.given.clone());
            }
        }
        let Look { next, mut listing, .. } = look;
        if let Ok(mut kept) = self.known.lock() {
            *kept = next;
        }
        // As bytes: comparing paths part by part costs ten times as much.
        listing.files.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        listing.files.dedup_by(|a, b| a.path == b.path);
        listing
    }
}

/// One look at the disk.
struct Look<'g> {
    globs: &'g Globs,
    known: Known,
    next: Known,
    listing: Listing,
}

impl Look<'_> {
    fn pattern(&mut self, pattern: &Pattern) {
        let root = &pattern.root;
        let here = root.as_os_str().is_empty();
        let meta = fs::metadata(if here { Path::new(".") } else { root });
        if !meta.as_ref().is_ok_and(Metadata::is_dir) {
            // The folder above tells when it comes, goes or is replaced; of a folder its own watch does.
            self.listing.dirs.extend(root.parent().and_then(nearest));
        }
        let meta = match meta {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            other => other,
        };
        if !meta.as_ref().is_ok_and(Metadata::is_dir) {
            let link = fs::symlink_metadata(root).is_ok_and(|meta| meta.is_symlink());
            return self.add(root, link, meta);
        }
        self.listing.dirs.insert(if here { PathBuf::from(".") } else { root.clone() });
        // A link on the way may come to lead elsewhere: only the folder that holds the link tells of that.
        let links = root.ancestors().filter(|part| part.is_symlink()).filter_map(Path::parent);
        self.listing.dirs.extend(links.filter_map(nearest));
        for entry in walk(root, pattern.depth) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    if pattern.depth > entry.depth() {
                        self.listing.dirs.insert(entry.into_path());
                    }
                }
                Ok(entry) => self.entry(pattern, &entry),
                Err(error) => self.note(&error, pattern),
            }
        }
    }

    /// One file of a walk.
    fn entry(&mut self, pattern: &Pattern, entry: &walkdir::DirEntry) {
        let path = entry.path();
        // The walk of the working folder spells its paths `./a`; patterns do not.
        let path =
            if pattern.root.as_os_str().is_empty() { path.strip_prefix(".").unwrap_or(path) } else { path };
        let link = entry.path_is_symlink();
        match &pattern.glob {
            Some(glob) if glob.is_match(path) => {
                self.add(path, link, entry.metadata().map_err(io::Error::from))
            }
            Some(_) => {}
            None => {
                let Ok(meta) = entry.metadata() else { return };
                if meta.is_file() && !is_archive(path) && self.is_text(path, &meta) {
                    self.add(path, link, Ok(meta));
                }
            }
        }
    }

    /// Adds one file, if it is one and not excluded.
    fn add(&mut self, path: &Path, link: bool, meta: io::Result<Metadata>) {
        if self.globs.exclude.is_match(path) {
            return;
        }
        match meta {
            Ok(meta) if meta.is_file() => {
                let target = if link { self.target(path, meta.ino()) } else { None };
                self.listing
                    .dirs
                    .extend(target.as_ref().and_then(|target| target.parent()).map(Path::to_path_buf));
                self.listing.files.push(Found {
                    path: path.to_path_buf(),
                    dev: meta.dev(),
                    ino: meta.ino(),
                    size: meta.len(),
                    changed: (meta.ctime(), meta.ctime_nsec()),
                    is_archive: is_archive(path),
                    target,
                });
            }
            Ok(_) => self.listing.errors.push((path.to_path_buf(), io::ErrorKind::InvalidInput)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.listing.errors.push((path.to_path_buf(), error.kind())),
        }
    }

    /// Where a link leads; asked of the system once while it leads there.
    fn target(&mut self, path: &Path, ino: u64) -> Option<PathBuf> {
        let known = self.known.links.remove(path).filter(|(seen, _)| *seen == ino);
        let target = known.map(|(_, target)| target).or_else(|| fs::canonicalize(path).ok())?;
        self.next.links.insert(path.to_path_buf(), (ino, target.clone()));
        Some(target)
    }

    /// Notes what a walk could not see, as far as it matters: broken links and vanished files do not.
    fn note(&mut self, error: &walkdir::Error, pattern: &Pattern) {
        let path = error.path().unwrap_or(&pattern.root).to_path_buf();
        match error.io_error().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => {}
            Some(kind) => self.listing.errors.push((path, kind)),
            // A loop: only worth a word where the link itself is asked for.
            None if pattern.glob.as_ref().is_none_or(|glob| glob.is_match(&path)) => {
                self.listing.errors.push((path, io::Error::from(rustix::io::Errno::LOOP).kind()));
            }
            None => {}
        }
    }

    /// Whether a file in a folder looks like a text log: by its name, then by its first bytes (once, while it stays).
    fn is_text(&mut self, path: &Path, meta: &Metadata) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        if name.starts_with(b".") || name.ends_with(b"~") || NO_TEXT.contains(&ending.as_str()) {
            return false;
        }
        let key = (meta.dev(), meta.ino());
        let peeked = meta.len().min(PEEK_BYTES as u64);
        let known = self.known.text.get(&key).copied();
        let verdict = known.filter(|(seen, _)| *seen == peeked).map(|(_, text)| text);
        let text = verdict.unwrap_or_else(|| begins_as_text(path));
        self.next.text.insert(key, (peeked, text));
        text
    }
}

impl Pattern {
    fn new(given: &Path) -> Result<Pattern, String> {
        let wild = |part: &OsStr| {
            part.as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{' | b'\\'))
        };
        // A file may well have wildcards in its name.
        if !given.components().any(|part| wild(part.as_os_str())) || fs::symlink_metadata(given).is_ok() {
            return Ok(Pattern {
                given: given.to_path_buf(),
                root: given.to_path_buf(),
                glob: None,
                depth: 1,
            });
        }
        let root: PathBuf = given.components().take_while(|part| !wild(part.as_os_str())).collect();
        let below = given.components().skip(root.components().count());
        let recursive =
            below.clone().any(|part| part.as_os_str().as_bytes().windows(2).any(|pair| pair == b"**"));
        let alternatives = below.clone().any(|part| part.as_os_str().as_bytes().contains(&b'{'));
        let depth = if recursive || alternatives { usize::MAX } else { below.count() };
        let mut set = GlobSetBuilder::new();
        // Components, so that `./a//b` and the walk's own spelling agree.
        let spelled: PathBuf = given.components().filter(|part| *part != Component::CurDir).collect();
        set.add(glob(utf8(&spelled)?)?);
        let glob = Some(set.build().map_err(|error| error.to_string())?);
        let root = if root.as_os_str().is_empty() {
            root
        } else {
            root.components().filter(|part| *part != Component::CurDir).collect()
        };
        Ok(Pattern { given: given.to_path_buf(), root, glob, depth })
    }
}

fn utf8(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{}: a pattern must be UTF-8", path.display()))
}

fn glob(text: &str) -> Result<globset::Glob, String> {
    let built = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    built.map_err(|error| error.to_string())
}

/// Walks a folder through links; a loop of links is an error of one entry.
fn walk(root: &Path, depth: usize) -> impl Iterator<Item = walkdir::Result<walkdir::DirEntry>> + use<> {
    let here = root.as_os_str().is_empty();
    let walk = walkdir::WalkDir::new(if here { Path::new(".") } else { root });
    walk.follow_links(true).min_depth(1).max_depth(depth).into_iter()
}

fn nearest(path: &Path) -> Option<PathBuf> {
    let found = path.ancestors().find(|dir| dir.is_dir() || dir.as_os_str().is_empty())?;
    Some(if found.as_os_str().is_empty() { PathBuf::from(".") } else { found.to_path_buf() })
}

fn is_archive(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ARCHIVES.iter().any(|archive| archive.eq_ignore_ascii_case(ending))
}

/// Text has no NUL bytes, unless it is UTF-16 and says so, or a hole that a crash of its writer left.
fn begins_as_text(path: &Path) -> bool {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits() as i32;
    let opened: io::Result<File> = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let mut head = Vec::new();
    match opened.and_then(|file| file.take(PEEK_BYTES as u64).read_to_end(&mut head)) {
        // What cannot be read is reported by whoever follows it.
        Err(_) => true,
        Ok(_) => {
            let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
            let hole = head.iter().all(|byte| *byte == 0);
            utf16 || hole || !head.contains(&0) && !head.starts_with(b"\x1f\x8b")
        }
    }
}

#[cfg(test)]
#[path = "globs_tests.rs"]
mod tests;
