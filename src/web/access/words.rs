//! The words of a web config and what they mean here: versions, cipher suites, curves, client policies, headers.
//!
//! The names are those of Go's `crypto/tls`, which the format took over. What it knows and rustls deliberately does not
//! do (old versions, CBC, P-521) is read, so that a file that serves other exporters serves here, and is left out.

use std::time::Duration;

use tokio_rustls::rustls::SupportedCipherSuite;
use tokio_rustls::rustls::crypto::SupportedKxGroup;
use tokio_rustls::rustls::crypto::ring::{cipher_suite as suite, kx_group};

use super::raw::Word;
use crate::rules::yaml::suggestion;

/// A TLS version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

const VERSIONS: [(&str, Version); 4] = [
    ("TLS10", Version::Tls10),
    ("TLS11", Version::Tls11),
    ("TLS12", Version::Tls12),
    ("TLS13", Version::Tls13),
];

impl Word for Version {
    const WHAT: &'static str = "a TLS version such as TLS12";
    fn read(text: &str) -> Result<Version, String> {
        Ok(one_of("TLS version", text, &VERSIONS)?.1)
    }
}

/// Whether clients show a certificate, and who checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

const POLICIES: [(&str, ClientAuth); 7] = [
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    // An old name that files still have.
    ("RequireClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
    ("", ClientAuth::None),
];

impl Word for ClientAuth {
    const WHAT: &'static str = "a policy such as RequireAndVerifyClientCert";
    fn read(text: &str) -> Result<ClientAuth, String> {
        Ok(one_of("client_auth_type", text, &POLICIES)?.1)
    }
}

/// A cipher suite; `None` where rustls has none of that name on purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cipher {
    pub(super) name: &'static str,
    pub(super) suite: Option<SupportedCipherSuite>,
}

fn ciphers() -> [(&'static str, Option<SupportedCipherSuite>); 18] {
    [
        ("TLS_AES_128_GCM_SHA256", Some(suite::TLS13_AES_128_GCM_SHA256)),
        ("TLS_AES_256_GCM_SHA384", Some(suite::TLS13_AES_256_GCM_SHA384)),
        ("TLS_CHACHA20_POLY1305_SHA256", Some(suite::TLS13_CHACHA20_POLY1305_SHA256)),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Some(suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Some(suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)),
        (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Some(suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Some(suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some(suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            Some(suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", None),
        ("TLS_RSA_WITH_AES_256_CBC_SHA", None),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", None),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", None),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", None),
    ]
}

impl Word for Cipher {
    const WHAT: &'static str = "the name of a cipher suite";
    fn read(text: &str) -> Result<Cipher, String> {
        let (name, suite) = one_of("cipher suite", text, &ciphers())?;
        Ok(Cipher { name, suite })
    }
}

/// An elliptic curve; `None` where ring has none of that name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) group: Option<&'static dyn SupportedKxGroup>,
}

fn curves() -> [(&'static str, Option<&'static dyn SupportedKxGroup>); 4] {
    [
        ("CurveP256", Some(kx_group::SECP256R1)),
        ("CurveP384", Some(kx_group::SECP384R1)),
        ("CurveP521", None),
        ("X25519", Some(kx_group::X25519)),
    ]
}

impl Word for Curve {
    const WHAT: &'static str = "the name of a curve";
    fn read(text: &str) -> Result<Curve, String> {
        let (name, group) = one_of("curve", text, &curves())?;
        Ok(Curve { name, group })
    }
}

/// A header that may be set, and the values it may have (all, where none are named).
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) values: &'static [&'static str],
}

const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

impl Word for Header {
    const WHAT: &'static str = "the name of a header";
    fn read(text: &str) -> Result<Header, String> {
        let (name, values) = one_of("header to set", text, &HEADERS)?;
        Ok(Header { name, values })
    }
}

/// A time as Go writes it: `250ms`, `1m30s`, `1.5h`; a bare number counts nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval(pub(super) Duration);

impl Word for Interval {
    const WHAT: &'static str = "a time such as 1s";
    fn read(text: &str) -> Result<Interval, String> {
        go_duration(text)
            .map(Interval)
            .ok_or_else(|| format!("`{text}` is no time\nwrite it as 250ms, 1s or 1m30s"))
    }
}

/// The longest time between two requests that makes any sense; keeps all sums within their types.
const LONGEST: f64 = 365.0 * 86_400.0;

fn go_duration(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let nanos: u64 = text.parse().ok()?;
        return (nanos as f64 / 1e9 <= LONGEST).then(|| Duration::from_nanos(nanos));
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let (digits, tail) = rest.split_at(number);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let scale = match &tail[..unit] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += digits.parse::<f64>().ok()? * scale;
        rest = &tail[unit..];
    }
    (0.0..=LONGEST).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// The entry of that name; the error says what was found and, after a line break, what is allowed.
fn one_of<T: Copy>(
    what: &str,
    text: &str,
    allowed: &[(&'static str, T)],
) -> Result<(&'static str, T), String> {
    if let Some(entry) = allowed.iter().find(|(name, _)| *name == text) {
        return Ok(*entry);
    }
    let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
    let hint = suggestion(text, names.iter().copied()).unwrap_or_default();
    let shown: String = text.chars().take(60).collect();
    Err(format!("`{shown}` is no {what}\n{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_go() {
        for (text, seconds) in
            [("1s", 1.0), ("250ms", 0.25), ("1m30s", 90.0), ("1.5h", 5400.0), ("0", 0.0), ("1000000000", 1.0)]
        {
            assert_eq!(go_duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for bad in ["", " 1s", "s", "-1s", "1.2.3s", "1d", "1s x", "99999999h", "99999999999999999999", "1é"]
        {
            assert_eq!(go_duration(bad), None, "{bad}");
        }
        assert_eq!(go_duration("1s2"), None);
    }

    #[test]
    fn a_near_word_is_offered() {
        assert_eq!(Version::read("TLS22").unwrap_err(), "`TLS22` is no TLS version\ndid you mean `TLS12`?");
        assert!(Cipher::read("TLS_FOO").unwrap_err().contains("allowed: TLS_AES_128"));
        assert_eq!(
            Header::read("X-Frame-Option").unwrap_err().lines().last(),
            Some("did you mean `X-Frame-Options`?")
        );
        assert!(Curve::read("CurveP521").unwrap().group.is_none());
    }
}
