//! `syncline health`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde::Deserialize;
use serde_json::Map;

use super::words::plain;
use super::{Exit, Output, Stop};
use crate::installation::read_settings;

/// How long the running process may take to answer. Shorter than the time that a container
/// gives the check.
const TIMEOUT: Duration = Duration::from_secs(3);

const EXAMPLES: &str = "\
Examples:
  syncline health          asks the running `syncline run` of these settings, over HTTP
  syncline health --json   the same for a monitor

Exit code 0 when it is ready, 1 when it is not or does not answer. Made for the health check of a
container: neither the ledger nor a system is called from here.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

/// What the running process says of itself.
#[derive(Deserialize)]
struct Readiness {
    ready: bool,
    #[serde(default)]
    notes: Vec<String>,
}

pub(super) async fn run(
    config: &Path,
    Arguments {}: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let settings = read_settings(config)?.value;
    let scheme = if settings.http.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/readyz", reachable(settings.listen));
    let readiness = ask(&url).await?;
    let word = if readiness.ready { "ready" } else { "not ready" };
    output.line(word);
    for note in &readiness.notes {
        output.line(&format!("  {}", plain(note)));
    }
    let mut fields = Map::new();
    fields.insert("ready".to_owned(), readiness.ready.into());
    fields.insert("url".to_owned(), url.into());
    fields.insert("notes".to_owned(), readiness.notes.into());
    output.answer("health", fields);
    Ok(if readiness.ready { Exit::Well } else { Exit::Failed })
}

/// An address that reaches a listener: one that listens everywhere is asked on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(url: &str) -> anyhow::Result<Readiness> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        // Its certificate is for the name that the world knows. Nothing secret is said here.
        .tls_danger_accept_invalid_certs(true)
        .build()
        .context("the HTTP client")?;
    let reply = client.get(url).send().await.map_err(|error| {
        let what = if error.is_timeout() {
            format!("did not answer within {} seconds", TIMEOUT.as_secs())
        } else {
            "does not answer: is `syncline run` running with these settings?".to_owned()
        };
        anyhow!("{url} {what}")
    })?;
    let status = reply.status();
    let body = reply.bytes().await;
    let body = body.with_context(|| format!("{url}: the answer broke off"))?;
    serde_json::from_slice(&body).map_err(|_| {
        anyhow!("{url} answers {status}, but not as Syncline does: something else listens there")
    })
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn a_listener_on_every_address_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            let listen = listen.parse().unwrap();
            assert_eq!(reachable(listen).to_string(), asked);
        }
    }
}
