//! TLS on the same port: a certificate of its own authority, made when the server starts.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// The names under which real clients call the service, besides this machine.
const NAMES: [&str; 6] = [
    "localhost",
    "*.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "*.develop.my.salesforce.com",
    "*.trailblaze.my.salesforce.com",
];

/// A server certificate for this machine and for Salesforce's host names, and the authority that
/// vouches for it. The keys never leave the process.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
    authority: Arc<str>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Makes a new authority and a certificate for `localhost`, the loopback addresses and
    /// Salesforce's hosts.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn generate() -> io::Result<Self> {
        Self::make().map_err(io::Error::other)
    }

    fn make() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, "Simulated Salesforce authority");
        let authority_key = KeyPair::generate()?;
        let authority_cert = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let mut leaf = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
        let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])];
        leaf.subject_alt_names.extend(loopback.map(rcgen::SanType::IpAddress));
        leaf.distinguished_name.push(DnType::CommonName, "Simulated Salesforce org");
        leaf.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let cert = leaf.signed_by(&key, &issuer)?;

        let chain: Vec<CertificateDer<'static>> =
            vec![cert.der().clone(), authority_cert.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, authority: authority_cert.pem().into() })
    }

    /// The authority's certificate in PEM, which clients must trust.
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }
}
