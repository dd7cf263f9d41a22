//! What is removed once it is old: the one place that says what and when. The statements stand with
//! their tables. (Receipts with their batches and the numbers of commits go elsewhere: by what the
//! protocol still needs, not by a setting.)

use sqlx::PgConnection;

use super::keyring::Keyring;
use super::{api_request, batch, delivery, delivery_notice, gap, link_key, report, review};
use crate::Result;
use crate::schedules::{KeptFrom, Pruned};

/// How many rows one statement removes: short, so that it holds nobody up.
pub(super) const ROWS_MAX: i64 = 2_000;

/// Repeats a statement that removes up to so many rows until there are no more; gives how many.
macro_rules! all_of {
    ($connection:expr, $statement:literal, $before:expr) => {{
        use crate::postgres::error::Meaning as _;
        let mut removed = 0;
        loop {
            let gone = sqlx::query!($statement, $before, crate::postgres::prune::ROWS_MAX)
                .execute(&mut *$connection)
                .await
                .meaning("remove what is old")?
                .rows_affected();
            removed += gone;
            if gone < crate::postgres::prune::ROWS_MAX.unsigned_abs() {
                break Ok(removed);
            }
        }
    }};
}

pub(super) use all_of;

/// All but the journal, which is walked in pages.
pub(super) async fn rest(
    connection: &mut PgConnection,
    keyring: &Keyring,
    kept: &KeptFrom,
) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    if let Some(from) = kept.journal {
        pruned.questions = review::prune(connection, from).await?;
        pruned.gaps = gap::prune(connection, from).await?;
        pruned.batches = batch::prune(connection, from).await?;
        pruned.keys = link_key::prune(connection, keyring).await?;
    }
    if let Some(from) = kept.deliveries {
        pruned.deliveries = delivery::prune(connection, from).await?;
    }
    if let Some(from) = kept.reports {
        pruned.reports = report::prune(connection, from).await?;
    }
    pruned.deliveries += delivery_notice::prune(connection, kept.notices).await?;
    pruned.requests = api_request::prune(connection, kept.requests).await?;
    Ok(pruned)
}
