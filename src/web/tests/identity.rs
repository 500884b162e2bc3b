//! What tests of the access need: authorities, identities, web configs in folders, clients with TLS.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// An authority that signs what a test needs.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(super) struct Identity(pub(super) String, pub(super) String);

impl Authority {
    pub(super) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    pub(super) fn signs(&self, names: Vec<SanType>) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Identity(cert.pem(), key.serialize_pem())
    }

    pub(super) fn server(&self) -> Identity {
        self.signs(vec![dns("localhost")])
    }
}

pub(super) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// A certificate that signed itself, as `openssl req -x509` makes them: an authority.
pub(super) fn self_signed(usage: Option<ExtendedKeyUsagePurpose>) -> Identity {
    let mut params = CertificateParams::new(["self.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages.extend(usage);
    let key = KeyPair::generate().unwrap();
    Identity(params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A folder with a web config and its files.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new(authority: &Authority, config: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.serves(&authority.server());
        place.write("ca.crt", &authority.pem);
        place.write("web.yml", config);
        place
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        // As everyone who replaces a file in use should.
        let new = self.0.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(name)).unwrap();
    }

    pub(super) fn serves(&self, identity: &Identity) {
        self.write("server.crt", &identity.0);
        self.write("server.key", &identity.1);
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn options(&self) -> Options {
        Options { gate: Gate::open(Some(&self.path("web.yml"))).unwrap(), ..Options::default() }
    }
}

pub(super) const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
pub(super) const MUTUAL: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
                      client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n";

/// `user: hash`, at the lowest cost.
pub(super) fn users(pairs: &[(&str, &str)]) -> String {
    let lines =
        pairs.iter().map(|(user, password)| format!("  {user}: '{}'\n", bcrypt::hash(password, 4).unwrap()));
    format!("basic_auth_users:\n{}", lines.collect::<String>())
}

pub(super) fn basic(user: &str, password: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("authorization: Basic {text}\r\n")
}

pub(super) fn connector(roots: &str, identity: Option<&Identity>) -> TlsConnector {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_slice(roots.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity(cert, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    TlsConnector::from(Arc::new(config))
}

impl Server {
    pub(super) async fn handshake(&self, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.connect().await;
        timeout(LONG, connector.connect(name, stream)).await.expect("the handshake ends")
    }

    /// The whole answer over TLS; an error where the server refused to talk.
    pub(super) async fn secure(
        &self,
        connector: &TlsConnector,
        path: &str,
        headers: &str,
    ) -> std::io::Result<String> {
        let mut stream = self.handshake(connector).await?;
        // In TLS 1.3 the client learns of a refusal when it reads.
        stream.write_all(request("GET", path, headers).as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(LONG, stream.read_to_end(&mut answer)).await.expect("the server closes")?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Waits until the server answers `status`; files are looked at a few times a second.
    pub(super) async fn becomes(&self, status: &str, headers: &str) {
        let deadline = Instant::now() + LONG;
        while status_of(&self.get("/-/healthy", headers).await) != status {
            assert!(Instant::now() < deadline, "never {status}");
        }
    }

    /// Asks until the backend is told such a fact.
    pub(super) async fn hears(&self, what: &str, is: impl Fn(&Fact) -> bool) {
        let deadline = Instant::now() + LONG;
        while self.told(&is) == 0 {
            assert!(Instant::now() < deadline, "never {what}");
            self.get("/", "").await;
        }
    }

    /// Waits until the files were surely looked at again.
    pub(super) async fn looks_again(&self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(600) {
            self.get("/", "").await;
        }
    }

    pub(super) fn told(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.backend.facts.lock().unwrap().iter().filter(|fact| is(fact)).count()
    }
}
