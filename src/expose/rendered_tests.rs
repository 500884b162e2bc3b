//! Labels that are rendered beforehand are written as those that are not, in every format.

use super::tests::{desc, encoded};
use super::*;
use crate::tally::exemplar::Exemplar;
use crate::tally::exposition::{Buckets, Detail, Head, Kind, Value, Visit};
use crate::tally::pairs::Pairs;
use proptest::prelude::*;

type Labels = Vec<(String, String)>;

#[derive(Clone, Debug)]
enum Number {
    Int(u64),
    Float(f64),
    Histogram([u64; 2]),
}

#[derive(Clone, Debug)]
struct Sample {
    head: usize,
    more: Labels,
    number: Number,
    created: Option<f64>,
    traced: bool,
}

/// Families of samples, with their labels rendered beforehand or not.
#[derive(Clone, Debug)]
struct Both {
    heads: Vec<Labels>,
    families: Vec<(Kind, Vec<Sample>)>,
    rendered: bool,
}

impl Source for Both {
    fn visit(&self, to: &mut dyn Visit) {
        let heads: Vec<Head> =
            self.heads.iter().map(|pairs| Head::new(pairs.iter().map(|(n, v)| (&**n, &**v)))).collect();
        let exemplars = [Exemplar { trace_id: "4bf9".into(), value: 1.0, at: 5.0, bucket: 0 }];
        for ((kind, samples), name) in self.families.iter().zip(["a_total", "b", "c_seconds"]) {
            to.family(&desc(name, "", *kind, None));
            for Sample { head, more, number, created, traced } in samples {
                let value = match number {
                    Number::Int(n) => Value::Int(*n),
                    Number::Float(x) => Value::Float(*x),
                    Number::Histogram(counts) => {
                        Value::Histogram(Buckets { bounds: &[0.5], counts, sum: 2.5 })
                    }
                };
                let exemplars = if *traced { &exemplars[..] } else { &[] };
                let detail = Detail { exemplars, created: *created, native: None };
                let head = &heads[head % heads.len()];
                if self.rendered {
                    let more: Pairs = more.iter().map(|(name, value)| (name, value)).collect();
                    to.rendered(head, more.rendered(), value, detail);
                } else {
                    let more: Vec<(&str, &str)> = more.iter().map(|(n, v)| (&**n, &**v)).collect();
                    to.detailed(head, &more, value, detail);
                }
            }
        }
    }
}

fn labels() -> impl Strategy<Value = Labels> {
    let value = prop_oneof![9 => "[a-b\"\\\\\n,}= é]{0,5}", 1 => "x{118,130}"];
    prop::collection::vec(("[a-z]{1,3}", value), 0..3)
}

fn number() -> impl Strategy<Value = Number> {
    let whole =
        prop_oneof![Just(0.0), Just(-0.0), Just(7.0), Just(1e15), Just(999_999_999_999_999.0), Just(-3.0)];
    prop_oneof![
        3 => any::<u64>().prop_map(Number::Int),
        2 => any::<f64>().prop_map(Number::Float),
        2 => whole.prop_map(Number::Float),
        1 => [0..9_u64, 0..9_u64].prop_map(Number::Histogram),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let created = prop_oneof![Just(None), Just(Some(1_600_000_000.5))];
    (0..3_usize, labels(), number(), created, any::<bool>())
        .prop_map(|(head, more, number, created, traced)| Sample { head, more, number, created, traced })
}

proptest! {
    #[test]
    fn they_are_written_alike(
        heads in prop::collection::vec(labels(), 1..4),
        families in prop::collection::vec(
            (
                prop::sample::select(vec![Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Untyped]),
                prop::collection::vec(sample(), 0..6),
            ),
            0..3,
        ),
        created: bool,
    ) {
        let before = Both { heads, families, rendered: true };
        let after = Both { rendered: false, ..before.clone() };
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let style = Style { format, created };
            prop_assert_eq!(encoded(style, &before), encoded(style, &after), "{:?}", format);
        }
    }
}
