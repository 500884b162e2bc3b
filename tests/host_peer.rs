//! The host's metrics beside those of node_exporter, on this machine at one moment: families, types, help texts,
//! labels and values.

use crate::support::{Exporter, Folder, PATIENCE, Scrape, ask, parse, until};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The families that must be as the peer has them.
const SHARED: &str = "^node_(uname_info|os_info|os_version|cpu_seconds_total|cpu_guest_seconds_total|load(1|5|15)|\
boot_time_seconds|time_seconds|memory_.+|vmstat_.+|filesystem_.+|\
disk_(read|write|writes|reads|written|io|discard|discards|discarded|flush)_.+|network_.+|pressure_.+|\
procs_(running|blocked)|context_switches_total|intr_total|forks_total|filefd_.+|nf_conntrack_entries(_limit)?|\
timex_.+|sockstat_.+|netstat_.+|entropy_.+|hwmon_.+|thermal_zone_temp|cooling_device_.+|processes_.+|textfile_.+)$\
|^shared_by_both$";

/// Families that move while both sides look, how far they may on top of two per cent, and why. Each of their series
/// must be near at some moment; those of all other families at one and the same moment.
const FAST: [(&str, f64, &str); 9] = [
    ("^node_procs_(running|blocked)$", 4.0, "what runs changes a thousand times a second"),
    ("^node_processes_(threads_)?state$", 16.0, "read each five seconds; a state lasts milliseconds"),
    ("^node_processes_(threads|pids)$", 0.0, "read each five seconds; programs come and go"),
    ("^node_(sockstat|filefd)_|^node_netstat_Tcp_CurrEstab$", 0.0, "the scrapes themselves open sockets"),
    ("^node_nf_conntrack_entries$", 0.0, "connections come and go"),
    ("^node_load1$", 0.0, "the kernel counts it anew each five seconds"),
    ("^node_timex_|^node_entropy_available_bits$", 0.0, "the kernel steers its clock and mixes its pool"),
    (
        "^node_memory_(Mem(Free|Available)|Buffers|Cached|SwapCached|SwapFree|Active.*|Inactive.*|Unevictable|Mlocked|\
         Dirty|Writeback|AnonPages|Mapped|Shmem.*|KReclaimable|Slab|SReclaimable|SUnreclaim|KernelStack|PageTables|\
         SecPageTables|Committed_AS|Percpu|AnonHugePages|File.*|VmallocUsed|Bounce|NFS_Unstable|WritebackTmp)_bytes$",
        0.0,
        "programs take and give back memory all the time",
    ),
    (
        "^node_(filesystem_(free|avail)_bytes|filesystem_files_free|disk_io_now)$",
        0.0,
        "others write to the disk",
    ),
];

/// What is compared, and how.
struct Law {
    shared: Regex,
    fast: Vec<(Regex, f64)>,
}

impl Law {
    fn new() -> Law {
        let fast = FAST.iter().map(|(names, slack, _)| (Regex::new(names).unwrap(), *slack));
        Law { shared: Regex::new(SHARED).unwrap(), fast: fast.collect() }
    }

    fn is_shared(&self, series: &str) -> bool {
        self.shared.is_match(name(series))
    }

    /// The slack of a family that moves.
    fn slack(&self, series: &str) -> Option<f64> {
        self.fast.iter().find(|(names, _)| names.is_match(name(series))).map(|(_, slack)| *slack)
    }
}

fn name(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}

/// node_exporter on a free port, with upstream's filters where a distribution has changed them.
struct Peer {
    child: Child,
    address: String,
}

