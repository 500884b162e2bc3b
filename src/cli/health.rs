//! `logtally healthcheck`: one request to a running exporter, for images without a shell.

use super::args::Healthcheck;
use super::exit::Exit;
use super::{print, report_without_lines};
use crate::push::{Tls, tls_config};
use crate::web;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, ClientConnection, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(4);

/// What comes of speaking HTTP where TLS is wanted.
const BROKEN: [ErrorKind; 4] =
    [ErrorKind::InvalidData, ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];

/// How to speak to the port.
#[derive(Clone, Copy, PartialEq)]
enum Speech {
    Plain,
    /// Only with a certificate that the system trusts.
    Verified,
    /// With any certificate: nothing secret is sent.
    Unverified,
}

pub(super) fn run(args: &Healthcheck) -> Exit {
    let gate = match web::Gate::open(args.web_config.as_deref()) {
        Ok(gate) => gate,
        Err(problems) => {
            let _ = report_without_lines(&problems);
            return Exit::Failed;
        }
    };
    let address = args.address.strip_prefix("https://");
    let speech = match (address.is_some(), gate.is_tls()) {
        (true, false) if !args.insecure => Speech::Verified,
        (true, _) | (_, true) => Speech::Unverified,
        _ => Speech::Plain,
    };
    let address = address.or(args.address.strip_prefix("http://")).unwrap_or(&args.address);
    match ask(address.trim_end_matches('/'), speech) {
        // Where passwords are wanted, being asked for one is a sign of life.
        Ok(answer) if answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 401") => Exit::Good,
        Ok(answer) => {
            let line = answer.lines().next().unwrap_or("an empty answer");
            print::error(&format!("error: {} is not healthy: {line}", args.address));
            Exit::Failed
        }
        // So is being asked for a certificate.
        Err(error) if wants_certificate(&error) => Exit::Good,
        Err(error) => {
            let hint = match (speech, error.kind()) {
                (Speech::Plain, kind) if BROKEN.contains(&kind) => {
                    "does the port speak TLS? Then write https:// before the address"
                }
                (Speech::Verified, ErrorKind::InvalidData) => {
                    "use --insecure where the certificate is not one that the system trusts"
                }
                _ => "is logtally running there?",
            };
            print::error(&format!("error: cannot ask {}: {error}\n  hint: {hint}", args.address));
            Exit::Failed
        }
    }
}

fn ask(address: &str, speech: Speech) -> Result<String> {
    // The exporter's own variable may list several addresses: any of them will do.
    let address = address.split(',').next().unwrap_or(address);
    // `:10474` and `0.0.0.0:10474` listen everywhere; here they mean this machine.
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "10474"));
    let host = if matches!(host, "" | "0.0.0.0" | "[::]") { "127.0.0.1" } else { host };
    let mut last = Error::from(ErrorKind::AddrNotAvailable);
    for target in format!("{host}:{port}").to_socket_addrs()? {
        match TcpStream::connect_timeout(&target, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return match speech {
                    Speech::Plain => exchange(stream, host),
                    _ => exchange(encrypted(stream, host, speech == Speech::Unverified)?, host),
                };
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn encrypted(
    stream: TcpStream,
    host: &str,
    insecure: bool,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let tls = Tls { insecure_skip_verify: insecure, ..Tls::default() };
    let config = tls_config(&tls).map_err(Error::other)?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(Error::other)?;
    let connection = ClientConnection::new(config, name).map_err(Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

fn exchange(mut stream: impl Read + Write, host: &str) -> Result<String> {
    let request = format!("GET /-/healthy HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    if answer.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    match answer.starts_with(b"HTTP/") {
        true => Ok(String::from_utf8_lossy(&answer).into_owned()),
        false => Err(Error::new(ErrorKind::InvalidData, "the answer is not HTTP")),
    }
}

/// Whether the other side ended the handshake because it knows its clients by certificates.
fn wants_certificate(error: &Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)))
}
