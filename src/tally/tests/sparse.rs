//! The sparse form of histograms: it holds what the explicit buckets hold, whatever happens to the series.

use super::*;
use crate::tally::exposition::{Buckets, Detail};
use crate::tally::native::Native;
use crate::tally::rows::SeriesRow;

fn wait(native: Option<bool>, bounds: &[f64]) -> Vec<Counted> {
    let metric = Metric { native, ..metric("wait_seconds", MetricKind::Histogram(bounds.to_vec())) };
    vec![rule("wait", vec![label("db", &[])], vec![metric])]
}

/// What a cut shows of the histograms: labels, count and sum, and the sparse form.
#[derive(Default)]
struct Shown(Vec<(String, u64, f64, Option<Native>)>);

impl Visit for Shown {
    fn family(&mut self, _: &Desc) {}
    fn sample(&mut self, _: &Head, _: &[(&str, &str)], _: Value<'_>) {}
    fn detailed(&mut self, _: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        match value {
            Value::Histogram(Buckets { counts, sum, .. }) => {
                let labels: Vec<&str> = more.iter().map(|(_, value)| *value).collect();
                self.0.push((labels.join(","), counts.iter().sum(), sum, detail.native.cloned()));
            }
            _ => assert!(detail.native.is_none()),
        }
    }
}

impl Bench {
    fn wait(&mut self, db: &str, values: &[&str]) {
        values.iter().for_each(|value| self.hit(0, &[("db", db), ("v", value)]));
    }

    fn histograms(&mut self) -> Vec<(String, u64, f64, Option<Native>)> {
        let mut shown = Shown::default();
        self.cut().visit(&mut shown);
        shown.0
    }

