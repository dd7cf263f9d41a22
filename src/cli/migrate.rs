//! `syncline migrate`

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use sqlx::PgPool;
use syncline_ledger::postgres::migrate;

use super::{Exit, Output, Stop};
use crate::installation::read_settings;
use crate::service::{login_key, reach_ledger};

const EXAMPLES: &str = "\
Examples:
  syncline migrate          brings the tables of the ledger to this release
  syncline migrate --json   the same, with what was there before and what is there now

`run` and the commands that work on the ledger do the same when they open it; this one does
nothing else, so that it can be a step of its own with rights of its own. Repeating it changes
nothing. Tables never go back to an older release: make a backup first. The key of logins
and sensitive fields is made with them, in the state folder, where it is missing.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

/// One change of the tables that was made.
struct Migration {
    version: i64,
    description: String,
}

pub(super) async fn run(
    config: &Path,
    Arguments {}: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let settings = read_settings(config)?.value;
    let (pool, _cluster) = reach_ledger(&settings).await?;
    const READ: &str = "the ledger: what was migrated before cannot be read";
    let before = made(&pool).await.context(READ)?;
    migrate(&pool).await.with_context(|| {
        let stand = name(before.last());
        format!(
            "the ledger's tables are at {stand} and stay so; if a newer release made them, run \
             that release"
        )
    })?;
    let after = made(&pool).await.context(READ)?;
    login_key(&settings)?;
    let new = &after[before.len().min(after.len())..];
    match (before.last(), new) {
        (_, []) => {
            output.line(&format!("the ledger is at {} already: nothing to do", name(after.last())))
        }
        (None, _) => {
            output.line(&format!("the ledger was empty and is at {} now", name(after.last())))
        }
        (before, _) => output.line(&format!(
            "the ledger was at {} and is at {} now",
            name(before),
            name(after.last())
        )),
    }
    for migration in new {
        output.line(&format!("  made {}", name(Some(migration))));
    }
    let mut fields = Map::new();
    fields.insert("before".to_owned(), json(&before));
    fields.insert("after".to_owned(), json(&after));
    fields.insert("changed".to_owned(), (!new.is_empty()).into());
    output.answer("migrate", fields);
    Ok(Exit::Well)
}

fn name(migration: Option<&Migration>) -> String {
    migration.map_or_else(
        || "nothing".to_owned(),
        |migration| format!("{:04} ({})", migration.version, migration.description),
    )
}

fn json(migrations: &[Migration]) -> Json {
    let migrations = migrations.iter().map(
        |migration| json!({ "version": migration.version, "description": migration.description }),
    );
    migrations.collect()
}

/// The migrations that were made, oldest first; none before the first one.
async fn made(pool: &PgPool) -> Result<Vec<Migration>, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("select to_regclass('syncline._sqlx_migrations') is not null")
            .fetch_one(pool)
            .await?;
    if !there {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "select version, description from syncline._sqlx_migrations where success order by version",
    )
    .fetch_all(pool)
    .await?;
    let migration = |(version, description)| Migration { version, description };
    Ok(rows.into_iter().map(migration).collect())
}
