//! The mount table: text of `/proc/1/mounts` in, the mounts that node_exporter's default filters leave out.

use std::collections::HashSet;

use regex::Regex;

use super::source::Failure;

/// Mount points that are the kernel's or a container engine's.
const POINTS_EXCLUDE: &str =
    r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
/// File systems without space of their own.
const TYPES_EXCLUDE: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|\
iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$";

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Mount {
    /// What is mounted.
    pub(crate) device: String,
    /// Where, as the host names it.
    pub(crate) point: String,
    /// Its type.
    pub(crate) kind: String,
    /// Mounted read-only.
    pub(crate) readonly: bool,
}

/// The default filters, compiled once.
#[derive(Debug)]
pub(crate) struct Filters {
    points: Option<Regex>,
    types: Option<Regex>,
}

impl Default for Filters {
    fn default() -> Filters {
        Filters { points: Regex::new(POINTS_EXCLUDE).ok(), types: Regex::new(TYPES_EXCLUDE).ok() }
    }
}

impl Filters {
    fn keeps(&self, mount: &Mount) -> bool {
        let hit =
            |filter: &Option<Regex>, text: &str| filter.as_ref().is_some_and(|regex| regex.is_match(text));
        !hit(&self.points, &mount.point) && !hit(&self.types, &mount.kind)
    }
}

/// The mounts to report, without repeats. `rootfs` is cut off the mount points that carry it.
pub(crate) fn parse(text: &str, rootfs: &str, filters: &Filters) -> Result<Vec<Mount>, Failure> {
    let mut mounts = Vec::new();
    let mut seen = HashSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [device, point, kind, options, ..] = fields[..] else {
            return Err(Failure::broken(format!("mounts: too few fields in {line:?}")));
        };
        let mount = Mount {
            device: unescape(device),
            point: strip_root(&unescape(point), rootfs).to_owned(),
            kind: kind.to_owned(),
            readonly: options.split(',').any(|option| option == "ro"),
        };
        let key = (mount.device.clone(), mount.point.clone(), mount.kind.clone());
        if filters.keeps(&mount) && seen.insert(key) {
            mounts.push(mount);
        }
    }
    Ok(mounts)
}

/// `/host/var` under the root `/host` is `/var`; `/hostile` stays what it is.
fn strip_root<'a>(point: &'a str, rootfs: &str) -> &'a str {
    let root = rootfs.trim_end_matches('/');
    match point.strip_prefix(root) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => point,
    }
}

/// The kernel writes blanks, tabs, newlines and backslashes as `\040` and so on.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code =
            tail.get(..3).filter(|digits| first == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        let value =
            code.map(|digits| digits.iter().fold(0u32, |sum, digit| sum * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str, rootfs: &str) -> Vec<String> {
        parse(text, rootfs, &Filters::default()).unwrap().into_iter().map(|mount| mount.point).collect()
    }

    #[test]
    fn kernel_mounts_and_repeats_are_left_out() {
        let text = "proc /proc proc rw 0 0\n/dev/vda / ext4 rw,discard 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n\
                    tmpfs /run tmpfs rw 0 0\n/dev/vda / ext4 rw 0 0\noverlay /x overlay rw 0 0\n\
                    /dev/vdb /var/lib/docker/abc ext4 rw 0 0\n/dev/vdc /device ext4 ro,nosuid 0 0\n";
        assert_eq!(points(text, "/"), ["/", "/run", "/device"]);
        assert!(parse(text, "/", &Filters::default()).unwrap()[2].readonly);
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"/mnt/my\040disk\134x"), r"/mnt/my disk\x");
        assert_eq!(unescape(r"\999\4\"), r"\999\4\");
        assert_eq!(unescape(r"\777"), r"\777");
        assert_eq!(unescape(r"\303\244"), "ä");
    }

    #[test]
    fn the_root_of_the_host_is_cut_off() {
        let text = "/dev/a /host ext4 rw 0 0\n/dev/b /host/var ext4 rw 0 0\n/dev/c /hostile ext4 rw 0 0\n";
        assert_eq!(points(text, "/host"), ["/", "/var", "/hostile"]);
        assert_eq!(points(text, "/host/"), ["/", "/var", "/hostile"]);
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(parse("/dev/a /\n", "/", &Filters::default()).is_err());
        assert!(parse("", "/", &Filters::default()).unwrap().is_empty());
    }
}
