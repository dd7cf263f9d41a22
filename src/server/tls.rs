//! TLS of our own: certificates that are read again when they are renewed, client certificates
//! that are pinned.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::origin::{Fingerprint, Peer};

/// How often the files are looked at. Certificates are renewed weeks before they end.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// The name of HTTP/2 in a handshake.
const HTTP2: &[u8] = b"h2";

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as what it should be.
    #[error("{path} holds no {what}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// Key and certificate do not fit each other, or cannot be used.
    #[error("the certificate and key for TLS cannot be used")]
    Unusable(#[from] rustls::Error),
}

/// What encrypts our connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The client certificates of a PEM file, of which one has to be shown. A clone is the same: it
/// knows what the file held when it was last read.
#[derive(Clone, Debug)]
pub struct Pins {
    path: PathBuf,
    known: Arc<RwLock<Vec<Fingerprint>>>,
}

impl Pins {
    /// Those of a file.
    ///
    /// # Errors
    /// When it holds none that can be read.
    pub fn read(path: &Path) -> Result<Self, TlsError> {
        let pins = Self { path: path.to_owned(), known: Arc::default() };
        pins.read_again()?;
        Ok(pins)
    }

    /// Whether a certificate is one of them.
    pub(crate) fn contain(&self, shown: Fingerprint) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(&shown)
    }

    /// Takes what the file holds now, and tells whether that is something else. One that cannot
    /// be read changes nothing.
    pub(crate) fn read_again(&self) -> Result<bool, TlsError> {
        let chain = chain(&self.path)?;
        let read: Vec<_> = chain.iter().map(|certificate| Fingerprint::of(certificate)).collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *known != read;
        *known = read;
        Ok(changed)
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason: String| TlsError::File {
        path: path.to_owned(),
        what: "certificate in PEM form",
        reason,
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(|certificates| certificates.collect());
    match chain {
        Ok(chain) if chain.is_empty() => Err(failed("it has no such section".to_owned())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(failed(error.to_string())),
    }
}

impl TlsFiles {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = chain(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::File {
            path: self.key.clone(),
            what: "private key in PEM form",
            reason: error.to_string(),
        })?;
        Ok(CertifiedKey::from_der(chain, key, provider)?)
    }
}

/// The certificate that is shown now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Asks clients for a certificate, and takes whichever they prove to have the key of, or none.
/// Which route needs which is decided there, where a refusal has words and is recorded; a
/// handshake that fails tells nobody why, and would shut routes that ask for none.
#[derive(Debug)]
struct Holder {
    asks: bool,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Holder {
    fn offer_client_auth(&self) -> bool {
        self.asks
    }
    fn client_auth_mandatory(&self) -> bool {
        false
    }
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, schemes)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, schemes)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What encrypts connections. A clone is the same; the files are read again until the last ends.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    _stop: Arc<DropGuard>,
}

impl Tls {
    /// Encrypts with these files, and asks for client certificates where some are pinned. Must
    /// run inside the runtime.
    ///
    /// # Errors
    /// When certificate or key cannot be read or used.
    pub(crate) fn new(files: TlsFiles, pins: Vec<Pins>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = Arc::new(Shown(RwLock::new(Arc::new(files.read(&provider)?))));
        let verifier = Holder { asks: !pins.is_empty(), provider: provider.clone() };
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        let stop = CancellationToken::new();
        let renewing = async move {
            loop {
                pause().await;
                renew(&files, &shown, &provider);
                pins.iter().for_each(renew_pins);
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(renewing));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, _stop: Arc::new(stop.drop_guard()) })
    }

    /// Shakes hands; tells who is there, and whether HTTP/2 is to be spoken.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) async fn shake(
        &self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> io::Result<(TlsStream<TcpStream>, Peer, bool)> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.map(|certificate| Fingerprint::of(certificate));
        let http2 = connection.alpn_protocol() == Some(HTTP2);
        Ok((stream, Peer { address, encrypted: true, certificate }, http2))
    }
}

/// Reads the certificate again, and shows what the files hold now.
fn renew(files: &TlsFiles, shown: &Shown, provider: &CryptoProvider) {
    match files.read(provider) {
        Ok(key) => {
            let mut now = shown.0.write().unwrap_or_else(PoisonError::into_inner);
            if now.cert != key.cert {
                tracing::info!("the certificate for TLS was renewed");
                *now = Arc::new(key);
            }
        }
        Err(error) => tracing::error!(%error, "the certificate for TLS stays as it was"),
    }
}

fn renew_pins(pins: &Pins) {
    match pins.read_again() {
        Ok(true) => {
            tracing::info!(path = %pins.path.display(), "client certificates were renewed");
        }
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "client certificates stay as they were"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the surface looks at its own files by time")]
async fn pause() {
    tokio::time::sleep(READ_AGAIN).await;
}
