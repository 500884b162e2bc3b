//! Who this machine is: uname, os-release, and the limits of the container that we run in.

use super::batch::Batch;
use super::cgroup;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// Labels of `node_os_info` and the keys of os-release that they come from.
const OS_KEYS: [(&str, &str); 12] = [
    ("build_id", "BUILD_ID"),
    ("id", "ID"),
    ("id_like", "ID_LIKE"),
    ("image_id", "IMAGE_ID"),
    ("image_version", "IMAGE_VERSION"),
    ("name", "NAME"),
    ("pretty_name", "PRETTY_NAME"),
    ("variant", "VARIANT"),
    ("variant_id", "VARIANT_ID"),
    ("version", "VERSION"),
    ("version_codename", "VERSION_CODENAME"),
    ("version_id", "VERSION_ID"),
];

const OS_HELP: &str = "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, \
name, pretty_name, variant, variant_id, version, version_codename, version_id.";

/// `node_uname_info`, `node_os_info`, `node_os_version`.
#[derive(Debug, Default)]
pub(crate) struct Os;

impl Collect for Os {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        expose_uname(out);
        cgroup::expose(tick.roots, out);
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            match source::read_optional(&tick.roots.root(path)) {
                Ok(text) => {
                    expose_release(&parse(&text), out);
                    break;
                }
                Err(Failure::Absent) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

#[cfg(all(target_os = "linux", not(logtally_portable)))]
fn expose_uname(out: &mut Batch) {
    let uname = rustix::system::uname();
    let texts = [
        ("sysname", uname.sysname()),
        ("release", uname.release()),
        ("version", uname.version()),
        ("machine", uname.machine()),
        ("nodename", uname.nodename()),
        ("domainname", uname.domainname()),
    ]
    .map(|(label, text)| (label, text.to_string_lossy()));
    let labels = texts.each_ref().map(|(label, text)| (*label, text.as_ref()));
    let help = "Labeled system information as provided by the uname system call.";
    out.gauge("node_uname_info", help, &labels, 1.0);
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn expose_uname(out: &mut Batch) {
    use sysinfo::System;
    let known = |text: Result<String, sysinfo::Error>| text.unwrap_or_default();
    let (release, version, node) =
        (known(System::kernel_version()), known(System::os_version()), known(System::host_name()));
    let labels = [
        ("sysname", std::env::consts::OS),
        ("release", release.as_str()),
        ("version", version.as_str()),
        ("machine", std::env::consts::ARCH),
        ("nodename", node.as_str()),
        ("domainname", ""),
    ];
    let help = "Labeled system information as provided by the uname system call.";
    out.gauge("node_uname_info", help, &labels, 1.0);
}

fn expose_release(release: &[(String, String)], out: &mut Batch) {
    let find = |key: &str| {
        release.iter().rev().find(|(known, _)| known == key).map_or("", |(_, value)| value.as_str())
    };
    let labels = OS_KEYS.map(|(label, key)| (label, find(key)));
    out.gauge("node_os_info", OS_HELP, &labels, 1.0);
    if let Some(version) = major_minor(find("VERSION_ID")) {
        let labels = [("id", find("ID")), ("id_like", find("ID_LIKE")), ("name", find("NAME"))];
        out.gauge(
            "node_os_version",
            "Metric containing the major.minor part of the OS version.",
            &labels,
            version,
        );
    }
}

/// The leading `12` or `22.04` of a version.
fn major_minor(version: &str) -> Option<f64> {
    let end = version
        .bytes()
        .enumerate()
        .scan(false, |dot, (at, byte)| {
            let second_dot = byte == b'.' && std::mem::replace(dot, *dot || byte == b'.');
            (byte.is_ascii_digit() || (byte == b'.' && !second_dot)).then_some(at + 1)
        })
        .last()?;
    version[..end].trim_end_matches('.').parse().ok()
}

/// Assignments of a shell-like file; what is none is skipped.
fn parse(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .filter(|(key, _)| !key.starts_with('#'))
        .map(|(key, value)| (key.to_owned(), unquote(value)))
        .collect()
}

/// Takes quotes off, and the backslashes that protect a character inside them.
fn unquote(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_are_understood() {
        let parsed = parse("# x=1\nNAME=\"A \\\"B\\\"\"\nID=debian\nVERSION='12 (x)'\ngarbage\n\u{0}=\n");
        assert!(parsed.contains(&("NAME".into(), "A \"B\"".into())));
        assert!(parsed.contains(&("VERSION".into(), "12 (x)".into())));
        assert!(!parsed.iter().any(|(key, _)| key.contains('#')));
    }

    #[test]
    fn versions_keep_two_parts() {
        for (text, want) in [
            ("12", Some(12.0)),
            ("22.04", Some(22.04)),
            ("3.19.1", Some(3.19)),
            ("12.", Some(12.0)),
            ("", None),
            ("rolling", None),
            (".", None),
        ] {
            assert_eq!(major_minor(text), want, "{text}");
        }
    }

    #[test]
    fn all_labels_stand_even_when_empty() {
        let mut out = Batch::default();
        expose_release(&parse("ID=void\n"), &mut out);
        let families = out.into_families();
        assert_eq!(families.len(), 1);
        assert_eq!(families[0].get_metric()[0].get_label().len(), OS_KEYS.len());
    }
}
