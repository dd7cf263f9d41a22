//! `syncline simulate`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use salesforce_sim::{Org, Server, Tls};
use serde_json::Map;

use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline simulate salesforce --port 8422
  syncline simulate salesforce --port 0 --json    any free port, named in the answer
  syncline simulate salesforce --tls-authority ca.pem    https too, for clients that trust ca.pem

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
        /// Answers https on the same port as well, and writes the certificate that clients must
        /// trust for it (PEM) to this file.
        #[arg(long, value_name = "FILE")]
        tls_authority: Option<PathBuf>,
    },
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result<Exit, Stop> {
    let System::Salesforce { port, seed, tls_authority } = arguments.system;
    let org = Org::new(seed);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let server = start(&org, address, tls_authority.as_deref()).await?;
    let login = org.credentials();
    let url = server.url();
    output.line(&format!("a Salesforce org listens on {url}; press Ctrl-C to end it"));
    if let Some(url) = server.secure_url() {
        output.line(&format!("over TLS on {url}"));
    }
    output.line("");
    output.line("systems:");
    output.line("  crm:");
    output.line("    kind: salesforce");
    output.line(&format!("    url: {url}"));
    output.line(&format!("    client_id: {}", login.client_id));
    output.line(&format!("    client_secret: {}", login.client_secret));
    let mut fields = Map::new();
    fields.insert("url".to_owned(), url.to_string().into());
    if let Some(url) = server.secure_url() {
        fields.insert("secure_url".to_owned(), url.into());
    }
    fields.insert("client_id".to_owned(), login.client_id.clone().into());
    fields.insert("client_secret".to_owned(), login.client_secret.clone().into());
    output.answer("simulate", fields);
    super::signals::ended().await?;
    server.shutdown().await.context("the org did not end well")?;
    Ok(Exit::Well)
}

async fn start(org: &Org, address: SocketAddr, authority: Option<&Path>) -> Result<Server, Stop> {
    let listening = || format!("{address} cannot be listened on (choose another --port)");
    let Some(file) = authority else {
        let server = Server::start(org.clone(), &address.to_string()).await;
        return Ok(server.with_context(listening)?);
    };
    let tls = Tls::generate().context("a certificate cannot be made")?;
    std::fs::write(file, tls.authority_pem())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let server = Server::start_with_tls(org.clone(), &address.to_string(), tls).await;
    Ok(server.with_context(listening)?)
}
