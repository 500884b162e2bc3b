//! The sending half of a receiver: requests out of the queue, and what their answers lead to.

use super::client::Client;
use super::judge::{Answer, Verdict, Wire, backoff, judge, rejected};
use super::pusher::{Lane, Note, Phase, millis};
use super::queue::Front;
use super::remote::Batch;
use super::target::{Protocol, Target};
use flate2::{Compression, write::GzEncoder};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// Samples of one request.
const SAMPLES: usize = 5000;

/// Which message form a receiver is spoken to in.
struct Speech {
    wire: Wire,
    /// The receiver has taken this form.
    sure: bool,
    first: Wire,
}

/// Sends what waits, oldest first.
pub(super) async fn send(lane: Arc<Lane>, mut ends: watch::Receiver<Phase>) {
    let first = match lane.target.protocol {
        Protocol::RemoteWrite => Wire::V2,
        Protocol::RemoteWriteV1 => Wire::V1,
        Protocol::Otlp => Wire::Otlp,
    };
    let mut speech = Speech { wire: first, sure: false, first };
    let mut client = Client::new(lane.target.clone());
    let mut failures = 0;
    loop {
        // Asked before the queue: what is closed gets no further cut.
        let closed = lane.closed.load(SeqCst);
        let Some(front) = lane.front() else {
            if closed {
                return;
            }
            lane.filled.notified().await;
            continue;
        };
        let is_last = *ends.borrow() == Phase::Last;
        let Err(wait) = attempt(&lane, &mut client, &mut speech, &front).await else {
            failures = 0;
            continue;
        };
        failures += 1;
        lane.stats.retries.fetch_add(1, Relaxed);
        if is_last {
            return;
        }
        let until = Instant::now() + wait.unwrap_or_else(|| backoff(failures, random()));
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            _ = ends.wait_for(|phase| *phase == Phase::Last) => {}
        }
    }
}

/// One request with the next points of a cut.
///
/// # Errors
/// It is to be tried again, after this time where the receiver named one.
async fn attempt(
    lane: &Lane,
    client: &mut Client,
    speech: &mut Speech,
    front: &Front,
) -> Result<(), Option<Duration>> {
    let (points, samples) = next_points(front);
    let body = encode(&lane.target, front, points, speech.wire);
    let name = || lane.target.name.clone();
    let fail = |why: String, wait: Option<Duration>| {
        let before = lane.stats.set_trouble(Some(why.clone()));
        if before.as_ref() != Some(&why) {
            (lane.tell)(Note::Failing { target: name(), why });
        }
        Err(wait)
    };
    let answer = match client.post(speech.wire, body).await {
        Ok(answer) => answer,
        Err(why) => return fail(why, None),
    };
    match judge(speech.wire, speech.sure, &answer, SystemTime::now()) {
        Verdict::Taken => {
            speech.sure = true;
            taken(lane, &answer, speech.wire, samples);
            lane.advance(front, points);
        }
        Verdict::Again(wait) => return fail(said(&answer), wait),
        Verdict::Older => {
            *speech = Speech { wire: Wire::V1, sure: false, first: speech.first };
            (lane.tell)(Note::Older { target: name() });
        }
        Verdict::Refused => {
            // A refusal in 1.0 of what was refused in 2.0: the version was not what was wrong.
            if !speech.sure {
                speech.wire = speech.first;
            }
            let written = answer.written.unwrap_or(0).min(samples);
            refused(lane, samples - written, said(&answer));
            lane.stats.sent.fetch_add(written, Relaxed);
            lane.advance(front, points);
        }
    }
    Ok(())
}

fn taken(lane: &Lane, answer: &Answer, wire: Wire, samples: u64) {
    let lost = if wire == Wire::Otlp { rejected(&answer.body).min(samples) } else { 0 };
    let wall = millis(SystemTime::now()) as f64 / 1000.0;
    lane.stats.succeed(samples - lost, wall);
    if lost > 0 {
        refused(lane, lost, said(answer));
    } else if lane.stats.set_trouble(None).is_some() {
        (lane.tell)(Note::Works { target: lane.target.name.clone() });
    }
}

