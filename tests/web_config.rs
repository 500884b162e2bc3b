//! The port as the program opens it: sockets of systemd, and the web config of its flag.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use crate::support::{Exporter, Folder, code, command, err, logtally};

#[test]
fn systemd_passes_its_sockets() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let inner = command(&["run", "--web.systemd-socket", "--storage.path", "none", &app]);
    // As systemd does: the descriptor 3, and the process id of the very process.
    let mut outer = Command::new("sh");
    outer.args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 0</dev/null", "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::from(OwnedFd::from(listener)));
    let mut exporter = Exporter::start_command(outer);
    assert_eq!(exporter.address, address);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    let (status, _) = exporter.stop();
    assert!(status.success());
}

#[test]
fn without_systemd_there_are_no_sockets() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    let output = logtally(&["run", "--web.systemd-socket", "--storage.path", "none", &app]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("systemd has passed no sockets"), "{}", err(&output));
}

#[test]
fn a_bad_web_config_stops_the_start_and_tells_no_secret() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    let config = folder.write("web.yml", "basic_auth_users:\n  a: plainword\nrate_limits: {}\n");
    let run = || logtally(&["run", "--web.config.file", &config, "--storage.path", "none", &app]);
    let output = run();
    let said = err(&output);
    assert_eq!(code(&output), 2, "{said}");
    assert!(
        said.contains("web.yml:3:1: error: unknown key `rate_limits`") && said.contains("`rate_limit`?"),
        "{said}"
    );
    assert!(!said.contains("plainword"), "{said}");
    folder.write("web.yml", "basic_auth_users:\n  a: [plainword]\n");
    let output = run();
    let said = err(&output);
    assert_eq!(code(&output), 2, "{said}");
    assert!(said.contains("web.yml:2:6: error: basic_auth_users.a") && !said.contains("plainword"), "{said}");
}

#[test]
fn a_web_config_closes_the_door() {
    let folder = Folder::new();
    let app = folder.write("app.log", "");
    // The password is `secret`, at the lowest cost.
    let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    let config = folder.write("web.yml", format!("basic_auth_users: {{prometheus: '{hash}'}}\n"));
    let args = ["run", "--web.config.file", &config, "--storage.path", "none", &app];
    let mut exporter = Exporter::start_command(command(&args));
    for path in ["/metrics", "/", "/-/healthy", "/api/v1/status"] {
        assert_eq!(exporter.get(path).status, 401, "{path}");
    }
    let secret = [("authorization", "Basic cHJvbWV0aGV1czpzZWNyZXQ=")];
    assert_eq!(exporter.ask("GET", "/metrics", &secret).status, 200);
    exporter.stop();
}

#[test]
fn a_healthcheck_speaks_tls_where_the_port_does() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    folder.write("cert.pem", made.cert.pem());
    folder.write("key.pem", made.signing_key.serialize_pem());
    let app = folder.write("app.log", "");
    let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    for more in [String::new(), format!("basic_auth_users: {{prometheus: '{hash}'}}\n"), "CLIENTS".to_owned()]
    {
        let clients = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: cert.pem";
        let (clients, more) = if more == "CLIENTS" { (clients, "") } else { ("", more.as_str()) };
        let web = format!("tls_server_config: {{cert_file: cert.pem, key_file: key.pem{clients}}}\n{more}");
        let web = folder.write("web.yml", web);
        let exporter = Exporter::start(&["--web.config.file", &web, &app]);
        let address = exporter.address.trim_start_matches("https://").to_owned();
        let https = format!("https://{address}");
        for (args, want, hint) in [
            (vec![address.as_str(), "--web.config.file", &web], 0, ""),
            (vec![https.as_str(), "--insecure"], 0, ""),
            (vec![https.as_str()], 1, "--insecure"),
            (vec![address.as_str()], 1, "https://"),
        ] {
            let output = logtally(&[&["healthcheck", "--web.listen-address"], args.as_slice()].concat());
            assert_eq!(code(&output), want, "{args:?}: {}", err(&output));
            assert!(err(&output).contains(hint), "{args:?}: {}", err(&output));
        }
    }
    let web = folder.write("web.yml", "tls: 1\n");
    let output = logtally(&["healthcheck", "--web.config.file", &web]);
    assert!(code(&output) == 1 && err(&output).contains("web.yml:1:1"), "{}", err(&output));
}
