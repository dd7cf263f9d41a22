//! Capture alone: from the write-ahead log to the changes of a feed.

use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use syncline_postgres::{PostgresConnector, PostgresSettings};
use syncline_sdk::{Connector as _, Context, FieldName, Instant, Purpose, Selection};

use crate::Settings;
use crate::clock::now;
use crate::people::People;
use crate::process;
use crate::report::Measured;

/// Rows that one answer may have.
const ROWS_MAX: usize = 2_000;

/// Edits made in one go: no shared record is edited twice by them.
const EDITS_AT_ONCE: i64 = 20_000;

/// Captures updates of eight-column rows, 1 and 100 a transaction.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for size in [1, 100] {
        let rows = if settings.quick { 20_000 } else { 200_000 };
        measured.extend(capture(&settings.postgres, rows, size).await?);
    }
    Ok(measured)
}

async fn capture(server: &str, rows: i64, size: i64) -> anyhow::Result<Vec<Measured>> {
    let name = format!("bench_capture_{}_{size}", std::process::id());
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let (base, _) = server.rsplit_once('/').context("the address names no database")?;
    let url = format!("{base}/{name}");
    let pool = sqlx::PgPool::connect(&url).await?;
    let people = People { count: 20_000, table: "people" };
    people.make(&pool, 0, true).await?;
    people.generator(&pool, 0).await?;

    let selection = selection();
    let connector =
        PostgresConnector::connect(PostgresSettings::from_url(url.as_str()), "west".into())?;
    let cx = Context {
        install: name.as_str().into(),
        now: Instant::from_micros(0),
        timeout: std::time::Duration::from_secs(30),
        purpose: Purpose::Sync,
    };
    connector.prepare(&cx, &[&selection]).await?;
    let from = connector.feed_start(&cx).await?.context("the feed starts nowhere")?;
    let mut editor =
        crate::people::Editor::open(&url, People { count: 20_000, ..people }, 0).await?;
    for _ in 0..rows / EDITS_AT_ONCE {
        editor.edit(EDITS_AT_ONCE, size).await?;
    }

    let postmaster: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await?;
    let (server_before, own_before) =
        (process::cluster_seconds(postmaster)?, process::own_seconds()?);
    let start = now();
    let mut feed = connector.open_feed(&cx, &[&selection], Some(&from)).await?;
    let (mut captured, expected) = (0, usize::try_from(editor.edits())?);
    while captured < expected {
        let batch = tokio::time::timeout(cx.timeout, feed.next(&cx, ROWS_MAX)).await??;
        captured += batch.changes.len();
        if let Some(position) = &batch.position {
            feed.ack(position).await?;
        }
    }
    let time = start.elapsed().as_secs_f64();
    ensure!(captured == expected, "{captured} changes of {expected} rows");
    let (server_after, own_after) =
        (process::cluster_seconds(postmaster)?, process::own_seconds()?);
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let count = captured as f64;
    let what = |what: &str| format!("capture, {size} a transaction: {what}");
    Ok(vec![
        Measured::new(what("rows"), count / time, "per s"),
        Measured::new(what("CPU a row, engine"), (own_after - own_before) / count * 1e6, "µs"),
        Measured::new(
            what("CPU a row, server"),
            (server_after - server_before) / count * 1e6,
            "µs",
        ),
    ])
}

fn selection() -> Selection {
    let fields = ["number", "name", "phone", "city", "country", "score", "active", "notes"];
    Selection {
        entity: "public.people".into(),
        fields: fields.into_iter().map(FieldName::from).collect(),
        external_id: None,
        marker: None,
        actor: None,
        filter: None,
    }
}
