//! The session of an owner: how a successor learns that its predecessor has ended.
//!
//! An owner holds an advisory lock named after its epoch, on a connection of its own, for as long
//! as that connection lives. The lock is taken in the transaction that raises the epoch, so nobody
//! sees an epoch whose owner does not hold it yet. Whoever is refused the lease and can take the
//! lock of the epoch that refused it knows that the owner's session has ended, and need not wait
//! until its lease runs out.
//!
//! This only saves time. An owner whose connection broke while it lives is fenced by the epoch as
//! ever; one whose server does not notice its end, or that holds no lock, is waited for until its
//! lease runs out.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use syncline_core::model::Fence;
use syncline_sdk::Instant;

use super::Postgres;
use super::error::Meaning;
use super::lease;
use super::session::call;
use crate::{Ownership, Result};

const OWN: &str = "take the lease";

/// Tells our advisory locks from those of others in the same database: "sync".
const LOCKS: i32 = 0x73_79_6e_63;

/// The connection that one owner's life is told by.
#[derive(Debug)]
pub(super) struct Owning {
    owner: String,
    connection: PgConnection,
    /// The epoch whose lock is held.
    held: Option<i64>,
}

/// Takes, renews or is refused the ownership.
pub(super) async fn own(
    ledger: &Postgres,
    owner: &str,
    now: Instant,
    until: Instant,
) -> Result<Ownership> {
    let mut place = ledger.owning.lock().await;
    if place.as_ref().is_some_and(|owning| owning.owner != owner) {
        // A session tells of one owner; another one in this process goes by the lease alone.
        drop(place);
        return call!(ledger, "take the lease", |connection| lease::own(
            connection, owner, now, until
        ));
    }
    // Out of its place while it is used: after an error, or when this call is dropped half-way,
    // the connection is closed, and the locks on it are free.
    let owning = place.take();
    let answer = ledger.bounded(OWN, async {
        let mut owning = match owning {
            Some(owning) => owning,
            None => Owning::open(ledger, owner).await?,
        };
        let answer = owning.own(now, until).await?;
        Ok((owning, answer))
    });
    let (owning, answer) = answer.await?;
    *place = Some(owning);
    Ok(answer)
}

impl Owning {
    async fn open(ledger: &Postgres, owner: &str) -> Result<Self> {
        let options = ledger.pool.connect_options();
        let connection = PgConnection::connect_with(&options).await.meaning(OWN)?;
        Ok(Self { owner: owner.to_owned(), connection, held: None })
    }

    async fn own(&mut self, now: Instant, until: Instant) -> Result<Ownership> {
        let mut work = self.connection.begin().await.meaning(OWN)?;
        let mut answer = lease::own(&mut work, &self.owner, now, until).await?;
        if let Ownership::Taken { .. } = answer
            && let Some(known) = lease::owner(&mut work).await?
            && lock(&mut work, known.epoch).await?
        {
            // Its session has ended: to us the lease ends when it says. Refused all the same when
            // the lease is not as it was read: it was renewed, or somebody else was faster.
            let ended = Instant::from_micros(known.until.max(now.micros()));
            answer = lease::own(&mut work, &self.owner, ended, until).await?;
            unlock(&mut work, known.epoch).await?;
        }
        let wanted = match answer {
            Ownership::Owned(Fence { epoch }) => Some(epoch),
            Ownership::Taken { .. } => None,
        };
        if self.held != wanted {
            if let Some(former) = self.held.take() {
                unlock(&mut work, former).await?;
            }
            if let Some(epoch) = wanted
                && lock(&mut work, epoch).await?
            {
                self.held = Some(epoch);
            }
        }
        work.commit().await.meaning(OWN)?;
        Ok(answer)
    }
}

/// Takes the lock of an epoch, unless another session holds it.
async fn lock(connection: &mut PgConnection, epoch: i64) -> Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1, $2)")
        .bind(LOCKS)
        .bind(low(epoch))
        .fetch_one(connection)
        .await
        .meaning(OWN)
}

async fn unlock(connection: &mut PgConnection, epoch: i64) -> Result<()> {
    sqlx::query("select pg_advisory_unlock($1, $2)")
        .bind(LOCKS)
        .bind(low(epoch))
        .execute(connection)
        .await
        .meaning(OWN)?;
    Ok(())
}

/// The part of an epoch that tells it from its neighbours.
fn low(epoch: i64) -> i32 {
    i32::try_from(epoch & i64::from(i32::MAX)).unwrap_or_default()
}
