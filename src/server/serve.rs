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

use crate::metrics::Recorder;
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
/// No request of these routes has a body worth mentioning.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop` completes; requests under way are answered.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    probe: Arc<dyn Probe>,
    recorder: Recorder,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let shared = Shared { probe, recorder };
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::scrape))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::new())
        .with_state(shared);
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    Ok(())
}
