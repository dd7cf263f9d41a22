//! Logs: to standard error, as text or JSON; and traces, where the binary was built with them.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::settings::{LogFormat, LogSettings};

/// What a database remarks on statements of ours is of no use to anybody, unless asked for.
const QUIET: &str = "sqlx::postgres::notice=error";

/// Whatever is asked for: below this the libraries that carry requests tell of addresses and
/// headers, which hold secrets.
const SILENT: &str = "hyper=info,hyper_util=info,h2=info,rustls=info,tower_http=info,axum=info,\
                      reqwest=info";

/// The log of the process. What it still has to send goes when it is dropped.
#[must_use = "what is still to be sent goes when it is dropped"]
pub struct Logging {
    #[cfg(feature = "otlp")]
    _traces: Option<super::traces::Traces>,
}

/// Starts the log of the process.
///
/// # Errors
/// When the level cannot be read, or a log was started before.
pub fn start(settings: &LogSettings) -> anyhow::Result<Logging> {
    let filter = filter(&settings.level)?;
    let mut lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if !std::io::stderr().is_terminal() {
        lines = lines.with_ansi(false);
    }
    let lines = match settings.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    #[cfg(feature = "otlp")]
    let (layers, traces) = match &settings.otlp {
        Some(collector) => {
            let (layer, traces) = super::traces::layer(collector)?;
            (vec![lines, layer.boxed()], Some(traces))
        }
        None => (vec![lines], None),
    };
    #[cfg(not(feature = "otlp"))]
    let layers = vec![lines];
    // One filter for all: where layers have filters of their own, who asks whether a level is
    // enabled and then says nothing (as the driver of the database does) makes the next event
    // that another layer wants disappear.
    let started = tracing_subscriber::registry().with(layers).with(filter).try_init();
    started.map_err(|error| anyhow::anyhow!(error).context("the log could not be started"))?;
    Ok(Logging {
        #[cfg(feature = "otlp")]
        _traces: traces,
    })
}

/// What is logged at a level, or levels per crate.
///
/// # Errors
/// When it is none.
pub fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    Ok(EnvFilter::try_new(format!("{QUIET},{level},{SILENT}"))?)
}
