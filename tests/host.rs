//! The host's metrics of the real binary: other roots, broken files, bursts, process groups, textfiles, and the switch
//! that turns them off.

use crate::support::{Exporter, Folder, Scrape, command, project, until};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Serves the host alone, with these settings of it.
fn hosted(folder: &Folder, host: &str, more: &[&str]) -> Exporter {
    let config = folder.write("logtally.yml", format!("inputs: []\nhost: {host}\n"));
    Exporter::start_with(&[&["-c", &config, "--storage.path", "none"], more].concat(), &[])
}

/// A copy of the fixture's machine, which a test may break.
fn machine(folder: &Folder) -> [String; 3] {
    fn copy(folder: &Folder, from: &std::path::Path, to: &str) {
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = format!("{to}/{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => copy(folder, &entry.path(), &to),
                false => drop(folder.write(&to, std::fs::read(entry.path()).unwrap())),
            }
        }
    }
    copy(folder, &project("tests/fixtures/host"), "machine");
    ["proc", "sys", "root"].map(|part| folder.at(&format!("machine/{part}")))
}

fn roots(parts: &[String; 3]) -> [&str; 6] {
    ["--path.procfs", &parts[0], "--path.sysfs", &parts[1], "--path.rootfs", &parts[2]]
}

fn succeeded(scrape: &Scrape, collector: &str) -> bool {
    scrape.sum("logtally_collector_success", &[("collector", collector)]) == 1.0
}

fn sampled(scrape: &Scrape) -> bool {
    // The last collector of a round has been read.
    scrape.has("logtally_collector_success", &[("collector", "textfile")])
}

#[test]
fn other_roots_show_another_machine() {
    let folder = Folder::new();
    let parts = machine(&folder);
    for (name, text) in
        [("memory.max", "536870912\n"), ("memory.current", "1048576\n"), ("cpu.max", "150000 100000\n")]
    {
        folder.write(&format!("machine/sys/fs/cgroup/{name}"), text);
    }
    let ours = hosted(&folder, "{interval: 100ms}", &roots(&parts));
    let scrape = ours.scrape_until("a sample", sampled);
    assert_eq!(scrape.one("node_cpu_seconds_total", &[("cpu", "1"), ("mode", "idle")]), 400.0);
    assert_eq!(scrape.one("node_load1", &[]), 1.5);
    assert!(scrape.has("node_os_info", &[("id", "example"), ("version_id", "9.1")]));
    assert!(scrape.has("node_filesystem_size_bytes", &[("mountpoint", "/data"), ("device", "/dev/sdb1")]));
    assert_eq!(scrape.one("node_filesystem_readonly", &[("mountpoint", "/data")]), 1.0);
    assert_eq!(scrape.one("node_filesystem_device_error", &[("mountpoint", "/no such folder")]), 1.0);
    assert_eq!(scrape.one("logtally_cgroup_memory_limit_bytes", &[]), 536_870_912.0);
    assert_eq!(scrape.one("logtally_cgroup_memory_usage_bytes", &[]), 1_048_576.0);
    assert_eq!(scrape.one("logtally_cgroup_cpu_limit_cpus", &[]), 1.5);
}

#[test]
fn a_broken_collector_fails_alone_and_comes_back() {
    let folder = Folder::new();
    let parts = machine(&folder);
    let ours = hosted(&folder, "{interval: 100ms}", &roots(&parts));
    let good = ours.scrape_until("all good", |scrape| sampled(scrape) && succeeded(scrape, "memory"));
    assert!(good.has("node_memory_MemTotal_bytes", &[]));
    let before = std::fs::read(folder.path("machine/proc/meminfo")).unwrap();
    folder.write("machine/proc/meminfo", "MemTotal: many kB\n");
    let broken = ours.scrape_until("the failure shows", |scrape| !succeeded(scrape, "memory"));
    assert!(!broken.has("node_memory_MemTotal_bytes", &[]), "no stale values");
    assert!(succeeded(&broken, "cpu") && broken.has("node_load1", &[]));
    until("a line in the log", || {
        let told = |line: &String| line.contains("collector=memory") && line.contains("level=warn");
        (ours.log().iter().filter(|line| told(line)).count() == 1).then_some(())
    });
    folder.write("machine/proc/meminfo", before);
    ours.scrape_until("it is back", |scrape| {
        succeeded(scrape, "memory") && scrape.has("node_memory_MemTotal_bytes", &[])
    });
}

