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

/// What tallies rise by, as columns, in the order of their key.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) mapping: Vec<i32>,
    pub(super) toward: Vec<i16>,
    pub(super) name: Vec<String>,
    pub(super) value: Vec<i64>,
}

impl Columns {
    /// The columns.
    pub(super) fn new(tallies: &[(Tally, i64)]) -> Self {
        let mut columns = Self::default();
        for (tally, by) in tallies {
            columns.mapping.push(tally.mapping.0);
            columns.toward.push(tally.toward.map_or(NO_SIDE, code::side));
            columns.name.push(tally.counted.name().into_owned());
            columns.value.push(*by);
        }
        columns
    }
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
