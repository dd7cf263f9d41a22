//! Table `figure`.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use syncline_core::model::Figure;

use super::error::Meaning;
use crate::{Result, fold};

/// What figures rise by, as columns, each figure once and always in the same order, so that two
/// commits never wait for each other crosswise.
fn columns(figures: &[(Figure, i64)]) -> (Vec<&'static str>, Vec<i64>) {
    fold::figures(figures)
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(figure, count)| (figure.as_str(), count))
        .unzip()
}

/// Raises figures.
pub(super) async fn raise(
    connection: &mut PgConnection,
    figures: &[(Figure, i64)],
) -> Result<(), sqlx::Error> {
    let (names, counts) = columns(figures);
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into syncline.figure as f (name, value)
         select * from unnest($1::text[], $2::int8[])
         on conflict (name) do update set value = f.value + excluded.value",
        &names as _,
        &counts,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// All figures that this release knows.
pub(super) async fn all(connection: &mut PgConnection) -> Result<BTreeMap<Figure, i64>> {
    let rows = sqlx::query!("select name, value from syncline.figure")
        .fetch_all(connection)
        .await
        .meaning("read figures")?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let figure = Figure::ALL.into_iter().find(|figure| figure.as_str() == row.name)?;
            Some((figure, row.value))
        })
        .collect())
}
