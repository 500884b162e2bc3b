//! The trace that an event belongs to, for exemplars: looked for only once a rule has matched the event.

use super::Pipeline;
use super::said::Said;
use crate::matching::Scanner;
use crate::parse::Memory;
use crate::tally::exemplar::{NAMES, NAMES_HOLD};
use std::borrow::Cow;

/// Whether a pattern has a capture for the trace.
pub(super) fn has_capture(scanner: &Scanner, pattern: u32) -> bool {
    scanner.capture_names(pattern).iter().any(|name| NAMES.contains(name))
}

impl Pipeline {
    /// Whether a match may tell a trace: by a capture, or by a field. Most lines have neither, and this costs them one
    /// search over the line.
    pub(super) fn may_name_trace(&self, pattern: u32, line: Option<(&Memory, &[u8])>) -> bool {
        self.patterns[pattern as usize].traced
            || line.is_some_and(|(_, line)| memchr::memmem::find(line, NAMES_HOLD).is_some())
    }
}

impl Said<'_, '_> {
    /// The event's trace, as it is written: the first of [`NAMES`] that is a capture or a field.
    pub(super) fn trace(&self) -> Option<Cow<'_, str>> {
        let named = |name: &&str| self.of(name).filter(|text| !text.is_empty());
        NAMES.iter().find_map(named)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Carry, Into, Limits, Pipeline, Scratch};
    use crate::level::Levels;
    use crate::matching::Scanner;
    use crate::matching::pattern::{Pattern, Target};
    use crate::parse::{self, Parser};
    use crate::tally::Tally;
    use crate::tally::exposition::Head;
    use crate::tally::guard::Guard;
    use crate::tally::plan::Plan;
    use crate::tally::spec::Counted;
    use crate::tally::stream::StreamKey;
    use std::sync::Arc;

    /// The traces that stand as exemplars after these lines under one rule without labels.
    fn traces(expression: &str, text: &str, now: f64) -> Vec<String> {
        let pattern = Pattern {
            name: "g/r".into(),
            any: vec![expression.into()],
            not: None,
            levels: Levels::ALL,
            target: Target::Message,
        };
        let counted = Counted {
            group: "g".into(),
            name: "r".into(),
            labels: vec![],
            metrics: vec![],
            levels: Levels::ALL,
            span: None,
        };
        let scanner = Arc::new(Scanner::new(std::slice::from_ref(&pattern)).unwrap());
        let parser = Parser::new(&parse::Options::default()).unwrap();
        let pipeline = Pipeline::new(parser, scanner, &[pattern], Limits::default());
        let plan = Arc::new(Plan::new(vec![counted], false));
        let mut tally = Tally::new("test", plan, Arc::new(Guard::new(9)));
        tally.set_now(now);
        let stream = tally.stream(&StreamKey::default(), Head::default, false);
        let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
        let mut into = Into { tally: &mut tally, stream, now, clock: None };
        pipeline.feed(&mut carry, text.as_bytes(), text.len() as u64, &mut into, &mut scratch);
        pipeline.flush(&mut carry, &mut into, &mut scratch);
        assert_eq!(tally.pattern_totals()[0].1, text.matches("failed").count() as u64, "{text}");
        let numbers = &tally.streams().next().unwrap().1.numbers;
        let all = Levels::ALL.iter().flat_map(|level| numbers.exemplars(0, level));
        all.map(|exemplar| exemplar.trace_id.to_string()).collect()
    }

    #[test]
    fn a_trace_is_a_capture_or_a_field_by_any_of_its_names() {
        for text in [
            r#"{"level":"error","msg":"failed","trace_id":"4bf92f"}"#,
            r#"{"level":"error","msg":"failed","traceID":"4bf92f","span_id":"7"}"#,
            r#"{"level":"error","msg":"failed","traceid":"4bf\u00392f"}"#,
            r#"{"level":"error","msg":"failed","trace.id":"4bf92f"}"#,
            r#"{"level":"error","msg":"failed","trace":{"id":"4bf92f"}}"#,
            r#"{"level":"error","msg":"failed","otelTraceID":"4bf92f"}"#,
            r#"level=error msg="failed" trace_id=4bf92f"#,
            "2026-11-20 12:00:00,000 ERROR shop failed trace_id=4bf92f",
        ] {
            assert_eq!(traces("failed", &format!("{text}\n"), 5.0), ["4bf92f"], "{text}");
        }
        let plain = "2026-11-20 12:00:00,000 ERROR shop [4bf92f] failed\n";
        assert_eq!(traces(r"\[(?P<trace_id>\w+)\] failed", plain, 5.0), ["4bf92f"]);
        assert_eq!(traces(r"\[(?P<trace.id>\w+)\] failed", plain, 5.0), ["4bf92f"]);
        assert_eq!(traces(r"\[(?P<request>\w+)\] failed", plain, 5.0), [""; 0]);
        assert_eq!(
            traces(
                r"failed(?:\n(?P<traceID>\w+))",
                "2026-11-20 12:00:00,000 ERROR shop failed\n4bf92f\n",
                5.0
            ),
            ["4bf92f"]
        );
    }

    #[test]
    fn the_latest_trace_of_a_level_stays_and_none_takes_its_place() {
        let line = |level: &str, trace: &str| {
            format!("{{\"level\":\"{level}\",\"msg\":\"failed\",\"trace_id\":{trace}}}\n")
        };
        let text = [
            line("error", "\"a1\""),
            line("info", "\"b2\""),
            line("error", "\"c3\""),
            line("error", "\"0\""),
            line("error", "null"),
            "{\"level\":\"error\",\"msg\":\"failed\"}\n".to_owned(),
        ];
        assert_eq!(traces("failed", &text.concat(), 5.0), ["b2", "c3"]);
    }

    #[test]
    fn where_no_time_is_known_no_trace_is_kept() {
        assert_eq!(traces("failed", "level=error msg=failed trace_id=a1\n", 0.0), [""; 0]);
    }
}
