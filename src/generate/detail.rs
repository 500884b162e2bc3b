//! "Log detail": one input, file or pattern from close by.

use super::board::{Board, Row, label_variable, target_variables};
use super::panel::Panel;
use super::style::{BLUE, GREEN, ORANGE, RED, level_mappings};
use serde_json::json;

pub(super) fn board() -> Board {
    let mut variables = target_variables("logtally_build_info");
    variables.push(label_variable("input", "Input", "log_events_total"));
    variables.push(label_variable("path", "Path", "log_events_total"));
    variables.push(label_variable("level", "Level", "log_events_total"));
    variables.push(label_variable("pattern", "Pattern", "log_pattern_events_total"));
    Board {
        uid: "logtally-detail",
        title: "Log detail",
        description: "One input, file, level or pattern from close by: choose them above.",
        from: "now-3h",
        variables,
        rows: vec![
            Row::new("Selected events", selected()),
            Row::new("Patterns", patterns()),
            Row::new("Files", files()),
            Row::new("Exceptions", exceptions()),
        ],
    }
}

fn selected() -> Vec<Panel> {
    vec![
        Panel::stat("Events", "Events of the selected levels in the time range. 0 with files that grow: the level filter above hides them, or the format is not understood.")
            .instant(r#"round(sum(increase(log_events_total{@path,level=~"$level"}[$__range])))"#, "events")
            .unit("short").option("graphMode", json!("none")).steps(&[(None, BLUE)]).size(4, 4),
        Panel::stat("Errors", "Error and critical events in the time range, whatever levels are selected. Above 0, the table of patterns tells which.")
            .instant(r#"round(sum(increase(log_events_total{@path,level=~"error|critical"}[$__range])))"#, "errors")
            .unit("short").option("graphMode", json!("none")).steps(&[(None, GREEN), (Some(1.0), ORANGE), (Some(1000.0), RED)]).size(4, 4),
        Panel::stat("Error share", "Share of error and critical events. Compare it with the other files of the same input: one bad host or service stands out.")
            .query(r#"sum(rate(log_events_total{@path,level=~"error|critical"}[@])) / (sum(rate(log_events_total{@path}[@])) > 0)"#, "share")
            .unit("percentunit").decimals(2).no_value("no events").steps(&[(None, GREEN), (Some(0.02), ORANGE), (Some(0.1), RED)]).size(4, 4),
        Panel::stat("No level", "Share of events whose level no format explains. High means that the format is not recognised: name it in the input's `format`, and test with `logtally explain`.")
            .query(r#"sum(rate(log_events_total{@path,level="unknown"}[@])) / (sum(rate(log_events_total{@path}[@])) > 0)"#, "share")
            .unit("percentunit").decimals(1).no_value("no events").steps(&[(None, GREEN), (Some(0.2), ORANGE), (Some(0.8), RED)]).size(4, 4),
        Panel::stat("Last event", "Time since the newest event of the selection was read. Old means that the writer stopped or writes elsewhere.")
            .query("time() - max(log_last_event_timestamp_seconds{@path} > 0)", "ago")
            .unit("s").decimals(0).option("graphMode", json!("none")).no_value("no event yet").steps(&[(None, GREEN), (Some(900.0), ORANGE), (Some(3600.0), RED)]).size(4, 4),
        Panel::stat("Bytes per event", "Average size of an event. A jump is a new kind of message, often dumps of data or stack traces, and fills the disk faster.")
            .query("sum(rate(log_bytes_total{@path}[@])) / (sum(rate(log_events_total{@path}[@])) > 0)", "bytes")
            .unit("bytes").decimals(0).no_value("no events").steps(&[(None, BLUE)]).size(4, 4),
        Panel::timeseries("Events by level", "Events a second of the selection. Look for the moment when red or purple begins and compare it with deployments.")
            .query(r#"sum by (level) (rate(log_events_total{@path,level=~"$level"}[@]))"#, "{{level}}")
            .unit("cps").stacked_bars().levels().legend_right().size(14, 9),
        Panel::timeseries("Against earlier days", "The same selection now, a day and a week ago. What lies far off both is not the daily rhythm.")
            .query(r#"sum(rate(log_events_total{@path,level=~"$level"}[@]))"#, "now")
            .query(r#"sum(rate(log_events_total{@path,level=~"$level"}[@] offset 1d))"#, "yesterday")
            .query(r#"sum(rate(log_events_total{@path,level=~"$level"}[@] offset 1w))"#, "last week")
            .unit("cps").colour("now", BLUE).reference("yesterday").reference("last week").size(10, 9),
    ]
}

fn patterns() -> Vec<Panel> {
    vec![
        Panel::timeseries("Events by pattern", "Events a second of the selected patterns, the fifteen largest. Two patterns that rise together often share one cause.")
            .query(r#"sum by (pattern) (rate(log_pattern_events_total{@path,pattern=~"$pattern",level=~"$level"}[@])) and on (pattern) topk(15, sum by (pattern) (increase(log_pattern_events_total{@path,pattern=~"$pattern",level=~"$level"}[$__range] @ end())))"#, "{{pattern}}")
            .unit("cps").stacked().legend_right().no_value("no pattern matched").size(12, 10),
        Panel::table("Patterns by file", "Where the selected patterns matched in the time range. One file far ahead of the others names the service to look at.")
            .column(r#"round(topk(50, sum by (input, path, pattern, level) (increase(log_pattern_events_total{@path,pattern=~"$pattern",level=~"$level"}[$__range])) > 0))"#)
            .columns(&[("pattern", "Pattern"), ("level", "Level"), ("path", "Path"), ("input", "Input"), ("Value", "Events")], "Events")
            .unit("short").no_value("no pattern matched")
            .field("Level", &[("custom.width", json!(85)), ("mappings", level_mappings()), ("custom.cellOptions", json!({"type": "color-text"}))])
            .field("Pattern", &[("custom.width", json!(170))])
            .field("Input", &[("custom.width", json!(90))])
            .field("Events", &[("custom.width", json!(80))])
            .size(12, 10),
    ]
}

fn files() -> Vec<Panel> {
    vec![
        Panel::timeseries("Events by file", "Events a second, the ten busiest files. A file that leaves its group writes more than its peers: find out why before it fills the disk.")
            .query(r#"sum by (instance, path) (rate(log_events_total{@path,level=~"$level"}[@])) and on (instance, path) topk(10, sum by (instance, path) (increase(log_events_total{@path,level=~"$level"}[$__range] @ end())))"#, "{{path}} {{instance}}")
            .unit("cps").size(12, 8),
        Panel::timeseries("Lines and events", "Lines and events a second. Many more lines than events are multi-line records such as stack traces; as many events as lines in a log with stack traces means that they are not joined: set `multiline`.")
            .query("sum(rate(log_lines_total{@path}[@]))", "lines")
            .query("sum(rate(log_events_total{@path}[@]))", "events")
            .unit("cps").size(12, 8),
        Panel::timeseries("Size by file", "Size of the ten largest files. A saw is rotation; a line that only rises is a log that nobody rotates and that will fill the disk.")
            .query("topk(10, sum by (instance, path) (log_file_size_bytes{@path}))", "{{path}} {{instance}}")
            .unit("bytes").size(12, 8),
        Panel::timeseries("Unread bytes by file", "What is written but not read yet. It should stay near zero; a rising line is a reader that falls behind.")
            .query("topk(10, sum by (instance, path) (log_file_unread_bytes{@path}))", "{{path}} {{instance}}")
            .unit("bytes").size(12, 8),
    ]
}

fn exceptions() -> Vec<Panel> {
    vec![
        Panel::timeseries("Exceptions by type", "Exceptions a second in the selection, the fifteen most frequent types. A type that appears from nothing is new in your programs or in what they depend on.")
            .query("sum by (exception) (rate(log_exceptions_total{@path}[@])) and on (exception) topk(15, sum by (exception) (increase(log_exceptions_total{@path}[$__range] @ end())))", "{{exception}}")
            .unit("cps").stacked_bars().legend_right().no_value("no exceptions").size(12, 8),
        Panel::table("Exceptions by file", "Which file holds which exceptions in the time range. Open the file at the time of a peak to read the whole trace.")
            .column("round(topk(50, sum by (exception, path) (increase(log_exceptions_total{@path}[$__range])) > 0))")
            .columns(&[("exception", "Exception"), ("path", "Path"), ("Value", "Events")], "Events")
            .unit("short").no_value("no exceptions")
            .field("Exception", &[("custom.width", json!(200))])
            .field("Events", &[("custom.width", json!(80))])
            .size(12, 8),
    ]
}
