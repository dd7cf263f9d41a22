//! `syncline tokens`

use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use syncline_ledger::{Access as _, AccessToken, NewToken};
use syncline_sdk::Instant;
use syncline_server::api::Scope;

use super::desk::Desk;
use super::words::{age, plain, table, time, time_json};
use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline tokens create dashboard --scope read
  syncline tokens create ops-console --scope read --scope write --expires 90d
  syncline tokens create ci --scope read --json | jq -r .token
  syncline tokens list
  syncline tokens revoke dashboard

A token is for the JSON API of `syncline run`: `Authorization: Bearer TOKEN`. It is shown once,
when it is made; the ledger keeps its digest alone. /api/docs/ of the running process shows what
there is.

Exit code 2 when the name is taken, or no token of that name is of use.";

/// What a token begins with, so that one that leaked is recognised.
const PREFIX: &str = "syncline_";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token, and print it: this once.
    Create {
        /// Who or what uses it: told with whatever it does.
        #[arg(value_name = "NAME", value_parser = name)]
        name: String,

        /// What it may; several times for several.
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<WhichScope>,

        /// How long it is of use, as 12h or 90d; for ever when not given.
        #[arg(long, value_name = "TIME")]
        expires: Option<Life>,
    },
    /// List the tokens, with what they may and when they were used last.
    List,
    /// Revoke a token at once and for good.
    Revoke {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// A scope, on a command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
enum WhichScope {
    /// Look at everything, values of records included.
    Read,
    /// Answer questions, and ask that parked records are tried again.
    Write,
}

impl WhichScope {
    fn word(self) -> String {
        let scope = match self {
            Self::Read => Scope::Read,
            Self::Write => Scope::Write,
        };
        scope.as_str().to_owned()
    }
}

/// A time of hours or days, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Life(i64);

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hours = text.strip_suffix('h').map(|number| (number, 3_600));
        let days = || text.strip_suffix('d').map(|number| (number, 86_400));
        let seconds = hours
            .or_else(days)
            .and_then(|(number, unit)| i64::from(number.parse::<u32>().ok()?).checked_mul(unit));
        let most = 100 * 366 * 86_400;
        seconds
            .filter(|seconds| (1..=most).contains(seconds))
            .map(Self)
            .ok_or_else(|| "write hours or days, as 12h or 90d".to_owned())
    }
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("a name has 1 to 100 letters, digits, `-`, `_`, `.` or `@`".to_owned())
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?;
    match arguments.command {
        Command::Create { name, scope, expires } => {
            create(&desk, name, scope, expires, output).await
        }
        Command::List => list(&desk, output).await,
        Command::Revoke { name } => revoke(&desk, &name, output).await,
    }
}

fn found(message: String, help: &str) -> Stop {
    Stop::found(message, help)
}

async fn create(
    desk: &Desk,
    name: String,
    mut scopes: Vec<WhichScope>,
    expires: Option<Life>,
    output: &Output,
) -> Result<Exit, Stop> {
    scopes.sort();
    scopes.dedup();
    let token = secret();
    let expires_at = expires.map(|Life(seconds)| {
        Instant::from_micros(desk.now.micros().saturating_add(seconds.saturating_mul(1_000_000)))
    });
    let new = NewToken {
        name,
        digest: Sha256::digest(token.as_bytes()).into(),
        scopes: scopes.into_iter().map(WhichScope::word).collect(),
        made_at: desk.now,
        expires_at,
    };
    if !desk.ledger.add_token(&new).await.context("the ledger")? {
        let message = format!("there is, or was, a token `{}`", new.name);
        return Err(found(message, "choose another name: what it did is told under the old one"));
    }
    output.line(&token);
    let mut fields = Map::new();
    fields.insert("token".to_owned(), token.into());
    fields.insert("name".to_owned(), new.name.into());
    fields.insert("scopes".to_owned(), new.scopes.into());
    let expires = expires_at.map(|at| time_json(at.micros()));
    fields.insert("expires_at".to_owned(), expires.into());
    output.answer("tokens create", fields);
    Ok(Exit::Well)
}

async fn list(desk: &Desk, output: &Output) -> Result<Exit, Stop> {
    let tokens = desk.ledger.access_tokens().await.context("the ledger")?;
    if tokens.is_empty() {
        let create = desk.command("tokens create NAME --scope read");
        output.line(&format!("there are no tokens: `{create}` makes one"));
    } else {
        let mut rows = table(&["NAME", "MAY", "MADE", "USED", "STATE"]);
        for token in &tokens {
            let used = token.used_at.map(|at| format!("{} ago", age(desk.now, at.micros())));
            rows.add_row([
                plain(&token.name),
                token.scopes.join(", "),
                time(token.made_at.micros()),
                used.unwrap_or_else(|| "never".to_owned()),
                state(desk, token),
            ]);
        }
        output.line(&rows.trim_fmt());
    }
    let mut fields = Map::new();
    fields.insert("tokens".to_owned(), tokens.iter().map(token_json).collect());
    output.answer("tokens list", fields);
    Ok(Exit::Well)
}

fn state(desk: &Desk, token: &AccessToken) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", time(at.micros())),
        (None, Some(at)) if at.micros() <= desk.now.micros() => {
            format!("expired {}", time(at.micros()))
        }
        (None, Some(at)) => format!("of use until {}", time(at.micros())),
        (None, None) => "of use".to_owned(),
    }
}

fn token_json(token: &AccessToken) -> Json {
    let at = |at: Option<Instant>| at.map(|at| time_json(at.micros()));
    json!({
        "name": token.name,
        "scopes": token.scopes,
        "made_at": time_json(token.made_at.micros()),
        "expires_at": at(token.expires_at),
        "used_at": at(token.used_at),
        "revoked_at": at(token.revoked_at),
    })
}

async fn revoke(desk: &Desk, name: &str, output: &Output) -> Result<Exit, Stop> {
    if !desk.ledger.revoke_token(name, desk.now).await.context("the ledger")? {
        let list = desk.command("tokens list");
        let message = format!("no token `{}` is of use", plain(name));
        return Err(found(message, &format!("`{list}` names all")));
    }
    output.line(&format!("the token `{name}` is revoked: of no use within five seconds"));
    let mut fields = Map::new();
    fields.insert("name".to_owned(), name.into());
    output.answer("tokens revoke", fields);
    Ok(Exit::Well)
}

/// A token that nobody has had before: 244 random bits.
#[expect(clippy::disallowed_methods, reason = "a secret is random")]
fn secret() -> String {
    let part = || uuid::Uuid::new_v4().simple().to_string();
    format!("{PREFIX}{}{}", part(), part())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_or_days() {
        assert_eq!("12h".parse(), Ok(Life(43_200)));
        assert_eq!("90d".parse(), Ok(Life(7_776_000)));
        for wrong in ["", "h", "0d", "-1d", "90", "90m", "9999999999d", "d90", "ü"] {
            assert!(wrong.parse::<Life>().is_err(), "{wrong}");
        }
        assert!(name("a b").is_err() && name("").is_err() && name("ops-console").is_ok());
    }
}
