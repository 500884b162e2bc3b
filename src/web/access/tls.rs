//! `tls_server_config` into what rustls serves with; all problems at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::client::Clients;
use super::files::Files;
use super::raw::RawTls;
use super::words::{ClientAuth, Version};
use crate::error::{Place, Problem};

/// Reads certificates and collects problems.
pub(super) struct Reader<'a> {
    /// The web config's own path: others are relative to its folder.
    pub(super) path: &'a Path,
    pub(super) files: &'a mut Files,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// What TLS is to be, and whether it tells clients apart.
#[derive(Default)]
pub(super) struct Tls {
    pub(super) config: Option<Arc<ServerConfig>>,
    pub(super) authenticates: bool,
}

/// An empty text is as good as none.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

impl Reader<'_> {
    pub(super) fn error(&mut self, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::error(Place::new(self.path, 0, 0), message).hint(hint));
    }

    pub(super) fn warn(&mut self, message: impl Into<String>, hint: &str) {
        self.warnings.push(Problem::warning(Place::new(self.path, 0, 0), message).hint(hint));
    }

    /// The TLS of the file; none, where it has none. `None` within means: there are problems.
    pub(super) fn tls(&mut self, raw: &RawTls) -> Tls {
        let auth = raw.client_auth_type.as_ref().map(|auth| auth.0);
        let key_text = raw.key.as_ref().map(|key| key.0.clone());
        let any = [&raw.cert, &raw.cert_file, &raw.key_file, &raw.client_ca, &raw.client_ca_file];
        if any.iter().all(|text| given(text).is_none()) && given(&key_text).is_none() && auth.is_none() {
            if raw.client_allowed_sans.is_some() {
                self.error("client_allowed_sans needs TLS, and there is none", "add cert_file and key_file");
            } else if raw.min_version.is_some() || raw.max_version.is_some() || raw.cipher_suites.is_some() {
                self.warn("tls_server_config has no certificate: TLS is off", "add cert_file and key_file");
            }
            return Tls::default();
        }
        let chain =
            self.pem("cert", &raw.cert, &raw.cert_file).and_then(|pem| self.certificates("cert", &pem));
        let key = self.pem("key", &key_text, &raw.key_file).and_then(|pem| self.key(&pem));
        let auth = auth.unwrap_or(ClientAuth::None);
        let roots = self.roots(raw, auth);
        self.check_names(raw, auth);
        let provider = self.provider(raw);
        let versions = self.versions(raw, &provider);
        let (Some(chain), Some(key), true) = (chain, key, self.problems.is_empty()) else {
            return Tls::default();
        };
        let clients = match self.clients(raw, auth, roots, &provider) {
            Ok(clients) => clients,
            Err(why) => {
                self.error(format!("client_ca: {why}"), "give the certificates of the authorities as PEM");
                return Tls::default();
            }
        };
        match build(provider, &versions, clients, chain, key) {
            Ok(mut config) => {
                config.ignore_client_order = raw.prefer_server_cipher_suites.unwrap_or(true);
                let authenticates = auth == ClientAuth::RequireAndVerify;
                Tls { config: Some(Arc::new(config)), authenticates }
            }
            Err(error) => {
                self.unbuilt(&error);
                Tls::default()
            }
        }
    }

    /// Says why rustls does not want to serve with what there is.
    fn unbuilt(&mut self, error: &Error) {
        match error {
            Error::InconsistentKeys(_) => self.error(
                "the key does not belong to the certificate",
                "cert_file must begin with the server's own certificate",
            ),
            Error::InvalidCertificate(why) => self.error(
                format!("cert: no certificate that can be used ({why:?})"),
                "`openssl x509 -text` shows it",
            ),
            Error::General(why) => self.error(
                format!("tls_server_config: {why}"),
                "RSA, P-256, P-384 and Ed25519 keys are served with",
            ),
            other => {
                self.error(format!("tls_server_config: {other}"), "check certificate, key and versions");
            }
        }
    }

    /// The PEM text of `what`, given in the file or beside it.
    fn pem(&mut self, what: &str, text: &Option<String>, file: &Option<String>) -> Option<Vec<u8>> {
        let Some(file) = given(file) else {
            let Some(text) = given(text) else {
                self.error(
                    format!("tls_server_config has neither `{what}` nor `{what}_file`"),
                    "TLS needs both a certificate and its key",
                );
                return None;
            };
            return Some(text.as_bytes().to_vec());
        };
        if given(text).is_some() {
            self.warn(format!("both `{what}` and `{what}_file`: the file is used"), "leave one of them out");
        }
        let path = beside(self.path, file);
        match self.files.read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.error(
                    format!("{what}_file {}: {error}", path.display()),
                    "paths are relative to the web config; logtally's user must be able to read the file",
                );
                None
            }
        }
    }

    fn certificates(&mut self, what: &str, bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
        let all: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(bytes).collect();
        match all {
            Ok(all) if !all.is_empty() => return Some(all),
            Ok(_) => self.error(
                format!("{what}: no certificate in it"),
                "expected PEM: -----BEGIN CERTIFICATE----- …",
            ),
            Err(error) => {
                self.error(format!("{what}: {error}"), "expected PEM: -----BEGIN CERTIFICATE----- …")
            }
        }
        None
    }

    fn key(&mut self, bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
        let key = PrivateKeyDer::from_pem_slice(bytes);
        if key.is_err() {
            let encrypted = bytes.windows(9).any(|part| part.eq_ignore_ascii_case(b"ENCRYPTED"));
            let hint = match encrypted {
                true => "the key is encrypted; `openssl pkey` writes it without a password",
                false => "expected PEM: -----BEGIN PRIVATE KEY----- …",
            };
            self.error("key: no private key in it", hint);
        }
        key.ok()
    }

    fn roots(&mut self, raw: &RawTls, auth: ClientAuth) -> Vec<CertificateDer<'static>> {
        let is_given = given(&raw.client_ca).is_some() || given(&raw.client_ca_file).is_some();
        if !is_given {
            if matches!(auth, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify) {
                self.error("clients are to be verified, but against nothing", "add client_ca_file");
            }
            return Vec::new();
        }
        if auth == ClientAuth::None {
            self.error(
                "client_ca without a client_auth_type: no client would be asked for its certificate",
                "add `client_auth_type: RequireAndVerifyClientCert`",
            );
        }
        let pem = self.pem("client_ca", &raw.client_ca, &raw.client_ca_file);
        pem.and_then(|pem| self.certificates("client_ca", &pem)).unwrap_or_default()
    }

    fn check_names(&mut self, raw: &RawTls, auth: ClientAuth) {
        let required = matches!(auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify);
        if raw.client_allowed_sans.is_some() && !required {
            self.error(
                "client_allowed_sans, but clients need not show a certificate",
                "add `client_auth_type: RequireAndVerifyClientCert`",
            );
        }
        if matches!(auth, ClientAuth::Request | ClientAuth::RequireAny) {
            self.warn(
                "this client_auth_type verifies no certificate: anyone can make one",
                "only RequireAndVerifyClientCert keeps strangers out",
            );
        }
    }

    fn provider(&mut self, raw: &RawTls) -> Arc<CryptoProvider> {
        let mut provider = ring::default_provider();
        if let Some(wanted) = raw.cipher_suites.as_ref().filter(|list| !list.is_empty()) {
            self.left_out(wanted.iter().filter(|c| c.0.suite.is_none()).map(|c| c.0.name));
            // As in Go, the list speaks of TLS 1.2 alone.
            provider.cipher_suites.retain(|suite| suite.tls13().is_some());
            let old = wanted.iter().filter_map(|c| c.0.suite).filter(|suite| suite.tls13().is_none());
            provider.cipher_suites.extend(old);
        }
        if let Some(wanted) = raw.curve_preferences.as_ref().filter(|list| !list.is_empty()) {
            self.left_out(wanted.iter().filter(|c| c.0.group.is_none()).map(|c| c.0.name));
            provider.kx_groups = wanted.iter().filter_map(|c| c.0.group).collect();
            if provider.kx_groups.is_empty() {
                self.error("curve_preferences: none of them is supported", "add X25519 or CurveP256");
            }
        }
        Arc::new(provider)
    }

    fn left_out<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            self.warn(
                format!("not supported and left out: {}", names.join(", ")),
                "rustls speaks TLS 1.2 and 1.3 with AEAD suites over X25519, P-256 and P-384",
            );
        }
    }

    fn versions(
        &mut self,
        raw: &RawTls,
        provider: &CryptoProvider,
    ) -> Vec<&'static SupportedProtocolVersion> {
        let least = raw.min_version.as_ref().map_or(Version::Tls12, |v| v.0);
        let most = raw.max_version.as_ref().map_or(Version::Tls13, |v| v.0);
        if least < Version::Tls12 && most >= Version::Tls12 {
            self.warn("min_version below TLS12: TLS 1.2 is the oldest served", "set min_version: TLS12");
        }
        let all = [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)];
        let mut versions: Vec<&SupportedProtocolVersion> =
            all.iter().filter(|(v, _)| (least..=most).contains(v)).map(|(_, v)| *v).collect();
        if versions.is_empty() {
            self.error(
                "min_version and max_version leave no TLS version to serve",
                "TLS12 and TLS13 are served; min_version must not be above max_version",
            );
            return versions;
        }
        // A list of 1.3 suites alone leaves 1.2 without any, which rustls would call impossible.
        let suites = &provider.cipher_suites;
        versions.retain(|v| suites.iter().any(|suite| suite.version().version == v.version));
        if versions.is_empty() {
            self.error(
                "cipher_suites hold none that is served with these versions",
                "add TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            );
        }
        versions
    }

    fn clients(
        &mut self,
        raw: &RawTls,
        auth: ClientAuth,
        roots: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Clients>, String> {
        let (mandatory, verified) = match auth {
            ClientAuth::None => return Ok(None),
            ClientAuth::Request => (false, false),
            ClientAuth::RequireAny => (true, false),
            ClientAuth::VerifyIfGiven => (false, true),
            ClientAuth::RequireAndVerify => (true, true),
        };
        let chain = match verified {
            false => None,
            true => {
                let mut store = RootCertStore::empty();
                for root in &roots {
                    store.add(root.clone()).map_err(|error| error.to_string())?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
                Some(verifier.build().map_err(|error| error.to_string())?)
            }
        };
        let names = raw.client_allowed_sans.clone();
        Ok(Some(Clients { chain, roots, mandatory, names, provider: Arc::clone(provider) }))
    }
}

fn build(
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<Clients>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(Arc::new(clients)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    // A scraper keeps its connection. Without resumption, no session outlives the config that let it in.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A path as it stands in the file at `path`.
fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from(file), |folder| folder.join(file))
}
