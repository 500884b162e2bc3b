//! All collectors over a fixture machine: its exposition, and what happens when its files are broken.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use prometheus::core::Collector;
use prometheus::proto::{MetricFamily, MetricType};

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host");

fn machine(folder: &Path) -> Options {
    Options {
        procfs: folder.join("proc"),
        sysfs: folder.join("sys"),
        rootfs: folder.join("root"),
        textfile: Some(folder.join("textfile")),
        ..Options::default()
    }
}

fn sample_once(options: Options) -> Snapshot {
    let mut host = Host::new(options).unwrap();
    host.sample(std::time::Instant::now(), std::time::SystemTime::now());
    host.snapshot()
}

fn value(family: &MetricFamily, index: usize) -> f64 {
    let metric = &family.get_metric()[index];
    match family.get_field_type() {
        MetricType::COUNTER => metric.get_counter().get_value(),
        MetricType::HISTOGRAM => metric.get_histogram().get_sample_count() as f64,
        _ => metric.get_gauge().get_value(),
    }
}

/// One line per series; what belongs to the machine that runs the test shows as `*`.
fn render(families: &[MetricFamily]) -> String {
    let mut families: Vec<&MetricFamily> = families.iter().collect();
    families.sort_by_key(|family| family.name().to_owned());
    let mut text = String::new();
    for family in families {
        let name = family.name();
        if ["node_timex_", "node_time_", "node_uname_", "logtally_collector_duration"]
            .iter()
            .any(|own| name.starts_with(own))
        {
            continue;
        }
        writeln!(text, "# {name} {:?} {}", family.get_field_type(), family.help()).unwrap();
        let own_value =
            ["_bytes", "_files", "_files_free", "_mtime_seconds"].iter().any(|end| name.ends_with(end))
                && (name.starts_with("node_filesystem") || name.starts_with("node_textfile"));
        let mut lines: Vec<String> = (0..family.get_metric().len())
            .map(|index| {
                let labels = family.get_metric()[index].get_label().iter();
                let labels: Vec<String> =
                    labels.map(|label| format!("{}={:?}", label.name(), label.value())).collect();
                let value = if own_value { "*".to_owned() } else { value(family, index).to_string() };
                format!("{name}{{{}}} {value}\n", labels.join(","))
            })
            .collect();
        lines.sort();
        text.extend(lines);
    }
    text.replace(FIXTURES, "")
}

#[test]
fn the_fixture_machine_is_exposed_as_expected() {
    let text = render(&sample_once(machine(Path::new(FIXTURES))).collect());
    let golden = Path::new(FIXTURES).join("expected.txt");
    if std::env::var_os("LOGTALLY_UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &text).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    for (number, (got, want)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, want, "line {} of expected.txt; LOGTALLY_UPDATE_GOLDEN=1 rewrites it", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// Ways in which a file can be wrong; `None` is missing.
fn damages(good: &[u8]) -> Vec<Option<Vec<u8>>> {
    let digits_to = |digits: &str| {
        let text = String::from_utf8_lossy(good);
        regex::Regex::new("[0-9]+").unwrap().replace_all(&text, digits).into_owned().into_bytes()
    };
    vec![
        None,
        Some(Vec::new()),
        Some(good[..good.len() / 2].to_vec()),
        Some(b"\0\0\0\n\xff\xfe garbage \xc3: \n: :\n".to_vec()),
        Some(b"-1 -1 -1 -1 -1 -1\n".to_vec()),
        Some(digits_to("18446744073709551615")),
        Some(digits_to("99999999999999999999999999")),
        Some(digits_to("-7")),
        Some(digits_to("nan")),
    ]
}

fn reading(families: &[MetricFamily], collector: &str) -> f64 {
    let family = families.iter().find(|family| family.name() == "logtally_collector_success").unwrap();
    let index =
        family.get_metric().iter().position(|metric| metric.get_label()[0].value() == collector).unwrap();
    value(family, index)
}

#[test]
fn any_broken_file_costs_at_most_its_own_collector() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(FIXTURES), folder.path());
    let mut all = Vec::new();
    files(folder.path(), &mut all);
    let mut host = Host::new(machine(folder.path())).unwrap();
    let (mut now, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
    let mut sample = || {
        now += Duration::from_secs(61); // by then every collector is due
        host.sample(now, wall);
        host.snapshot().families()
    };
    for path in all {
        let good = fs::read(&path).unwrap();
        // Attributes of sysfs are one number or word each: the first few ways are all there are.
        let ways = if path.starts_with(folder.path().join("sys")) { 4 } else { usize::MAX };
        for damage in damages(&good).into_iter().take(ways) {
            match &damage {
                None => fs::remove_file(&path).unwrap(),
                Some(bytes) => fs::write(&path, bytes).unwrap(),
            }
            let families = sample();
            let failed: Vec<&str> =
                COLLECTORS.iter().copied().filter(|name| reading(&families, name) == 0.0).collect();
            // Two collectors read /proc/stat; no other file is shared.
            assert!(failed.len() <= 2, "{} as {damage:?} failed {failed:?}", path.display());
            let mut names: Vec<&str> = families.iter().map(MetricFamily::name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{} as {damage:?}: a family comes twice", path.display());
        }
        fs::write(&path, &good).unwrap();
        let families = sample();
        assert!(
            COLLECTORS.iter().all(|name| reading(&families, name) == 1.0),
            "{} is good again",
            path.display()
        );
    }
}

#[test]
fn a_machine_without_any_file_fails_softly() {
    let folder = tempfile::tempdir().unwrap();
    let families = sample_once(machine(folder.path())).families();
    for broken in ["cpu", "memory", "load", "disk", "network", "stat", "vmstat", "filefd", "filesystem"] {
        assert_eq!(reading(&families, broken), 0.0, "{broken}");
    }
    for absent in
        ["pressure", "conntrack", "hwmon", "thermal", "entropy", "sockstat", "netstat", "os", "textfile"]
    {
        assert_eq!(reading(&families, absent), 1.0, "{absent}");
    }
}

#[test]
fn only_the_named_collectors_run() {
    let collectors = vec!["memory".to_owned(), "load".to_owned()];
    let families = sample_once(Options { collectors, ..machine(Path::new(FIXTURES)) }).families();
    assert!(families.iter().any(|family| family.name() == "node_load1"));
    assert!(!families.iter().any(|family| family.name().starts_with("node_cpu")));
    let unknown = Host::new(Options { collectors: vec!["cpus".into()], ..Options::default() }).unwrap_err();
    assert!(unknown.contains("\"cpus\"") && unknown.contains("netstat"), "{unknown}");
    let interval = std::time::Duration::from_millis(1);
    assert!(Host::new(Options { interval, ..Options::default() }).is_err());
}

#[test]
fn a_failure_is_told_when_it_begins_and_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(FIXTURES), folder.path());
    let collectors = vec!["memory".to_owned()];
    let mut host = Host::new(Options { collectors, ..machine(folder.path()) }).unwrap();
    let file = folder.path().join("proc/meminfo");
    let good = fs::read(&file).unwrap();
    let mut notes = Vec::new();
    for text in [&good[..], b"a b", b"c d", &good[..], &good[..]] {
        fs::write(&file, text).unwrap();
        notes.extend(host.sample(std::time::Instant::now(), std::time::SystemTime::now()));
    }
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].problem.as_ref().unwrap().contains("meminfo"));
    assert_eq!(notes[1], Note { collector: "memory", problem: None });
}

