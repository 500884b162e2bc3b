//! Protocol counters from `/proc/net/netstat`, `snmp` and `snmp6`: text in, (protocol, name, number) out,
//! cut down to node_exporter's default fields.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// node_exporter's default selection. A match, for a regex over four hundred names a second is the dearest part here.
fn wanted(protocol: &str, name: &str) -> bool {
    if matches!(name, "InErrors" | "InErrs") {
        return true;
    }
    match protocol {
        "Ip" => name == "Forwarding",
        "Ip6" | "IpExt" => matches!(name, "InOctets" | "OutOctets"),
        "Icmp" | "Icmp6" => matches!(name, "InMsgs" | "OutMsgs"),
        "TcpExt" => {
            name.starts_with("Listen")
                || name.starts_with("Syncookies")
                || matches!(name, "TCPSynRetrans" | "TCPTimeouts" | "TCPOFOQueue" | "TCPRcvQDrop")
        }
        "Tcp" => matches!(
            name,
            "ActiveOpens" | "InSegs" | "OutSegs" | "OutRsts" | "PassiveOpens" | "RetransSegs" | "CurrEstab"
        ),
        "Udp" | "Udp6" => {
            matches!(name, "InDatagrams" | "OutDatagrams" | "NoPorts" | "RcvbufErrors" | "SndbufErrors")
        }
        _ => false,
    }
}

type Entries<'a> = Vec<(&'a str, &'a str, &'a str)>;
type Parse = for<'a> fn(&'a str) -> Result<Entries<'a>, Failure>;

const FILES: [(&str, Parse); 3] =
    [("net/netstat", parse_pairs), ("net/snmp", parse_pairs), ("net/snmp6", parse_snmp6)];

/// `node_netstat_*`.
#[derive(Debug, Default)]
pub(crate) struct Netstat;

impl Collect for Netstat {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        let mut found = false;
        for (file, parse) in FILES {
            let text = match source::read_optional(&tick.roots.proc(file)) {
                Ok(text) => text,
                Err(Failure::Absent) => continue, // snmp6: a kernel without IPv6
                Err(failure) => return Err(failure),
            };
            found = true;
            for (protocol, name, value) in parse(&text)? {
                if !wanted(protocol, name) {
                    continue;
                }
                let help = format!("Statistic {protocol}{name}.");
                out.untyped(
                    &format!("node_netstat_{protocol}_{name}"),
                    &help,
                    &[],
                    source::number(value, file)?,
                );
            }
        }
        if found { Ok(()) } else { Err(Failure::Absent) }
    }
}

/// A line of names, then a line of values, each behind `Protocol:`.
fn parse_pairs(text: &str) -> Result<Entries<'_>, Failure> {
    let mut entries = Vec::new();
    let mut lines = text.lines();
    while let Some(names) = lines.next() {
        let wrong = || Failure::broken(format!("netstat: {names:.40?} has no values that fit"));
        let (protocol, names_of) = names.split_once(':').ok_or_else(wrong)?;
        let (again, values) = lines.next().and_then(|line| line.split_once(':')).ok_or_else(wrong)?;
        let mut values = values.split_ascii_whitespace();
        if again != protocol || !is_word(protocol) {
            return Err(wrong());
        }
        for name in names_of.split_ascii_whitespace() {
            if !is_word(name) {
                return Err(wrong());
            }
            entries.push((protocol, name, values.next().ok_or_else(wrong)?));
        }
    }
    Ok(entries)
}

/// Lines `Icmp6InMsgs  12`; the protocol is what stands up to the `6`.
fn parse_snmp6(text: &str) -> Result<Entries<'_>, Failure> {
    let mut entries = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.split_ascii_whitespace();
        let (Some(name), Some(value)) = (fields.next(), fields.next()) else {
            return Err(Failure::broken(format!("snmp6: no value in {line:?}")));
        };
        let Some(six) = name.find('6').filter(|_| is_word(name)) else { continue };
        entries.push((&name[..=six], &name[six + 1..], value));
    }
    Ok(entries)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_of_two_lines_are_joined() {
        let entries = parse_pairs("Ip: Forwarding InHdr\nIp: 2 0\nTcp: MaxConn\nTcp: -1\n").unwrap();
        assert_eq!(entries, [("Ip", "Forwarding", "2"), ("Ip", "InHdr", "0"), ("Tcp", "MaxConn", "-1")]);
    }

    #[test]
    fn the_protocol_of_snmp6_ends_at_the_six() {
        let entries = parse_snmp6("Ip6InOctets   128\nUdpLite6InErrors 0\nweird 1\n").unwrap();
        assert_eq!(entries, [("Ip6", "InOctets", "128"), ("UdpLite6", "InErrors", "0")]);
    }

    #[test]
    fn garbage_is_an_error() {
        for bad in ["Ip\n", "Ip: A\n", "Ip: A B\nIp: 1\n", "Ip: A\nTcp: 1\n", "I\"p: A\nI\"p: 1\n"] {
            assert!(parse_pairs(bad).is_err(), "{bad:?}");
        }
        assert!(parse_snmp6("Ip6InOctets").is_err());
    }

    #[test]
    fn the_selection_is_the_default_one() {
        // The expression that node_exporter documents as its default, with the two fields that it took up later.
        let regex = regex::Regex::new(
            "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)\
             |TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)\
             |Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)\
             |Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
        )
        .unwrap();
        let names = "InErrors InErrs Forwarding InOctets OutOctets InMsgs OutMsgs ListenDrops ListenOverflows \
                     SyncookiesSent TCPSynRetrans TCPTimeouts TCPOFOQueue TCPRcvQDrop TW ActiveOpens InSegs OutSegs \
                     OutRsts PassiveOpens RetransSegs CurrEstab MaxConn InDatagrams OutDatagrams NoPorts \
                     RcvbufErrors SndbufErrors InReceives Listen";
        for protocol in
            ["Ip", "Ip6", "IpExt", "Icmp", "Icmp6", "TcpExt", "Tcp", "Udp", "Udp6", "UdpLite", "MPTcpExt"]
        {
            for name in names.split_ascii_whitespace() {
                let key = format!("{protocol}_{name}");
                assert_eq!(wanted(protocol, name), regex.is_match(&key), "{key}");
            }
        }
    }
}