fn refused(lane: &Lane, samples: u64, why: String) {
    lane.stats.failed.fetch_add(samples, Relaxed);
    lane.stats.set_trouble(Some(format!("refused: {why}")));
    (lane.tell)(Note::Refused { target: lane.target.name.clone(), samples, why });
}

/// How many points fit into a request, and how many samples they are.
fn next_points(front: &Front) -> (usize, u64) {
    let mut samples = 0;
    let fits = front.cut.points[front.done..].iter().try_fold(0, |points, (series, point)| {
        samples += point.samples(series);
        if samples >= SAMPLES { ControlFlow::Break(points + 1) } else { ControlFlow::Continue(points + 1) }
    });
    let (ControlFlow::Break(points) | ControlFlow::Continue(points)) = fits;
    (points, samples as u64)
}

/// The compressed message.
fn encode(target: &Target, front: &Front, points: usize, wire: Wire) -> Vec<u8> {
    let points = &front.cut.points[front.done..front.done + points];
    let batch = Batch { at: front.cut.at, points, labels: &target.labels };
    // Neither can fail: both write to memory, and snappy's limit of 4 GiB is far.
    let snappy = |message: Vec<u8>| snap::raw::Encoder::new().compress_vec(&message).unwrap_or_default();
    match wire {
        Wire::V1 => snappy(batch.v1()),
        Wire::V2 => snappy(batch.v2()),
        Wire::Otlp => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            let _ = gzip.write_all(&batch.otlp(env!("CARGO_PKG_VERSION")));
            gzip.finish().unwrap_or_default()
        }
    }
}

/// What an answer says, for people: one line, and not all of a page.
fn said(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if line.is_empty() {
        format!("HTTP {}", answer.status)
    } else {
        format!("HTTP {}: {line}", answer.status)
    }
}

/// A number that nobody foresees; the keys of the standard library's hash maps are made of such.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::super::record::{Cut, Point, Series};
    use super::*;
    use crate::tally::exposition::{Desc, Kind};

    fn series(kind: Kind, bounds: usize) -> Arc<Series> {
        let family = Desc { name: "a".into(), help: "".into(), kind, unit: None };
        let bounds = (0..bounds).map(|bound| bound as f64).collect();
        Arc::new(Series { family: Arc::new(family), labels: Vec::new(), bounds, native: false, born: 0 })
    }

    #[test]
    fn a_cut_leaves_in_requests_of_bounded_size() {
        let number = (series(Kind::Gauge, 0), Point::Number(1.0));
        let large = (series(Kind::Histogram, 2 * SAMPLES), Point::Gone);
        let mut points = vec![number.clone(); 2 * SAMPLES + 1];
        points.push(large);
        points.push(number);
        let cut = Arc::new(Cut { at: 1, points });
        let mut front = Front { id: 0, cut, done: 0 };
        let mut requests = Vec::new();
        while front.done < front.cut.points.len() {
            let (points, samples) = next_points(&front);
            requests.push((points, samples as usize));
            front.done += points;
        }
        // One histogram is never torn: its request is as large as it is.
        let rest = (2, 1 + 2 * SAMPLES + 3);
        assert_eq!(requests, [(SAMPLES, SAMPLES), (SAMPLES, SAMPLES), rest, (1, 1)]);
    }

    #[test]
    fn what_a_receiver_says_is_one_short_line() {
        let answer = |body: &str| Answer { status: 400, body: body.into(), ..Answer::default() };
        assert_eq!(said(&answer("")), "HTTP 400");
        assert_eq!(said(&answer(" out of\norder \u{1b}[1m\n")), "HTTP 400: out of order  [1m");
        assert!(said(&answer(&"x".repeat(4000))).len() < 250);
    }
}
