//! `syncline run`

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::Map;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Exit, Installation, Output, Stop, logging};
use crate::service::Service;

const EXAMPLES: &str = "\
Examples:
  syncline run                      until it is stopped (Ctrl-C, or the TERM signal)
  syncline run --config prod.yaml

With no ledger.url in the settings the ledger lives in a private Postgres in the state folder, which
ends with a run that is stopped. A stop, or a kill, at any moment loses nothing: what was under way
is settled at the next start.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) async fn run(
    config: &Path,
    Arguments {}: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    // Until the command ends: then what it still has to send goes.
    let _logging = logging::start(&Installation::open(config)?.settings.log)?;
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let service = Service::open(config, stop).await?;
    output.findings(&service.warnings);
    let scheme = if service.encrypted { "https" } else { "http" };
    let address = service.address;
    output.line(&format!("syncline runs; {scheme}://{address}/readyz tells how it is"));
    let mut fields = Map::new();
    fields.insert("listen".to_owned(), service.address.to_string().into());
    output.answer("run", fields);
    service.run().await?;
    Ok(Exit::Well)
}

/// The first signal stops after the round under way; a second one ends at once.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for TERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}
