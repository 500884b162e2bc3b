//! Socket counts by protocol from `/proc/net/sockstat` and `sockstat6`: text in, (protocol, state, number) out.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_sockstat_*`.
#[derive(Debug, Default)]
pub(crate) struct Sockstat;

impl Collect for Sockstat {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let page = source::page_size();
        let mut found = false;
        for file in ["net/sockstat", "net/sockstat6"] {
            let text = match source::read_optional(&tick.roots.proc(file)) {
                Ok(text) => text,
                Err(Failure::Absent) => continue, // a kernel without IPv6
                Err(failure) => return Err(failure),
            };
            found = true;
            for (protocol, state, value) in parse(&text)? {
                if protocol == "sockets" {
                    out.gauge("node_sockstat_sockets_used", "Number of IPv4 sockets in use.", &[], value);
                    continue;
                }
                let help = format!("Number of {protocol} sockets in state {state}.");
                out.gauge(&format!("node_sockstat_{protocol}_{state}"), &help, &[], value);
                if state == "mem" {
                    // The kernel counts memory in pages.
                    let help = format!("Number of {protocol} sockets in state mem_bytes.");
                    out.gauge(&format!("node_sockstat_{protocol}_mem_bytes"), &help, &[], value * page);
                }
            }
        }
        if found { Ok(()) } else { Err(Failure::Absent) }
    }
}

/// Lines `TCP: inuse 17 orphan 0 mem 5`.
fn parse(text: &str) -> Result<Vec<(&str, &str, f64)>, Failure> {
    let mut values = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || Failure::broken(format!("sockstat: {line:?} is not `NAME: state number …`"));
        let (protocol, rest) = line.split_once(':').ok_or_else(wrong)?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        if fields.is_empty() || !fields.len().is_multiple_of(2) {
            return Err(wrong());
        }
        let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        for pair in fields.chunks_exact(2) {
            if !word(protocol) || !word(pair[0]) {
                return Err(wrong());
            }
            values.push((protocol, pair[0], source::number(pair[1], "sockstat")?));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_state_and_number() {
        let values = parse("sockets: used 32\nTCP: inuse 17 mem 3\nFRAG6: inuse 0 memory 0\n").unwrap();
        assert_eq!(values[0], ("sockets", "used", 32.0));
        assert_eq!(values[2], ("TCP", "mem", 3.0));
        assert_eq!(values.len(), 5);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in ["TCP", "TCP: inuse", "TCP: inuse x", "TCP:", "T{}: inuse 1", "TCP: in\"use 1"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
