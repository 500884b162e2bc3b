//! Timestamps as programs write them, and the differences between them.

use super::*;
use crate::parse::Options;

fn moment(line: &str) -> Option<Moment> {
    Parser::new(&Options::default()).unwrap().moment(line.as_bytes())
}

fn seconds(from: &str, to: &str) -> Option<f64> {
    let (from, to) = (moment(from)?, moment(to)?);
    to.since(from).map(|nanos| nanos as f64 / 1e9)
}

/// 2026-11-20 12:00:00 UTC.
const NOON: i64 = 1_795_176_000;

#[test]
fn every_shape_with_a_year_is_the_same_moment() {
    for line in [
        "2026-11-20 12:00:00 INFO a",
        "2026-11-20T13:00:00+01:00 INFO a",
        "2026-11-20T06:30:00-0530 INFO a",
        "[2026-11-20 12:00:00,000] INFO a",
        "2026/11/20 12:00:00 [error] a",
        "2026-11-20-12.00.00.000000 INFO a",
        "26/11/20 12:00:00 INFO a",
        "261120 120000 1 INFO a",
        "261120 12:00:00 a",
        "20261120-12:00:00:000|a",
        "20-Nov-2026 12:00:00.000 INFO a",
        "20 Nov 2026 12:00:00.000 INFO a",
        "20.11.2026 12:00:00 INFO a",
        "11/20/2026 12:00:00 INFO a",
        "Fri Nov 20 12:00:00 2026 [pid 7] a",
        "[Fri Nov 20 12:00:00.000000 2026] [core:error] a",
        "Fri, 20 Nov 2026 12:00:00 INFO a",
        "Nov 20, 2026 12:00:00 PM a",
        "10.0.0.1 - - [20/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
        "{\"level\":30,\"time\":1795176000000,\"msg\":\"a\"}",
        "{\"ts\":1795176000.0,\"level\":\"info\",\"msg\":\"a\"}",
        "{\"@timestamp\":\"2026-11-20T12:00:00Z\",\"message\":\"a\"}",
        "{\"text\":\"a\",\"record\":{\"level\":{\"name\":\"INFO\"},\"time\":{\"timestamp\":1795176000.0}}}",
        "time=2026-11-20T12:00:00Z level=info msg=a",
        "level=info ts=1795176000 msg=a",
        "<34>1 2026-11-20T12:00:00Z host app 1 - - a",
        "I20261120 12:00:00.000000 1 a.cc:1] a",
        "I261120 12:00:00.000000 1 server/node.go:1  a",
        "20/11/2026 -- 12:00:00 - <Info> - a",
        "[GIN] 2026/11/20 - 12:00:00 | 200 | 1ms | 10.0.0.1 | GET \"/\"",
        "[Nest] 12  - 11/20/2026, 12:00:00 PM     LOG [App] a",
        "I, [2026-11-20T12:00:00.000000 #12]  INFO -- : a",
        "7:M 20 Nov 2026 12:00:00.000 * a",
        "INFO 2026-11-20 12:00:00,000 a",
        "2026-11-20T12:00:00.000000000Z stdout F words",
        "{\"log\":\"words\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T12:00:00Z\"}",
    ] {
        let expected = Moment { nanos: NOON * SECOND, cycle: Cycle::Never };
        assert_eq!(moment(line), Some(expected), "{line}");
    }
}

#[test]
fn differences_are_exact_to_the_nanosecond() {
    let differences = [
        ("2026-11-20 12:00:00.1 a", "2026-11-20 12:00:00.3 b", 0.2),
        ("2026-11-20T12:00:00.000000001Z a", "2026-11-20T12:00:00.000000003Z b", 2e-9),
        ("2026-02-28 23:00:00 a", "2026-03-01 01:00:00 b", 7200.0),
        ("2028-02-28 23:00:00 a", "2028-03-01 01:00:00 b", 93_600.0),
        ("2026-12-31T23:59:59+01:00 a", "2027-01-01T00:00:01+01:00 b", 2.0),
        ("1:59:59 PM INFO a", "2:00:00 PM INFO b", 1.0),
        ("[   12.345678] a: b", "[   13.345678] a: c", 1.0),
    ];
    for (from, to, expected) in differences {
        assert_eq!(seconds(from, to), Some(expected), "{from} / {to}");
    }
}

#[test]
fn what_lacks_the_year_or_the_day_goes_round_its_end() {
    assert_eq!(seconds("Dec 31 23:59:59 h a: b", "Jan  1 00:00:01 h a: c"), Some(2.0));
    assert_eq!(seconds("I1231 23:59:59.5 1 a.cc:1] a", "I0101 00:00:00.5 1 a.cc:1] a"), Some(1.0));
    assert_eq!(seconds("23:59:59.000 INFO a", "00:00:01.000 INFO b"), Some(2.0));
    assert_eq!(seconds("12-31 23:59:59.000  1  2 I a: b", "01-01 00:00:00.000  1  2 I a: b"), Some(1.0));
    // A little out of order is no year.
    assert_eq!(seconds("Nov 20 12:00:01 h a: b", "Nov 20 12:00:00 h a: c"), Some(0.0));
    assert_eq!(seconds("2026-11-20 12:00:01 a", "2026-11-20 11:00:00 b"), Some(0.0));
    assert_eq!(seconds("12:00:00.000 INFO a", "2026-11-20 12:00:00 INFO b"), None);
}

#[test]
fn lines_without_a_time_of_their_own_have_none() {
    for line in [
        "",
        "words",
        "INFO: it was 2026-11-20 12:00:00 then",
        "{\"level\":30,\"msg\":\"a\"}",
        "{\"time\":\"soon\"}",
        "2026-13-20 12:00:00 a",
        "2026-11-20 32:00:00 a",
        "  at a.b(C.java:1)",
    ] {
        assert_eq!(moment(line), None, "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken_without_harm(
        text in "[0-9A-Za-z :./,+\\[\\]{}\"<>=-]{0,60}",
        days in 0i64..90_000,
    ) {
        let _ = moment(&text);
        // The calendar, against counting by months.
        let mut left = days;
        let mut year = 1970;
        let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        while left >= 365 + i64::from(leap(year)) { left -= 365 + i64::from(leap(year)); year += 1; }
        let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 1;
        for length in lengths { if left < length { break; } left -= length; month += 1; }
        proptest::prop_assert_eq!(value::days(year, month, left + 1), days);
    }
}
