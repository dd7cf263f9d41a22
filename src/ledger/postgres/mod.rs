//! The ledger in Postgres.
//!
//! One file a table; a commit is one transaction of a few set-based statements. Statements are
//! checked against the migrations when they are compiled. Every call has a deadline: a connection
//! that stops answering, or whose call was dropped half-way, is closed and never used again, so
//! that it cannot hold its place in the pool for ever.

mod alias;
mod batch;
mod claim;
mod code;
mod commit;
mod connect;
mod decided;
mod error;
mod figure;
mod gap;
mod hint;
mod journal;
mod lease;
mod ledger;
mod link;
mod load;
mod parked;
mod people;
mod position;
mod review;
mod review_change;
mod seal;
mod session;
mod setup;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

pub use connect::{Access, connect, migrate};
pub use seal::{SealError, SealKey};

/// The ledger in a Postgres database. Clones share one small pool.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
    key: Option<Arc<SealKey>>,
    deadline: Duration,
}

impl Postgres {
    /// A ledger on a pool made by [`connect`], its tables made by [`migrate`]. Without a key no
    /// secret can be kept or read.
    #[must_use]
    pub fn new(pool: PgPool, key: Option<SealKey>) -> Self {
        Self { pool, key: key.map(Arc::new), deadline: session::DEADLINE }
    }

    /// The same ledger with another limit for a whole call. It should stay above the server's own
    /// limit for a statement.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The pool, for those who only look: a doctor, a bench.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}
