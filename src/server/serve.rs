//! The listener and its routes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::{self, Api, Book};
use crate::hooks::{self, Door, Hooks, Receiver};
use crate::metrics::Recorder;
use crate::origin::{Peer, TrustedProxies};
use crate::tls::{TlsError, TlsFiles, TlsListener};
use crate::{health, metrics};

/// Whether the process can do its work now.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Readiness {
    /// Whether it can.
    pub ready: bool,
    /// What keeps it from it, in words for an operator; also troubles that do not.
    pub notes: Vec<String>,
}

/// One figure at the time of a scrape.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// The metric's name.
    pub name: &'static str,
    /// Its labels: names are constants, values come from the settings, never from records.
    pub labels: Vec<(&'static str, String)>,
    /// Its value.
    pub value: f64,
    /// Whether it only ever grows.
    pub counter: bool,
}

/// What the surface asks when it is asked.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Whether the process can do its work now.
    async fn readiness(&self) -> Readiness;
    /// The figures of now.
    async fn samples(&self) -> Vec<Sample>;
}

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub probe: Arc<dyn Probe>,
    pub recorder: Recorder,
}

/// Why the surface ended.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP listener failed")]
pub struct ServeError(#[from] std::io::Error);

/// A request takes no longer than this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// No request that is made of us has a body worth mentioning; deliveries have a limit of theirs.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What is served.
pub struct Surface {
    /// What is asked about the service.
    pub probe: Arc<dyn Probe>,
    /// What renders the figures.
    pub recorder: Recorder,
    /// The systems whose webhooks are taken.
    pub doors: Vec<Door>,
    /// What takes them.
    pub receiver: Arc<dyn Receiver>,
    /// What the API asks.
    pub book: Arc<dyn Book>,
    /// The proxies that are believed.
    pub proxies: TrustedProxies,
    /// What encrypts connections; plain text without it.
    pub tls: Option<TlsFiles>,
}

impl Surface {
    fn router(&self) -> Router {
        let shared = Shared { probe: self.probe.clone(), recorder: self.recorder.clone() };
        let hooks = Hooks::new(self.doors.clone(), self.receiver.clone(), self.proxies.clone());
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(metrics::scrape))
            .with_state(shared)
            .merge(api::router(Api::new(self.book.clone(), self.proxies.clone())))
            .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
            .merge(hooks::routes(hooks))
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT))
            .layer(CatchPanicLayer::new())
    }
}

/// Serves until `stop` completes; requests under way are answered.
///
/// # Errors
/// When the certificate for TLS cannot be used: at once. When the listener fails.
pub fn serve(
    listener: TcpListener,
    surface: Surface,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<impl Future<Output = Result<(), ServeError>> + Send + 'static, TlsError> {
    let service = surface.router().into_make_service_with_connect_info::<Peer>();
    let clients = surface.doors.iter().flat_map(|door| door.certificates.clone()).collect();
    let encrypted = match surface.tls {
        Some(files) => Ok(TlsListener::new(listener, files, clients)?),
        None => Err(listener),
    };
    Ok(async move {
        match encrypted {
            Ok(encrypted) => axum::serve(encrypted, service).with_graceful_shutdown(stop).await?,
            Err(plain) => axum::serve(plain, service).with_graceful_shutdown(stop).await?,
        }
        Ok(())
    })
}