impl Peer {
    fn start(textfiles: &str) -> Peer {
        let mut child = Command::new("prometheus-node-exporter")
            .args(["--web.listen-address=127.0.0.1:0", "--collector.processes", "--no-collector.systemd"])
            .arg(format!("--collector.textfile.directory={textfiles}"))
            .arg("--collector.netdev.device-exclude=^$")
            .arg(
                "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|\
                 var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
            )
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prometheus-node-exporter is there: `make prepare` installs it");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let at = Regex::new(r"Listening on.* address=(\S+)").unwrap();
        let address = lines.by_ref().find_map(|line| Some(at.captures(&line)?[1].to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Peer { child, address: address.expect("node_exporter says where it serves") }
    }

    fn scrape(&self) -> Scrape {
        let answer = ask(&self.address, "GET", "/metrics", &[]);
        assert_eq!(answer.status, 200);
        parse(&answer.text())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three scrapes: ours, the peer's, and ours of a sample that was taken after the peer's.
struct Round {
    before: Scrape,
    peer: Scrape,
    after: Scrape,
}

impl Round {
    fn new(ours: &Exporter, peer: &Peer) -> Round {
        let before = ours.scrape();
        let peer = peer.scrape();
        let answered = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let after = ours.scrape_until("a sample after the peer's", |scrape| {
            scrape.has("node_load1", &[]) && scrape.one("node_time_seconds", &[]) > answered
        });
        Round { before, peer, after }
    }

    /// Families that differ in type or help.
    fn families(&self, law: &Law) -> Vec<String> {
        let theirs = self.peer.families.iter().filter(|(name, _)| law.is_shared(name));
        let differ = theirs.filter(|(name, theirs)| self.after.families.get(*name) != Some(theirs));
        differ
            .map(|(name, theirs)| format!("{name} {theirs:?} {:?}", self.after.families.get(name)))
            .collect()
    }

    /// The peer's series.
    fn series(&self, law: &Law) -> Vec<String> {
        plain(&self.peer).into_keys().filter(|series| law.is_shared(series)).collect()
    }

    /// Series that one side has and the other has not, and those whose values differ.
    fn differences(&self, law: &Law) -> BTreeMap<String, String> {
        let (theirs, before, after) = (plain(&self.peer), plain(&self.before), plain(&self.after));
        let mut wrong = BTreeMap::new();
        for (series, theirs) in theirs.iter().filter(|(series, _)| law.is_shared(series)) {
            let Some(&last) = after.get(series) else {
                wrong.insert(series.clone(), format!("theirs alone: {theirs}"));
                continue;
            };
            let first = before.get(series).copied().unwrap_or(last);
            let tolerance = if self.peer.kind(series) == "counter" { 0.01 } else { 0.02 };
            let slack = |value: f64| value.abs() * tolerance + law.slack(series).unwrap_or(0.0);
            let (least, most) = (first.min(last), first.max(last));
            if *theirs < least - slack(least) || *theirs > most + slack(most) {
                wrong.insert(series.clone(), format!("theirs {theirs}, ours {first} and {last}"));
            }
        }
        let has =
            |series: &&String| self.peer.families.contains_key(name(series)) && !theirs.contains_key(*series);
        for series in after.keys().filter(has).filter(|series| law.is_shared(series)) {
            wrong.insert(series.clone(), "ours alone".to_owned());
        }
        wrong
    }
}

/// Series without empty labels, which are no labels.
fn plain(scrape: &Scrape) -> BTreeMap<String, f64> {
    let strip = |series: &String| match series.trim_end_matches('}').split_once('{') {
        Some((name, labels)) => {
            let full: Vec<&str> = labels.split('\u{1}').filter(|label| !label.ends_with("=\"\"")).collect();
            format!("{name}{{{}}}", full.join(","))
        }
        None => series.clone(),
    };
    scrape.series.iter().map(|(series, value)| (strip(series), *value)).collect()
}

#[test]
fn every_shared_family_is_as_node_exporter_has_it() {
    let folder = Folder::new();
    let textfile =
        "# HELP shared_by_both Written by a job.\n# TYPE shared_by_both gauge\nshared_by_both{job=\"a\"} 3\n";
    folder.write("textfiles/job.prom", textfile);
    // Sampled ten times a second, so that both sides look at nearly the same moment.
    let config = folder.write("logtally.yml", "inputs: []\nhost: {interval: 100ms}\n");
    let textfiles = folder.at("textfiles");
    let peer = Peer::start(&textfiles);
    let args = ["-c", &config, "--storage.path", "none", "--collector.textfile.directory", &textfiles];
    let ours = Exporter::start_with(&args, &[]);
    let law = Law::new();

    let (mut agreed, mut compared, mut steady) = (BTreeSet::new(), 0, false);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let round = Round::new(&ours, &peer);
        assert_eq!(round.families(&law), Vec::<String>::new(), "families differ (theirs, ours)");
        let (all, wrong) = (round.series(&law), round.differences(&law));
        compared = compared.max(all.len());
        agreed.extend(all.iter().filter(|series| !wrong.contains_key(*series)).cloned());
        steady |= wrong.keys().all(|series| law.slack(series).is_some());
        let open: Vec<&String> = all.iter().filter(|series| !agreed.contains(*series)).collect();
        if steady && open.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "never at one moment: {wrong:#?}\nnever at all: {open:#?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(compared > 150, "only {compared} series were there to compare");
}

#[test]
fn idle_time_never_steps_back() {
    let folder = Folder::new();
    let config =
        folder.write("logtally.yml", "inputs: []\nhost: {interval: 100ms, collectors: [cpu, timex]}\n");
    let ours = Exporter::start_with(&["-c", &config, "--storage.path", "none"], &[]);
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    let mut moments = BTreeSet::new();
    until("twenty samples", || {
        let scrape = ours.scrape();
        moments.extend(scrape.lines("node_time_seconds"));
        for (series, value) in scrape.matching("node_cpu_seconds_total", &[]) {
            let before = last.insert(series.to_owned(), value).unwrap_or(value);
            assert!(value >= before, "{series} from {before} to {value}");
        }
        (moments.len() >= 20 && !last.is_empty()).then_some(())
    });
}
