//! `logtally dashboard` and `logtally alerts`: what fits the user's own rules.

use super::args::Generate;
use super::exit::Exit;
use super::{given, print, report};
use crate::app::build::{self, Built};
use crate::config;
use crate::error::{Place, Problem};
use crate::generate;
use crate::rules::{Rule, Source};
use crate::tally::exposition::Kind;
use crate::tally::spec::MetricKind;

pub(super) fn dashboard(args: &Generate) -> Exit {
    match load(args) {
        Ok(built) => {
            print::out(&generate::pretty(&generate::dashboard(&groups(&built))));
            Exit::Good
        }
        Err(exit) => exit,
    }
}

pub(super) fn alerts(args: &Generate) -> Exit {
    match load(args) {
        Ok(built) => {
            let options = generate::Options { host: built.config.host.is_some() };
            match generate::alerts(&groups(&built), options) {
                Ok(text) => {
                    print::out(&text);
                    Exit::Good
                }
                Err(refused) => {
                    let problem = |(group, rule, error): &(String, String, generate::WhenError)| {
                        Problem::error(Place::new(format!("{group}/{rule}"), 0, 0), error.to_string())
                    };
                    report(&refused.iter().map(problem).collect::<Vec<_>>())
                }
            }
        }
        Err(exit) => exit,
    }
}

fn load(args: &Generate) -> Result<Built, Exit> {
    config::load(&given(&args.common)).and_then(build::build).map_err(|problems| report(&problems))
}

/// The shipped pack that a group is, if it is one.
fn pack(group: &crate::rules::Group) -> Option<&str> {
    group.place.file.to_str()?.strip_prefix("builtin:")
}

fn groups(built: &Built) -> Vec<generate::Group> {
    let named = |pack: &str| built.config.rules.contains(&Source::Builtin(pack.to_owned()));
    let group = |group: &crate::rules::Group| generate::Group {
        name: group.name.clone(),
        rules: group.rules.iter().map(|one| rule(one, &|metric| is_native(built, metric))).collect(),
        unasked: pack(group).is_some_and(|pack| !named(pack)),
    };
    built.rules.groups.iter().map(group).collect()
}

/// Whether a metric has a sparse form: one of the rules that feed it says so, or else the config.
fn is_native(built: &Built, name: &str) -> bool {
    let metrics = built.rules.rules().flat_map(|rule| &rule.counted.metrics);
    metrics.filter(|m| m.name == name).find_map(|m| m.native).unwrap_or(built.config.native_histograms)
}

fn rule(rule: &Rule, native: &dyn Fn(&str) -> bool) -> generate::Rule {
    let labels: Vec<String> = rule.counted.labels.iter().map(|label| label.name.clone()).collect();
    generate::Rule {
        name: rule.name.clone(),
        metrics: rule
            .counted
            .metrics
            .iter()
            .map(|metric| generate::Metric {
                name: metric.name.clone(),
                kind: match metric.kind {
                    MetricKind::Counter => Kind::Counter,
                    MetricKind::Gauge(_) => Kind::Gauge,
                    MetricKind::Histogram(_) => Kind::Histogram,
                },
                unit: metric.unit.map(|unit| unit.base.name().to_owned()),
                help: metric.help.clone(),
                labels: labels.clone(),
                native: matches!(metric.kind, MetricKind::Histogram(_)) && native(&metric.name),
            })
            .collect(),
        labels,
        alert: rule.alert.as_ref().map(|alert| generate::Alert {
            when: alert.when.clone(),
            hold: alert.hold.clone(),
            severity: alert.severity.clone(),
        }),
    }
}
