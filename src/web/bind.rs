//! Listen addresses as users write them, opened; what cannot be opened is said with its next step, all at once.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;

use crate::error::{Place, Problem};

/// An open listener. A unix socket's file is removed when its listener goes.
#[derive(Debug)]
pub struct Listener {
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// A unix socket's place in the file system, removed on drop if it is ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    ours: bool,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.ours {
            // It may have been removed already, and there is nobody left to tell.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// The bound address of a TCP listener, with the port that the system chose for port 0.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Whether anyone beyond this machine may reach it: a TCP listener on another address than loopback.
    pub fn is_public(&self) -> bool {
        self.address().is_some_and(|a| !a.ip().to_canonical().is_loopback())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Tcp(tcp) => match tcp.local_addr() {
                Ok(address) => write!(f, "http://{address}"),
                Err(error) => write!(f, "a closed socket ({error})"),
            },
            Kind::Unix(_, file) => write!(f, "unix:{}", file.path.display()),
        }
    }
}

/// Opens every address: `host:port`, `[::1]:port`, `:port` (all interfaces) or `unix:/path`. Errors for all that
/// fail; then nothing stays open.
pub fn bind(addresses: &[String]) -> Result<Vec<Listener>, Vec<Problem>> {
    let (mut open, mut problems) = (Vec::new(), Vec::new());
    for address in addresses {
        match bind_one(address) {
            Ok(listener) => open.push(listener),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(open) } else { Err(problems) }
}

/// The sockets that systemd opened for this process, TCP and unix; none is an error. May be called once.
pub fn inherited() -> Result<Vec<Listener>, Vec<Problem>> {
    let mut given = ListenFd::from_env();
    let place = || Place::new("--web.systemd-socket", 0, 0);
    if given.len() == 0 {
        let problem = Problem::error(place(), "systemd has passed no sockets to this process");
        return Err(vec![problem.hint("start logtally by a .socket unit, or use --web.listen-address")]);
    }
    let count = given.len();
    let mut take = |at| match given.take_unix_listener(at) {
        Ok(Some(unix)) => {
            let path =
                unix.local_addr().ok().and_then(|address| address.as_pathname().map(Path::to_path_buf));
            Some(Kind::Unix(unix, SocketFile { path: path.unwrap_or_default(), ours: false }))
        }
        _ => given.take_tcp_listener(at).ok().flatten().map(Kind::Tcp),
    };
    let kinds: Vec<Option<Kind>> = (0..count).map(&mut take).collect();
    let strange = kinds.iter().filter(|kind| kind.is_none()).count();
    if strange > 0 {
        let problem = Problem::error(place(), format!("{strange} of systemd's sockets cannot be served on"));
        return Err(vec![problem.hint("use ListenStream= in the .socket unit")]);
    }
    Ok(kinds.into_iter().flatten().map(|kind| Listener { kind }).collect())
}

fn bind_one(address: &str) -> Result<Listener, Box<Problem>> {
    let place = || Place::new("--web.listen-address", 0, 0);
    let kind = if let Some(path) = address.strip_prefix("unix:") {
        bind_unix(Path::new(path)).map(|unix| Kind::Unix(unix, SocketFile { path: path.into(), ours: true }))
    } else {
        let (host, port) = split(address).ok_or_else(|| {
            Problem::error(place(), format!("'{address}' is no address to listen on"))
                .hint("write HOST:PORT, [IPV6]:PORT, :PORT for all interfaces, or unix:/PATH")
        })?;
        bind_tcp(host, port).map(Kind::Tcp)
    };
    let kind = kind.map_err(|error| {
        let problem = Problem::error(place(), format!("cannot listen on {address}: {}", reason(&error)));
        match next_step(address, &error) {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })?;
    Ok(Listener { kind })
}

/// Host and port; the host is empty for `:port`, and without brackets for IPv6.
fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten()?;
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok().then_some((inner, port)),
        None => (!host.contains([':', '/', '[', ']', ' '])).then_some((host, port)),
    }
}

fn bind_tcp(host: &str, port: u16) -> io::Result<TcpListener> {
    if !host.is_empty() {
        return TcpListener::bind((host, port));
    }
    // `[::]` takes IPv4 as well, but not every machine has IPv6.
    match TcpListener::bind(("::", port)) {
        Err(error)
            if error.kind() != io::ErrorKind::AddrInUse
                && error.kind() != io::ErrorKind::PermissionDenied =>
        {
            TcpListener::bind(("0.0.0.0", port))
        }
        bound => bound,
    }
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // The file outlives its server. Nobody behind it: it is a leftover of a crash, and ours to replace.
            let is_socket = std::fs::symlink_metadata(path)?.file_type().is_socket();
            let refused = UnixStream::connect(path).err().map(|e| e.kind());
            if !is_socket || refused != Some(io::ErrorKind::ConnectionRefused) {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn next_step(address: &str, error: &io::Error) -> Option<String> {
    let port = split(address).map_or(0, |(_, port)| port);
    match error.kind() {
        io::ErrorKind::AddrInUse if port > 0 => {
            Some(format!("`ss -ltnp 'sport = :{port}'` shows who has it; stop that, or choose another port"))
        }
        io::ErrorKind::AddrInUse => {
            Some("another process listens there; stop it, or choose another path".to_owned())
        }
        io::ErrorKind::AddrNotAvailable => Some(
            "`ip -brief address` lists this machine's addresses; `:PORT` listens on all of them".to_owned(),
        ),
        io::ErrorKind::PermissionDenied if (1..1024).contains(&port) => {
            Some("ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher one".to_owned())
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound if port == 0 => {
            Some("the socket's folder must exist and be writable".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        assert_eq!(split("127.0.0.1:80"), Some(("127.0.0.1", 80)));
        assert_eq!(split("[::1]:9100"), Some(("::1", 9100)));
        assert_eq!(split(":9100"), Some(("", 9100)));
        assert_eq!(split("localhost:0"), Some(("localhost", 0)));
        for bad in [
            "",
            "9100",
            "host",
            "host:",
            "host:x",
            "host:70000",
            "host:+1",
            "::1:80",
            "[::g]:1",
            "[::1]",
            "a b:1",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_taken_port_is_named_with_the_next_step() {
        let first = bind(&["127.0.0.1:0".to_owned()]).unwrap();
        let address = first[0].address().unwrap().to_string();
        let problems = bind(&[address.clone(), "nonsense".to_owned()]).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].message, format!("cannot listen on {address}: the address is in use"));
        assert!(problems[0].hint.as_ref().unwrap().contains("ss -ltnp"));
        assert!(problems[1].hint.as_ref().unwrap().contains("HOST:PORT"));
    }

    #[test]
    fn all_interfaces_are_public_and_loopback_is_not() {
        let open = bind(&[":0".to_owned(), "localhost:0".to_owned()]).unwrap();
        assert!(open[0].is_public() && !open[1].is_public());
        assert!(open[1].to_string().starts_with("http://"));
    }

    #[test]
    fn a_unix_socket_replaces_a_dead_one_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let address = vec![format!("unix:{}", path.display())];
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a crashed server leaves its file");
        let open = bind(&address).unwrap();
        assert_eq!(
            bind(&address).unwrap_err()[0].message,
            format!("cannot listen on {}: the address is in use", address[0])
        );
        drop(open);
        assert!(!path.exists());
        std::fs::write(&path, "a file of someone's").unwrap();
        bind(&address).unwrap_err();
        assert!(path.exists());
    }
}
