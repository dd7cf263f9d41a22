//! Table `hint`.

use sqlx::PgConnection;
use syncline_core::model::{Hint, HintDone, HintReason};
use syncline_sdk::{EntityName, Instant, Key, SystemName};

use super::code;
use super::error::{Meaning, corrupt};
use crate::{Result, Waiting, fold};

/// Adds hints: one that is there takes a new number and the earlier due time, and its reason
/// becomes what [`HintReason::joined`] says.
pub(super) async fn add(connection: &mut PgConnection, hints: &[Hint]) -> Result<(), sqlx::Error> {
    let hints = fold::hints(hints);
    let text = |of: fn(&Hint) -> &str| -> Vec<String> {
        hints.values().map(|hint| of(hint).to_owned()).collect()
    };
    let due: Vec<i64> = hints.values().map(|hint| hint.due).collect();
    let reason: Vec<i16> = hints.values().map(|hint| code::reason(hint.reason)).collect();
    let tries: Vec<i16> = hints.values().map(|hint| hint.tries).collect();
    sqlx::query!(
        "insert into syncline.hint as h (system, entity, key, due, reason, tries)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int2[],
                              $6::int2[])
         on conflict (system, entity, key) do update
         set seq = excluded.seq, due = least(h.due, excluded.due), tries = excluded.tries,
             reason = case
                 when $7 in (h.reason, excluded.reason) then $7
                 when $8 in (h.reason, excluded.reason) then $8
                 else excluded.reason
             end",
        &text(|hint| hint.system.as_str()),
        &text(|hint| hint.entity.as_str()),
        &text(|hint| hint.key.as_str()),
        &due,
        &reason,
        &tries,
        code::reason(HintReason::Deleted),
        code::reason(HintReason::Sweep),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Removes hints that are done with, unless one was added again since.
pub(super) async fn remove(
    connection: &mut PgConnection,
    done: &[HintDone],
) -> Result<(), sqlx::Error> {
    let text = |of: fn(&HintDone) -> &str| -> Vec<String> {
        done.iter().map(|done| of(done).to_owned()).collect()
    };
    let seq: Vec<i64> = done.iter().map(|done| done.seq).collect();
    sqlx::query!(
        "delete from syncline.hint as h
         using unnest($1::text[], $2::text[], $3::text[], $4::int8[])
               as u (system, entity, key, seq)
         where h.system = u.system and h.entity = u.entity and h.key = u.key and h.seq = u.seq",
        &text(|done| done.system.as_str()),
        &text(|done| done.entity.as_str()),
        &text(|done| done.key.as_str()),
        &seq,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The hints of a system that are due, earliest first.
pub(super) async fn due(
    connection: &mut PgConnection,
    system: &SystemName,
    now: Instant,
    max: usize,
) -> Result<Vec<Hint>> {
    let rows = sqlx::query!(
        "select system, entity, key, seq, due, reason, tries
         from syncline.hint
         where system = $1 and due <= $2
         order by due, seq
         limit $3",
        system.as_str(),
        now.micros(),
        code::limit(max),
    )
    .fetch_all(connection)
    .await
    .meaning("take hints")?;
    rows.into_iter()
        .map(|row| {
            let reason = code::to_reason(row.reason)
                .ok_or_else(|| corrupt("hint", &row.key, format!("reason {}", row.reason)))?;
            Ok(Hint {
                system: SystemName::from(row.system),
                entity: EntityName::from(row.entity),
                key: Key::from(row.key),
                seq: row.seq,
                due: row.due,
                reason,
                tries: row.tries,
            })
        })
        .collect()
}

/// What waits, by system.
pub(super) async fn waiting(connection: &mut PgConnection) -> Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        r#"select system, count(*) as "hints!", min(due) as "due!"
           from syncline.hint group by system order by system"#
    )
    .fetch_all(connection)
    .await
    .meaning("count hints")?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting { system: SystemName::from(row.system), hints: row.hints, due: row.due })
        .collect())
}
