//! Limits of the control group that we run in, where there are any: versions 1 and 2.
//!
//! Dashboards compare the host's totals with them; a process without limits has no such series.

use super::batch::Batch;
use super::source::{Roots, attribute};

/// Version 1 writes a number near this where there is no limit.
const NO_LIMIT: f64 = (1u64 << 60) as f64;

/// `logtally_cgroup_*`.
pub(crate) fn expose(roots: &Roots, out: &mut Batch) {
    let read = |path: &str| attribute(&roots.sys(path));
    let v2 = read("fs/cgroup/memory.max");
    let memory = v2.or_else(|| read("fs/cgroup/memory/memory.limit_in_bytes"));
    if let Some(limit) = memory.as_deref().and_then(memory_limit) {
        out.gauge("logtally_cgroup_memory_limit_bytes", "Memory that the control group may use.", &[], limit);
        let usage =
            read("fs/cgroup/memory.current").or_else(|| read("fs/cgroup/memory/memory.usage_in_bytes"));
        if let Some(usage) = usage.and_then(|text| text.parse::<u64>().ok()) {
            let help = "Memory that the control group uses, with its page cache.";
            out.gauge("logtally_cgroup_memory_usage_bytes", help, &[], usage as f64);
        }
    }
    let cpu = read("fs/cgroup/cpu.max").or_else(|| {
        Some(format!(
            "{} {}",
            read("fs/cgroup/cpu/cpu.cfs_quota_us")?,
            read("fs/cgroup/cpu/cpu.cfs_period_us")?
        ))
    });
    if let Some(limit) = cpu.as_deref().and_then(cpu_limit) {
        let help = "CPUs that the control group may use, as a number of full CPUs.";
        out.gauge("logtally_cgroup_cpu_limit_cpus", help, &[], limit);
    }
}

fn memory_limit(text: &str) -> Option<f64> {
    let limit = text.parse::<u64>().ok()? as f64;
    (limit < NO_LIMIT).then_some(limit)
}

/// `quota period` in microseconds; `max` or -1 is no limit.
fn cpu_limit(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period) = (quota.parse::<u64>().ok()?, period.trim().parse::<u64>().ok()?);
    (period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_versions() {
        assert_eq!(memory_limit("536870912"), Some(536_870_912.0));
        assert_eq!(memory_limit("9223372036854771712"), None);
        assert_eq!(memory_limit("max"), None);
        assert_eq!(cpu_limit("150000 100000"), Some(1.5));
        for none in ["max 100000", "-1 100000", "1 0", "", "5"] {
            assert_eq!(cpu_limit(none), None, "{none}");
        }
    }
}
