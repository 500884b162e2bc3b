//! Paging and OOM counters from `/proc/vmstat`: text in, the fields of node_exporter's default filter out.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_vmstat_*`.
#[derive(Debug, Default)]
pub(crate) struct Vmstat;

impl Collect for Vmstat {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        for (name, value) in parse(&source::read(&tick.roots.proc("vmstat"))?)? {
            let help = format!("/proc/vmstat information field {name}.");
            out.untyped(&format!("node_vmstat_{name}"), &help, &[], value);
        }
        Ok(())
    }
}

/// The fields that `^(oom_kill|pgpg|pswp|pg.*fault).*` selects.
fn wanted(name: &str) -> bool {
    ["oom_kill", "pgpg", "pswp"].iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("pg") && name.get(2..).is_some_and(|rest| rest.contains("fault")))
}

fn parse(text: &str) -> Result<Vec<(&str, f64)>, Failure> {
    let mut values = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(' ') else {
            return Err(Failure::broken(format!("vmstat: no value in {line:?}")));
        };
        if wanted(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            values.push((name, source::number(value.trim(), "vmstat")?));
        }
    }
    if values.is_empty() { Err(Failure::broken("vmstat: no known field")) } else { Ok(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_fields_are_kept() {
        let text =
            "nr_free_pages 5\npgpgin 1\npswpout 2\npgfault 3\npgmajfault 4\noom_kill 0\npgsteal_anon 9\n";
        let names: Vec<&str> = parse(text).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["pgpgin", "pswpout", "pgfault", "pgmajfault", "oom_kill"]);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in ["", "pgfault", "pgfault x", "nr_free_pages 1", "pgfault 1\n\u{0}"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
