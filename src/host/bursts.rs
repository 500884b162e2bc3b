//! What happens between two scrapes: histograms of the samples, and the largest sample of the last minute.
//!
//! Facts of two ticks give one sample; a counter that went back (a device replaced, a reset) gives none.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::collect::Facts;

/// The last minute, whoever scrapes and however often.
const WINDOW: Duration = Duration::from_secs(60);
/// A device that has been away for this long leaves its series.
const FORGET: Duration = Duration::from_secs(300);
/// Hosts of containers have hundreds of short-lived devices; so many at most get histograms.
const MAX_DEVICES: usize = 48;

const RATIO_BOUNDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];
/// Powers of ten, and the usual line speeds: 100 Mbit/s, 1, 2.5, 10, 25, 100 Gbit/s.
const NETWORK_BOUNDS: &[f64] =
    &[1e3, 1e4, 1e5, 1e6, 1.25e7, 5e7, 1.25e8, 3.125e8, 6.25e8, 1.25e9, 3.125e9, 1.25e10];

/// The samples of one series.
#[derive(Debug)]
struct Samples {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
    /// Falling values with their times; the front is the largest of the window.
    largest: VecDeque<(Instant, f64)>,
    seen: Instant,
}

impl Samples {
    fn new(bounds: &'static [f64], now: Instant) -> Samples {
        let counts = vec![0; bounds.len()];
        Samples { bounds, counts, sum: 0.0, count: 0, largest: VecDeque::new(), seen: now }
    }

    fn observe(&mut self, value: f64, now: Instant) {
        self.count += 1;
        self.sum += value;
        if let Some(slot) = self.bounds.iter().position(|bound| value <= *bound) {
            self.counts[slot] += 1;
        }
        while self.largest.back().is_some_and(|(_, old)| *old <= value) {
            self.largest.pop_back();
        }
        self.largest.push_back((now, value));
        self.expire(now);
    }

    fn expire(&mut self, now: Instant) {
        while self.largest.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            self.largest.pop_front();
        }
    }

    fn max(&self) -> f64 {
        self.largest.front().map_or(0.0, |(_, value)| *value)
    }

    fn buckets(&self) -> Vec<(f64, u64)> {
        let mut cumulative = 0;
        self.bounds
            .iter()
            .zip(&self.counts)
            .map(|(bound, count)| {
                cumulative += count;
                (*bound, cumulative)
            })
            .collect()
    }
}

/// The four kinds of samples, with their names and help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Cpu,
    Memory,
    Disk,
    Network,
}

impl Kind {
    fn bounds(self) -> &'static [f64] {
        if self == Kind::Network { NETWORK_BOUNDS } else { RATIO_BOUNDS }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::Cpu => ("logtally_host_cpu_utilization_ratio", "logtally_host_cpu_utilization_max_ratio"),
            Kind::Memory => ("logtally_host_memory_used_ratio", "logtally_host_memory_used_max_ratio"),
            Kind::Disk => ("logtally_host_disk_busy_ratio", "logtally_host_disk_busy_max_ratio"),
            Kind::Network => {
                ("logtally_host_network_bytes_per_second", "logtally_host_network_max_bytes_per_second")
            }
        }
    }

    fn helps(self) -> (&'static str, &'static str) {
        match self {
            Kind::Cpu => (
                "Samples of the share of CPU time that was neither idle nor waiting for I/O, over all CPUs.",
                "Largest sample of the CPU utilisation in the last 60 seconds.",
            ),
            Kind::Memory => (
                "Samples of the share of memory that was not available to new programs.",
                "Largest sample of the share of memory in use in the last 60 seconds.",
            ),
            Kind::Disk => (
                "Samples of the share of time in which the disk had work.",
                "Largest sample of the disk's busy share in the last 60 seconds.",
            ),
            Kind::Network => (
                "Samples of the traffic of a network device.",
                "Largest sample of the device's traffic in the last 60 seconds.",
            ),
        }
    }
}

