//! TLS of our own: a listener that shakes hands beside the requests, certificates that are read
//! again when they are renewed, client certificates that are pinned.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::serve::Listener;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Fingerprint;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many handshakes are under way at once; more connections wait to be accepted.
const HANDSHAKES_MAX: usize = 128;
/// How often the files are looked at. Certificates are renewed weeks before they end.
const READ_AGAIN: Duration = Duration::from_secs(60);

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
    /// The listener failed.
    #[error("the listener failed")]
    Listener(#[from] io::Error),
}

/// What encrypts our connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The certificates in a PEM file.
///
/// # Errors
/// When there is none that can be read.
pub fn certificates(path: &std::path::Path) -> Result<Vec<Vec<u8>>, TlsError> {
    Ok(chain(path)?.into_iter().map(|certificate| certificate.to_vec()).collect())
}

fn chain(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
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

/// Lets in clients that show no certificate or one that is known. Which route asks for one is
/// decided there; here it is only proved that the client has its key.
#[derive(Debug)]
struct Pinned {
    known: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Pinned {
    fn offer_client_auth(&self) -> bool {
        !self.known.is_empty()
    }
    fn client_auth_mandatory(&self) -> bool {
        false
    }
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.known.contains(&Fingerprint::of(end_entity)) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
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

/// A listener whose connections are encrypted.
pub struct TlsListener {
    local: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    _stop: DropGuard,
}

impl TlsListener {
    /// Encrypts the connections of a listener. `clients` are the certificates that clients may
    /// show. Must run inside the runtime.
    ///
    /// # Errors
    /// When certificate or key cannot be read or used.
    pub fn new(
        listener: TcpListener,
        files: TlsFiles,
        clients: Vec<Fingerprint>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = Arc::new(Shown(RwLock::new(Arc::new(files.read(&provider)?))));
        let verifier = Pinned { known: clients, provider: provider.clone() };
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let local = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(HANDSHAKES_MAX);
        let stop = CancellationToken::new();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, acceptor, sender)));
        tokio::spawn(stop.clone().run_until_cancelled_owned(renew(files, shown, provider)));
        Ok(Self { local, ready, _stop: stop.drop_guard() })
    }
}

async fn accept(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (stream, address) = <TcpListener as Listener>::accept(&mut listener).await;
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            let _place = place;
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    // Nobody takes it once the listener is gone.
                    let _ = ready.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS handshake"),
                Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
        });
    }
}

/// Reads the files again and again, and shows what they hold then.
async fn renew(files: TlsFiles, shown: Arc<Shown>, provider: Arc<CryptoProvider>) {
    loop {
        pause().await;
        match files.read(&provider) {
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
}

#[expect(clippy::disallowed_methods, reason = "the surface looks at its own files by time")]
async fn pause() {
    tokio::time::sleep(READ_AGAIN).await;
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}
