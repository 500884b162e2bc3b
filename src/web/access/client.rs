//! What a client's certificate must be: signed by a known authority, merely there, or of a certain name.

use std::net::IpAddr;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Checks client certificates.
#[derive(Debug)]
pub(super) struct Clients {
    /// Judges the chain; without it any certificate will do whose key the client has.
    pub(super) chain: Option<Arc<dyn ClientCertVerifier>>,
    /// The authorities, one of which may be the client's own certificate.
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// Whether a client without certificate is sent away.
    pub(super) mandatory: bool,
    /// The names of which a certificate must carry one.
    pub(super) names: Option<Vec<String>>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            match chain.verify_client_cert(end_entity, intermediates, now) {
                Ok(_) => {}
                // A self-signed certificate is an authority by itself, and known by name: Go takes it, rustls does not.
                Err(_) if self.roots.contains(end_entity) => still_good(end_entity, now)?,
                Err(error) => return Err(error),
            }
        }
        match &self.names {
            Some(allowed) if !names(end_entity)?.iter().any(|name| allowed.contains(name)) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    let bad = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    X509Certificate::from_der(der).map(|(_, cert)| cert).map_err(bad)
}

/// Whether a certificate that is trusted by itself may be used now, by a client.
fn still_good(der: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let cert = parse(der)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = cert.validity();
    if now > validity.not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    if now < validity.not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    match cert.extended_key_usage().map_err(other)? {
        Some(usage) if !usage.value.client_auth && !usage.value.any => {
            Err(Error::InvalidCertificate(CertificateError::InvalidPurpose))
        }
        _ => Ok(()),
    }
}

/// The alternative names of a certificate as text: DNS names, addresses, e-mail addresses and URIs.
fn names(der: &CertificateDer<'_>) -> Result<Vec<String>, Error> {
    let cert = parse(der)?;
    let Some(names) = cert.subject_alternative_name().map_err(other)? else { return Ok(Vec::new()) };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    };
    Ok(names.value.general_names.iter().filter_map(text).collect())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|ip| ip.to_canonical())
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
}