/// Device and direction; empty where the kind has none.
type Key = (Kind, String, &'static str);

/// All samples since the start.
#[derive(Debug, Default)]
pub(crate) struct Bursts {
    last: Option<(Instant, Facts)>,
    series: BTreeMap<Key, Samples>,
    /// How many series there are of a kind and direction.
    held: BTreeMap<(Kind, &'static str), usize>,
}

impl Bursts {
    /// Takes over the facts of a tick.
    pub(crate) fn observe(&mut self, facts: Facts, now: Instant) {
        if let Some((before, old)) = self.last.take() {
            let seconds = now.saturating_duration_since(before).as_secs_f64();
            if seconds > 0.0 {
                self.compare(&old, &facts, seconds, now);
            }
        }
        if let Some(used) = facts.memory_used {
            self.sample((Kind::Memory, String::new(), ""), Some(used), now);
        }
        for samples in self.series.values_mut() {
            samples.expire(now);
        }
        let held = &mut self.held;
        self.series.retain(|key, samples| {
            let keep = now.saturating_duration_since(samples.seen) < FORGET;
            if !keep && let Some(count) = held.get_mut(&(key.0, key.2)) {
                *count -= 1;
            }
            keep
        });
        self.last = Some((now, facts));
    }

    fn compare(&mut self, old: &Facts, new: &Facts, seconds: f64, now: Instant) {
        if let (Some((busy, total)), Some((busy_now, total_now))) = (old.cpu, new.cpu) {
            let ratio = grown(total, total_now)
                .filter(|total| *total > 0.0)
                .and_then(|total| Some((grown(busy, busy_now)? / total).min(1.0)));
            self.sample((Kind::Cpu, String::new(), ""), ratio, now);
        }
        let disks: BTreeMap<&str, f64> =
            old.disks.iter().map(|(device, busy)| (device.as_str(), *busy)).collect();
        for (device, busy) in &new.disks {
            let before = disks.get(device.as_str());
            let ratio = before.and_then(|before| Some((grown(*before, *busy)? / seconds).min(1.0)));
            self.sample((Kind::Disk, device.clone(), ""), ratio, now);
        }
        let networks: BTreeMap<&str, (f64, f64)> = old
            .networks
            .iter()
            .map(|(device, received, sent)| (device.as_str(), (*received, *sent)))
            .collect();
        for (device, received, sent) in new.networks.iter().filter(|(device, ..)| device != "lo") {
            let before = networks.get(device.as_str());
            for (direction, then, bytes) in [
                ("receive", before.map(|before| before.0), *received),
                ("transmit", before.map(|before| before.1), *sent),
            ] {
                let rate = then.and_then(|then| Some(grown(then, bytes)? / seconds));
                self.sample((Kind::Network, device.clone(), direction), rate, now);
            }
        }
    }

    /// Adds a sample; without a value the series is only kept alive, and stands at 0 when it is new.
    fn sample(&mut self, key: Key, value: Option<f64>, now: Instant) {
        let kind = key.0;
        if !self.series.contains_key(&key) {
            let held = self.held.entry((kind, key.2)).or_default();
            if *held >= MAX_DEVICES {
                return;
            }
            *held += 1;
        }
        let samples = self.series.entry(key).or_insert_with(|| Samples::new(kind.bounds(), now));
        samples.seen = now;
        if let Some(value) = value {
            samples.observe(value, now);
        }
    }

    /// Adds the families.
    pub(crate) fn expose(&self, out: &mut Batch) {
        for ((kind, device, direction), samples) in &self.series {
            let labels = [("device", device.as_str()), ("direction", *direction)];
            let labels = match kind {
                Kind::Cpu | Kind::Memory => &labels[..0],
                Kind::Disk => &labels[..1],
                Kind::Network => &labels[..],
            };
            let ((name, max_name), (help, max_help)) = (kind.names(), kind.helps());
            out.histogram(name, help, labels, &samples.buckets(), samples.sum, samples.count);
            out.gauge(max_name, max_help, labels, samples.max());
        }
    }
}

/// How much a counter grew; nothing where it went back.
fn grown(old: f64, new: f64) -> Option<f64> {
    (new >= old).then_some(new - old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(busy: f64, total: f64) -> Facts {
        Facts { cpu: Some((busy, total)), ..Facts::default() }
    }

    fn key() -> Key {
        (Kind::Cpu, String::new(), "")
    }

    #[test]
    fn a_two_second_burst_between_scrapes_is_seen_for_a_minute() {
        let start = Instant::now();
        let mut bursts = Bursts::default();
        let (mut busy, mut total) = (0.0, 0.0);
        for second in 0..120u64 {
            let burning = (30..32).contains(&second);
            busy += if burning { 2.0 } else { 0.1 };
            total += 2.0;
            bursts.observe(cpu(busy, total), start + Duration::from_secs(second));
            let samples = bursts.series.get(&key());
            match second {
                31..=90 => assert!(samples.unwrap().max() > 0.99, "{second}"),
                92.. => assert!(samples.unwrap().max() < 0.1, "{second}"),
                _ => {}
            }
        }
        let samples = &bursts.series[&key()];
        assert_eq!(samples.count, 119);
        let buckets = samples.buckets();
        let below_99 = buckets.iter().find(|bucket| bucket.0 == 0.99).unwrap().1;
        assert_eq!(samples.count - below_99, 2);
    }

    #[test]
    fn a_counter_that_goes_back_gives_no_sample() {
        let start = Instant::now();
        let mut bursts = Bursts::default();
        let disk = |busy| Facts { disks: vec![("vda".into(), busy)], ..Facts::default() };
        for (second, busy) in [(0, 10.0), (1, 10.5), (2, 0.0), (3, 99.0)] {
            bursts.observe(disk(busy), start + Duration::from_secs(second));
        }
        let samples = &bursts.series[&(Kind::Disk, "vda".into(), "")];
        assert_eq!((samples.count, samples.max()), (2, 1.0));
        assert_eq!(samples.sum, 1.5);
    }

    #[test]
    fn devices_are_bounded_and_forgotten() {
        let start = Instant::now();
        let mut bursts = Bursts::default();
        let crowd = |from: usize| Facts {
            networks: (from..from + 200).map(|n| (format!("veth{n}"), 1.0, 1.0)).collect(),
            ..Facts::default()
        };
        bursts.observe(crowd(0), start);
        bursts.observe(crowd(0), start + Duration::from_secs(1));
        assert_eq!(bursts.series.len(), 2 * MAX_DEVICES);
        bursts.observe(Facts::default(), start + FORGET + Duration::from_secs(2));
        assert!(bursts.series.is_empty());
        assert!(bursts.held.values().all(|held| *held == 0));
    }

    #[test]
    fn two_ticks_at_one_instant_divide_by_nothing() {
        let now = Instant::now();
        let mut bursts = Bursts::default();
        bursts.observe(cpu(1.0, 1.0), now);
        bursts.observe(cpu(2.0, 1.0), now);
        assert!(bursts.series.is_empty());
    }
}
