//! Table `figure`.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use syncline_core::model::{Figure, Tally};

use super::error::Meaning;
use super::tally;
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

/// Raises figures, and counts of mappings.
pub(super) async fn raise(
    connection: &mut PgConnection,
    figures: &[(Figure, i64)],
    tallies: &[(Tally, i64)],
) -> Result<(), sqlx::Error> {
    let (names, counts) = columns(figures);
    if !tallies.is_empty() {
        return raise_both(connection, &names, &counts, &tally::Columns::new(tallies)).await;
    }
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

/// Figures and the counts of mappings in one statement: almost every commit that settles something
/// raises both.
async fn raise_both(
    connection: &mut PgConnection,
    names: &[&str],
    counts: &[i64],
    tallies: &tally::Columns,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with figures as (
             insert into syncline.figure as f (name, value)
             select * from unnest($1::text[], $2::int8[])
             on conflict (name) do update set value = f.value + excluded.value
         )
         insert into syncline.tally as t (mapping, toward, name, value)
         select * from unnest($3::int4[], $4::int2[], $5::text[], $6::int8[])
         on conflict (mapping, toward, name) do update set value = t.value + excluded.value",
        names as _,
        counts,
        &tallies.mapping,
        &tallies.toward,
        &tallies.name,
        &tallies.value,
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
