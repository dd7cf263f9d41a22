//! Table `schedule`. Every change holds the lease as it is until it is done, so that a process
//! that was taken over from changes nothing.

use sqlx::PgConnection;

use super::error::Meaning;
use crate::Result;
use crate::schedules::{FinishedRun, Scheduled};

/// All rows, by name.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<Scheduled>> {
    sqlx::query_as!(
        Scheduled,
        "select name, times, next_at, last_at, outcome from syncline.schedule order by name"
    )
    .fetch_all(connection)
    .await
    .meaning("read what is scheduled")
}

/// Makes a row, or gives it other times.
pub(super) async fn plan(
    connection: &mut PgConnection,
    owner: &str,
    name: &str,
    times: &str,
    next_at: i64,
) -> Result<()> {
    sqlx::query!(
        "with fence as (select 1 from syncline.lease where owner = $1 for share)
         insert into syncline.schedule as s (name, times, next_at) select $2, $3, $4 from fence
         on conflict (name) do update set times = excluded.times, next_at = excluded.next_at
         where s.times <> excluded.times",
        owner,
        name,
        times,
        next_at,
    )
    .execute(connection)
    .await
    .map(std::mem::drop)
    .meaning("schedule a run")
}

/// Removes a row.
pub(super) async fn drop(connection: &mut PgConnection, owner: &str, name: &str) -> Result<()> {
    sqlx::query!(
        "with fence as (select 1 from syncline.lease where owner = $1 for share)
         delete from syncline.schedule using fence where name = $2",
        owner,
        name,
    )
    .execute(connection)
    .await
    .map(std::mem::drop)
    .meaning("unschedule a run")
}

/// Moves a row to when it is due next, if it is due as it was read.
pub(super) async fn passed(
    connection: &mut PgConnection,
    owner: &str,
    run: &FinishedRun,
) -> Result<bool> {
    let moved = sqlx::query!(
        "with fence as (select 1 from syncline.lease where owner = $1 for share)
         update syncline.schedule set next_at = $4, last_at = $5, outcome = $6
         from fence where name = $2 and next_at = $3",
        owner,
        run.name,
        run.due,
        run.next_at,
        run.at,
        run.outcome,
    )
    .execute(connection)
    .await
    .meaning("record a run")?;
    Ok(moved.rows_affected() == 1)
}
