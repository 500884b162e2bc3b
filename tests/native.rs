//! Histograms in their sparse form: from log lines to a real Prometheus, over kills, reloads and old stores.

use crate::support::{Database, Exporter, Folder, code, err, free_address, logtally, out, project, until};
use prost::Message;
use std::collections::BTreeMap;

const PROTOBUF: (&str, &str) =
    ("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited");

/// The messages as Prometheus defines them, read by a decoder that is not ours.
mod wire {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Family {
        #[prost(string, tag = 1)]
        pub(super) name: String,
        #[prost(message, repeated, tag = 4)]
        pub(super) metric: Vec<Metric>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Metric {
        #[prost(message, optional, tag = 7)]
        pub(super) histogram: Option<Histogram>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Histogram {
        #[prost(uint64, tag = 1)]
        pub(super) count: u64,
        #[prost(double, tag = 2)]
        pub(super) sum: f64,
        #[prost(message, repeated, tag = 3)]
        pub(super) explicit: Vec<Explicit>,
        #[prost(sint32, tag = 5)]
        pub(super) schema: i32,
        #[prost(double, optional, tag = 6)]
        pub(super) zero_threshold: Option<f64>,
        #[prost(uint64, tag = 7)]
        pub(super) zero_count: u64,
        #[prost(message, repeated, tag = 12)]
        pub(super) spans: Vec<Span>,
        #[prost(sint64, repeated, tag = 13)]
        pub(super) deltas: Vec<i64>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Explicit {
        #[prost(uint64, tag = 1)]
        pub(super) cumulative: u64,
        #[prost(double, tag = 2)]
        pub(super) bound: f64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Span {
        #[prost(sint32, tag = 1)]
        pub(super) offset: i32,
        #[prost(uint32, tag = 2)]
        pub(super) length: u32,
    }
}

/// Counts by bucket, those of zero under the smallest number there is.
type Counts = BTreeMap<i32, i64>;

impl wire::Histogram {
    /// What is in the sparse buckets; none where it has no such form.
    fn sparse(&self) -> Option<Counts> {
        self.zero_threshold?;
        assert_eq!(self.schema, 3);
        let mut counts = Counts::from([(i32::MIN, self.zero_count as i64)]);
        let (mut index, mut count, mut deltas) = (0, 0, self.deltas.iter());
        for span in &self.spans {
            index += span.offset;
            for _ in 0..span.length {
                count += deltas.next().unwrap();
                counts.insert(index, count);
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        assert_eq!(counts.values().sum::<i64>(), self.count as i64, "a server refuses anything else");
        counts.retain(|_, count| *count != 0);
        Some(counts)
    }
}

/// The buckets that these values belong to, by logarithms: none of them is a bound of a bucket.
fn truth(values: &[f64]) -> Counts {
    let mut counts = Counts::new();
    for value in values {
        let index = if *value == 0.0 { i32::MIN } else { (value.log2() * 8.0).ceil() as i32 };
        *counts.entry(index).or_default() += 1;
    }
    counts
}

/// The only series of a histogram, as a scrape by protobuf shows it now.
fn histogram(exporter: &Exporter, name: &str) -> Option<wire::Histogram> {
    let answer = exporter.ask("GET", "/metrics", &[PROTOBUF]);
    assert_eq!(answer.status, 200);
    let mut rest = answer.body.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let family = wire::Family::decode_length_delimited(&mut rest).unwrap();
        if family.name == name {
            found.extend(family.metric.into_iter().filter_map(|metric| metric.histogram));
        }
    }
    assert!(found.len() <= 1);
    found.pop()
}

/// The same, once it holds so many observations.
fn holding(exporter: &Exporter, name: &str, count: u64) -> wire::Histogram {
    until(&format!("{count} in {name}"), || histogram(exporter, name).filter(|h| h.count == count))
}

fn lines(values: &[f64]) -> String {
    values.iter().map(|v| format!("2026-11-20 12:00:00,000 INFO shop wait {v}s for a\n")).collect()
}

const RULES: &str = "group: shop
rules:
  - name: wait
    match: 'wait (?P<s>[0-9.]+)s for (?P<db>\\w+)'
    labels: {db: '${db}'}
    metrics:
      - {type: histogram, name: wait_seconds, value: '${s}', unit: s, buckets: [1, 4], native: NATIVE}
      - {type: histogram, name: plain_seconds, value: '${s}', unit: s, buckets: [1, 4]}
    alert: {when: 'p90(wait_seconds) > 4'}
";

fn rules(native: &str) -> String {
    RULES.replace("NATIVE", native)
}

#[test]
fn it_survives_kills_and_stays_what_the_lines_say() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let config = format!(
        "inputs: [{{name: shop, include: '{}'}}]\nrules: ['{}']\nnative_histograms: on\nhost: off\n",
        folder.at("app.log"),
        folder.write("rules.yml", rules("true"))
    );
    let (config, store) = (folder.write("logtally.yml", config), folder.at("store"));
    let start = || Exporter::start_with(&["-c", &config, "--storage.path", &store], &[]);
    let mut exporter = start();
    exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
    let mut values = Vec::new();
    for round in 1..5 {
        let more: Vec<f64> = (0..50 * round).map(|n| f64::from(n * n) * 0.0127).collect();
        folder.append("app.log", lines(&more));
        values.extend(more);
        if round == 2 {
            // Whatever a scrape has shown is in the store; the rest is read again.
            exporter.kill();
            exporter = start();
            continue;
        }
        for name in ["wait_seconds", "plain_seconds"] {
            let held = holding(&exporter, name, values.len() as u64);
            assert_eq!(held.sparse(), Some(truth(&values)), "{name} in round {round}");
            let explicit: Vec<(f64, u64)> = held.explicit.iter().map(|e| (e.bound, e.cumulative)).collect();
            let below = |bound| values.iter().filter(|value| **value <= bound).count() as u64;
            assert_eq!(explicit, [(1.0, below(1.0)), (4.0, below(4.0))]);
        }
        exporter.kill();
        exporter = start();
    }
    assert_eq!(holding(&exporter, "wait_seconds", values.len() as u64).sparse(), Some(truth(&values)));
    let committing = histogram(&exporter, "logtally_commit_seconds").unwrap();
    assert!(committing.sparse().is_none() && committing.explicit.len() > 3, "not of a rule: as ever");
}

#[test]
fn a_reload_gives_it_and_takes_it_away_and_loses_nothing() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let file = folder.write("rules.yml", rules("false"));
    let exporter = Exporter::start(&["--web.enable-lifecycle", "--rules", &file, &folder.at("app.log")]);
    exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
    let reload = |native: &str| {
        folder.write("rules.yml", rules(native));
        let answer = exporter.ask("POST", "/-/reload", &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    folder.append("app.log", lines(&[0.5, 0.7, 3.0, 3.0, 7.0]));
    assert_eq!(holding(&exporter, "wait_seconds", 5).sparse(), None);
    // Of what came before, the explicit buckets are all that is known: their bounds, and what is just above the last.
    let before = [1.0, 1.0, 4.0, 4.0, 4.1];
    reload("true");
    assert_eq!(holding(&exporter, "wait_seconds", 5).sparse(), Some(truth(&before)));
    folder.append("app.log", lines(&[0.3]));
    assert_eq!(holding(&exporter, "wait_seconds", 6).sparse(), Some(truth(&[&before[..], &[0.3]].concat())));
    reload("false");
    folder.append("app.log", lines(&[5.5]));
    assert_eq!(holding(&exporter, "wait_seconds", 7).sparse(), None);
    reload("true");
    let all = [&before[..], &[0.3, 5.5]].concat();
    assert_eq!(holding(&exporter, "wait_seconds", 7).sparse(), Some(truth(&all)));
}

/// A store that a version without sparse histograms wrote: `wait_seconds` of 0.5, 0.7, 3, 3 and 7 s in `[1, 4]`.
#[test]
fn a_store_from_before_goes_on() {
    let packed = std::fs::read(project("tests/fixtures/store/before-native.redb.zst")).unwrap();
    let folder = Folder::new();
    folder.write("store/logtally.redb", zstd::decode_all(packed.as_slice()).unwrap());
    let config = format!(
        "inputs: [{{name: shop, include: '{}', path_label: none}}]\nrules: ['{}']\nhost: off\n",
        folder.at("*.log"),
        folder.write("rules.yml", rules("true").replace("      - {type: histogram, name: plain", "#"))
    );
    let (config, store) = (folder.write("logtally.yml", config), folder.at("store"));
    let start = || Exporter::start_with(&["-c", &config, "--storage.path", &store], &[]);
    let mut exporter = start();
    let before = [1.0, 1.0, 4.0, 4.0, 4.1];
    let first = holding(&exporter, "wait_seconds", 5);
    assert_eq!((first.sum, first.sparse()), (14.2, Some(truth(&before))));
    folder.append("new.log", lines(&[0.3, 0.0]));
    let all = [&before[..], &[0.3, 0.0]].concat();
    assert_eq!(holding(&exporter, "wait_seconds", 7).sparse(), Some(truth(&all)));
    exporter.kill();
    assert_eq!(holding(&start(), "wait_seconds", 7).sparse(), Some(truth(&all)));
}

/// Prometheus on a scrape of the exporter, with these features.
fn prometheus(folder: &Folder, exporter: &Exporter, features: &[&str]) -> Database {
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: logtally\n    static_configs: [{{targets: ['{}']}}]\n",
        exporter.address
    );
    let prometheus = Database::prometheus(folder, &free_address(), &config, features);
    prometheus.wait_for("up", 1.0);
    prometheus
}

/// The queries of the panels whose title begins so, as Grafana would ask them.
fn panel_queries(board: &serde_json::Value, title: &str) -> Vec<String> {
    let mut queries = Vec::new();
    let panels = board["panels"].as_array().unwrap().iter();
    for panel in panels.filter(|p| p["title"].as_str().unwrap().starts_with(title)) {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
            queries.push(query.replace("$job", ".*").replace("$instance", ".*").replace("$input", ".*"));
        }
    }
    queries
}

#[test]
fn prometheus_takes_it_where_it_is_asked_for() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let file = folder.write("rules.yml", rules("true"));
    let exporter = Exporter::start(&["--rules", &file, &folder.at("app.log")]);
    exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
    let native = prometheus(&folder, &exporter, &["--enable-feature=native-histograms"]);
    let other = Folder::new();
    let classic = prometheus(&other, &exporter, &[]);
    // Born before its values, so that rates see them: two scrapes of both at 0 or 1.
    folder.append("app.log", lines(&[1.0]));
    native.wait_for("histogram_count(wait_seconds)", 1.0);
    classic.wait_for("wait_seconds_count", 1.0);
    let values: Vec<f64> = (1..=200).map(|n| f64::from(n) * 0.05).collect();
    folder.append("app.log", lines(&values));
    native.wait_for("histogram_count(wait_seconds)", 201.0);
    classic.wait_for("wait_seconds_count", 201.0);

    let about = |query: &str, want: f64, error: f64| {
        let got = native.query(query).unwrap_or_else(|| panic!("{query} finds nothing"));
        assert!((got / want - 1.0).abs() < error, "{query} is {got}, not {want}");
    };
    about("histogram_sum(wait_seconds)", 1.0 + 1005.0, 1e-9);
    // A bucket is 9 % wide.
    for (quantile, truth) in [("0.5", 5.0), ("0.9", 9.0), ("0.99", 9.9), ("0.1", 1.0)] {
        about(&format!("histogram_quantile({quantile}, rate(wait_seconds[5m]))"), truth, 0.09);
    }
    // 2.1 to 8: a bound of the explicit buckets is nowhere near.
    about("histogram_fraction(2, 8, rate(wait_seconds[5m]))", 0.6, 0.01);

    // It takes this form alone, and of what was not asked for it the other: as everything shipped expects.
    let count = |database: &Database, name: &str| database.query(&format!("count({name})")).unwrap_or(0.0);
    assert_eq!((count(&native, "wait_seconds_bucket"), count(&native, "plain_seconds_bucket")), (0.0, 3.0));
    assert!(count(&native, "logtally_commit_seconds_bucket") > 3.0);
    assert_eq!((count(&classic, "wait_seconds_bucket"), count(&classic, "wait_seconds")), (3.0, 0.0));
    native.wait_for("min_over_time(up[1m])", 1.0);

    the_generated_queries_find_either(&file, &native, &classic);
}

/// What `dashboard` and `alerts` make of the rules gives the same answers, whichever form was taken.
fn the_generated_queries_find_either(rules: &str, native: &Database, classic: &Database) {
    let made = logtally(&["dashboard", "--rules", rules]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    let board: serde_json::Value = serde_json::from_str(&out(&made)).unwrap();
    let mean = panel_queries(&board, "wait_seconds: mean").remove(0);
    for database in [native, classic] {
        assert!((database.query(&mean).unwrap() / 5.0 - 1.0).abs() < 0.02, "{mean}");
        for query in panel_queries(&board, "wait_seconds: quantiles") {
            assert!(database.query(&query).unwrap() > 2.0, "{query}");
        }
    }
    let cells = panel_queries(&board, "wait_seconds").remove(0);
    let (sparse, explicit) = (native.results(&cells), classic.results(&cells));
    assert!(sparse.len() == 1 && sparse[0].get("histogram").is_some(), "{sparse:?}");
    assert_eq!(explicit.len(), 3, "{explicit:?}");
    let plain = panel_queries(&board, "plain_seconds").join(" ");
    assert!(plain.contains("plain_seconds_bucket") && !plain.contains(" or "), "{plain}");

    let made = out(&logtally(&["alerts", "--rules", rules]));
    let alerts: serde_json::Value = serde_yaml::from_str(&made).unwrap();
    let groups = alerts["groups"].as_array().unwrap().iter();
    let all = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let alert = all.into_iter().find(|rule| rule["alert"] == "LogShopWait").unwrap();
    let firing = native.query(alert["expr"].as_str().unwrap()).unwrap();
    assert!((firing / 9.0 - 1.0).abs() < 0.09, "{alert} is {firing}");
    // Nothing is above the last explicit bound for it: the quantile is that bound.
    assert_eq!(classic.query(alert["expr"].as_str().unwrap()), None, "4 is not above 4");
}

/// Debian's version takes remote write 1.0, with sparse histograms where the feature is on.
#[test]
fn a_receiver_of_pushes_takes_both_forms_if_it_is_sent_them() {
    let (folder, address) = (Folder::new(), free_address());
    folder.write("app.log", "");
    let flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"];
    let prometheus = Database::prometheus(&folder, &address, "{}", &flags);
    folder.write("rules.yml", rules("true"));
    let config = |include: &str| {
        format!(
            "host: off\nrules: [rules.yml]\ninputs: {include}\npush:\n  - {{url: 'http://{address}/api/v1/write', protocol: remote_write_v1, interval: 150ms, send_native_histograms: true}}\n"
        )
    };
    let file = folder.write("logtally.yml", config("[{name: shop, include: [app.log]}]"));
    let exporter = Exporter::start_with(&["-c", &file, "--storage.path", &folder.at("store")], &[]);
    prometheus.wait_for("sum(log_lines_total)", 0.0);
    let values: Vec<f64> = (1..=200).map(|n| f64::from(n) * 0.05).collect();
    folder.append("app.log", lines(&values));
    prometheus.wait_for("histogram_count(wait_seconds)", 200.0);
    prometheus.wait_for("wait_seconds_count", 200.0);
    prometheus.wait_for("count(wait_seconds_bucket)", 3.0);
    assert_eq!(prometheus.query("count(plain_seconds)"), None);
    let median = prometheus.query("histogram_quantile(0.5, rate(wait_seconds[5m]))").unwrap();
    assert!((median / 5.0 - 1.0).abs() < 0.09, "{median}");
    let failed = |scrape: &crate::support::Scrape| scrape.sum("logtally_push_failed_samples_total", &[]);
    assert_eq!(failed(&exporter.scrape()), 0.0);
    folder.write("logtally.yml", config("[]"));
    exporter.signal(rustix::process::Signal::HUP);
    until("the end of the series", || {
        prometheus.query("histogram_count(wait_seconds)").is_none().then_some(())
    });
}
