//! A surface with nobody behind it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::book::OneQuestion;
use crate::connections::{LIMITS, Limits};
use crate::serve::serve_within;
use crate::{
    Arrival, Door, Probe, Readiness, Receipt, Receiver, Recorder, Refused, Sample, Surface, Taken,
    TlsFiles, TrustedProxies, Verdict,
};

/// The secret of the door.
pub(super) const SECRET: &str = "abcdefghijklmnopqrstuvwxyz";

/// Keeps what came, and takes all of it.
#[derive(Default)]
pub(super) struct Behind {
    pub taken: Mutex<Vec<(IpAddr, String)>>,
    pub refused: Mutex<Vec<(IpAddr, Verdict)>>,
}

#[async_trait]
impl Receiver for Behind {
    fn now(&self) -> i64 {
        0
    }
    async fn take(&self, arrival: Arrival) -> Receipt {
        let body = String::from_utf8_lossy(&arrival.body).into_owned();
        if body == "not now" {
            return Receipt::Unavailable("the ledger does not answer".to_owned());
        }
        self.taken.lock().unwrap().push((arrival.remote, body));
        Receipt::Taken(Taken { content_type: "text/plain", body: "taken".to_owned() })
    }
    fn refused(&self, refused: Refused) {
        self.refused.lock().unwrap().push((refused.remote, refused.verdict));
    }
}

struct Nobody;

#[async_trait]
impl Probe for Nobody {
    async fn readiness(&self) -> Readiness {
        Readiness { ready: true, notes: Vec::new() }
    }
    async fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}

/// A surface that is served.
pub(super) struct Served {
    pub address: SocketAddr,
    pub behind: Arc<Behind>,
    pub book: Arc<OneQuestion>,
    /// Ends with the surface.
    pub serving: JoinHandle<()>,
    pub stop: DropGuard,
}

/// Serves one door.
pub(super) async fn served(
    change: impl FnOnce(&mut Door),
    proxies: &[&str],
    tls: Option<TlsFiles>,
) -> Served {
    served_within(LIMITS, change, proxies, tls).await
}

/// The same with limits of one's own.
pub(super) async fn served_within(
    limits: Limits,
    change: impl FnOnce(&mut Door),
    proxies: &[&str],
    tls: Option<TlsFiles>,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behind = Arc::new(Behind::default());
    let book = Arc::new(OneQuestion::default());
    let mut door = Door::new("crm", [SECRET]).unwrap();
    door.unsigned = true;
    change(&mut door);
    let proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
    let surface = Surface {
        probe: Arc::new(Nobody),
        recorder: Recorder::new().unwrap(),
        doors: vec![door],
        receiver: behind.clone(),
        book: book.clone(),
        proxies: TrustedProxies(proxies),
        tls,
    };
    let stop = CancellationToken::new();
    let until = stop.clone().cancelled_owned();
    let serving = tokio::spawn(serve_within(limits, listener, surface, until).unwrap());
    Served { address, behind, book, serving, stop: stop.drop_guard() }
}

impl Served {
    pub fn hook(&self) -> String {
        format!("http://{}/hooks/crm/{SECRET}", self.address)
    }

    /// Whom nothing was taken from, and why.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.behind.refused.lock().unwrap().iter().map(|(_, verdict)| *verdict).collect()
    }
}

/// A client of this machine.
pub(super) fn client() -> reqwest::ClientBuilder {
    let timeout = std::time::Duration::from_secs(10);
    reqwest::Client::builder().no_proxy().timeout(timeout)
}
