//! The dashboard of a config: a row for each group of rules, a panel for each metric that its rules define.

use super::board::{Board, Row, label_variable, target_variables};
use super::panel::Panel;
use super::style::{BLUE, GREEN, ORANGE};
use super::{Group, Metric, Rule};
use crate::rules::quoted;
use crate::tally::exposition::Kind;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn board(groups: &[Group]) -> Board {
    let mut variables = target_variables("logtally_build_info");
    variables.push(label_variable("input", "Input", "log_events_total"));
    variables.push(label_variable("level", "Level", "log_events_total"));
    let mut rows = vec![Row::new("Events", overview())];
    // Two groups may define one metric together; it is drawn where it comes first.
    let mut drawn = BTreeSet::new();
    let (named, unasked): (Vec<&Group>, Vec<&Group>) =
        groups.iter().filter(|g| !g.rules.is_empty()).partition(|g| !g.unasked);
    rows.extend(named.into_iter().chain(unasked).map(|group| {
        let metrics =
            group.rules.iter().flat_map(|rule| rule.metrics.iter().map(move |metric| (rule, metric)));
        let new = metrics.filter(|(_, metric)| drawn.insert(metric.name.clone()));
        let (histograms, lines): (Vec<_>, Vec<_>) =
            new.partition(|(_, metric)| metric.kind == Kind::Histogram);
        let mut panels = counts(group);
        panels.extend(lines.iter().flat_map(|(rule, metric)| metric_panels(rule, metric)));
        // Two stand side by side; a lone one leaves no hole.
        if lines.len() % 2 == 1 {
            let lone = panels.pop().map(|panel| panel.size(24, 8));
            panels.extend(lone);
        }
        panels.extend(histograms.iter().flat_map(|(rule, metric)| metric_panels(rule, metric)));
        Row::new(&group.name, panels).folded(group.unasked)
    }));
    Board {
        uid: "logtally-rules",
        title: "Log rules",
        description: "The rules of this configuration: what they matched and what they measured.",
        from: "now-3h",
        variables,
        rows,
    }
}

fn overview() -> Vec<Panel> {
    vec![
        Panel::timeseries("Events by level", "Events a second, one colour a level. Red and purple growing is trouble; the rows below tell which rule sees it.")
            .query("sum by (level) (rate(log_events_total{@level}[@]))", "{{level}}")
            .unit("cps").stacked_bars().levels().size(16, 8),
        Panel::bars("Matches by rule", "Events that the rules matched in the time range, the largest first. Of shipped packs that you did not name, the rows below are folded: open that of a rule you see here. A rule that should match and is missing: test it with `logtally explain`.")
            .instant("round(topk(9, sum by (pattern) (increase(log_pattern_events_total{@level}[$__range])) > 0))", "{{pattern}}")
            .unit("short").no_value("no rule matched").steps(&[(None, BLUE)]).size(8, 8),
    ]
}

/// What the group's rules matched.
fn counts(group: &Group) -> Vec<Panel> {
    let names: Vec<String> = group.rules.iter().map(|r| regex_escaped(&r.name)).collect();
    let pattern = quoted(&names.join("|"));
    vec![
        Panel::timeseries("Events by rule", "Events a second that each rule of the group matched. A rule that starts from nothing marks the moment when something changed.")
            .query(&format!("sum by (pattern) (rate(log_pattern_events_total{{@level,pattern=~{pattern}}}[@]))"), "{{pattern}}")
            .unit("cps").stacked().no_value("no event matched").size(16, 8),
        Panel::bars("Events in the time range", "How often each rule of the group matched in the time range. 0 means that it matched nothing: good for errors, odd for routine.")
            .instant(&format!("sort_desc(sum by (pattern) (increase(log_pattern_events_total{{@level,pattern=~{pattern}}}[$__range])))"), "{{pattern}}")
            .unit("short").decimals(0).no_value("no event matched").steps(&[(None, GREEN), (Some(1.0), BLUE), (Some(1000.0), ORANGE)]).size(8, 8),
    ]
}

