//! `logtally healthcheck`: one request to a running exporter, for images without a shell.

use super::args::Healthcheck;
use super::exit::Exit;
use super::print;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(args: &Healthcheck) -> Exit {
    match ask(&args.address) {
        // Where passwords are wanted, being asked for one is a sign of life.
        Ok(answer) if answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 401") => Exit::Good,
        Ok(answer) => {
            let line = answer.lines().next().unwrap_or("an empty answer");
            print::error(&format!("error: {} is not healthy: {line}", args.address));
            Exit::Failed
        }
        Err(error) => {
            print::error(&format!(
                "error: cannot ask {}: {error}\n  hint: is logtally running there?",
                args.address
            ));
            Exit::Failed
        }
    }
}

fn ask(address: &str) -> std::io::Result<String> {
    // The exporter's own variable may list several addresses: any of them will do.
    let address = address.split(',').next().unwrap_or(address);
    // `:10474` and `0.0.0.0:10474` listen everywhere; here they mean this machine.
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "10474"));
    let host = if matches!(host, "" | "0.0.0.0" | "[::]") { "127.0.0.1" } else { host };
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for target in format!("{host}:{port}").to_socket_addrs()? {
        match TcpStream::connect_timeout(&target, PATIENCE) {
            Ok(stream) => return exchange(stream, host),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, host: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
