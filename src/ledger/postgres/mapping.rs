//! Table `mapping`.

use sqlx::{Connection, PgConnection};
use syncline_core::mapping::MappingId;
use syncline_sdk::Instant;

use super::error::Meaning;
use super::mapping_revision;
use crate::{MappingRevision, Result};

/// The number of a mapping and of the revision with this text; both are made where they are new.
pub(super) async fn number(
    connection: &mut PgConnection,
    name: &str,
    source: &str,
    at: Instant,
) -> Result<MappingRevision> {
    const WHAT: &str = "number a mapping";
    let mut transaction = connection.begin().await.meaning(WHAT)?;
    sqlx::query!(
        "insert into syncline.mapping (name, revision) values ($1, 0) on conflict do nothing",
        name
    )
    .execute(&mut *transaction)
    .await
    .meaning(WHAT)?;
    let known = sqlx::query!(
        r#"select m.id, m.revision, r.source as "source?"
           from syncline.mapping as m
           left join syncline.mapping_revision as r
                on r.mapping = m.id and r.revision = m.revision
           where m.name = $1
           for update of m"#,
        name
    )
    .fetch_one(&mut *transaction)
    .await
    .meaning(WHAT)?;
    let mapping = MappingId(known.id);
    let revision = if known.source.as_deref() == Some(source) {
        known.revision
    } else {
        let revision = known.revision + 1;
        sqlx::query!(
            "update syncline.mapping set revision = $2 where id = $1",
            known.id,
            revision,
        )
        .execute(&mut *transaction)
        .await
        .meaning(WHAT)?;
        let kept = mapping_revision::add(&mut transaction, known.id, revision, source, at).await;
        kept.meaning(WHAT)?;
        revision
    };
    transaction.commit().await.meaning(WHAT)?;
    Ok(MappingRevision { mapping, name: name.to_owned(), revision })
}

/// All mappings, by number.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<MappingRevision>> {
    let rows = sqlx::query!("select id, name, revision from syncline.mapping order by id")
        .fetch_all(connection)
        .await
        .meaning("list mappings")?;
    Ok(rows
        .into_iter()
        .map(|row| MappingRevision {
            mapping: MappingId(row.id),
            name: row.name,
            revision: row.revision,
        })
        .collect())
}
