use super::*;
use std::os::unix::fs::symlink;

fn list(dir: &Path, include: &[&str], exclude: &[&str]) -> (Vec<String>, Listing) {
    let include: Vec<PathBuf> = include.iter().map(|pattern| dir.join(pattern)).collect();
    let exclude: Vec<PathBuf> = exclude.iter().map(PathBuf::from).collect();
    let listing = Globs::new(&include, &exclude).unwrap().list();
    let short = |found: &Found| found.path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
    (listing.files.iter().map(short).collect(), listing)
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
    for name in ["x.log", "a/y.log", "a/b/z.log", "a/b/c/w.log", "a/y.log.1", "a/y.log.2.gz", "a/n.txt"] {
        fs::write(dir.path().join(name), "line\n").unwrap();
    }
    dir
}

#[test]
fn globs_folders_and_files() {
    let dir = tree();
    let dir = dir.path();
    assert_eq!(list(dir, &["*.log"], &[]).0, ["x.log"]);
    assert_eq!(list(dir, &["**/*.log"], &[]).0, ["a/b/c/w.log", "a/b/z.log", "a/y.log", "x.log"]);
    assert_eq!(list(dir, &["*/*.log"], &[]).0, ["a/y.log"]);
    assert_eq!(list(dir, &["a/y.log*"], &[]).0, ["a/y.log", "a/y.log.1", "a/y.log.2.gz"]);
    assert_eq!(list(dir, &["a"], &[]).0, ["a/n.txt", "a/y.log", "a/y.log.1"]);
    assert_eq!(list(dir, &["a/{y,n}.*"], &["*.gz"]).0, ["a/n.txt", "a/y.log", "a/y.log.1"]);
    assert_eq!(list(dir, &["**/*.log"], &["**/b/**"]).0, ["a/y.log", "x.log"]);
    assert_eq!(list(dir, &["**/*.log", "x.log", "x.*"], &["b"]).0, ["a/y.log", "x.log"]);
    let (_, listing) = list(dir, &["none.log", "no/*.log", "x.log"], &[]);
    assert_eq!(listing.unmatched, [dir.join("none.log"), dir.join("no/*.log")]);
    assert!(listing.errors.is_empty());
    let gz = list(dir, &["a/*.gz"], &[]).1;
    assert!(gz.files[0].is_archive);
    assert!(Globs::new(&[PathBuf::from("a[")], &[]).unwrap_err().contains("a["));
}

#[test]
fn links_lead_to_files_and_loops_do_not_hang() {
    let dir = tree();
    let at = |name: &str| dir.path().join(name);
    symlink(at("x.log"), at("current.log")).unwrap();
    symlink(at("a"), at("a/b/loop")).unwrap();
    symlink(at("self.log"), at("self.log")).unwrap();
    symlink(at("nowhere"), at("broken.log")).unwrap();
    let (names, listing) = list(dir.path(), &["**/*.log"], &[]);
    assert!(names.contains(&"current.log".into()) && !names.contains(&"broken.log".into()));
    let ino = |name: &str| listing.files.iter().find(|found| found.path == at(name)).unwrap().ino;
    assert_eq!(ino("current.log"), ino("x.log"));
    let link = listing.files.iter().find(|found| found.path == at("current.log")).unwrap();
    assert_eq!(link.target, Some(fs::canonicalize(at("x.log")).unwrap()));
}

#[test]
fn a_folder_gives_what_looks_like_text() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("app"), "text\n").unwrap();
    fs::write(at("empty.log"), "").unwrap();
    fs::write(at("wide.log"), b"\xff\xfea\0\n\0").unwrap();
    fs::write(at("latin.log"), b"caf\xe9\n").unwrap();
    fs::write(at("wtmp"), b"\x07\0\0\0abc\0").unwrap();
    fs::write(at("packed.gz"), b"\x1f\x8b").unwrap();
    fs::write(at("store.redb"), "redb").unwrap();
    fs::write(at(".hidden"), "x").unwrap();
    fs::create_dir(at("sub.log")).unwrap();
    assert_eq!(list(dir.path(), &[""], &[]).0, ["app", "empty.log", "latin.log", "wide.log"]);
}

#[test]
fn paths_that_are_not_utf8_and_names_with_wildcards() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join(OsStr::from_bytes(b"caf\xe9.log"));
    fs::write(&odd, "x\n").unwrap();
    fs::write(dir.path().join("a[1].log"), "x\n").unwrap();
    let all = Globs::new(&[dir.path().join("*.log")], &[]).unwrap().list();
    assert!(all.files.iter().any(|found| found.path == odd));
    assert_eq!(Globs::new(&[odd], &[]).unwrap().list().files.len(), 1);
    assert_eq!(list(dir.path(), &["a[1].log"], &[]).0, ["a[1].log"]);
}

#[test]
fn folders_to_watch_include_those_that_could_hold_a_match() {
    let dir = tree();
    let globs = |pattern: &str| Globs::new(&[dir.path().join(pattern)], &[]).unwrap().list().dirs;
    let at = |name: &str| dir.path().join(name);
    assert_eq!(globs("*.log"), BTreeSet::from([dir.path().to_path_buf()]));
    assert!(globs("a/y.log").contains(&at("a")));
    let deep = globs("a/**/*.log");
    assert!(deep.is_superset(&BTreeSet::from([at("a"), at("a/b"), at("a/b/c")])));
    assert_eq!(globs("later/sub/*.log"), BTreeSet::from([dir.path().to_path_buf()]));
}

/// Prints what a listing costs: `cargo test --lib discover -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn measure_a_listing_of_10000_files() {
    let dir = tempfile::tempdir().unwrap();
    (0..10_000).for_each(|i| fs::write(dir.path().join(format!("{i}.log")), "x\n").unwrap());
    for pattern in ["*.log", "**/*.log", ""] {
        let globs = Globs::new(&[dir.path().join(pattern)], &[]).unwrap();
        globs.list();
        let start = std::time::Instant::now();
        assert_eq!(globs.list().files.len(), 10_000);
        println!("{pattern:?}: {:?}", start.elapsed());
    }
}

#[test]
fn links_on_the_way_are_watched_where_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let release = dir.path().join("releases/1/log");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::write(release.join("a.log"), "x\n").unwrap();
    std::os::unix::fs::symlink(dir.path().join("releases/1"), dir.path().join("current")).unwrap();
    let globs = Globs::new(&[dir.path().join("current/log/*.log")], &[]).unwrap();
    let listing = globs.list();
    assert_eq!(listing.files.len(), 1);
    assert!(listing.dirs.contains(dir.path()), "{:?}", listing.dirs);
}
