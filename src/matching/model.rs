//! How common a piece of text is in logs: a small model of byte pairs and fours, learnt from sample lines below.
//!
//! Literals enter, estimated occurrences per byte of log leave. The choice of a rule's literals rests on it: a rare
//! literal sends few lines to the regex. It decides speed only; a wrong estimate never changes a result.

use std::ops::Range;
use std::sync::LazyLock;

use super::literal::Atom;

/// Lines as services, kernels, web servers and databases write them: what is common here is a poor literal.
const SAMPLE: &str = r#"2026-03-14 09:26:53,589 INFO app.web GET /api/v2/items/48213 status=200 duration=12ms user=771
2026-03-14 09:26:53,601 DEBUG app.web cache hit key=item:48213 age=17s size=2048 bytes
2026-03-14 09:26:54,118 WARNING app.jobs job 9917 took 1530 ms, limit is 1000 ms, attempt 1
2026-03-14 09:26:54,902 ERROR app.db request failed: error code 500, status: error, message="failed to connect"
2026-03-14T09:26:55.004Z level=info logger=main msg="request completed" method=GET path=/health status=200 time=3ms
2026-03-14T09:26:55.120Z level=error logger=main msg="request failed" error="connection closed" status=502 id=8f3a11c0
2026-03-14T09:26:55.300Z level=warn component=server msg="user not found" user_id=1204 ip=10.0.12.7 port=8080
{"timestamp": "2026-03-14T09:26:56.000Z", "level": "info", "logger": "api", "message": "user 120 logged in from 10.1.2.3"}
{"timestamp": "2026-03-14T09:26:56.250Z", "level": "error", "logger": "api", "message": "error in request to /api/orders"}
{"time":"2026-03-14T09:26:56.251Z","level":30,"pid":4117,"hostname":"web-3","msg":"connected to database server"}
10.4.18.22 - - [14/Mar/2026:09:26:57 +0000] "GET /index.html HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64)"
10.4.18.23 - - [14/Mar/2026:09:26:57 +0000] "POST /login HTTP/1.1" 302 0 "https://www.example.com/" "curl/8.5.0"
Mar 14 09:26:58 web-3 sshd[1822]: session opened for user root by (uid=0)
Mar 14 09:26:58 web-3 kernel: [ 1024.551] device eth0 entered state running, pid 2210
Mar 14 09:26:58 web-3 systemd[1]: Started service of the user, process exited with status 0
I0314 09:26:59.120000    4117 main.go:182] starting server on port 8080, version 1.4.2
Error: unable to read file /var/lib/app/data.json: error opening file
Exception in thread main: java.lang.Error at com.example.app.Service.process(Service.java:120)
  File "/usr/lib/python3/site-packages/app/main.py", line 120, in handle_request
    return self.connection.execute(query, params, timeout=timeout)
2026-03-14 09:27:00,000 INFO app.worker event created id=4bd09c1e partition=3 offset=91822 total=100 count=12
2026-03-14 09:27:01,000 INFO app.worker connection to host db-2.internal:5432 opened, pool 3/64, time 4 ms
2026-03-14 09:27:02,000 INFO app.worker order 7713 processed for user 88 in 41 ms, next run in 60 s
2026-03-14 09:27:03,000 INFO app.worker starting task, the client is connected, data received from the queue
2026-03-14 09:27:04,000 INFO app.worker heartbeat ok, waiting for new messages; no change; done with result=success
2026-03-14 09:27:05,000 INFO app.batch 12 of 40 files copied, 28 left, about 3 minutes remaining at the current rate
2026-03-14 09:27:06,000 INFO app.batch stopped after 250 ms, before the last step; all other tasks have been skipped
2026-03-14 09:27:07,000 DEBUG app.store using default value for option depth, because it was not set by any source
2026-03-14 09:27:08,000 INFO app.store removed 7 old entries, added 3 more, now 51 in total; this is the first time
2026-03-14 09:27:09,000 INFO app.auth token expires in 3600 s, sent to client over https; will be checked again then
2026-03-14 09:27:10,000 DEBUG app.http response written: 512 bytes; keep the connection alive while there is more to read
2026-03-14 09:27:11,000 INFO app.cluster node 3 joined, leader is node 1; both are up to date, or were until now
2026-03-14 09:27:12,000 INFO app.config loaded settings from /etc/app/config.yml, which are valid when they are found
"#;

/// Bytes that the sample does not hold are still possible.
const UNSEEN: f32 = 0.05;
/// How much of a pair's estimate comes from the byte alone: pairs that the sample does not hold are possible too.
const ALONE: f32 = 0.15;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::learn(SAMPLE.as_bytes()));

struct Model {
    /// Share of each byte.
    single: [f32; 256],
    /// Share of the second byte after the first, at `first * 256 + second`.
    pair: Vec<f32>,
    /// Every four bytes in a row of the sample, digits as `0`, sorted, with their share of all: pairs alone make common
    /// words look rare.
    fours: Vec<([u8; 4], f32)>,
}

