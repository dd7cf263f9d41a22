//! Statements that write links. Each asserts, through its caller, how many rows it touched.

use sqlx::PgConnection;

use syncline_core::encoding::encode_link;
use syncline_core::model::Link;
use uuid::Uuid;

use super::{BodyRow, Columns, Guards};
use crate::Result as Answer;
use crate::postgres::code;
use crate::postgres::error::Meaning;
use crate::postgres::keyring::Name;

type Touched = Result<u64, sqlx::Error>;

/// Adds links. A name that is taken is a unique violation.
pub(in crate::postgres) async fn insert(
    connection: &mut PgConnection,
    epoch: i64,
    links: &Columns,
) -> Touched {
    sqlx::query!(
        "insert into syncline.link
             (mapping, link, shard, state, epoch, sync_version, left_open, right_open, last_entry,
              left_key, right_key, body)
         select u.mapping, u.link, u.shard, u.state, $1, u.sync_version, u.left_open,
                u.right_open, u.last_entry, u.left_key, u.right_key, u.body
         from unnest($2::int4[], $3::uuid[], $4::int2[], $5::int2[], $6::int8[], $7::int8[],
                     $8::int8[], $9::int8[], $10::text[], $11::text[], $12::bytea[])
              as u (mapping, link, shard, state, sync_version, left_open, right_open, last_entry,
                    left_key, right_key, body)",
        epoch,
        &links.mapping,
        &links.link,
        &links.shard,
        &links.state,
        &links.sync_version,
        &links.left_open as _,
        &links.right_open as _,
        &links.last_entry as _,
        &links.left_key as _,
        &links.right_key as _,
        &links.body,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// Updates links that keep their keys: the common path. No indexed column is named, so that the
/// new row versions stay in their pages.
pub(in crate::postgres) async fn update(
    connection: &mut PgConnection,
    epoch: i64,
    links: &Columns,
    guards: &Guards,
) -> Touched {
    sqlx::query!(
        "update syncline.link as l
         set state = u.state, epoch = $1, sync_version = u.sync_version,
             left_open = u.left_open, right_open = u.right_open, last_entry = u.last_entry,
             body = u.body
         from unnest($2::int4[], $3::uuid[], $4::int2[], $5::int8[], $6::int8[], $7::int8[],
                     $8::int8[], $9::bytea[], $10::int8[], $11::int8[], $12::int8[], $13::int8[])
              as u (mapping, link, state, sync_version, left_open, right_open, last_entry, body,
                    read_sync_version, read_left_open, read_right_open, read_last_entry)
         where l.mapping = u.mapping and l.link = u.link
           and l.sync_version = u.read_sync_version
           and l.left_open is not distinct from u.read_left_open
           and l.right_open is not distinct from u.read_right_open
           and l.last_entry is not distinct from u.read_last_entry",
        epoch,
        &links.mapping,
        &links.link,
        &links.state,
        &links.sync_version,
        &links.left_open as _,
        &links.right_open as _,
        &links.last_entry as _,
        &links.body,
        &guards.sync_version,
        &guards.left_open as _,
        &guards.right_open as _,
        &guards.last_entry as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// Updates links whose keys changed.
pub(in crate::postgres) async fn update_with_keys(
    connection: &mut PgConnection,
    epoch: i64,
    links: &Columns,
    guards: &Guards,
) -> Touched {
    sqlx::query!(
        "update syncline.link as l
         set state = u.state, epoch = $1, sync_version = u.sync_version,
             left_open = u.left_open, right_open = u.right_open, last_entry = u.last_entry,
             body = u.body, left_key = u.left_key, right_key = u.right_key
         from unnest($2::int4[], $3::uuid[], $4::int2[], $5::int8[], $6::int8[], $7::int8[],
                     $8::int8[], $9::bytea[], $10::int8[], $11::int8[], $12::int8[], $13::int8[],
                     $14::text[], $15::text[])
              as u (mapping, link, state, sync_version, left_open, right_open, last_entry, body,
                    read_sync_version, read_left_open, read_right_open, read_last_entry,
                    left_key, right_key)
         where l.mapping = u.mapping and l.link = u.link
           and l.sync_version = u.read_sync_version
           and l.left_open is not distinct from u.read_left_open
           and l.right_open is not distinct from u.read_right_open
           and l.last_entry is not distinct from u.read_last_entry",
        epoch,
        &links.mapping,
        &links.link,
        &links.state,
        &links.sync_version,
        &links.left_open as _,
        &links.right_open as _,
        &links.last_entry as _,
        &links.body,
        &guards.sync_version,
        &guards.left_open as _,
        &guards.right_open as _,
        &guards.last_entry as _,
        &links.left_key as _,
        &links.right_key as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// Replaces bodies by others that say the same, where they are as they were read.
pub(in crate::postgres) async fn replace_bodies(
    connection: &mut PgConnection,
    read: &[BodyRow],
    bodies: &[Vec<u8>],
) -> Answer<u64> {
    let (mapping, link): (Vec<i32>, Vec<Uuid>) = read.iter().map(|row| row.name).unzip();
    let was: Vec<Vec<u8>> = read.iter().map(|row| row.body.clone()).collect();
    sqlx::query!(
        "update syncline.link as l set body = u.body
         from unnest($1::int4[], $2::uuid[], $3::bytea[], $4::bytea[])
              as u (mapping, link, was, body)
         where l.mapping = u.mapping and l.link = u.link and l.body = u.was",
        &mapping,
        &link,
        &was,
        bodies,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .meaning("encrypt links")
}

/// Writes links without the values that they had, in clear, where they are as they were read. The
/// sync version rises, so that whoever has read one before writes nothing of that. Gives those
/// that were written.
pub(in crate::postgres) async fn erase(
    connection: &mut PgConnection,
    links: &[Link],
) -> Answer<Vec<Name>> {
    let (mut mapping, mut link, mut body) = (Vec::new(), Vec::new(), Vec::new());
    let (mut version, mut entry) = (Vec::new(), Vec::new());
    for read in links {
        mapping.push(read.mapping.0);
        link.push(read.id.0);
        version.push(read.sync_version);
        entry.push(code::entry_or_null(read.last_entry)?);
        let mut erased = read.clone();
        erased.erase();
        body.push(encode_link(&erased));
    }
    let rows = sqlx::query!(
        "update syncline.link as l set body = u.body, sync_version = l.sync_version + 1
         from unnest($1::int4[], $2::uuid[], $3::int8[], $4::int8[], $5::bytea[])
              as u (mapping, link, sync_version, last_entry, body)
         where l.mapping = u.mapping and l.link = u.link and l.sync_version = u.sync_version
           and l.last_entry is not distinct from u.last_entry
           and l.left_open is null and l.right_open is null
         returning l.mapping, l.link",
        &mapping,
        &link,
        &version,
        &entry as _,
        &body,
    )
    .fetch_all(connection)
    .await
    .meaning("forget links")?;
    Ok(rows.into_iter().map(|row| (row.mapping, row.link)).collect())
}

/// The first link that is not as it was loaded, for the log. Asked after the roll-back, so that
/// it may have become right again meanwhile: then nothing is found.
pub(in crate::postgres) async fn first_moved(
    connection: &mut PgConnection,
    links: &Columns,
    guards: &Guards,
) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select u.link as "asked!", l.sync_version as "sync_version?",
                  l.sync_version is distinct from u.read_sync_version as "version_moved!",
                  l.left_open is distinct from u.read_left_open as "left_moved!",
                  l.right_open is distinct from u.read_right_open as "right_moved!"
           from unnest($1::int4[], $2::uuid[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
                as u (mapping, link, read_sync_version, read_left_open, read_right_open,
                      read_last_entry)
           left join syncline.link as l on l.mapping = u.mapping and l.link = u.link
           where l.link is null
              or l.sync_version is distinct from u.read_sync_version
              or l.left_open is distinct from u.read_left_open
              or l.right_open is distinct from u.read_right_open
              or l.last_entry is distinct from u.read_last_entry
           limit 1"#,
        &links.mapping,
        &links.link,
        &guards.sync_version,
        &guards.left_open as _,
        &guards.right_open as _,
        &guards.last_entry as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let link = row.asked;
        match row.sync_version {
            None => format!("link {link} is not there"),
            Some(version) if row.version_moved => {
                format!("link {link} is at sync version {version} by now")
            }
            Some(_) if row.left_moved => {
                format!("the open intent of link {link} on the left is another by now")
            }
            Some(_) if row.right_moved => {
                format!("the open intent of link {link} on the right is another by now")
            }
            Some(_) => format!("link {link} has a newer journal entry"),
        }
    }))
}
