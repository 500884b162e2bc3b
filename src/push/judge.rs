//! What an answer means, and how long to wait before the next attempt.

use std::time::{Duration, SystemTime};

/// A message form on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// Remote write 1.0.
    V1,
    /// Remote write 2.0.
    V2,
    /// OTLP.
    Otlp,
}

/// What to do after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has them.
    Taken,
    /// The same once more, after this time where the receiver named one.
    Again(Option<Duration>),
    /// It never will.
    Refused,
    /// It does not know this form: the same in remote write 1.0.
    Older,
}

/// What counts of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status code.
    pub(super) status: u16,
    /// `X-Prometheus-Remote-Write-Samples-Written`, and those of histograms; `None` where no header of that family came.
    pub(super) written: Option<u64>,
    /// `Retry-After` as it was sent.
    pub(super) retry_after: Option<String>,
    /// The head of the body.
    pub(super) body: Vec<u8>,
}

/// Longest that a receiver can make us wait.
const LONGEST: Duration = Duration::from_secs(3600);
/// Bounds of the time between two attempts.
const BACKOFF: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(30)];

/// What an answer means. `sure`: the receiver has taken this form before.
pub(super) fn judge(wire: Wire, sure: bool, answer: &Answer, now: SystemTime) -> Verdict {
    let again = || Verdict::Again(answer.retry_after.as_deref().and_then(|text| retry_after(text, now)));
    match (wire, answer.status) {
        // A receiver of 1.0 that does not look at the content type finds nothing in the message, and says that all
        // is well.
        (Wire::V2, 200..=299) if answer.written.is_none() => Verdict::Older,
        (_, 200..=299) => Verdict::Taken,
        (Wire::V2, 415) => Verdict::Older,
        (Wire::V2, 400) if !sure && answer.written.is_none() => Verdict::Older,
        (_, 429) => again(),
        // OTLP names those that may be tried again.
        (Wire::Otlp, 502..=504) => again(),
        (Wire::V1 | Wire::V2, 500..=599) => again(),
        _ => Verdict::Refused,
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(text)?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of HTTP that is still written.
fn http_date(text: &str) -> Option<SystemTime> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = words.next()?;
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let (year, time) = (words.next()?, words.next()?);
    (words.next()? == "GMT" && words.next().is_none()).then_some(())?;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// How long to wait after so many failures in a row (from 1): twice as long each time, somewhere in the upper half, so
/// that many senders do not come back together. `random` is spread over all of `u64`.
pub(super) fn backoff(failures: u32, random: u64) -> Duration {
    let [least, most] = BACKOFF;
    let whole = least.saturating_mul(1_u32 << failures.saturating_sub(1).min(16)).min(most);
    whole / 2 + (whole / 2).mul_f64(random as f64 / u64::MAX as f64)
}

/// Data points that an OTLP receiver says it has refused, out of the protobuf answer of a success.
pub(super) fn rejected(body: &[u8]) -> u64 {
    // ExportMetricsServiceResponse.partial_success.rejected_data_points
    let inner = fields(body).find_map(|(number, value)| match (number, value) {
        (1, Field::Bytes(inner)) => Some(inner),
        _ => None,
    });
    let found = fields(inner.unwrap_or_default()).find_map(|(number, value)| match (number, value) {
        (1, Field::Number(rejected)) => Some(rejected),
        _ => None,
    });
    found.unwrap_or(0)
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message up to the first that is broken or of a form that the message does not have.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            0 => Field::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Field::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first()?;
        *rest = after;
        n |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    #[test]
    fn answers_mean_what_the_specifications_say() {
        use Verdict::{Again, Older, Refused, Taken};
        use Wire::{Otlp, V1, V2};
        let written = Answer { status: 204, written: Some(3), ..Answer::default() };
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(judge(V2, false, &written, now), Taken);
        for (wire, sure, status, want) in [
            (V2, false, 204, Older),
            (V2, true, 204, Older),
            (V2, true, 415, Older),
            (V2, false, 400, Older),
            (V2, true, 400, Refused),
            (V2, false, 404, Refused),
            (V2, false, 503, Again(None)),
            (V1, false, 204, Taken),
            (V1, false, 415, Refused),
            (V1, false, 400, Refused),
            (V1, false, 500, Again(None)),
            (V1, false, 429, Again(None)),
            (V1, false, 308, Refused),
            (Otlp, false, 200, Taken),
            (Otlp, false, 400, Refused),
            (Otlp, false, 500, Refused),
            (Otlp, false, 503, Again(None)),
            (Otlp, false, 429, Again(None)),
        ] {
            assert_eq!(judge(wire, sure, &answer(status), now), want, "{wire:?} {sure} {status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = humantime::parse_rfc3339("1994-11-06T08:49:30Z").unwrap();
        let after = |text: &str| retry_after(text, now);
        assert_eq!(after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(after("999999"), Some(LONGEST));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "soon", "-1", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
        let again = Answer { status: 503, retry_after: Some("2".to_owned()), ..Answer::default() };
        assert_eq!(judge(Wire::V1, true, &again, now), Verdict::Again(Some(Duration::from_secs(2))));
    }

    #[test]
    fn attempts_come_less_and_less_often_within_bounds() {
        for (failures, least, most) in [(1, 100, 200), (2, 200, 400), (5, 1600, 3200), (99, 15_000, 30_000)] {
            assert_eq!(backoff(failures, 0), Duration::from_millis(least), "{failures}");
            assert_eq!(backoff(failures, u64::MAX), Duration::from_millis(most), "{failures}");
        }
    }

    #[test]
    fn rejected_points_are_read_off_the_answer() {
        assert_eq!(rejected(&[]), 0);
        assert_eq!(rejected(&[0x0a, 0x03, 0x08, 0x96, 0x01]), 150);
        assert_eq!(rejected(&[0x0a, 0x02, 0x12, 0x00]), 0);
        for broken in [&[0x0a][..], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 20], &[0x09, 1]] {
            assert_eq!(rejected(broken), 0);
        }
    }
}
