//! A service manager's side of sd_notify: a real datagram socket hears what the real binary says.

use crate::support::{Exporter, Folder, PATIENCE, command, until};
use rustix::process::Signal;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

struct Manager(UnixDatagram);

impl Manager {
    fn new(socket: UnixDatagram) -> Manager {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager(socket)
    }

    /// The next message; one that holds `key` within those that may come before it.
    fn hear(&self, key: &str) -> String {
        let mut others = Vec::new();
        loop {
            let mut bytes = [0; 4096];
            let Ok(length) = self.0.recv(&mut bytes) else { panic!("no {key}, but {others:?}") };
            let text = String::from_utf8(bytes[..length].to_vec()).unwrap();
            if text.split('\n').any(|line| line == key) {
                return text;
            }
            assert!(others.len() < 1000, "no {key}, but {others:?}");
            others.push(text);
        }
    }
}

#[test]
fn systemd_is_told_of_readiness_reloads_and_the_end() {
    let folder = Folder::new();
    let app = folder.write("app.log", "2026-11-20 12:00:00,000 ERROR shop down\n".repeat(1000));
    let config =
        folder.write("logtally.yml", format!("host: off\ninputs: [{{name: a, include: ['{app}']}}]\n"));
    let manager = Manager::new(UnixDatagram::bind(folder.path("notify")).unwrap());
    let args =
        ["run", "-c", &config, "--storage.path", "none", "--from", "beginning", "--web.enable-lifecycle"];
    let mut command = command(&args);
    command.env("NOTIFY_SOCKET", folder.at("notify")).env("WATCHDOG_USEC", "200000");
    let mut exporter = Exporter::start_command(command);
    assert!(manager.hear("READY=1").contains("STATUS="));
    assert_eq!(exporter.get("/-/ready").status, 200);
    assert_eq!(exporter.scrape().sum("log_events_total", &[("level", "error")]), 1000.0);
    manager.hear("WATCHDOG=1");
    manager.hear("WATCHDOG=1");

    exporter.signal(Signal::HUP);
    let reloading = manager.hear("RELOADING=1");
    let micros = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(micros.parse::<u64>().unwrap() > 0);
    manager.hear("READY=1");

    folder.write("logtally.yml", "inputs: 7\n");
    assert_eq!(exporter.ask("POST", "/-/reload", &[]).status, 500);
    manager.hear("RELOADING=1");
    assert!(manager.hear("READY=1").contains("refused"));

    let (status, _) = exporter.stop();
    assert!(status.success());
    manager.hear("STOPPING=1");
}

#[test]
fn a_socket_without_a_file_is_as_good() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    let name = format!("logtally-test-{}", folder.at("").replace('/', "-"));
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = Manager::new(UnixDatagram::bind_addr(&address).unwrap());
    let mut command = command(&["run", "--storage.path", "none", &app]);
    command.env("NOTIFY_SOCKET", format!("@{name}"));
    let _exporter = Exporter::start_command(command);
    manager.hear("READY=1");
}

#[test]
fn a_manager_that_is_gone_holds_nothing_up() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    let mut command = command(&["run", "--storage.path", "none", &app]);
    command.env("NOTIFY_SOCKET", folder.at("nobody"));
    let mut exporter = Exporter::start_command(command);
    until("readiness", || (exporter.get("/-/ready").status == 200).then_some(()));
    assert!(exporter.stop().0.success());
}
