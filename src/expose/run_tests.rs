//! Series that a cut hands over in runs are written as those that come one by one with their labels apart.

use super::tests::encoded;
use super::*;
use crate::level::{Level, Levels};
use crate::tally::Tally;
use crate::tally::cut::Cut;
use crate::tally::exposition::{Desc, Detail, Head, Value, Visit};
use crate::tally::guard::Guard;
use crate::tally::plan::Plan;
use crate::tally::spec::{Action, Counted, Label, Metric, MetricKind};
use crate::tally::stream::StreamKey;
use crate::tally::template::Template;
use proptest::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// A cut whose series come one by one.
struct OneByOne<'a>(&'a Cut);

/// Passes on what every visitor has to know.
struct Plainly<'a>(&'a mut dyn Visit);

impl Source for OneByOne<'_> {
    fn visit(&self, to: &mut dyn Visit) {
        self.0.visit(&mut Plainly(to));
    }
}

impl Visit for Plainly<'_> {
    fn family(&mut self, desc: &Desc) {
        self.0.family(desc);
    }
    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        self.0.sample(head, more, value);
    }
    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        self.0.detailed(head, more, value, detail);
    }
}

/// A line that a rule matched, or a cut between the lines.
#[derive(Clone, Debug)]
enum Step {
    Hit { stream: usize, rule: usize, label: String, value: String, traced: bool },
    Cut,
}

fn rules() -> Vec<Counted> {
    let template = |name: &str| Template::parse(&format!("${{{name}}}")).unwrap();
    let metric = |name: &str, kind, native| Metric {
        name: name.into(),
        help: "Help.".into(),
        kind,
        unit: None,
        value: Some(template("v")),
        native,
    };
    let rule = |name: &str, labelled, metrics| Counted {
        group: "g".into(),
        name: name.into(),
        labels: if labelled {
            vec![Label::new("l".into(), template("l"), vec![], None, vec![])]
        } else {
            vec![]
        },
        metrics,
        levels: Levels::NONE.with(Level::Error),
        span: None,
    };
    let bounds = || MetricKind::Histogram(vec![0.5, 2.0]);
    vec![
        rule("plain", true, vec![metric("sum_total", MetricKind::Counter, None)]),
        rule("gauge", true, vec![metric("gauge", MetricKind::Gauge(Action::Set), None)]),
        rule("histogram", true, vec![metric("a_seconds", bounds(), None)]),
        rule("native", true, vec![metric("b_seconds", bounds(), Some(true))]),
        rule("bare", false, vec![metric("bare_total", MetricKind::Counter, None)]),
    ]
}

fn cut(steps: &[Step], looks: u32) -> Cut {
    let guard = Arc::new(Guard::new(12));
    let mut tally = Tally::new("in", Arc::new(Plan::new(rules(), false)), guard.clone());
    let mut cuts = 0;
    for (at, step) in steps.iter().enumerate() {
        tally.set_now(at as f64);
        let Step::Hit { stream, rule, label, value, traced } = step else {
            cuts += 1;
            tally.cut(cuts, 1);
            continue;
        };
        let path = format!("/{stream}");
        let head = || Head::new([("input", "in"), ("path", &path)]);
        let key = StreamKey { labels: vec![("path".into(), path.clone())] };
        let stream = tally.stream(&key, head, false);
        let find = |name: &str| match name {
            "l" => Some(Cow::Owned(label.clone())),
            "v" => Some(Cow::Owned(value.clone())),
            _ => None,
        };
        tally.hit(stream, *rule, Level::Error, &find, traced.then_some("4bf9"));
    }
    cuts += 1;
    Cut::new(vec![tally.cut(cuts, 1)], cuts, &guard).since(cuts.saturating_sub(looks))
}

fn step() -> impl Strategy<Value = Step> {
    let label = prop_oneof![9 => "[a-c\"\\\\\n,}=]{0,2}", 1 => "x{118,130}"];
    let value = prop::sample::select(vec!["1", "0.25", "-3", "1e15", "7e20", "0", "none", "NaN"]);
    let hit = (0..3_usize, 0..5_usize, label, value, prop::bool::weighted(0.1)).prop_map(
        |(stream, rule, label, value, traced)| Step::Hit { stream, rule, label, value: value.into(), traced },
    );
    prop_oneof![12 => hit, 1 => Just(Step::Cut)]
}

proptest! {
    #[test]
    fn they_are_written_alike(
        steps in prop::collection::vec(step(), 0..80),
        looks in 0..4_u32,
        created: bool,
    ) {
        let cut = cut(&steps, looks);
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let style = Style { format, created };
            prop_assert_eq!(encoded(style, &cut), encoded(style, &OneByOne(&cut)), "{:?}", format);
        }
    }
}