#[test]
fn seldom_collectors_keep_their_values_between_readings() {
    let mut host = Host::new(machine(Path::new(FIXTURES))).unwrap();
    let (start, wall) = (std::time::Instant::now(), std::time::SystemTime::now());
    let snapshot = host.snapshot();
    host.sample(start, wall);
    let first = snapshot.families().len();
    for second in 1..4 {
        host.sample(start + Duration::from_secs(second), wall);
    }
    let families = snapshot.families();
    // Two ticks give the first samples of CPU, disks and networks: four histograms and maxima, memory had its own.
    assert_eq!(families.len(), first + 6);
    assert!(families.iter().any(|family| family.name() == "node_processes_pids"));
}

#[test]
fn textfiles_are_taken_whole_or_marked() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(FIXTURES), folder.path());
    let put = |name: &str, text: &str| fs::write(folder.path().join("textfile").join(name), text).unwrap();
    let look = || {
        let families = sample_once(machine(folder.path())).families();
        let error = families.iter().find(|family| family.name() == "node_textfile_scrape_error").unwrap();
        (value(error, 0), families.iter().map(|family| family.name().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(look().0, 0.0);
    for (text, why) in [
        ("fresh 1\nnode_load1 5\n", "a family of ours"),
        ("fresh 1\nlogtally_x 5\n", "a reserved name"),
        ("fresh 1\nbackup_age_seconds 5\n", "another type"),
        ("fresh 1\njob_last_success 5\n", "a series of another file"),
        ("fresh 1\nbad{\n", "bad text"),
    ] {
        put("z.prom", text);
        let (error, names) = look();
        assert_eq!(error, 1.0, "{why}");
        assert!(!names.contains(&"fresh".to_owned()), "{why}");
        assert!(names.contains(&"backup_age_seconds".to_owned()), "{why}");
    }
    put("z.prom", "fresh 1\njob_last_success{job=\"x\"} 5\n");
    let (error, names) = look();
    assert_eq!(error, 0.0);
    assert!(names.contains(&"fresh".to_owned()));
}

#[test]
fn a_registry_takes_the_snapshot_and_the_process() {
    let registry = prometheus::Registry::new();
    registry.register(Box::new(sample_once(machine(Path::new(FIXTURES))))).unwrap();
    registry.register(Box::new(OwnProcess::new())).unwrap();
    assert!(registry.gather().len() > 200);
}

#[test]
fn the_sampler_ends_when_nobody_is_left_to_tell_it() {
    let (tell, orders) = std::sync::mpsc::channel();
    let host = Host::new(Options { collectors: vec!["load".into()], ..Options::default() }).unwrap();
    let snapshot = Snapshot::default();
    let shown = snapshot.clone();
    let thread = std::thread::spawn(move || run(Some(host), &shown, &orders, |_| {}));
    drop(tell);
    thread.join().unwrap();
    assert!(!snapshot.families().is_empty());
}
