//! Table `tally`.

use sqlx::PgConnection;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Counted, Tally};

use super::code;
use super::error::Meaning;
use crate::Result;

/// The number of what is of no direction.
const NO_SIDE: i16 = 2;

/// Raises counts, always in the order of their key.
pub(super) async fn raise(
    connection: &mut PgConnection,
    tallies: &[(Tally, i64)],
) -> Result<(), sqlx::Error> {
    let mapping: Vec<i32> = tallies.iter().map(|(tally, _)| tally.mapping.0).collect();
    let toward: Vec<i16> =
        tallies.iter().map(|(tally, _)| tally.toward.map_or(NO_SIDE, code::side)).collect();
    let name: Vec<String> =
        tallies.iter().map(|(tally, _)| tally.counted.name().into_owned()).collect();
    let value: Vec<i64> = tallies.iter().map(|(_, by)| *by).collect();
    sqlx::query!(
        "insert into syncline.tally as t (mapping, toward, name, value)
         select * from unnest($1::int4[], $2::int2[], $3::text[], $4::int8[])
         on conflict (mapping, toward, name) do update set value = t.value + excluded.value",
        &mapping,
        &toward,
        &name,
        &value,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// All counts that this release knows, in order.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<(Tally, i64)>> {
    let rows = sqlx::query!("select mapping, toward, name, value from syncline.tally")
        .fetch_all(connection)
        .await
        .meaning("read the counts of mappings")?;
    let tally = |mapping: i32, toward: i16, name: &str| {
        let toward: Option<Side> = match toward {
            NO_SIDE => None,
            side => Some(code::to_side(side)?),
        };
        Some(Tally { mapping: MappingId(mapping), toward, counted: Counted::named(name)? })
    };
    let mut counts: Vec<(Tally, i64)> = rows
        .into_iter()
        .filter_map(|row| Some((tally(row.mapping, row.toward, &row.name)?, row.value)))
        .collect();
    counts.sort();
    Ok(counts)
}
