//! A handle on the ledger.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;

use super::owning::Owning;
use super::{SealKey, session};

/// The ledger in a Postgres database. Clones share one small pool, and one
/// connection besides that the life of their owner is told by.
#[derive(Clone, Debug)]
pub struct Postgres {
    pub(super) pool: PgPool,
    pub(super) key: Option<Arc<SealKey>>,
    pub(super) deadline: Duration,
    pub(super) owning: Arc<Mutex<Option<Owning>>>,
}

impl Postgres {
    /// A ledger on a pool made by [`connect`], its tables made by [`migrate`]. Without a key no
    /// secret can be kept or read.
    #[must_use]
    pub fn new(pool: PgPool, key: Option<SealKey>) -> Self {
        let key = key.map(Arc::new);
        Self { pool, key, deadline: session::DEADLINE, owning: Arc::default() }
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
