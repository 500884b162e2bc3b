//! "Logs": the overview. What do my logs say now, is it more than usual, and where do I look next?

use super::board::{Board, Row, label_variable, target_variables};
use super::panel::Panel;
use super::style::{BLUE, GREEN, ORANGE, PURPLE, RED, level_mappings};
use serde_json::{Value, json};

/// Where a table's cell leads: the detail of what the row names.
pub(super) const DETAIL_URL: &str = "/d/logtally-detail/log-detail?${__url_time_range}&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}";

pub(super) fn board() -> Board {
    let mut variables = target_variables("logtally_build_info");
    variables.push(label_variable("input", "Input", "log_events_total"));
    variables.push(label_variable("level", "Level", "log_events_total"));
    variables.push(label_variable("pattern", "Pattern", "log_pattern_events_total"));
    Board {
        uid: "logtally-logs",
        title: "Logs",
        description: "What the logs say: events by level, errors, patterns, exceptions, and whether every file is still read.",
        from: "now-3h",
        variables,
        rows: vec![
            Row::new("Now", tiles()),
            Row::new("Events", events()),
            Row::new("Patterns", patterns()),
            Row::new("Exceptions", exceptions()),
            Row::new("Inputs", inputs()),
            Row::new("Files", files()),
        ],
    }
}

