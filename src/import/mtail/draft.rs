//! Rules before they have their names: what feeds several metrics in the same way becomes one of them.

use super::super::names;
use super::super::way::{Way, named};
use super::super::write::{Label, Metric, Opening, Rule};

/// A rule whose captures are still under their numbers, and the names that they would like to have.
pub(super) struct Draft {
    pub(super) rule: Rule,
    pub(super) given: Vec<(String, String)>,
}

impl Draft {
    pub(super) fn finish(self, taken: impl Fn(&str) -> bool) -> Rule {
        let mut given: Vec<(String, String)> = Vec::new();
        for (id, wish) in self.given {
            if !given.iter().any(|(known, _)| *known == id) {
                // `${duration}` has a meaning of its own where a rule has two ends.
                let taken = |name: &str| {
                    name == "duration" && self.rule.opening.is_some()
                        || given.iter().any(|(_, taken)| taken == name)
                };
                let name = names::unique(&wish, taken);
                given.push((id, name));
            }
        }
        let full = |text: &str| {
            let fill = |text: String, (id, name): &(String, String)| {
                text.replace(&format!("${{{id}}}"), &format!("${{{name}}}"))
            };
            given.iter().fold(text.to_owned(), fill)
        };
        let Rule { any, not, labels, metrics, .. } = &self.rule;
        let label = |(name, label): &(String, Label)| {
            (name.clone(), Label { value: full(&label.value), map: label.map.clone() })
        };
        let metric = |metric: &Metric| Metric { value: metric.value.as_deref().map(full), ..metric.clone() };
        let opening = self.rule.opening.as_ref().map(|opening| Opening {
            any: opening.any.iter().map(|regex| named(regex, &given)).collect(),
            key: full(&opening.key),
            timeout: opening.timeout.clone(),
        });
        let mut stem =
            metrics.first().map_or("rule", |metric| metric.name.trim_end_matches("_total")).to_owned();
        for (_, label) in
            labels.iter().filter(|(_, label)| !label.value.contains("${") && !label.value.is_empty())
        {
            stem = format!("{stem}_{}", names::word(&label.value));
        }
        Rule {
            name: names::unique(&stem, taken),
            any: any.iter().map(|regex| named(regex, &given)).collect(),
            opening,
            not: not.iter().map(|regex| named(regex, &[])).collect(),
            labels: labels.iter().map(label).collect(),
            metrics: metrics.iter().map(metric).collect(),
            ..self.rule
        }
    }
}

/// The names that captures would like to have: as the program names them, else as the label they become.
pub(super) fn given(way: &Way, wanted: &[(String, String)]) -> Vec<(String, String)> {
    let number = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    let wish = |(id, fallback): &(String, String)| {
        let own = way.captures.iter().find(|(name, known)| known == id && !number(name));
        (id.clone(), own.map_or(fallback, |(name, _)| name).clone())
    };
    wanted.iter().map(wish).collect()
}
