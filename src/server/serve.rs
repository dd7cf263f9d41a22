//! The listener and its routes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::{self, Api, Book};
use crate::connections::{self, LIMITS, Limits};
use crate::hooks::{self, Door, Hooks, Receiver};
use crate::metrics::Recorder;
use crate::origin::TrustedProxies;
use crate::tls::{Tls, TlsError, TlsFiles};
use crate::{health, metrics, problem};

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
        let plain = Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(metrics::scrape))
            .with_state(shared);
        let hooks = Hooks::new(self.doors.clone(), self.receiver.clone(), self.proxies.clone());
        let api = api::router(Api::new(self.book.clone(), self.proxies.clone()));
        let api = api.layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX));
        bounded(plain.layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX)))
            .merge(bounded(api.merge(hooks::routes(hooks))).layer(from_fn(problem::every)))
    }
}

/// Routes that answer in time, whatever happens in them.
fn bounded(routes: Router) -> Router {
    routes
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::new())
}

/// Serves until `stop` completes; requests under way are answered, and connections that do not
/// end then are cut after ten seconds.
///
/// # Errors
/// When the certificate for TLS cannot be used: at once.
pub fn serve(
    listener: TcpListener,
    surface: Surface,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<impl Future<Output = ()> + Send + 'static, TlsError> {
    serve_within(LIMITS, listener, surface, stop)
}

/// The same with limits of one's own.
pub(crate) fn serve_within(
    limits: Limits,
    listener: TcpListener,
    surface: Surface,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<impl Future<Output = ()> + Send + 'static, TlsError> {
    let router = surface.router();
    let pins = surface.doors.iter().filter_map(|door| door.certificates.clone()).collect();
    let tls = surface.tls.map(|files| Tls::new(files, pins)).transpose()?;
    Ok(connections::serve(listener, tls, router, limits, stop))
}
