//! Table `commit`: commits that are decided, and the fence that every commit passes.

use sqlx::PgConnection;
use syncline_core::model::Changeset;

use super::error::Meaning;
use crate::Result;

/// How far back numbers are remembered, at least, and for at least a day: far beyond the life of
/// any connection that could still carry such a commit.
const REMEMBERED: i64 = 1_000_000;

/// Whether a commit may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pass {
    /// It may; the lease cannot change hands before it ends.
    Open,
    /// Another epoch owns the shards.
    Fenced,
    /// Its number is decided already.
    Taken,
}

impl Pass {
    fn from_counts(fenced_in: i64, made: i64) -> Self {
        match (fenced_in, made) {
            (0, _) => Self::Fenced,
            (_, 0) => Self::Taken,
            _ => Self::Open,
        }
    }
}

/// The start of every commit: the epoch is ours and stays ours until the transaction ends, and
/// the number is taken.
pub(super) async fn pass(
    connection: &mut PgConnection,
    changeset: &Changeset,
) -> Result<Pass, sqlx::Error> {
    let row = sqlx::query!(
        r#"with fence as (
               select 1 from syncline.lease where epoch = $1 for share
           ), made as (
               insert into syncline.commit (commit, happened)
               select $2, true from fence
               on conflict do nothing
               returning 1
           )
           select (select count(*) from fence) as "fence!",
                  (select count(*) from made) as "made!""#,
        changeset.fence.epoch,
        changeset.commit,
    )
    .fetch_one(connection)
    .await?;
    Ok(Pass::from_counts(row.fence, row.made))
}

/// Whether a commit happened. The question takes the number if the commit has not: a commit that
/// is still under way waits for us or we for it, and the unique key decides.
pub(super) async fn ask(connection: &mut PgConnection, commit: i64) -> Result<bool> {
    sqlx::query!(
        "insert into syncline.commit (commit, happened) values ($1, false) on conflict do nothing",
        commit
    )
    .execute(&mut *connection)
    .await
    .meaning("look for a commit")?;
    sqlx::query_scalar!("select happened from syncline.commit where commit = $1", commit)
        .fetch_one(connection)
        .await
        .meaning("look for a commit")
}

/// Forgets old numbers.
pub(super) async fn forget(connection: &mut PgConnection, newest: i64) -> Result<()> {
    sqlx::query!(
        "delete from syncline.commit
         where commit < $1 and decided_at < now() - interval '1 day'",
        newest - REMEMBERED
    )
    .execute(connection)
    .await
    .meaning("forget old commit numbers")?;
    Ok(())
}
