//! Running one statement for a run of writes of one group.

use std::ops::Range;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row};

use super::plan::Group;
use super::state::State;
use super::statement::Verb;
use crate::layout::text;

/// Why a statement did not answer for its writes.
pub(crate) enum PieceError {
    Sql(sqlx::Error),
    /// Fewer rows came back than went in: a trigger suppressed some, and which is not known.
    Suppressed,
}

impl From<sqlx::Error> for PieceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Applies a run of writes. Their states are set only when the statement succeeded.
pub(crate) async fn piece(
    conn: &mut PgConnection,
    group: &Group<'_>,
    range: Range<usize>,
    states: &mut [State],
) -> Result<(), PieceError> {
    let mut arguments = PgArguments::default();
    for texts in &group.texts {
        arguments.add(&texts[range.clone()]).map_err(sqlx::Error::Encode)?;
    }
    let rows =
        sqlx::query_with(AssertSqlSafe(group.sql.as_str()), arguments).fetch_all(conn).await?;
    if rows.len() != range.len() {
        return Err(PieceError::Suppressed);
    }
    for (at, row) in rows.iter().enumerate() {
        let (place, state) = match group.shape.verb {
            Verb::Insert => (at, inserted(group, row)?),
            Verb::Update | Verb::Delete => guarded(group, row)?,
        };
        let write = group.writes.get(range.start + place);
        if let Some(slot) = write.and_then(|at| states.get_mut(*at)) {
            *slot = state;
        }
    }
    Ok(())
}

fn inserted(group: &Group<'_>, row: &PgRow) -> Result<State, sqlx::Error> {
    let key = group.layout.key(row, 0)?;
    let stored = group.layout.values(row, group.layout.table.key.len())?;
    Ok(State::Applied { stored: Some(stored), key: Some(key) })
}

fn guarded(group: &Group<'_>, row: &PgRow) -> Result<(usize, State), sqlx::Error> {
    let place: i64 = row.try_get(0)?;
    let place = usize::try_from(place - 1).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let state = match text(row, 1)? {
        Some("a") => {
            let kept = group.shape.verb == Verb::Update;
            let stored = kept.then(|| group.layout.values(row, 3)).transpose()?;
            State::Applied { stored, key: None }
        }
        Some("s") => State::Stale(Some(row.try_get(2)?)),
        Some("b") => State::Busy,
        Some("x") => State::Rejected(suppressed(group)),
        _ => State::Missing,
    };
    Ok((place, state))
}

/// The refusal of a row that a trigger took away.
pub(crate) fn suppressed(group: &Group<'_>) -> syncline_sdk::Error {
    syncline_sdk::Error::new(
        syncline_sdk::ErrorKind::Invalid,
        "push",
        format!("a trigger or policy of {} suppressed the row", group.place()),
    )
    .advise("look at the table's triggers that return null, and at its policies")
}
