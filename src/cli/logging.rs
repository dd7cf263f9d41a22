//! Logs: to standard error, as text or JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, LogSettings};

/// What a database remarks on statements of ours is of no use to anybody, unless asked for.
const QUIET: &str = "sqlx::postgres::notice=error";

/// Whatever is asked for: below this the libraries that carry requests tell of addresses and
/// headers, which hold secrets.
const SILENT: &str = "hyper=info,hyper_util=info,h2=info,rustls=info,tower_http=info,axum=info,\
                      reqwest=info";

/// Starts the log of the process.
///
/// # Errors
/// When the level cannot be read, or a log was started before.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = filter(&settings.level)?;
    let mut builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if !std::io::stderr().is_terminal() {
        builder = builder.with_ansi(false);
    }
    let started = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!(error).context("the log could not be started"))
}

/// What is logged at a level, or levels per crate.
///
/// # Errors
/// When it is none.
pub fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    Ok(EnvFilter::try_new(format!("{QUIET},{level},{SILENT}"))?)
}