fn tiles() -> Vec<Panel> {
    vec![
        Panel::stat("Events", "Log events a second. A sudden drop to nothing means that programs stopped or their logs moved: look at the row Inputs. A jump means something repeats itself: look at the row Patterns.")
            .query("sum(rate(log_events_total{@level}[@]))", "events")
            .unit("cps").decimals(1).steps(&[(None, BLUE)]),
        Panel::stat("Error share", "Share of events that are errors or worse. Compare it with its usual value; when it rises, the pattern table tells which errors.")
            .query(r#"sum(rate(log_events_total{@input,level=~"error|critical"}[@])) / (sum(rate(log_events_total{@input}[@])) > 0)"#, "share")
            .unit("percentunit").decimals(2).no_value("no events").steps(&[(None, GREEN), (Some(0.02), ORANGE), (Some(0.1), RED)]),
        Panel::stat("Errors", "Error and critical events in the time range. Choose the level \"error\" above to see only what they match.")
            .instant(r#"round(sum(increase(log_events_total{@input,level=~"error|critical"}[$__range])))"#, "errors")
            .unit("short").option("graphMode", json!("none")).steps(&[(None, GREEN), (Some(1.0), ORANGE), (Some(1000.0), RED)]),
        Panel::stat("Critical", "Critical events in the time range. Each one deserves a look: open Log detail with the level \"critical\".")
            .instant(r#"round(sum(increase(log_events_total{@input,level="critical"}[$__range])))"#, "critical")
            .unit("short").option("graphMode", json!("none")).steps(&[(None, GREEN), (Some(1.0), PURPLE)]),
        Panel::stat("Exceptions", "Tracebacks and stack traces in the time range. The row Exceptions names their types.")
            .instant("round(sum(increase(log_exceptions_total{@input}[$__range])))", "exceptions")
            .unit("short").option("graphMode", json!("none")).no_value("none seen").steps(&[(None, GREEN), (Some(1.0), ORANGE)]),
        Panel::stat("Files followed", "Files that are read now. Fewer than you expect: a path in the configuration matches nothing, or a file may not be read; the dashboard Exporter tells which.")
            .query("sum(logtally_files{@input})", "files")
            .unit("short").decimals(0).steps(&[(None, RED), (Some(1.0), GREEN)]),
        Panel::stat("Unread", "Bytes that are written but not read yet. It should return to almost nothing between scrapes; if it grows, the reader cannot keep up: see the row Files.")
            .query("sum(log_file_unread_bytes{@input})", "unread")
            .unit("bytes").decimals(1).steps(&[(None, GREEN), (Some(1_048_576.0), ORANGE), (Some(10_485_760.0), RED)]),
        Panel::stat("Firing alerts", "Alerts on logs, host and exporter that fire now. Each has a runbook behind its link in Alertmanager.")
            .query(r#"count(ALERTS{@,alertstate="firing",alertname=~"(Log|Host).+"}) or vector(0)"#, "alerts")
            .unit("short").decimals(0).steps(&[(None, GREEN), (Some(1.0), ORANGE), (Some(5.0), RED)]),
    ]
}

fn events() -> Vec<Panel> {
    vec![
        Panel::timeseries("Events by level", "Events a second, one colour a level. Red and purple growing is trouble in the programs; grey is text whose level no format explains; a gap is silence.")
            .query("sum by (level) (rate(log_events_total{@level}[@]))", "{{level}}")
            .unit("cps").stacked_bars().levels().legend_right().size(16, 9),
        Panel::timeseries("Error share by input", "Share of error and critical events of each input. A step up after a release is a regression; a slow rise is often a dependency that degrades.")
            .query(r#"sum by (input) (rate(log_events_total{@input,level=~"error|critical"}[@])) / (sum by (input) (rate(log_events_total{@input}[@])) > 0)"#, "{{input}}")
            .unit("percentunit").size(8, 9),
        Panel::timeseries("Events against yesterday", "Events a second now, a day ago and a week ago at the same time of day. Far above both: something repeats itself; far below: something stopped.")
            .query("sum(rate(log_events_total{@level}[@]))", "now")
            .query("sum(rate(log_events_total{@level}[@] offset 1d))", "yesterday")
            .query("sum(rate(log_events_total{@level}[@] offset 1w))", "last week")
            .unit("cps").colour("now", BLUE).reference("yesterday").reference("last week").size(12, 9),
        Panel::timeseries("Errors against yesterday", "Error and critical events a second now and a day ago at the same time. Errors that were not there yesterday are the ones to look at first.")
            .query(r#"sum(rate(log_events_total{@input,level=~"error|critical"}[@]))"#, "now")
            .query(r#"sum(rate(log_events_total{@input,level=~"error|critical"}[@] offset 1d))"#, "yesterday")
            .unit("cps").colour("now", RED).reference("yesterday").size(12, 9),
    ]
}

fn patterns() -> Vec<Panel> {
    let top =
        "topk(25, sum by (pattern, level) (increase(log_pattern_events_total{@pattern}[$__range])) > 0)";
    let before = "sum by (pattern, level) (increase(log_pattern_events_total{@pattern}[$__range] offset 1d))";
    let link = json!([{"title": "Show ${__value.raw} in detail", "url": format!("{DETAIL_URL}&var-pattern=${{__value.raw}}")}]);
    vec![
        Panel::table("Top patterns", "The rules that matched most events in the time range, the same span a day before, and the change. A large change is news; no earlier value means that the pattern is new. Click a pattern for its detail.")
            .column(&format!("round({top})"))
            .column(&format!("round({before}) and on (pattern, level) {top}"))
            .column(&format!("{top} / ({before} > 0) - 1"))
            .columns(&[("pattern", "Pattern"), ("level", "Level"), ("Value #A", "Events"), ("Value #B", "A day before"), ("Value #C", "Change")], "Events")
            .unit("short").no_value("no pattern matched")
            .field("Pattern", &[("links", link)])
            .field("Level", &[("custom.width", json!(90)), ("mappings", level_mappings()), ("custom.cellOptions", json!({"type": "color-text"}))])
            .field("Events", &[("custom.width", json!(150)), ("custom.cellOptions", json!({"type": "gauge", "mode": "lcd", "valueDisplayMode": "text"})), ("color", json!({"mode": "continuous-BlPu"})), ("min", json!(0))])
            .field("A day before", &[("custom.width", json!(110))])
            .field("Change", &[("custom.width", json!(100)), ("unit", json!("percentunit")), ("decimals", json!(0)), ("noValue", json!("new")), ("custom.cellOptions", json!({"type": "color-text"})), ("thresholds", change_steps())])
            .size(13, 11),
        Panel::timeseries("Events by pattern", "The ten patterns with the most events in the time range. A pattern that starts from nothing marks the moment when something broke.")
            .query("sum by (pattern) (rate(log_pattern_events_total{@pattern}[@])) and on (pattern) topk(10, sum by (pattern) (increase(log_pattern_events_total{@pattern}[$__range] @ end())))", "{{pattern}}")
            .unit("cps").stacked().legend_right().no_value("no pattern matched").size(11, 11),
        Panel::table("Patterns not seen the day before", "Patterns with events in the time range and none in the 24 hours before it. After a release these are the new kinds of trouble; an empty table is good.")
            .column("round(sum by (input, pattern, level) (increase(log_pattern_events_total{@pattern}[$__range]))) > 0 unless on (input, pattern) (sum by (input, pattern) (increase(log_pattern_events_total{@input}[1d] offset $__range)) > 0)")
            .columns(&[("input", "Input"), ("pattern", "Pattern"), ("level", "Level"), ("Value", "Events")], "Events")
            .unit("short").no_value("nothing new")
            .field("Level", &[("custom.width", json!(90)), ("mappings", level_mappings()), ("custom.cellOptions", json!({"type": "color-text"}))])
            .field("Events", &[("custom.width", json!(90))])
            .size(13, 7),
        Panel::timeseries("Matched share", "Share of warnings, errors and critical events that some rule matches; one event may match several. Low means that your rules do not know your errors yet: `logtally explain` shows why a line matches nothing.")
            .query(r#"clamp_max(sum(rate(log_pattern_events_total{@input,level=~"warning|error|critical"}[@])) / (sum(rate(log_events_total{@input,level=~"warning|error|critical"}[@])) > 0), 1)"#, "matched")
            .unit("percentunit").max(1.0).no_value("no warnings or errors").colour("matched", BLUE).size(11, 7),
    ]
}

/// Falling is good, doubling is not.
fn change_steps() -> Value {
    json!({"mode": "absolute", "steps": [
        {"color": GREEN, "value": null}, {"color": "text", "value": -0.2}, {"color": ORANGE, "value": 0.5}, {"color": RED, "value": 2},
    ]})
}

fn exceptions() -> Vec<Panel> {
    vec![
        Panel::timeseries("Exceptions by type", "Exceptions a second, the ten most frequent types. A type that you do not know yet is a bug report; connection and timeout types point at a dependency.")
            .query("sum by (exception) (rate(log_exceptions_total{@input}[@])) and on (exception) topk(10, sum by (exception) (increase(log_exceptions_total{@input}[$__range] @ end())))", "{{exception}}")
            .unit("cps").stacked_bars().legend_right().no_value("no exceptions").size(14, 8),
        Panel::bars("Most frequent exceptions", "Exceptions in the time range by type and input. Start with the longest bar: one fix there silences most of them.")
            .instant("round(topk(8, sum by (exception, input) (increase(log_exceptions_total{@input}[$__range])) > 0))", "{{exception}} ({{input}})")
            .unit("short").no_value("no exceptions").steps(&[(None, ORANGE), (Some(100.0), RED)]).size(10, 8),
    ]
}

fn inputs() -> Vec<Panel> {
    let errors =
        r#"sum by (instance, input) (increase(log_events_total{@input,level=~"error|critical"}[$__range]))"#;
    let link = json!([{"title": "Show ${__value.raw} in detail", "url": format!("{DETAIL_URL}&var-input=${{__value.raw}}")}]);
    vec![
        Panel::table("Inputs", "Each input with its events and errors in the time range, the time since its last event and what is not read yet. An old last event on a log that should be busy means that its writer stopped. Click an input for its detail.")
            .column("round(sum by (instance, input) (increase(log_events_total{@input}[$__range])))")
            .column(&format!("round({errors})"))
            .column(&format!("{errors} / (sum by (instance, input) (increase(log_events_total{{@input}}[$__range])) > 0)"))
            .column("time() - max by (instance, input) (log_last_event_timestamp_seconds{@input} > 0)")
            .column("sum by (instance, input) (logtally_files{@input})")
            .column("sum by (instance, input) (log_file_unread_bytes{@input})")
            .columns(&[("instance", "Instance"), ("input", "Input"), ("Value #A", "Events"), ("Value #B", "Errors"), ("Value #C", "Error share"), ("Value #D", "Last event"), ("Value #E", "Files"), ("Value #F", "Unread")], "Events")
            .unit("short").no_value("-")
            .field("Input", &[("links", link)])
            .field("Events", &[("custom.width", json!(90))])
            .field("Errors", &[("custom.width", json!(80))])
            .field("Files", &[("custom.width", json!(60))])
            .field("Error share", &[("custom.width", json!(100)), ("unit", json!("percentunit")), ("decimals", json!(2)), ("custom.cellOptions", json!({"type": "color-text"})), ("thresholds", json!({"mode": "absolute", "steps": [{"color": GREEN, "value": null}, {"color": ORANGE, "value": 0.02}, {"color": RED, "value": 0.1}]}))])
            .field("Last event", &[("custom.width", json!(95)), ("unit", json!("s")), ("decimals", json!(0)), ("custom.cellOptions", json!({"type": "color-text"})), ("thresholds", json!({"mode": "absolute", "steps": [{"color": GREEN, "value": null}, {"color": ORANGE, "value": 900}, {"color": RED, "value": 3600}]}))])
            .field("Unread", &[("unit", json!("bytes")), ("custom.width", json!(90))])
            .size(16, 9),
        Panel::states("Activity", "Whether an input had events (green) or was silent (grey). A log that is green all day and turns grey has lost its writer, or its file moved to a path that is not followed.")
            .query("sum by (input) (increase(log_events_total{@input}[@])) > bool 0", "{{input}}")
            .unit("short").steps(&[(None, "#54606D"), (Some(1.0), GREEN)])
            .set("mappings", json!([{"type": "value", "options": {"0": {"text": "silent", "color": "#54606D", "index": 0}, "1": {"text": "writing", "color": GREEN, "index": 1}}}]))
            .size(8, 9),
    ]
}

fn files() -> Vec<Panel> {
    vec![
        Panel::timeseries("Read throughput by input", "Bytes a second that are read. It follows what programs write; a plateau while unread bytes grow is the limit of the reader or the disk.")
            .query("sum by (input) (rate(log_bytes_total{@input}[@]))", "{{input}}")
            .unit("Bps").stacked().size(8, 8),
        Panel::timeseries("Unread bytes by file", "The ten files with the most unread bytes. A line that only rises is a file whose writer is faster than the reader; a high flat line is a last line without its end, or a file that cannot be read.")
            .query("topk(10, sum by (instance, path) (log_file_unread_bytes{@input}))", "{{path}} {{instance}}")
            .unit("bytes").size(8, 8),
        Panel::timeseries("Time since the last event", "How long each input has been silent. A saw with low teeth is healthy; a straight rising line is a log that nobody writes any more.")
            .query("time() - max by (input) (log_last_event_timestamp_seconds{@input} > 0)", "{{input}}")
            .unit("s").no_value("no event yet").size(8, 8),
    ]
}
