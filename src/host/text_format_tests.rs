use super::*;

const GOOD: &str = r#"
# just a comment
# HELP backup_age_seconds Age of the last backup.
# TYPE backup_age_seconds gauge
backup_age_seconds{job="db",path="C:\\x \"y\"\n"} 12.5
backup_age_seconds { job = "web" , } 1e3
# TYPE jobs_total counter
jobs_total 42
free_form NaN
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1"} 3
took_seconds_bucket{le="+Inf"} 4
took_seconds_sum 7.5
took_seconds_count 4
# TYPE rpc summary
rpc{quantile="0.5"} 3
rpc_sum 9
rpc_count 2
"#;

fn family<'a>(families: &'a [MetricFamily], name: &str) -> &'a MetricFamily {
    families.iter().find(|family| family.name() == name).unwrap()
}

#[test]
fn all_types_are_read() {
    let families = parse(GOOD).unwrap();
    assert_eq!(families.len(), 5);
    let age = family(&families, "backup_age_seconds");
    assert_eq!(age.help(), "Age of the last backup.");
    assert_eq!(age.get_metric().len(), 2);
    let value = age.get_metric()[0].get_label()[1].value();
    assert_eq!(value, "C:\\x \"y\"\n");
    assert_eq!(family(&families, "jobs_total").get_metric()[0].get_counter().get_value(), 42.0);
    assert_eq!(family(&families, "free_form").get_field_type(), MetricType::UNTYPED);
    let took = family(&families, "took_seconds").get_metric()[0].get_histogram();
    assert_eq!((took.get_sample_count(), took.get_sample_sum(), took.get_bucket().len()), (4, 7.5, 2));
    let rpc = family(&families, "rpc").get_metric()[0].get_summary();
    assert_eq!((rpc.sample_count(), rpc.get_quantile().len()), (2, 1));
}

#[test]
fn what_would_break_a_scrape_is_refused_with_its_line() {
    for (bad, what) in [
        ("a", "no value"),
        ("a x", "no number"),
        ("a 1 1700000000", "timestamps"),
        ("a{b=\"c\"", "a comma or a brace"),
        ("a{b=\"c} 1", "does not end"),
        ("a{b=c} 1", "not quoted"),
        ("a{b=\"\\x\"} 1", "unknown escape"),
        ("a{b=\"1\",b=\"2\"} 1", "twice"),
        ("a{1b=\"1\"} 1", "no label name"),
        ("a{__name__=\"1\"} 1", "no label name"),
        ("1a 1", "no metric name"),
        ("a 1\na 2", "line 2"),
        ("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2", "twice"),
        ("a 1\n# TYPE a gauge", "line 2"),
        ("# TYPE a gauge\n# TYPE a gauge\na 1", "twice"),
        ("# HELP a x\n# HELP a y\na 1", "second HELP"),
        ("# TYPE a thing\na 1", "unknown type"),
        ("# TYPE h histogram\nh_bucket 1", "le is missing"),
        ("# TYPE h histogram\nh_bucket{le=\"x\"} 1", "no number"),
        ("# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"2\"} 1\nh_count 3", "less than"),
        ("# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_count 1", "do not agree"),
        ("# TYPE h histogram\nh_bucket{le=\"1\"} 3", "without a count"),
        ("# TYPE h histogram\nh_bucket{le=\"1\"} 0.5\nh_count 1", "no count"),
        ("# TYPE h histogram\nh 3", "no bucket"),
        ("h_count 1\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1", "both a metric and a part"),
    ] {
        let error = parse(bad).expect_err(bad);
        assert!(error.contains(what), "{bad:?} gave {error:?}");
    }
}

#[test]
fn no_text_is_no_family_and_windows_line_ends_do_no_harm() {
    assert!(parse("").unwrap().is_empty());
    assert!(parse("# TYPE lonely gauge\n").unwrap().is_empty());
    assert_eq!(parse("a 1\r\nb 2\r\n").unwrap().len(), 2);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(# (HELP|TYPE) |a|b_sum|_bucket|\\{|\\}|le=|\"|\\\\|,| |1|\n|[^a]){0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn cut_files_are_parsed_or_refused(cut in 0..GOOD.len()) {
        let _ = parse(&GOOD[..cut]);
    }
}
