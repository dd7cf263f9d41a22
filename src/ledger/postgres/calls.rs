//! Table `call`.

use sqlx::PgConnection;
use syncline_sdk::SystemName;

use super::error::Meaning;
use crate::Result;

/// Adds calls.
pub(super) async fn raise(
    connection: &mut PgConnection,
    calls: &[(SystemName, i64)],
) -> Result<()> {
    let systems: Vec<String> = calls.iter().map(|(system, _)| system.to_string()).collect();
    let counts: Vec<i64> = calls.iter().map(|(_, count)| *count).collect();
    sqlx::query!(
        "insert into syncline.call as c (system, calls)
         select system, sum(calls)::int8 from unnest($1::text[], $2::int8[]) as u (system, calls)
         group by system order by system
         on conflict (system) do update set calls = c.calls + excluded.calls",
        &systems,
        &counts,
    )
    .execute(connection)
    .await
    .map(drop)
    .meaning("count calls")
}

/// All counts, by system.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<(SystemName, i64)>> {
    let rows = sqlx::query!("select system, calls from syncline.call order by system")
        .fetch_all(connection)
        .await
        .meaning("read the counts of calls")?;
    Ok(rows.into_iter().map(|row| (SystemName::from(row.system), row.calls)).collect())
}
