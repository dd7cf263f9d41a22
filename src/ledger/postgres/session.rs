//! A connection for one call.

use std::future::Future;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres as Database};

use super::Postgres;
use super::error::unavailable;
use crate::{LedgerError, Result};

/// How long a call may take in all, above the server's own limit for a statement.
pub(super) const DEADLINE: Duration = Duration::from_secs(40);

/// A connection that goes back to the pool only after [`Session::done`]. Dropped before that
/// (an error, a deadline, a caller that went away) it is closed: what the server was doing on it
/// is rolled back, and the pool has its place free again.
pub(super) struct Session {
    connection: Option<PoolConnection<Database>>,
}

impl Session {
    /// The connection.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a session has its connection until it is done")
    }

    /// Gives the connection back.
    pub(super) fn done(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl Postgres {
    /// Takes a connection from the pool.
    pub(super) async fn session(&self, what: &'static str) -> Result<Session> {
        let connection = self.pool.acquire().await.map_err(|error| unavailable(what, error))?;
        Ok(Session { connection: Some(connection) })
    }

    /// Waits for a call's work until its deadline.
    pub(super) async fn bounded<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.deadline, work).await {
            Ok(result) => result,
            Err(elapsed) => Err(LedgerError::Unavailable { what, source: elapsed.into() }),
        }
    }
}

/// One call: a connection, its work, the connection back.
macro_rules! call {
    ($ledger:expr, $what:literal, |$connection:ident| $work:expr) => {{
        let mut session = $ledger.session($what).await?;
        let $connection = session.connection();
        let answer = $ledger.bounded($what, $work).await?;
        session.done();
        Ok(answer)
    }};
}

pub(super) use call;
