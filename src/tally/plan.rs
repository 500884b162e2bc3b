//! What the rules in force count, laid out once: rules by index, metrics by family.

use super::spec::{Counted, Label, Metric, MetricKind};
use crate::level::{Level, Levels};

/// Everything that the rules of one input count. Rule `i` here is pattern `i` of the scanner.
#[derive(Debug, Default)]
pub struct Plan {
    /// The rules, in the scanner's order.
    pub rules: Vec<Counted>,
    /// One entry for each metric name that rules define, sorted by name.
    pub families: Vec<Family>,
    /// Series of known labels stand at 0 from the start. Not so with packs that nobody asked for: hundreds of rules
    /// for each file would be series that nobody needs; they are shown from their first event on.
    pub declare: bool,
    /// For each rule and each of its metrics, the index of its family.
    family_of: Vec<Vec<usize>>,
}

/// A metric that rules define.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name, as exposed.
    pub name: String,
    /// Its help text.
    pub help: String,
    /// Its base unit's name, where it has one.
    pub unit: Option<String>,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// A histogram that is shown in its sparse form as well.
    pub native: bool,
}

impl Plan {
    /// Lays out the rules. Metrics of one name are taken to agree (the rules' loader checks it).
    pub fn new(rules: Vec<Counted>, declare: bool) -> Plan {
        Plan::with_native(rules, declare, false)
    }

    /// The same; `native` holds for histograms of which no rule says whether they have a sparse form.
    pub fn with_native(rules: Vec<Counted>, declare: bool, native: bool) -> Plan {
        let mut families: Vec<Family> = Vec::new();
        for metric in rules.iter().flat_map(|rule| &rule.metrics) {
            if !families.iter().any(|f| f.name == metric.name) {
                let asked = rules.iter().flat_map(|rule| &rule.metrics).filter(|m| m.name == metric.name);
                families.push(family(metric, asked.filter_map(|m| m.native).next().unwrap_or(native)));
            }
        }
        families.sort_by(|a, b| a.name.cmp(&b.name));
        let index = |metric: &Metric| {
            families
                .iter()
                .position(|f| f.name == metric.name)
                .expect("each metric's name was collected above")
        };
        let family_of = rules.iter().map(|rule| rule.metrics.iter().map(index).collect()).collect();
        Plan { rules, families, declare, family_of }
    }

    /// The families of a rule's metrics, in the order of its metrics.
    pub fn families_of(&self, rule: usize) -> &[usize] {
        &self.family_of[rule]
    }

    /// The index of the rule with this `group/name`.
    pub fn rule(&self, key: &str) -> Option<usize> {
        self.rules.iter().position(|rule| is_key(rule, key))
    }

    /// Whether some rule pairs starts and ends, so that the times of events are wanted.
    pub fn has_spans(&self) -> bool {
        self.rules.iter().any(|rule| rule.span.is_some())
    }

    /// How many series of `log_pattern_events_total` are known beforehand for each stream.
    pub fn known_series(&self) -> usize {
        self.rules.iter().filter(|rule| rule.labels.is_empty()).map(|rule| rule.levels.iter().count()).sum()
    }
}

fn family(metric: &Metric, native: bool) -> Family {
    Family {
        name: metric.name.clone(),
        help: metric.help.clone(),
        unit: metric.unit.map(|unit| unit.base.name().to_owned()),
        kind: metric.kind.clone(),
        native: native && matches!(metric.kind, MetricKind::Histogram(_)),
    }
}

fn is_key(rule: &Counted, key: &str) -> bool {
    key.strip_prefix(rule.group.as_str()).and_then(|rest| rest.strip_prefix('/')) == Some(rule.name.as_str())
}

/// `group/name`, the key of a rule in the store.
pub fn rule_key(rule: &Counted) -> String {
    format!("{}/{}", rule.group, rule.name)
}

/// All label sets made of the values that a rule's labels declare; `None` where one declares none, or where the sets
/// are more than a hundred.
pub fn known_label_sets(labels: &[Label]) -> Option<Vec<Vec<String>>> {
    let mut sets = vec![Vec::new()];
    for label in labels {
        if label.known_values().is_empty() || sets.len() * label.known_values().len() > 100 {
            return None;
        }
        sets = sets
            .iter()
            .flat_map(|set| {
                label.known_values().iter().map(|value| [&set[..], std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    Some(sets)
}

/// The levels a rule can count at, as a list.
pub fn levels_of(rule: &Counted) -> impl Iterator<Item = Level> {
    let levels: Levels = rule.levels;
    levels.iter()
}
