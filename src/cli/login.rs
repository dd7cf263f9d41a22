//! `syncline login`

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Map;
use syncline_ledger::Setup;
use syncline_sdk::{ErrorKind, SystemName};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Exit, Output, Stop};
use crate::installation::{described, no_system, read_settings};
use crate::registry::{REFRESH_TOKEN, WebLogin};
use crate::service::open_ledger;
use crate::stop::told;

/// How long a person may take.
const DEADLINE: Duration = Duration::from_secs(15 * 60);
/// How long a connection may take to say what it wants.
const GREETING: Duration = Duration::from_secs(5);
/// The most that is read of what a browser sends.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;

const EXAMPLES: &str = "\
Examples:
  syncline login crm           open the printed address in a browser on this machine
  syncline login crm --paste   the browser is elsewhere: bring the address that it ends at

For systems with `grant: web_server`. The browser comes back to the redirect_uri of the settings,
which must be registered with the external client app. The refresh token is kept sealed in the
ledger; a running `syncline run` takes it up by itself.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The system, as the settings name it.
    system: String,
    /// Read the address that the browser came back to from standard input, instead of waiting
    /// for the browser on this machine.
    #[arg(long)]
    paste: bool,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let settings = read_settings(config)?.value;
    let name = SystemName::new(arguments.system.as_str());
    let Some(system) = settings.systems.iter().find(|system| system.name == name) else {
        return Err(no_system(&settings, &arguments.system));
    };
    let refused = |error: &syncline_sdk::Error| {
        let told = described(error, &format!("system `{name}`"));
        Stop::Found(told.at(&settings.source, system.span).into())
    };
    let login = system.kind.web_login().map_err(|error| refused(&error))?;
    // What will keep the login is looked at before anybody is asked for one.
    let ledger = open_ledger(&settings).await?.ledger;
    output.notice("Open this address, log in as the integration user, and allow access:");
    output.notice(&format!("\n  {}\n", login.address()));
    let waited = tokio::time::timeout(DEADLINE, answer(&login, arguments.paste, output));
    let answer = waited.await.context("nobody logged in within 15 minutes")??;
    let consent = login.finish(&answer).await.map_err(|error| refused(&error))?;
    ledger
        .keep_token(&name, REFRESH_TOKEN, &consent.refresh_token)
        .await
        .context("the ledger could not keep the login")?;
    output.line(&format!(
        "{name}: user {} of org {} is logged in; the ledger keeps the login",
        consent.user, consent.org
    ));
    let mut fields = Map::new();
    fields.insert("system".to_owned(), name.as_str().into());
    fields.insert("user".to_owned(), consent.user.into());
    fields.insert("org".to_owned(), consent.org.into());
    output.answer("login", fields);
    Ok(Exit::Well)
}

/// What the browser came back with.
async fn answer(login: &WebLogin, paste: bool, output: &Output) -> anyhow::Result<String> {
    match login.loopback() {
        Some((host, port)) if !paste => {
            let listener = listen(&host, port).await?;
            output.notice("Waiting for the browser to come back to this machine …");
            by_browser(login, &listener).await
        }
        _ => {
            output.notice("Then paste the address that the browser ended at, and press Enter:");
            let mut line = String::new();
            let mut input = BufReader::new(tokio::io::stdin().take(REQUEST_BYTES_MAX));
            input.read_line(&mut line).await.context("standard input could not be read")?;
            anyhow::ensure!(!line.trim().is_empty(), "no address was given");
            Ok(line)
        }
    }
}

async fn listen(host: &str, port: u16) -> anyhow::Result<TcpListener> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    TcpListener::bind((host, port)).await.with_context(|| {
        format!(
            "{host}:{port} of redirect_uri cannot be listened on; end what holds it, register \
             another redirect_uri, or use --paste"
        )
    })
}

/// Waits for the one request that carries the answer; others (an icon, a probe) are sent away.
async fn by_browser(login: &WebLogin, listener: &TcpListener) -> anyhow::Result<String> {
    loop {
        let (stream, _) = listener.accept().await.context("the browser could not be heard")?;
        match serve(stream, login).await {
            Ok(Some(query)) => return Ok(query),
            Ok(None) => {}
            Err(error) => tracing::debug!(error = told(&error), "a connection said nothing fit"),
        }
    }
}

/// Answers one request; gives the query of the one that was waited for. What belongs to another
/// login ends no waiting.
async fn serve(stream: TcpStream, login: &WebLogin) -> std::io::Result<Option<String>> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    // A request line says all; a connection that says nothing may not hold the login up.
    let mut limited = (&mut stream).take(REQUEST_BYTES_MAX);
    match tokio::time::timeout(GREETING, limited.read_line(&mut head)).await {
        Ok(read) => drop(read?),
        Err(_) => return Ok(None),
    }
    let target = head.strip_prefix("GET ").and_then(|rest| rest.split_whitespace().next());
    let (asked, query) = target.and_then(|target| target.split_once('?')).unwrap_or_default();
    let heard = (asked == login.path() && !query.is_empty()).then(|| login.check(query));
    let (wanted, status, text) = match heard {
        None => (false, "404 Not Found", "Nothing is here."),
        Some(Ok(())) => (
            true,
            "200 OK",
            "Access was allowed. The command tells whether the login came through. You may close \
             this page.",
        ),
        Some(Err(error)) if error.kind == ErrorKind::Auth => {
            (true, "200 OK", "Access was refused; the command tells why. You may close this page.")
        }
        Some(Err(_)) => (
            false,
            "400 Bad Request",
            "This is not the login that is waited for: open the address that the command shows.",
        ),
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(reply.as_bytes()).await?;
    stream.flush().await?;
    Ok(wanted.then(|| query.to_owned()))
}
