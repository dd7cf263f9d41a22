//! Connections: pinned session settings, and writing sessions that never come back half done.

use std::pin::pin;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, PgConnection, Postgres};
use syncline_sdk::{Context, Error, ErrorKind, Result, SystemName};

use crate::PostgresSettings;
use crate::error::from_sqlx;
use crate::settings::Target;

/// What every session is pinned to, so that a text always means one value.
/// (Not the search path: the application's own triggers run in these sessions.)
pub(crate) const PINNED: [(&str, &str); 5] = [
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
];

/// How long a connection is waited for before it is found out why there is none.
const PATIENCE: Duration = Duration::from_millis(250);

/// The two pools of a system. Nothing is opened before the first call.
pub(crate) struct Pools {
    readers: PgPool,
    writers: PgPool,
    /// What to do where the server does not take the login.
    mend_login: String,
}

impl Pools {
    pub(crate) fn new(settings: &PostgresSettings, target: &Target, system: &SystemName) -> Self {
        let application = format!("syncline/{system}");
        let pool = |connections_max: u32, statements: String| {
            PgPoolOptions::new()
                .max_connections(connections_max.max(1))
                // Bounds a call that comes while all connections are in use; the call's own
                // time-out is usually shorter.
                .acquire_timeout(Duration::from_secs(30))
                .idle_timeout(None)
                .max_lifetime(None)
                // Saves a round trip a call. A connection that died shows when it is used,
                // before anything was sent on it that counts.
                .test_before_acquire(false)
                .after_connect(move |conn, _| {
                    let statements = statements.clone();
                    Box::pin(async move {
                        conn.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await.map(|_| ())
                    })
                })
                .connect_lazy_with(target.options(&application))
        };
        let statement = settings.statement_timeout_ms;
        let common = pinned(statement);
        let writing = format!(
            "{common}; set lock_timeout = {}; \
             set idle_in_transaction_session_timeout = {statement}; set jit = off",
            settings.lock_wait_ms.max(1)
        );
        Self {
            readers: pool(settings.readers_max, format!("{common}; set jit = off")),
            writers: pool(settings.writers_max, writing),
            mend_login: target.mend_login(),
        }
    }

    /// A connection to read with.
    pub(crate) async fn reader(&self, operation: &'static str) -> Result<PoolConnection<Postgres>> {
        self.acquire(&self.readers, operation).await
    }

    /// A connection to write with.
    pub(crate) async fn writer(&self, operation: &'static str) -> Result<Writer> {
        let conn = self.acquire(&self.writers, operation).await?;
        Ok(Writer { conn: Some(conn), idle: true })
    }

    async fn acquire(
        &self,
        pool: &PgPool,
        operation: &'static str,
    ) -> Result<PoolConnection<Postgres>> {
        acquire(pool, operation).await.map_err(|error| match error.kind {
            ErrorKind::Auth => error.advise(self.mend_login.clone()),
            _ => error,
        })
    }
}

/// A connection of a pool. A pool takes a refused connection for a server that is starting, and
/// tries again until its time-out; so one that does not come soon is asked for once by hand.
async fn acquire(pool: &PgPool, operation: &'static str) -> Result<PoolConnection<Postgres>> {
    let options = pool.connect_options();
    let place = || match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let failed = |error| from_sqlx(operation, &place(), error);
    let mut acquiring = pin!(pool.acquire());
    if let Ok(open) = tokio::time::timeout(PATIENCE, &mut acquiring).await {
        return open.map_err(failed);
    }
    match Box::pin(options.connect()).await {
        // All connections are in use.
        Ok(conn) => drop(conn.close().await),
        Err(error) => return Err(failed(error)),
    }
    acquiring.await.map_err(failed)
}

fn pinned(statement_timeout_ms: u32) -> String {
    let mut text: Vec<String> =
        PINNED.iter().map(|(name, value)| format!("set {name} = '{value}'")).collect();
    text.push(format!("set statement_timeout = {statement_timeout_ms}"));
    // The server notices within a minute that a client is gone, and frees its locks.
    text.push("set tcp_keepalives_idle = 20".to_owned());
    text.push("set tcp_keepalives_interval = 10".to_owned());
    text.push("set tcp_keepalives_count = 3".to_owned());
    text.join("; ")
}

/// A writing session. Unless it was seen to be between transactions when it is dropped, its
/// connection is closed, so that a transaction left open by a dropped call ends at once.
pub(crate) struct Writer {
    conn: Option<PoolConnection<Postgres>>,
    idle: bool,
}

impl Writer {
    /// The connection, from now on taken to be inside a transaction.
    pub(crate) fn busy(&mut self) -> Result<&mut PgConnection> {
        self.idle = false;
        match &mut self.conn {
            Some(conn) => Ok(&mut *conn),
            None => Err(Error::new(ErrorKind::Unavailable, "push", "the session was closed")),
        }
    }

    /// Says that no transaction is open.
    pub(crate) fn settle(&mut self) {
        self.idle = true;
    }

    /// Ends the transaction without its effects. A session that cannot even do that is closed,
    /// which has the same effect.
    pub(crate) async fn roll_back(&mut self) {
        if let Some(conn) = &mut self.conn {
            match conn.execute(sqlx::raw_sql("rollback")).await {
                Ok(_) => self.idle = true,
                Err(_) => self.close(),
            }
        }
    }

    fn close(&mut self) {
        if let Some(conn) = self.conn.take() {
            drop(conn.detach());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.idle {
            self.close();
        }
    }
}

/// Bounds a call by the time that it was given.
pub(crate) async fn within<T>(
    cx: &Context,
    operation: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(cx.timeout, call).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            operation,
            format!("no answer within {} ms", cx.timeout.as_millis()),
        )
        .advise("look for locks and load on the server")),
    }
}