/// The panels that fit a metric's type.
fn metric_panels(rule: &Rule, metric: &Metric) -> Vec<Panel> {
    let name = &metric.name;
    let unit = base_unit(metric);
    let about = format!("{} Measured by the rule {}.", sentence(&metric.help), rule.name);
    let by: Vec<&str> = metric.labels.iter().map(String::as_str).collect();
    let by_input: Vec<&str> = std::iter::once("input").chain(by.iter().copied()).collect();
    let (group, legend) = (by_input.join(", "), legend(&by_input));
    match metric.kind {
        Kind::Counter => vec![
            Panel::timeseries(name, &format!("{about} The increase a second; a jump is worth comparing with the events of the rule."))
                .query(&format!("topk(20, sum by ({group}) (rate({name}{{@input}}[@])))"), &legend)
                .unit(rate_unit(unit)).no_value("nothing counted").size(12, 8),
        ],
        Kind::Gauge | Kind::Untyped => vec![
            Panel::timeseries(name, &format!("{about} The largest value of each label set; a line that stops changing is a value that is no longer logged."))
                .query(&format!("topk(20, max by ({group}) ({name}{{@input}}))"), &legend)
                .unit(unit).no_value("not seen yet").size(12, 8),
        ],
        Kind::Histogram => histogram_panels(metric, &about, &group, &legend),
    }
}

fn histogram_panels(metric: &Metric, about: &str, group: &str, legend: &str) -> Vec<Panel> {
    let name = &metric.name;
    let unit = base_unit(metric);
    // Where there is a sparse form, Prometheus may hold either: each query finds the one that is there.
    let or = |sparse: String| if metric.native { sparse } else { String::new() };
    let quantile = |q: &str| {
        // Windows without a value give NaN, which no comparison lets through.
        let or = or(format!("histogram_quantile({q}, sum(rate({name}{{@input}}[@]))) > -Inf or "));
        format!("{or}histogram_quantile({q}, sum by (le) (rate({name}_bucket{{@input}}[@]))) > -Inf")
    };
    let part = |part: &str| format!("sum by ({group}) (rate({name}{part}{{@input}}[@]))");
    let sparse = part("");
    let or_mean = or(format!("histogram_sum({sparse}) / (histogram_count({sparse}) > 0) or "));
    let mean = format!("{or_mean}{} / ({} > 0)", part("_sum"), part("_count"));
    // Rows by `le` and a histogram in one answer could not be drawn: the second stands where there is none of the first.
    let or_cells = or(format!(" or on () sum(increase({name}{{@input}}[@]))"));
    vec![
        Panel::heatmap(
            name,
            &format!(
                "{about} How many values fell into each bucket; a second band is a second kind of behaviour."
            ),
            unit,
        )
        .buckets(&format!("sum by (le) (increase({name}_bucket{{@input}}[@])){or_cells}"))
        .unit("short")
        .no_value("no values")
        .size(8, 9),
        Panel::timeseries(
            &format!("{name}: quantiles"),
            &format!(
                "{about} Median, 90 % and 99 %. The 99 % far above the median means that few suffer much."
            ),
        )
        .query(&quantile("0.5"), "median")
        .query(&quantile("0.9"), "90 %")
        .query(&quantile("0.99"), "99 %")
        .unit(unit)
        .no_value("no values")
        .size(8, 9),
        Panel::timeseries(
            &format!("{name}: mean"),
            &format!("{about} The mean of each label set; one far above the others is the one to look at."),
        )
        .query(&format!("topk(20, {mean})"), legend)
        .unit(unit)
        .no_value("no values")
        .custom("showPoints", json!("auto"))
        .size(8, 9),
    ]
}

fn legend(labels: &[&str]) -> String {
    labels.iter().map(|l| format!("{{{{{l}}}}}")).collect::<Vec<_>>().join(" ")
}

/// Grafana's id of a metric's unit; where none is given, its name ends with it.
fn base_unit(metric: &Metric) -> &'static str {
    let stem = metric.name.strip_suffix("_total").unwrap_or(&metric.name);
    match metric.unit.as_deref().or_else(|| stem.rsplit('_').next()) {
        Some("s" | "seconds") => "s",
        Some("bytes" | "B") => "bytes",
        Some("ratio") => "percentunit",
        _ => "short",
    }
}

/// The unit of what grows by `unit` a second.
fn rate_unit(unit: &str) -> &'static str {
    match unit {
        "bytes" => "Bps",
        // Seconds a second are a share of time.
        "s" => "percentunit",
        _ => "cps",
    }
}

/// A help text with its full stop, or nothing.
fn sentence(help: &str) -> String {
    let help = help.trim();
    if help.is_empty() || help.ends_with(['.', '!', '?']) { help.to_owned() } else { format!("{help}.") }
}

/// A name as a regular expression that matches it alone.
fn regex_escaped(name: &str) -> String {
    name.chars()
        .flat_map(|c| (c.is_ascii_punctuation() && c != '_').then_some('\\').into_iter().chain([c]))
        .collect()
}
