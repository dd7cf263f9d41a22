//! Table `position`.

use sqlx::PgConnection;
use syncline_core::model::StreamPosition;

use super::error::Meaning;
use crate::{Result, fold};

/// Moves positions.
pub(super) async fn move_to(
    connection: &mut PgConnection,
    at: i64,
    positions: &[StreamPosition],
) -> Result<(), sqlx::Error> {
    let positions = fold::last(positions, |position| &position.stream);
    let column = |of: fn(&StreamPosition) -> &String| -> Vec<String> {
        positions.values().map(|position| of(position).clone()).collect()
    };
    sqlx::query!(
        "insert into syncline.position (stream, identity, place, moved_at)
         select u.stream, u.identity, u.place, $1
         from unnest($2::text[], $3::text[], $4::text[]) as u (stream, identity, place)
         on conflict (stream) do update
         set identity = excluded.identity, place = excluded.place, moved_at = excluded.moved_at",
        at,
        &column(|position| &position.stream),
        &column(|position| &position.identity),
        &column(|position| &position.place),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// All positions.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<StreamPosition>> {
    sqlx::query_as!(
        StreamPosition,
        "select stream, identity, place from syncline.position order by stream"
    )
    .fetch_all(connection)
    .await
    .meaning("load positions")
}
