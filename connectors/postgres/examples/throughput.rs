//! How much one connector reads and writes, for a look at the cost of a change:
//! `.ci/with-postgres.sh cargo run --release -p syncline-postgres --example throughput`.

#![expect(clippy::print_stdout, reason = "a report for whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a stop-watch reads the clock and its address")]
#![expect(clippy::unwrap_used, reason = "ends at the first thing that goes wrong")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor as _};
use syncline_postgres::{PostgresConnector, PostgresSettings};
use syncline_sdk::{
    BatchId, Connector as _, Context, Expect, FieldName, IntentId, LinkId, Purpose, Selection,
    Value, Write, WriteBatch, WriteOp, WriteOutcome,
};

const ROWS: i64 = 50_000;
const BATCH: usize = 500;

#[tokio::main]
async fn main() {
    let url = std::env::var("SYNCLINE_TEST_POSTGRES_URL").unwrap();
    let pool = PgPoolOptions::new().connect(&url).await.unwrap();
    let table = format!(
        "drop table if exists bench; create table bench (id bigint primary key, name text, \
         email text, score numeric, at timestamptz, note text); \
         insert into bench select i, 'name ' || i, 'mail' || i || '@example.org', i, now(), 'note' \
         from generate_series(1, {ROWS}) i; analyze bench"
    );
    pool.execute(sqlx::raw_sql(AssertSqlSafe(table))).await.unwrap();
    let settings = PostgresSettings::from_url(&url);
    let connector = PostgresConnector::connect(settings, "bench".into()).unwrap();
    let cx = Context {
        install: "throughput".into(),
        now: syncline_sdk::Instant::from_micros(0),
        timeout: Duration::from_secs(60),
        purpose: Purpose::Sync,
    };
    let fields: Vec<FieldName> =
        ["name", "email", "score", "at", "note"].iter().map(|name| (*name).into()).collect();
    let selection = Arc::new(Selection {
        entity: "public.bench".into(),
        fields: fields.into(),
        external_id: None,
        marker: None,
        actor: None,
        filter: None,
    });
    connector.prepare(&cx, &[&selection]).await.unwrap();
    let mut feed = connector.open_feed(&cx, &[&selection], None).await.unwrap();
    let (wall, cpu) = (Instant::now(), cpu_micros());
    push_all(&connector, &cx, &selection).await;
    report("push", wall, cpu);
    let (wall, cpu) = (Instant::now(), cpu_micros());
    let mut seen = 0;
    while seen < ROWS {
        let batch = feed.next(&cx, 2_000).await.unwrap();
        seen += i64::try_from(batch.changes.len()).unwrap();
        if let Some(position) = batch.position {
            feed.ack(&position).await.unwrap();
        }
    }
    report("feed (the rest of it)", wall, cpu);
    drop(feed);
}

async fn push_all(connector: &PostgresConnector, cx: &Context, selection: &Arc<Selection>) {
    let ids: Vec<i64> = (1..=ROWS).collect();
    for (number, chunk) in (1_i64..).zip(ids.chunks(BATCH)) {
        let mut writes = Vec::with_capacity(chunk.len());
        for (ordinal, id) in (0_i32..).zip(chunk) {
            writes.push(Write {
                intent: IntentId { commit: number, ordinal },
                ordinal,
                link: LinkId(uuid::Uuid::from_u128(1)),
                selection: selection.clone(),
                op: WriteOp::Update {
                    key: id.to_string().into(),
                    values: vec![
                        ("name".into(), Value::from(format!("new {id}"))),
                        ("note".into(), Value::from("changed")),
                    ],
                    expect: Expect {
                        values: vec![Value::from(format!("name {id}")), Value::from("note")],
                        ..Expect::default()
                    },
                    claim: false,
                },
            });
        }
        let batch = BatchId { commit: number, ordinal: 0 };
        let batch = WriteBatch { batch, writes, together: false };
        let outcomes = connector.push(cx, batch).await.unwrap();
        assert!(outcomes.iter().all(|one| matches!(one, WriteOutcome::Applied { .. })));
    }
}

fn report(what: &str, wall: Instant, cpu: i64) {
    let wall = i64::try_from(wall.elapsed().as_micros()).unwrap();
    println!(
        "{what}: {} rows/s, {:.2} us of this process a row",
        ROWS * 1_000_000 / wall.max(1),
        (cpu_micros() - cpu) as f64 / ROWS as f64
    );
}

/// The processor time of this process so far, in microseconds (ticks of 10 ms).
fn cpu_micros() -> i64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<i64>().unwrap() + fields[12].parse::<i64>().unwrap()) * 10_000
}
