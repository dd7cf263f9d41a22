//! A database of its own for each test, and a connector to it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use syncline_postgres::{PostgresConnector, PostgresSettings};
use syncline_sdk::{
    BatchId, Change, Connector as _, Context, Expect, FeedBatch, FieldName, Instant, IntentId, Key,
    LinkId, Purpose, Selection, Value, Write, WriteBatch, WriteOp,
};

/// No condition that a test waits for may take longer.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Place {
    pub pool: PgPool,
    pub connector: PostgresConnector,
    pub cx: Context,
    pub url: String,
    name: String,
}

/// A superuser's address on a cluster with logical decoding: the shared one of the test run, or
/// one of this process, which ends with it.
fn cluster() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "the test runner hands the address over so")]
        let given = std::env::var("SYNCLINE_TEST_POSTGRES_URL");
        given.unwrap_or_else(|_| own_cluster())
    })
}

fn own_cluster() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/with-postgres.sh");
    // The cluster lives as long as the pipe to its standard input is open.
    let mut child = Command::new(script)
        .args(["sh", "-c", "echo \"$SYNCLINE_TEST_POSTGRES_URL\"; cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script that starts a cluster");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    std::mem::forget(child);
    line.trim().to_owned()
}

impl Place {
    /// An empty database, named after the test.
    pub async fn new(test: &str) -> Self {
        Self::with(test, |_| {}).await
    }

    pub async fn with(test: &str, change: impl FnOnce(&mut PostgresSettings)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let name = format!("it_{test}_{}", std::process::id());
        let options: PgConnectOptions = cluster().parse().unwrap();
        let mut admin = options.connect().await.unwrap();
        for sql in [
            format!("drop database if exists {name} with (force)"),
            format!("create database {name}"),
        ] {
            admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        }
        let options = options.database(&name);
        let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
        let (base, _) = cluster().rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        let mut settings = PostgresSettings::from_url(&url);
        change(&mut settings);
        let cx = Context {
            install: format!("in{name}").into(),
            now: Instant::from_micros(0),
            timeout: DEADLINE,
            purpose: Purpose::Sync,
        };
        let connector = PostgresConnector::connect(settings, "ops".into()).unwrap();
        Self { pool, connector, cx, url, name }
    }

    /// A second connector to the same database.
    pub fn another(&self, change: impl FnOnce(&mut PostgresSettings)) -> PostgresConnector {
        let mut settings = PostgresSettings::from_url(&self.url);
        change(&mut settings);
        PostgresConnector::connect(settings, "ops".into()).unwrap()
    }

    pub async fn sql(&self, text: &str) {
        self.pool.execute(sqlx::raw_sql(AssertSqlSafe(text.to_owned()))).await.unwrap();
    }

    pub async fn one(&self, text: &str) -> Option<String> {
        sqlx::query_scalar(AssertSqlSafe(text.to_owned())).fetch_one(&self.pool).await.unwrap()
    }

    /// Ends everything that would outlive the test.
    pub async fn finish(self) {
        drop(self.connector);
        self.pool.close().await;
        let options: PgConnectOptions = cluster().parse().unwrap();
        let mut admin = options.connect().await.unwrap();
        let name = &self.name;
        let sql = format!(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots \
             where database = '{name}' and active; \
             select pg_drop_replication_slot(slot_name) from pg_replication_slots \
             where database = '{name}'"
        );
        let done = async {
            while admin.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await.is_err() {}
            let sql = format!("drop database {name} with (force)");
            admin.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        };
        tokio::time::timeout(DEADLINE, done).await.unwrap();
    }

    /// Opens the feed from where the slot stands, after making what it needs.
    pub async fn feed(&self, selections: &[&Selection]) -> Box<dyn syncline_sdk::Feed> {
        self.connector.prepare(&self.cx, selections).await.unwrap();
        self.connector.open_feed(&self.cx, selections, None).await.unwrap()
    }

    /// Waits for so many changes.
    pub async fn changes(&self, feed: &mut dyn syncline_sdk::Feed, count: usize) -> Vec<Change> {
        let mut found = Vec::new();
        for batch in self.batches(feed, |found| found >= count).await {
            found.extend(batch.changes);
        }
        assert_eq!(found.len(), count, "{found:?}");
        found
    }

    /// Takes batches until the number of changes satisfies.
    pub async fn batches(
        &self,
        feed: &mut dyn syncline_sdk::Feed,
        enough: impl Fn(usize) -> bool,
    ) -> Vec<FeedBatch> {
        let mut batches = Vec::new();
        let mut count = 0;
        let taken = async {
            while !enough(count) {
                let batch = feed.next(&self.cx, 500).await.unwrap();
                count += batch.changes.len();
                batches.push(batch);
            }
        };
        tokio::time::timeout(DEADLINE, taken).await.expect("the changes in time");
        batches
    }
}

pub fn selection(entity: &str, fields: &[&str]) -> Selection {
    Selection {
        entity: entity.into(),
        fields: fields.iter().map(|field| FieldName::from(*field)).collect(),
        external_id: None,
        marker: None,
        actor: None,
        filter: None,
    }
}

pub fn link(number: u128) -> LinkId {
    LinkId(uuid::Uuid::from_u128(number))
}

/// A write with the intent and ordinal of the same number.
pub fn write(selection: &Arc<Selection>, ordinal: i32, op: WriteOp) -> Write {
    Write {
        intent: IntentId { commit: 7, ordinal },
        ordinal,
        link: link(u128::try_from(ordinal).unwrap() + 1),
        selection: selection.clone(),
        op,
        group: None,
    }
}

pub fn update(key: &str, values: &[(&str, Value, Value)]) -> WriteOp {
    WriteOp::Update {
        key: Key::from(key),
        values: values.iter().map(|(field, _, new)| ((*field).into(), new.clone())).collect(),
        expect: Expect {
            values: values.iter().map(|(_, old, _)| old.clone()).collect(),
            ..Expect::default()
        },
        claim: false,
    }
}

pub fn insert(values: &[(&str, Value)]) -> WriteOp {
    WriteOp::Insert {
        values: values.iter().map(|(field, value)| ((*field).into(), value.clone())).collect(),
    }
}

pub fn batch(number: i64, writes: Vec<Write>) -> WriteBatch {
    WriteBatch { batch: BatchId { commit: number, ordinal: 0 }, writes }
}