impl Model {
    fn learn(sample: &[u8]) -> Model {
        let mut counts = [UNSEEN; 256];
        let mut pairs = vec![0f32; 256 * 256];
        for two in sample.windows(2) {
            for first in alike(two[0]) {
                let part = 1.0 / alike(two[0]).len() as f32;
                counts[usize::from(first)] += part;
                for second in alike(two[1]) {
                    pairs[usize::from(first) * 256 + usize::from(second)] +=
                        part / alike(two[1]).len() as f32;
                }
            }
        }
        let total: f32 = counts.iter().sum();
        let single = counts.map(|n| n / total);
        for (first, row) in pairs.chunks_exact_mut(256).enumerate() {
            for (second, share) in row.iter_mut().enumerate() {
                *share = ALONE * single[second] + (1.0 - ALONE) * *share / counts[first];
            }
        }
        let digits_alike = |b: &u8| if b.is_ascii_digit() { b'0' } else { *b };
        let plain: Vec<u8> = sample.iter().map(digits_alike).collect();
        let mut fours: Vec<[u8; 4]> = plain.windows(4).filter_map(|w| w.first_chunk().copied()).collect();
        fours.sort_unstable();
        let all = fours.len() as f32;
        let runs = fours.chunk_by(|one, other| one == other);
        let fours = runs.filter_map(|run| Some((*run.first()?, run.len() as f32 / all))).collect();
        Model { single, pair: pairs, fours }
    }

    /// Share of these four in the sample.
    fn four(&self, bytes: [u8; 4]) -> f32 {
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count() as i32;
        let plain = bytes.map(|b| if b.is_ascii_digit() { b'0' } else { b });
        let found = self.fours.binary_search_by_key(&plain, |(four, _)| *four).ok();
        found.map_or(0.0, |at| self.fours[at].1) / 10f32.powi(digits)
    }
}

/// A digit of the sample stands for any digit: numbers differ from line to line.
fn alike(byte: u8) -> Range<u8> {
    if byte.is_ascii_digit() { b'0'..b'9' + 1 } else { byte..byte.saturating_add(1) }
}

/// Share of one byte in log text.
pub(super) fn byte_share(byte: u8) -> f32 {
    MODEL.single[usize::from(byte)]
}

/// Estimated occurrences of a literal per byte of log text, between 0 and 1.
pub(super) fn share(atoms: &[Atom]) -> f32 {
    let fours = atoms.windows(4).filter_map(|w| w.first_chunk::<4>()).map(|four| {
        let lower = MODEL.four(four.map(|a| a.byte));
        let upper = four.map(|a| a.byte & !a.fold);
        if upper == four.map(|a| a.byte) { lower } else { lower + MODEL.four(upper) }
    });
    // A literal is at most as common as its rarest part.
    fours.reduce(f32::min).unwrap_or(0.0).max(by_pairs(atoms))
}

fn by_pairs(atoms: &[Atom]) -> f32 {
    // Either case of a folded letter: two running estimates, one for each way the last byte may look.
    let mut last: [(u8, f32); 2] = [(0, 1.0), (0, 0.0)];
    for (i, atom) in atoms.iter().enumerate() {
        let variants = [Some(atom.byte), (atom.fold != 0).then_some(atom.byte & !atom.fold)];
        let mut next = [(0, 0.0); 2];
        for (slot, byte) in next.iter_mut().zip(variants) {
            let Some(byte) = byte else { continue };
            let after = |&(before, p): &(u8, f32)| {
                if i == 0 {
                    p * MODEL.single[usize::from(byte)]
                } else {
                    p * MODEL.pair[usize::from(before) * 256 + usize::from(byte)]
                }
            };
            *slot = (byte, last.iter().map(after).sum());
        }
        last = next;
    }
    last[0].1 + last[1].1
}

#[cfg(test)]
mod tests {
    use super::super::literal::Literal;
    use super::*;

    fn of(text: &str) -> f32 {
        share(Literal::plain(text.as_bytes()).as_slice())
    }

    #[test]
    fn common_words_are_more_common_than_rare_ones() {
        assert!(of("status=") > of("segfault"));
        assert!(of("429") > of("rate limit"));
        assert!(of("error") > of("deadlock"));
        assert!(of("status=") > of("status=5"));
        assert!((of("2026") - of("7777")).abs() < 1e-9, "one number is as common as another");
        assert!(of("e") > of("ee") && of("ee") > of("eee"));
    }

    #[test]
    fn either_case_is_as_common_as_both_together() {
        let mut folded = Literal::plain(b"");
        folded.push(b'e', 0x20);
        assert!((share(folded.as_slice()) - of("e") - of("E")).abs() < 1e-6);
    }
}
