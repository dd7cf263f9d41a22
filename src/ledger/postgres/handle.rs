//! A handle on the ledger.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;

use super::connect::beside;
use super::keyring::Keyring;
use super::owning::Owning;
use super::{SealKey, session};

/// How long a call of those who look on may take in all, above their limit for a statement.
const LOOKING_DEADLINE: Duration = Duration::from_secs(9);

/// The ledger in a Postgres database. Clones share one small pool, and one
/// connection besides that the life of their owner is told by.
#[derive(Clone, Debug)]
pub struct Postgres {
    pub(super) pool: PgPool,
    pub(super) keyring: Keyring,
    pub(super) deadline: Duration,
    pub(super) owning: Arc<Mutex<Option<Owning>>>,
}

impl Postgres {
    /// A ledger on a pool made by [`connect`], its tables made by [`migrate`]. Without a key no
    /// secret can be kept or read, and nothing of mappings with sensitive fields.
    #[must_use]
    pub fn new(pool: PgPool, key: Option<SealKey>) -> Self {
        let keyring = Keyring::new(key);
        Self { pool, keyring, deadline: session::DEADLINE, owning: Arc::default() }
    }

    /// The same ledger for those who look on while an engine works, on a pool of its own
    /// ([`beside`]): however much they ask, the engine's calls wait for none of theirs. A call
    /// takes no longer than 9 s. It has the key, since what is kept of mappings with sensitive
    /// fields cannot be read without; who is shown what is the business of those who ask.
    #[must_use]
    pub fn looking(&self) -> Self {
        let (pool, keyring) = (beside(&self.pool), self.keyring.clone());
        Self { pool, keyring, deadline: LOOKING_DEADLINE, owning: Arc::default() }
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
