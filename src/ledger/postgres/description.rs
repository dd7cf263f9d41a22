//! Table `description`.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_sdk::{Capabilities, EntityName, EntitySchema, FieldName, Instant, SystemName};

use super::code;
use super::error::{Meaning, corrupt};
use crate::{Description, Result};

/// The version of what stands in column `described`.
const VERSION: u8 = 1;

/// What is kept behind the version.
#[derive(Serialize, Deserialize)]
struct Described {
    schema: EntitySchema,
    capabilities: Capabilities,
    #[serde(default)]
    gone: Vec<FieldName>,
}

/// What was kept last.
pub(super) async fn find(
    connection: &mut PgConnection,
    mapping: MappingId,
    side: Side,
) -> Result<Option<Description>> {
    let row = sqlx::query!(
        "select system, entity, described, described_at from syncline.description
         where mapping = $1 and side = $2",
        mapping.0,
        code::side(side),
    )
    .fetch_optional(connection)
    .await
    .meaning("read a description")?;
    let Some(row) = row else { return Ok(None) };
    let Described { schema, capabilities, gone } = read(&row.described)
        .map_err(|reason| corrupt("description", format!("{mapping}, {side}"), reason))?;
    Ok(Some(Description {
        system: SystemName::new(row.system),
        entity: EntityName::new(row.entity),
        schema,
        capabilities,
        gone,
        at: Instant::from_micros(row.described_at),
    }))
}

fn read(bytes: &[u8]) -> Result<Described, String> {
    match bytes {
        [VERSION, json @ ..] => serde_json::from_slice(json).map_err(|error| error.to_string()),
        [version, ..] => Err(format!("version {version} is not known; a newer release wrote it")),
        [] => Err("it is empty".to_owned()),
    }
}

/// Replaces what was kept.
pub(super) async fn keep(
    connection: &mut PgConnection,
    mapping: MappingId,
    side: Side,
    description: &Description,
) -> Result<()> {
    let Description { system, entity, schema, capabilities, gone, at } = description.clone();
    let mut described = vec![VERSION];
    serde_json::to_writer(&mut described, &Described { schema, capabilities, gone })
        .map_err(|error| corrupt("description", format!("{mapping}, {side}"), error))?;
    sqlx::query!(
        "insert into syncline.description
             (mapping, side, system, entity, described, described_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (mapping, side) do update
         set system = excluded.system, entity = excluded.entity,
             described = excluded.described, described_at = excluded.described_at",
        mapping.0,
        code::side(side),
        system.as_str(),
        entity.as_str(),
        described,
        at.micros(),
    )
    .execute(connection)
    .await
    .meaning("keep a description")?;
    Ok(())
}
