//! Rules that people write: YAML in, patterns to match and things to count out, every problem with its place.
//!
//! [`load()`] reads rule files and shipped packs; [`render`] shows problems with the line they stand in. What a rule
//! matches is for [`matching`](crate::matching), what it counts for [`tally`](crate::tally); its tests are data here.

mod alert;
mod builtin;
mod expression;
mod grok;
mod group;
mod label;
mod load;
mod metric;
mod names;
mod pairing;
mod raw;
mod report;
mod sink;
mod test;
mod when;
pub mod yaml;

pub use alert::Alert;
pub use builtin::{builtin_names, known_builtin};
pub use load::{Source, load};
pub use report::render;
pub use test::{Expect, RuleTest};
pub use when::{Measured, Metric, When, WhenError, is_duration, quoted};

use crate::error::{Place, Problem};
use crate::matching::pattern::Pattern;
use crate::tally::spec::Counted;

/// A grok expression with the standard names as an expression of the one engine.
///
/// # Errors
/// An unknown or circular name, or a name captured twice: what is wrong, and the next step.
pub fn grok_to_regex(grok: &str) -> Result<String, (String, String)> {
    let next = || "write names of Logstash, such as %{IP:client} or %{GREEDYDATA:message}".to_owned();
    grok::expand(grok, &[]).map_err(|refusal| match refusal.hint.filter(|hint| !hint.contains("patterns:")) {
        Some(hint) => (refusal.message, hint),
        None => (refusal.message, next()),
    })
}

/// The JSON Schema of a rule file, for editors.
pub fn schema() -> serde_json::Value {
    raw::schema()
}

/// All rules in force, group by group in the order of their sources.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The groups.
    pub groups: Vec<Group>,
    /// What works, but not as well as it could.
    pub warnings: Vec<Problem>,
}

impl RuleSet {
    /// The rules of all groups, in order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

/// The rules of one file.
#[derive(Clone, Debug)]
pub struct Group {
    /// The group's name, by which inputs choose it.
    pub name: String,
    /// Its rules, in the order they were written.
    pub rules: Vec<Rule>,
    /// Where it was written.
    pub place: Place,
}

/// One rule, ready for use: everything in it was checked.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The group's name.
    pub group: String,
    /// The rule's name: the `pattern` label.
    pub name: String,
    /// What it matches.
    pub pattern: Pattern,
    /// What it counts.
    pub counted: Counted,
    /// The Prometheus alert that it becomes.
    pub alert: Option<Alert>,
    /// The tests that it carries.
    pub tests: Vec<RuleTest>,
    /// Where it was written: its name.
    pub place: Place,
}

#[cfg(test)]
mod tests;
