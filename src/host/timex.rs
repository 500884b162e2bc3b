//! The kernel's clock discipline from `adjtimex(2)`: a read-only call in, offsets and errors in seconds out.

use std::time::SystemTime;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::Failure;

/// `node_timex_*` and `node_time_seconds`.
#[derive(Debug, Default)]
pub(crate) struct Timex;

impl Collect for Timex {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let now = tick.wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        out.gauge("node_time_seconds", "System time in seconds since epoch (1970).", &[], now);
        match read() {
            Ok(clock) => expose(clock, out),
            // Containers and hardened services may not ask; the time itself is no secret.
            Err(Failure::Absent) => {}
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}

/// Bits and states of `adjtimex(2)`.
const STA_NANO: i64 = 0x2000;
const TIME_ERROR: i64 = 5;
/// Parts per million with 16 binary places.
const PPM16: f64 = 1_000_000.0 * 65_536.0;

/// What `adjtimex(2)` returned, in the kernel's units.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    state: i64,
    status: i64,
    offset: i64,
    freq: i64,
    maxerror: i64,
    esterror: i64,
    constant: i64,
    tick: i64,
    ppsfreq: i64,
    jitter: i64,
    shift: i64,
    stabil: i64,
    jitcnt: i64,
    calcnt: i64,
    errcnt: i64,
    stbcnt: i64,
    tai: i64,
}

fn expose(clock: Clock, out: &mut Batch) {
    let divisor = if clock.status & STA_NANO != 0 { 1e9 } else { 1e6 };
    let fine = |value: i64| value as f64 / divisor;
    let micro = |value: i64| value as f64 / 1e6;
    let synchronised = f64::from(u8::from(clock.state != TIME_ERROR));
    let gauges: [(&str, &str, f64); 13] = [
        ("offset_seconds", "Time offset in between local system and reference clock.", fine(clock.offset)),
        ("frequency_adjustment_ratio", "Local clock frequency adjustment.", 1.0 + clock.freq as f64 / PPM16),
        ("maxerror_seconds", "Maximum error in seconds.", micro(clock.maxerror)),
        ("estimated_error_seconds", "Estimated error in seconds.", micro(clock.esterror)),
        ("status", "Value of the status array bits.", clock.status as f64),
        ("loop_time_constant", "Phase-locked loop time constant.", clock.constant as f64),
        ("tick_seconds", "Seconds between clock ticks.", micro(clock.tick)),
        ("pps_frequency_hertz", "Pulse per second frequency.", clock.ppsfreq as f64 / PPM16),
        ("pps_jitter_seconds", "Pulse per second jitter.", fine(clock.jitter)),
        ("pps_shift_seconds", "Pulse per second interval duration.", clock.shift as f64),
        (
            "pps_stability_hertz",
            "Pulse per second stability, average of recent frequency changes.",
            clock.stabil as f64 / PPM16,
        ),
        ("tai_offset_seconds", "International Atomic Time (TAI) offset.", clock.tai as f64),
        ("sync_status", "Is clock synchronized to a reliable server (1 = yes, 0 = no).", synchronised),
    ];
    for (name, help, value) in gauges {
        out.gauge(&format!("node_timex_{name}"), help, &[], value);
    }
    for (name, help, value) in [
        ("pps_calibration_total", "Pulse per second count of calibration intervals.", clock.calcnt),
        ("pps_error_total", "Pulse per second count of calibration errors.", clock.errcnt),
        ("pps_jitter_total", "Pulse per second count of jitter limit exceeded events.", clock.jitcnt),
        (
            "pps_stability_exceeded_total",
            "Pulse per second count of stability limit exceeded events.",
            clock.stbcnt,
        ),
    ] {
        out.counter(&format!("node_timex_{name}"), help, &[], value as f64);
    }
}

#[cfg(all(target_os = "linux", not(logtally_portable)))]
#[expect(
    unsafe_code,
    reason = "no crate wraps adjtimex(2) safely; the struct is zeroed, ours, and only read back"
)]
#[expect(clippy::useless_conversion, reason = "the C types differ in width between targets")]
fn read() -> Result<Clock, Failure> {
    // SAFETY: `timex` is plain integers, for which zero is a value; `modes` 0 asks the kernel to change nothing,
    // and the kernel writes only inside the struct that the pointer names.
    let (raw, state) = unsafe {
        let mut raw: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut raw);
        (raw, state)
    };
    if state < 0 {
        let error = std::io::Error::last_os_error();
        return Err(match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::Unsupported => Failure::Absent,
            _ => Failure::broken(format!("adjtimex: {error}")),
        });
    }
    Ok(Clock {
        state: state.into(),
        status: raw.status.into(),
        offset: raw.offset.into(),
        freq: raw.freq.into(),
        maxerror: raw.maxerror.into(),
        esterror: raw.esterror.into(),
        constant: raw.constant.into(),
        tick: raw.tick.into(),
        ppsfreq: raw.ppsfreq.into(),
        jitter: raw.jitter.into(),
        shift: raw.shift.into(),
        stabil: raw.stabil.into(),
        jitcnt: raw.jitcnt.into(),
        calcnt: raw.calcnt.into(),
        errcnt: raw.errcnt.into(),
        stbcnt: raw.stbcnt.into(),
        tai: raw.tai.into(),
    })
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn read() -> Result<Clock, Failure> {
    Err(Failure::Absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge_of(clock: Clock, name: &str) -> f64 {
        let mut out = Batch::default();
        expose(clock, &mut out);
        let families = out.into_families();
        families.iter().find(|family| family.name() == name).unwrap().get_metric()[0].get_gauge().get_value()
    }

    #[test]
    fn the_nano_bit_changes_the_unit_of_the_offset_only() {
        let clock = Clock { offset: 5_000, maxerror: 16_000_000, ..Clock::default() };
        assert_eq!(gauge_of(clock, "node_timex_offset_seconds"), 0.005);
        let nano = Clock { status: STA_NANO, ..clock };
        assert_eq!(gauge_of(nano, "node_timex_offset_seconds"), 0.000_005);
        assert_eq!(gauge_of(nano, "node_timex_maxerror_seconds"), 16.0);
    }

    #[test]
    fn only_the_error_state_is_not_synchronised() {
        assert_eq!(gauge_of(Clock::default(), "node_timex_sync_status"), 1.0);
        assert_eq!(gauge_of(Clock { state: TIME_ERROR, ..Clock::default() }, "node_timex_sync_status"), 0.0);
    }
}
