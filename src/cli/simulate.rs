//! `syncline simulate`

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Map;

use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline simulate salesforce --port 8422
  syncline simulate salesforce --port 0 --json    any free port, named in the answer

The org lives as long as the process. Its control API, with faults and edits as other users, is
under /__sim on the same port.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, Subcommand)]
enum System {
    /// A Salesforce org on this machine, for tries and tests.
    Salesforce {
        /// The port on 127.0.0.1; 0 takes a free one.
        #[arg(long, default_value_t = 8422)]
        port: u16,
        /// The seed of its ids and secrets: the same seed makes the same org.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result<Exit, Stop> {
    let System::Salesforce { port, seed } = arguments.system;
    let org = salesforce_sim::Org::new(seed);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let server = salesforce_sim::Server::start(org.clone(), &address.to_string())
        .await
        .with_context(|| format!("{address} cannot be listened on (choose another --port)"))?;
    let login = org.credentials();
    let url = server.url();
    output.line(&format!("a Salesforce org listens on {url}; press Ctrl-C to end it"));
    output.line("");
    output.line("systems:");
    output.line("  crm:");
    output.line("    kind: salesforce");
    output.line(&format!("    url: {url}"));
    output.line(&format!("    client_id: {}", login.client_id));
    output.line(&format!("    client_secret: {}", login.client_secret));
    let mut fields = Map::new();
    fields.insert("url".to_owned(), url.to_string().into());
    fields.insert("client_id".to_owned(), login.client_id.clone().into());
    fields.insert("client_secret".to_owned(), login.client_secret.clone().into());
    output.answer("simulate", fields);
    super::signals::ended().await?;
    server.shutdown().await.context("the org did not end well")?;
    Ok(Exit::Well)
}
