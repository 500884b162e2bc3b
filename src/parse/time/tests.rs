//! Timestamps as programs write them, to their last byte.

use super::*;

#[test]
fn every_common_shape_is_known_to_its_end() {
    for text in [
        "2026-11-20 12:00:00,123",
        "2026-11-20T12:00:00.123456789Z",
        "2026-11-20T12:00:00+01:00",
        "2026-11-20 12:00:00 +0100",
        "2026-11-20 12:00:00.123 UTC",
        "2026/11/20 12:00:00",
        "2005-06-03-15.42.50.363779",
        "17/06/09 20:10:40",
        "081109 203615",
        "161120  3:04:05",
        "20171223-22:15:29:606",
        "20171224-0:28:0:83",
        "03-17 16:13:38.811",
        "20-Nov-2026 12:00:00.123",
        "20/Nov/2026:12:00:00 +0000",
        "20 Nov 2026 12:00:00.123",
        "10.30 16:49:06",
        "20.11.2026 12:00:00",
        "Nov 20 12:00:00",
        "Nov  2 12:00:00",
        "Nov 20, 2026 12:00:00 PM",
        "Mon Nov 20 12:00:00.123456 2026",
        "Sun Dec 04 04:47:44 2005",
        "12:00:00.123",
        "1:34PM",
        "1700000000.123",
        "1700000000123",
        "30 May 10:03:19",
        " 2 Jan 10:00:00".trim_start(),
        "19/1/2021 -- 12:34:56",
        "2020/01/02 - 10:00:00",
        "01/02/2020, 10:00:00 AM",
        "Mar-18 21:41:15.684",
        "CET Jan  2 10:00:00",
    ] {
        let found = stamp(text.as_bytes(), 0);
        assert_eq!(found.map(|s| s.end), Some(text.len()), "{text}");
        let padded = format!("{text} [x] y");
        assert_eq!(stamp(padded.as_bytes(), 0).map(|s| s.end), Some(text.len()), "{padded}");
    }
}

#[test]
fn other_text_is_none() {
    for text in
        ["", "1", "10.0.0.1 - -", "134681 node-246", "Nova 12", "2026", "12:30 lunch", "2026-11-20", "May be"]
    {
        assert_eq!(stamp(text.as_bytes(), 0), None, "{text}");
    }
}
