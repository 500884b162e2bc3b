//! Rules with a start and an end in the running program: what is open goes over kills, reloads and rotations, and
//! `count` says the same.

use crate::support::{Exporter, Folder, Scrape, code, command, err, out, project};

const RULES: &str = r"group: shop
rules:
  - name: request
    start: 'request (?P<id>\w+) from (?P<user>\w+)'
    end: 'request (?P<id>\w+) (?P<outcome>done|failed)'
    key: '${id}'
    labels: {outcome: '${outcome}', user: '${user}'}
    metrics:
      - {type: counter, name: request_seconds_total, value: '${duration}', unit: s}
";

fn began(second: u32, id: &str) -> String {
    format!("2026-11-20 12:{:02}:{:02},250 INFO shop request {id} from ann\n", second / 60, second % 60)
}

fn ended(second: u32, id: &str) -> String {
    format!("2026-11-20 12:{:02}:{:02},750 INFO shop request {id} done\n", second / 60, second % 60)
}

fn ends(scrape: &Scrape) -> f64 {
    scrape.sum("log_pattern_events_total", &[("pattern", "request"), ("outcome", "done"), ("user", "ann")])
}

fn dropped(scrape: &Scrape, reason: &str) -> f64 {
    scrape.sum("logtally_spans_dropped_total", &[("rule", "shop/request"), ("reason", reason)])
}

#[test]
fn what_is_open_goes_over_kills_reloads_and_renames() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", RULES);
    let config = folder.write(
        "logtally.yml",
        format!(
            "storage: {}\nhost: off\nrules: [{rules}]\ninputs:\n  - {{name: shop, include: ['{}']}}\n",
            folder.at("store"),
            folder.at("*.log")
        ),
    );
    let path = folder.at("app.log");
    folder.write("app.log", began(0, "a") + &began(1, "b"));
    let args = ["-c", &config, "--from", "beginning", "--web.enable-lifecycle"];
    let lines = |exporter: &Exporter, lines: f64| {
        exporter.scrape_until("its lines", |s| s.sum("log_lines_total", &[("path", &path)]) == lines)
    };
    let mut exporter = Exporter::start_with(&args, &[]);
    assert_eq!(ends(&lines(&exporter, 2.0)), 0.0);
    exporter.kill();
    let exporter = Exporter::start_with(&args, &[]);
    folder.append("app.log", ended(3, "a"));
    assert_eq!(ends(&exporter.scrape_until("a's end", |s| ends(s) > 0.0)), 1.0);
    // Other rules come; this one and its open spans stay.
    folder.write("rules.yml", RULES.to_owned() + "  - {name: other, match: otherwise}\n");
    assert_eq!(exporter.ask("POST", "/-/reload", &[]).status, 200);
    // The writer goes on in the renamed file, as far as it has not noticed.
    std::fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.write("app.log", began(5, "c") + &ended(6, "c") + &began(7, "b"));
    folder.append("app.log.1", &(ended(11, "b") + &began(12, "a") + &began(12, "a")));
    // Spans are of a file: the new one's `b` is not ended by the old one's.
    let scrape = lines(&exporter, 9.0);
    let shown = exporter.scrape_until("all ends", |s| ends(s) == 3.0);
    assert_eq!(shown.sum("request_seconds_total", &[("user", "ann")]), 3.5 + 10.5 + 1.5);
    assert_eq!((dropped(&scrape, "replaced"), dropped(&scrape, "timeout")), (1.0, 0.0));
    let output =
        command(&["count", "--output", "openmetrics", "--rules", &rules, &path, &folder.at("app.log.1")])
            .output()
            .unwrap();
    let counted = out(&output);
    let sum: f64 = counted
        .lines()
        .filter(|line| line.starts_with("request_seconds_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(sum, 15.5, "{counted}");
}

#[test]
fn the_pack_of_sessions_holds_what_it_promises() {
    let output =
        command(&["check", project("rules/patterns/sessions.yml").to_str().unwrap()]).output().unwrap();
    assert_eq!(
        (code(&output), out(&output).as_str()),
        (0, "16 rules, 32 tests: all good\n"),
        "{}",
        err(&output)
    );
}

/// A start, its end, and an end without a start, as `explain` tells them.
#[test]
fn explain_says_what_opens_and_what_ends() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", RULES);
    let log = folder.write("app.log", began(0, "a") + &ended(3, "a") + &ended(4, "a"));
    let told = out(&command(&["explain", "--rules", &rules, &log]).output().unwrap());
    for words in [
        "opens    shop/request: span 'a'",
        "match    shop/request: ends span 'a' after 3.5s",
        "no match shop/request: it would end span 'a', which is not open",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
}

/// Grok at both ends and in a veto: the rule's own tests say whether it holds.
#[test]
fn grok_stands_at_both_ends_and_in_vetoes() {
    let folder = Folder::new();
    let rules = "group: shop
patterns: {ORDERID: '[A-Z]{2}-[0-9]+'}
rules:
  - name: order
    start: {grok: 'order %{ORDERID:id} from %{WORD:user}'}
    end: [{grok: 'order %{ORDERID:id} %{WORD:outcome}$'}, 'gone (?P<id>[A-Z0-9-]+)']
    not: {grok: 'test order %{ORDERID}'}
    key: '${id}'
    labels: {user: '${user}'}
    metrics: [{type: counter, name: order_seconds_total, value: '${duration}', unit: s}]
    tests:
      - lines:
          - '2026-11-20 12:00:00,000 INFO shop order AB-1 from ann'
          - '2026-11-20 12:00:02,500 INFO shop order AB-1 done'
        expect: {match: true, labels: {user: ann}, values: {order_seconds_total: 2.5}}
      - lines:
          - '2026-11-20 12:00:00,000 INFO shop order AB-1 from ann'
          - '2026-11-20 12:00:02,500 INFO shop gone AB-1'
        expect: {match: true, values: {order_seconds_total: 2.5}}
      - lines:
          - '2026-11-20 12:00:00,000 INFO shop order AB-1 from ann'
          - '2026-11-20 12:00:02,500 INFO shop test order AB-1 done'
        expect: {match: false}
";
    let output = crate::support::logtally(&["check", &folder.write("rules.yml", rules)]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let wrong = rules.replace("order_seconds_total: 2.5", "order_seconds_total: 2.6");
    let output = crate::support::logtally(&["check", &folder.write("wrong.yml", wrong)]);
    assert_eq!(code(&output), 1, "{}", err(&output));
}
