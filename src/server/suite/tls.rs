//! Connections that are encrypted by ourselves.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};

use super::fixture::{SECRET, client, served};
use crate::tls::Tls;
use crate::{Pins, TlsFiles, Verdict};

/// A folder of certificates, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("syncline-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A certificate and its key.
    fn make(&self, name: &str) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let made = params.self_signed(&key).unwrap();
        let path = |ending: &str| self.0.join(format!("{name}.{ending}"));
        let files = TlsFiles { certificate: path("crt"), key: path("key") };
        std::fs::write(&files.certificate, made.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn identity(files: &TlsFiles) -> reqwest::Identity {
    let both = [bytes(&files.key), bytes(&files.certificate)].concat();
    reqwest::Identity::from_pem(&both).unwrap()
}

#[tokio::test]
async fn a_pinned_client_certificate_is_asked_for_at_its_door_alone() {
    let folder = Folder::new("client");
    let (server, vendor, other) = (folder.make("server"), folder.make("vendor"), folder.make("x"));
    let pins = Pins::read(&vendor.certificate).unwrap();
    let known = pins.clone();
    let served = served(|door| door.certificates = Some(pins), &[], Some(server.clone())).await;
    let root = reqwest::Certificate::from_pem(&bytes(&server.certificate)).unwrap();
    let build = || client().tls_certs_only([root.clone()]);
    let base = format!("https://localhost:{}", served.address.port());
    let hook = format!("{base}/hooks/crm/{SECRET}");

    let shown = build().identity(identity(&vendor)).build().unwrap();
    let reply = shown.post(&hook).body("hello").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let bare = build().build().unwrap();
    assert_eq!(bare.post(&hook).body("hello").send().await.unwrap().status(), 403);
    assert_eq!(served.verdicts(), [Verdict::NoCertificate]);
    assert_eq!(bare.get(format!("{base}/healthz")).send().await.unwrap().status(), 200);
    // A certificate of somebody else is refused there in words, and does not matter elsewhere.
    let stranger = build().identity(identity(&other)).build().unwrap();
    let reply = stranger.post(&hook).body("hello").send().await.unwrap();
    assert_eq!(reply.status(), 403);
    assert!(reply.text().await.unwrap().contains("SHA-256"));
    assert_eq!(served.verdicts(), [Verdict::NoCertificate, Verdict::NoCertificate]);
    assert_eq!(stranger.get(format!("{base}/healthz")).send().await.unwrap().status(), 200);
    // The vendor renews: its new certificate counts once the file holds it.
    std::fs::write(&vendor.certificate, bytes(&other.certificate)).unwrap();
    assert!(known.read_again().unwrap());
    assert_eq!(stranger.post(&hook).body("hello").send().await.unwrap().status(), 200);
    assert_eq!(shown.post(&hook).body("hello").send().await.unwrap().status(), 403);
    std::fs::write(&vendor.certificate, "").unwrap();
    assert!(known.read_again().is_err());
    assert_eq!(stranger.post(&hook).body("hello").send().await.unwrap().status(), 200);
    // Plain text is no way in.
    let plain = format!("http://localhost:{}/healthz", served.address.port());
    assert!(client().build().unwrap().get(plain).send().await.is_err());
    assert_eq!(served.behind.taken.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let folder = Folder::new("files");
    let good = folder.make("server");
    let missing = folder.0.join("none.pem");
    let error = Pins::read(&missing).unwrap_err().to_string();
    assert!(error.contains("none.pem") && error.contains("no certificate"), "{error}");
    let error = Pins::read(&good.key).unwrap_err().to_string();
    assert!(error.contains("server.key"), "{error}");
    let swapped = TlsFiles { certificate: good.certificate.clone(), key: good.certificate };
    let error = Tls::new(swapped, Vec::new()).err().unwrap();
    assert!(error.to_string().contains("private key"), "{error}");
}