#[test]
fn off_means_off() {
    let folder = Folder::new();
    let log = folder.write("app.log", "2026-11-20 12:00:00 INFO ready\n");
    let config = folder.write("logtally.yml", "host: off\n");
    let ours = Exporter::start(&["-c", &config, "--from", "beginning", &log]);
    let scrape = ours.scrape_until("the line", |scrape| scrape.sum("log_lines_total", &[]) == 1.0);
    let host = |name: &&String| {
        ["node_", "logtally_host_", "logtally_collector_"].iter().any(|start| name.starts_with(start))
    };
    assert_eq!(scrape.families.keys().filter(host).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(scrape.has("process_cpu_seconds_total", &[]), "the exporter itself stays");
}

#[test]
fn only_the_listed_collectors_run() {
    let folder = Folder::new();
    let ours = hosted(&folder, "{interval: 100ms, collectors: [load, memory]}", &[]);
    let scrape = ours.scrape_until("a sample", |scrape| succeeded(scrape, "load"));
    let collectors: Vec<String> = scrape.lines("logtally_collector_success");
    assert_eq!(collectors.len(), 2, "{collectors:?}");
    assert!(!scrape.has("node_cpu_seconds_total", &[]));
}

#[test]
fn a_burst_between_two_scrapes_is_seen() {
    let folder = Folder::new();
    let ours = hosted(&folder, "{interval: 500ms, collectors: [cpu]}", &[]);
    let seen = |scrape: &Scrape| {
        let below = scrape.sum("logtally_host_cpu_utilization_ratio_bucket", &[("le", "0.9")]);
        scrape.sum("logtally_host_cpu_utilization_ratio_count", &[]) - below
    };
    let before = ours.scrape_until("a first sample", |scrape| {
        scrape.sum("logtally_host_cpu_utilization_ratio_count", &[]) > 0.0
    });
    // Nobody scrapes while every core is busy for two seconds.
    let until = Instant::now() + Duration::from_secs(2);
    let burn = move || {
        while Instant::now() < until {
            std::hint::spin_loop()
        }
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    let burning: Vec<_> = (0..cores).map(|_| std::thread::spawn(burn)).collect();
    burning.into_iter().for_each(|thread| thread.join().unwrap());
    let after = ours.scrape_until("a sample after it", |scrape| seen(scrape) >= seen(&before) + 2.0);
    assert!(after.one("logtally_host_cpu_utilization_max_ratio", &[]) > 0.9);
}

/// A process whose command line holds the marker; it ends with this value.
struct Sleeper(Child);

impl Sleeper {
    fn start(marker: &str) -> Sleeper {
        let script = "read -r nothing";
        let child = Command::new("sh").args(["-c", script, marker]).stdin(Stdio::piped()).spawn();
        Sleeper(child.unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn process_groups_count_their_processes_and_restarts() {
    let folder = Folder::new();
    let marker = format!("sleeper-of-{}", std::process::id());
    let mut sleepers: Vec<Sleeper> = (0..3).map(|_| Sleeper::start(&marker)).collect();
    let settings = format!(
        "{{collectors: [processes], processes: [{{name: sleepers, match: '{marker}'}}, {{name: none, match: '^no such program$'}}]}}"
    );
    let ours = hosted(&folder, &settings, &[]);
    let group = |scrape: &Scrape, what: &str, name: &str| {
        scrape.sum(&format!("logtally_process_group_{what}"), &[("group", name)])
    };
    let first = ours.scrape_until("three of them", |scrape| group(scrape, "processes", "sleepers") == 3.0);
    assert_eq!(group(&first, "threads", "sleepers"), 3.0);
    assert!(group(&first, "resident_memory_bytes", "sleepers") > 3.0 * 4096.0);
    assert!(group(&first, "open_fds", "sleepers") >= 9.0);
    assert_eq!(first.one("logtally_process_group_starts_total", &[("group", "sleepers")]), 0.0);
    assert_eq!(first.one("logtally_process_group_processes", &[("group", "none")]), 0.0);
    let series = first.lines("logtally_process_group_");
    assert!(series.iter().all(|line| !line.contains("pid")), "{series:?}");
    drop(sleepers.pop());
    sleepers.push(Sleeper::start(&marker));
    let after = ours.scrape_until("a start", |scrape| group(scrape, "starts_total", "sleepers") == 1.0);
    assert_eq!(group(&after, "processes", "sleepers"), 3.0);
}

#[test]
fn a_wrong_process_group_or_collector_is_told_before_anything_runs() {
    let folder = Folder::new();
    for (host, said) in [
        ("{processes: [{name: a, match: '('}]}", "unclosed group"),
        ("{collectors: [cpus]}", "cpu"),
        ("{interval: 1ms}", "100ms"),
    ] {
        let config = folder.write("logtally.yml", format!("inputs: []\nhost: {host}\n"));
        let output =
            command(&["run", "-c", &config, "--storage.path", "none", "--web.listen-address", "127.0.0.1:0"])
                .output()
                .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{host}: {text}");
        assert!(text.contains(said), "{host}: {text}");
    }
}

#[test]
fn a_bad_textfile_is_told_and_harms_nobody() {
    let folder = Folder::new();
    folder.write(
        "textfiles/backup.prom",
        "# HELP backup_size_bytes Size.\n# TYPE backup_size_bytes gauge\nbackup_size_bytes{disk=\"a\"} 42\n",
    );
    folder.write("textfiles/b.prom", "bad line {\n");
    folder.write("textfiles/c.prom", "log_events_total 1\n");
    folder.write("textfiles/d.prom", "node_load1 77\n");
    folder.write("textfiles/e.prom", b"binary_\xff 1\n");
    folder.write("textfiles/f.prom", "with_time 1 1700000000000\n");
    folder.write("textfiles/ignored.txt", "not_read 1\n");
    let at = folder.at("textfiles");
    let ours = hosted(&folder, "{interval: 100ms}", &["--collector.textfile.directory", &at]);
    let scrape =
        ours.scrape_until("the textfiles", |scrape| scrape.has("backup_size_bytes", &[("disk", "a")]));
    assert_eq!(scrape.one("backup_size_bytes", &[]), 42.0);
    assert_eq!(scrape.one("node_textfile_scrape_error", &[]), 1.0);
    assert!(!scrape.has("with_time", &[]) && !scrape.has("not_read", &[]));
    assert!(scrape.one("node_load1", &[]) != 77.0, "a file does not replace a family of ours");
    for bad in ["b", "c", "d", "e", "f"] {
        std::fs::remove_file(folder.path(&format!("textfiles/{bad}.prom"))).unwrap();
    }
    ours.scrape_until("no error", |scrape| scrape.one("node_textfile_scrape_error", &[]) == 0.0);
}

#[test]
fn promtool_finds_nothing_in_the_families_of_our_own() {
    let folder = Folder::new();
    let settings = "{interval: 100ms, processes: [{name: tests, match: '.'}]}";
    let ours = hosted(&folder, settings, &[]);
    ours.scrape_until("two samples", |scrape| {
        sampled(scrape) && scrape.sum("logtally_host_cpu_utilization_ratio_count", &[]) > 1.0
    });
    let own = |line: &&str| line.split([' ', '{']).any(|word| word.starts_with("logtally_"));
    let text: String =
        ours.get("/metrics").text().lines().filter(own).map(|line| format!("{line}\n")).collect();
    for family in [
        "logtally_host_cpu_utilization_ratio_sum",
        "logtally_process_group_starts_total{",
        "logtally_collector_success{",
    ] {
        assert!(text.contains(family), "{family} in {text}");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: `make prepare` installs it");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_reload_takes_the_hosts_settings_over() {
    let folder = Folder::new();
    let ours = hosted(&folder, "{interval: 100ms, collectors: [load, cpu]}", &["--web.enable-lifecycle"]);
    let samples = |scrape: &Scrape| scrape.sum("logtally_host_cpu_utilization_ratio_count", &[]);
    let first = ours.scrape_until("samples", |scrape| succeeded(scrape, "load") && samples(scrape) > 0.0);
    let reload = |host: &str| {
        folder.write("logtally.yml", format!("inputs: []\nhost: {host}\n"));
        ours.ask("POST", "/-/reload", &[])
    };
    assert_eq!(reload("{interval: 100ms, collectors: [cpu, memory]}").status, 200);
    let second = ours.scrape_until("memory", |scrape| succeeded(scrape, "memory"));
    assert!(!second.has("node_load1", &[]), "it is not collected any more");
    assert!(samples(&second) >= samples(&first), "bursts go on");
    let refused = reload("{processes: [{name: a, match: '('}]}");
    assert_ne!(refused.status, 200, "{}", refused.text());
    assert!(ours.scrape().has("node_memory_MemTotal_bytes", &[]), "a wrong config changes nothing");
    let off = reload("off");
    assert!(off.text().contains("host: off"), "{}", off.text());
    let host = |name: &String| {
        ["node_", "logtally_host_", "logtally_collector_"].iter().any(|start| name.starts_with(start))
    };
    ours.scrape_until("nothing of the host", |scrape| !scrape.families.keys().any(host));
    assert_eq!(reload("{interval: 100ms}").status, 200);
    ours.scrape_until("the host again", |scrape| sampled(scrape) && scrape.has("node_load1", &[]));
}
