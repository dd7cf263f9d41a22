//! Connections: accepted, encrypted where that is set, bounded in number and in time. One that
//! says nothing, half of something, or takes no answer ends; it never keeps the process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer as _;

use crate::origin::Peer;
use crate::tls::Tls;

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long a handshake takes.
    pub handshake: Duration,
    /// How long the head of a request takes, also the wait for its first byte.
    pub head: Duration,
    /// How long a connection lives before it is asked to end.
    pub life: Duration,
    /// How long one has for what is under way once it is asked to end.
    pub ending: Duration,
}

pub(crate) const LIMITS: Limits = Limits {
    connections: 512,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    life: Duration::from_secs(10 * 60),
    ending: Duration::from_secs(10),
};

/// How many requests one HTTP/2 connection has under way at once.
const STREAMS_MAX: u32 = 64;
/// How often a quiet HTTP/2 connection is asked for a sign of life, and how long it has for one.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves connections until `stop` completes; what is under way then is answered, as far as the
/// limits let it.
pub(crate) async fn serve(
    mut listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let stopping = CancellationToken::new();
    // Also when this future is dropped.
    let stopped = stopping.clone().drop_guard();
    let under_way = TaskTracker::new();
    let accept = async {
        while let Ok(place) = places.clone().acquire_owned().await {
            let (stream, address) = <TcpListener as Listener>::accept(&mut listener).await;
            let (tls, router) = (tls.clone(), router.clone());
            let one = One { tls, router, limits, stopping: stopping.clone() };
            under_way.spawn(async move {
                one.serve(stream, address).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    drop(stopped);
    under_way.close();
    under_way.wait().await;
}

/// What one connection needs.
struct One {
    tls: Option<Tls>,
    router: Router,
    limits: Limits,
    stopping: CancellationToken,
}

impl One {
    async fn serve(self, stream: TcpStream, address: SocketAddr) {
        // Answers are small and written at once; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            let peer = Peer { address, encrypted: false, certificate: None };
            return self.drive(stream, peer, false).await;
        };
        let handshake = timeout(self.limits.handshake, tls.shake(stream, address));
        match self.stopping.run_until_cancelled(handshake).await {
            Some(Ok(Ok((stream, peer, http2)))) => self.drive(stream, peer, http2).await,
            Some(Ok(Err(error))) => tracing::debug!(%address, %error, "no TLS handshake"),
            Some(Err(_)) => tracing::debug!(%address, "a TLS handshake took too long"),
            None => {}
        }
    }

    async fn drive<I>(self, io: I, peer: Peer, http2: bool)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, limits, stopping, .. } = self;
        let service = Extension(ConnectInfo(peer)).layer(router);
        let builder = builder(http2, &limits);
        let connection =
            builder.serve_connection(TokioIo::new(io), TowerToHyperService::new(service));
        tokio::pin!(connection);
        let over = timeout(limits.life, stopping.cancelled());
        let ended = tokio::select! {
            ended = connection.as_mut() => Ok(ended),
            _ = over => {
                connection.as_mut().graceful_shutdown();
                timeout(limits.ending, connection).await
            }
        };
        let address = peer.address;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%address, %error, "a connection broke off"),
            Err(_) => tracing::debug!(%address, "a connection did not end and was cut"),
        }
    }
}

/// The version is known before: from the handshake, or HTTP/1 in plain text. To find it out from
/// the first bytes would wait for them without an end.
fn builder(http2: bool, limits: &Limits) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