    /// The one series that there is.
    fn only(&mut self) -> (u64, Native) {
        let mut all = self.histograms();
        assert_eq!(all.len(), 1, "{all:?}");
        let (_, count, _, native) = all.remove(0);
        (count, native.unwrap())
    }
}

fn counted(values: &[f64]) -> Native {
    let mut native = Native::default();
    values.iter().for_each(|value| native.observe(*value));
    native
}

#[test]
fn both_forms_hold_the_same_and_are_born_at_zero() {
    let mut bench = bench(wait(Some(true), &[1.0]), 100, true);
    bench.wait("a", &["0.5", "7", "much", "-3", "0"]);
    assert_eq!(bench.histograms(), [("a".to_owned(), 0, 0.0, Some(Native::default()))]);
    let all = counted(&[0.5, 7.0, -3.0, 0.0]);
    assert_eq!(bench.histograms(), [("a".to_owned(), 4, 4.5, Some(all))]);
}

#[test]
fn nobody_gets_it_without_asking() {
    let mut bench = bench(wait(None, &[1.0]), 100, true);
    bench.wait("a", &["0.5"]);
    bench.histograms();
    assert_eq!(bench.histograms(), [("a".to_owned(), 1, 0.5, None)]);
    assert_eq!(
        bench.tally.export().series.iter().filter_map(|(_, row)| row.as_ref()?.native.clone()).count(),
        0
    );
}

#[test]
fn the_config_holds_where_a_rule_says_nothing() {
    let native =
        |of_rule, of_config| Plan::with_native(wait(of_rule, &[1.0]), true, of_config).families[0].native;
    assert!(native(None, true) && native(Some(true), false));
    assert!(!native(None, false) && !native(Some(false), true));
    // Of two rules that feed one metric, either may say it.
    let two = [wait(None, &[1.0]), wait(Some(true), &[1.0])].concat();
    assert!(Plan::new(two, true).families[0].native);
    let counter =
        rule("n", vec![], vec![Metric { native: Some(true), ..metric("n_total", MetricKind::Counter) }]);
    assert!(!Plan::with_native(vec![counter], true, true).families[0].native);
}

#[test]
fn it_survives_the_store_and_counts_on() {
    let rules = || wait(Some(true), &[1.0]);
    let mut bench = bench(rules(), 100, true);
    bench.wait("a", &["0.5", "7"]);
    bench.histograms();
    let mut after = bench.reborn(rules());
    after.wait("a", &["0.25"]);
    assert_eq!(after.only(), (3, counted(&[0.5, 7.0, 0.25])));
}

#[test]
fn what_came_before_it_is_as_precise_as_the_explicit_buckets() {
    let mut bench = bench(wait(None, &[1.0, 4.0]), 100, true);
    bench.wait("a", &["0.5", "0.7", "3", "3", "7"]);
    bench.histograms();
    let mut after = bench.reborn(wait(Some(true), &[1.0, 4.0]));
    after.wait("a", &["0.25"]);
    let beyond = 4.0_f64.next_up();
    assert_eq!(after.only(), (6, counted(&[1.0, 1.0, 4.0, 4.0, beyond, 0.25])));
}

#[test]
fn going_back_and_forth_loses_nothing() {
    let mut bench = bench(wait(Some(true), &[1.0]), 100, true);
    bench.wait("a", &["0.5", "7"]);
    bench.histograms();
    let mut off = bench.reborn(wait(Some(false), &[1.0]));
    off.wait("a", &["0.25"]);
    assert_eq!(off.histograms(), [("a".to_owned(), 3, 7.75, None)]);
    off.tally.touch_all();
    assert_eq!(off.reborn(wait(None, &[1.0])).histograms()[0].3, None);
    off.tally.touch_all();
    let mut on = off.reborn(wait(Some(true), &[1.0]));
    on.wait("a", &["0.125"]);
    assert_eq!(on.only(), (4, counted(&[0.5, 7.0, 0.25, 0.125])));
}

#[test]
fn rows_of_earlier_versions_end_before_it() {
    let row = |native| SeriesRow {
        number: super::super::series::Number::Histogram(vec![2, 1], 5.0),
        newborn: false,
        created: 9.0,
        native,
        bounds: 0,
    };
    let old = postcard::to_stdvec(&row(None)).unwrap();
    // The bytes for "none" and for bounds that are not known.
    let before = &old[..old.len() - 2];
    assert_eq!(postcard::from_bytes::<SeriesRow>(&old[..old.len() - 1]).unwrap(), row(None));
    assert_eq!(postcard::from_bytes::<SeriesRow>(before).unwrap(), row(None));
    // And before births were kept.
    let earlier = postcard::from_bytes::<SeriesRow>(&before[..before.len() - 8]).unwrap();
    assert_eq!(earlier, SeriesRow { created: 0.0, ..row(None) });
    let new = postcard::to_stdvec(&row(Some(Arc::new(counted(&[0.5, 0.5, 4.0]))))).unwrap();
    assert_eq!(new[..before.len()], *before, "and read a new row as one of theirs");
}

#[test]
fn a_form_that_does_not_hold_the_same_is_made_anew() {
    let mut bench = bench(wait(Some(true), &[1.0]), 100, true);
    bench.wait("a", &["0.5", "7"]);
    bench.histograms();
    let mut rows = bench.tally.export();
    let (id, row) = rows.series.iter_mut().find(|(id, _)| id.metric == "wait_seconds").unwrap();
    let row = row.as_mut().unwrap();
    row.native = Some(Arc::new(counted(&[0.5])));
    assert!(bench.tally.restore_series(id, row));
    assert_eq!(bench.only(), (2, counted(&[1.0, 1.0_f64.next_up()])));
}

#[test]
fn parts_of_a_file_add_up() {
    let rules = || wait(Some(true), &[1.0]);
    let (mut one, mut two) = (bench(rules(), 100, false), bench(rules(), 100, false));
    one.wait("a", &["0.5"]);
    two.wait("a", &["7", "0.5"]);
    one.tally.absorb(&two.tally);
    one.tally.settle();
    assert_eq!(one.only(), (3, counted(&[0.5, 0.5, 7.0])));
}
