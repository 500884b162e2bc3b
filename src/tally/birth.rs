//! How series come to be: declared at 0 where their label values are known, born where they are not, and sent to the
//! overflow series where the guard refuses.

use super::pairs::Pairs;
use super::plan::{known_label_sets, levels_of};
use super::series::{Key, Metric, Number};
use super::spec::MetricKind;
use super::{EXCEPTIONS, OTHER, PATTERN_EVENTS, Tally, bump, empty, label_pairs, pattern_pairs};

/// When scrapes began to show a series: the number of the first cut that held it.
///
/// Whoever looked before that cut and not since sees the series at 0 once, then its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth(u32);

impl Birth {
    /// No cut has held it yet.
    pub const UNSEEN: Birth = Birth(u32::MAX);
    /// Everybody sees its number: it stood there before anyone looked, or that was in an earlier run.
    pub const OLD: Birth = Birth(0);

    /// The cut of this number is the first to hold it.
    pub fn at(cut: u32) -> Birth {
        Birth(cut)
    }

    /// As rows keep it.
    pub fn of(newborn: bool) -> Birth {
        if newborn { Birth::UNSEEN } else { Birth::OLD }
    }

    /// Whether someone whose last cut had this number has not seen it at 0 yet.
    pub fn is_after(self, cut: u32) -> bool {
        self.0 > cut
    }
}

impl Tally {
    /// Puts the series at 0 whose label values the rules declare.
    pub(super) fn declare(&mut self, stream: usize) {
        let plan = self.plan.clone();
        for (at, rule) in plan.rules.iter().enumerate() {
            let Some(sets) = known_label_sets(&rule.labels) else { continue };
            for set in sets {
                if !rule.labels.is_empty() {
                    for level in levels_of(rule) {
                        self.declare_one(
                            stream,
                            Metric::Pattern(at),
                            pattern_pairs(rule, level, &set),
                            Number::Count(0),
                        );
                    }
                }
                let pairs: Pairs = label_pairs(rule, &set).collect();
                for (metric, family) in rule.metrics.iter().zip(plan.families_of(at)) {
                    if !matches!(metric.kind, MetricKind::Gauge(_)) {
                        self.declare_one(
                            stream,
                            Metric::Rule(*family, at),
                            pairs.clone(),
                            empty(&metric.kind),
                        );
                    }
                }
            }
        }
    }

    fn declare_one(&mut self, stream: usize, metric: Metric, labels: Pairs, number: Number) {
        let key = self.unify(Key { stream, metric, labels });
        if self.series.find(&key).is_none() && self.guard.expose(self.name_of(metric), 1) {
            self.insert(key, number, Birth::OLD, 0.0);
        }
    }

    /// The series of this key; born where it is not there yet, or the overflow series where the guard refuses.
    pub(super) fn born(&mut self, stream: usize, metric: Metric, labels: Pairs, zero: Number) -> usize {
        let key = self.unify(Key { stream, metric, labels });
        if let Some(at) = self.series.find(&key) {
            return at;
        }
        if self.guard.admit(self.name_of(metric)) {
            let newborn = !self.stands_from_the_start(&key);
            let created = if newborn { self.now } else { 0.0 };
            return self.insert(key, zero, Birth::of(newborn), created);
        }
        let name = self.name_of(metric).to_owned();
        self.change_counters(|counters| bump(&mut counters.overflow, &name));
        let labels = overflow_pairs(metric, &key.labels);
        let key = Key { labels, ..key };
        match self.series.find(&key) {
            Some(at) => at,
            None => self.insert(key, zero, Birth::UNSEEN, self.now),
        }
    }

    fn insert(&mut self, key: Key, zero: Number, birth: Birth, created: f64) -> usize {
        let native = self.is_native(key.metric).then(Default::default);
        self.series.insert(key, zero, native, birth, created)
    }

    /// Whether a metric is shown in its sparse form as well.
    pub(super) fn is_native(&self, metric: Metric) -> bool {
        matches!(metric, Metric::Rule(family, _) if self.plan.families[family].native)
    }

    /// Whether a series of another tally is one that `stream` shows from its start as well, as far as there is room.
    pub(super) fn is_known_beforehand(&self, stream: usize, key: &Key) -> bool {
        self.stands_from_the_start(&Key { stream, ..key.clone() })
    }

    /// Whether a series of these labels was known beforehand and no scrape has missed it yet.
    fn stands_from_the_start(&self, key: &Key) -> bool {
        let scraped = self.streams[key.stream].as_ref().is_none_or(|stream| stream.scraped);
        let rule = match key.metric {
            Metric::Exceptions => return false,
            Metric::Pattern(rule) | Metric::Rule(_, rule) => rule,
        };
        let is_known = |name: &str, value: &str| {
            let label = self.plan.rules[rule].labels.iter().find(|label| label.name == name);
            label.is_none_or(|label| label.known_values().iter().any(|known| **known == *value))
        };
        !scraped && key.labels.rendered().iter().all(|(name, value)| is_known(name, &value))
    }

    /// Two rules of one metric share a series where their labels agree: the key names the first such rule.
    pub(super) fn unify(&self, key: Key) -> Key {
        let Metric::Rule(family, rule) = key.metric else { return key };
        let first = (0..rule).find(|&other| self.plan.families_of(other).contains(&family));
        Key { metric: Metric::Rule(family, first.unwrap_or(rule)), ..key }
    }

    pub(super) fn name_of(&self, metric: Metric) -> &str {
        match metric {
            Metric::Exceptions => EXCEPTIONS,
            Metric::Pattern(_) => PATTERN_EVENTS,
            Metric::Rule(family, _) => &self.plan.families[family].name,
        }
    }
}

/// The labels of the overflow series: what the rule gave becomes [`OTHER`].
fn overflow_pairs(metric: Metric, labels: &Pairs) -> Pairs {
    let fixed = if matches!(metric, Metric::Pattern(_)) { 2 } else { 0 };
    let value = |at: usize, value| if at < fixed { value } else { OTHER.into() };
    labels.rendered().iter().enumerate().map(|(at, (name, text))| (name, value(at, text))).collect()
}
