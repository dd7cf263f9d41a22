//! Tables `install`, `mapping`, `mapping_revision`, `schema_snapshot` and `token`.

use async_trait::async_trait;
use secrecy::SecretString;
use sqlx::{Connection, PgConnection};
use syncline_core::mapping::MappingId;
use syncline_sdk::{EntityName, Instant, SystemName};

use super::error::Meaning;
use super::session::call;
use super::{Postgres, SealKey};
use crate::{LedgerError, MappingRevision, Result, Setup, Snapshot};

#[async_trait]
impl Setup for Postgres {
    async fn install(&self, candidate: &str) -> Result<String> {
        call!(self, "read the installation's id", |connection| install(connection, candidate))
    }

    async fn mapping(&self, name: &str, source: &str, at: Instant) -> Result<MappingRevision> {
        call!(self, "number a mapping", |connection| number(connection, name, source, at))
    }

    async fn mappings(&self) -> Result<Vec<MappingRevision>> {
        call!(self, "list mappings", |connection| mappings(connection))
    }

    async fn snapshot(&self, system: &SystemName, entity: &EntityName) -> Result<Option<Snapshot>> {
        call!(self, "read a schema snapshot", |connection| snapshot(connection, system, entity))
    }

    async fn keep_snapshot(
        &self,
        system: &SystemName,
        entity: &EntityName,
        snapshot: &Snapshot,
    ) -> Result<()> {
        call!(self, "keep a schema snapshot", |connection| {
            keep_snapshot(connection, system, entity, snapshot)
        })
    }

    async fn token(&self, system: &SystemName, name: &str) -> Result<Option<SecretString>> {
        const WHAT: &str = "read a stored login";
        let sealed: Option<Vec<u8>> =
            call!(self, "read a stored login", |connection| token(connection, system, name))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.key(WHAT)?.open(&place(system, name), &sealed);
        let reason = format!(
            "{name} of {system} was sealed with another key; bring that key back, or log in again"
        );
        opened.map(Some).ok_or(LedgerError::Refused { what: WHAT, reason, source: None })
    }

    async fn keep_token(
        &self,
        system: &SystemName,
        name: &str,
        token: &SecretString,
    ) -> Result<()> {
        const WHAT: &str = "keep a login";
        let sealed = self.key(WHAT)?.seal(&place(system, name), token);
        let sealed = sealed.ok_or_else(|| LedgerError::Refused {
            what: WHAT,
            reason: "the system's generator of random numbers failed".to_owned(),
            source: None,
        })?;
        call!(self, "keep a login", |connection| keep_token(connection, system, name, &sealed))
    }
}

impl Postgres {
    fn key(&self, what: &'static str) -> Result<&SealKey> {
        self.key.as_deref().ok_or_else(|| LedgerError::Refused {
            what,
            reason: "there is no key to seal logins with".to_owned(),
            source: None,
        })
    }
}

/// Where a sealed secret belongs.
fn place(system: &SystemName, name: &str) -> String {
    format!("{system}/{name}")
}

async fn install(connection: &mut PgConnection, candidate: &str) -> Result<String> {
    const WHAT: &str = "read the installation's id";
    sqlx::query!("insert into syncline.install (id) values ($1) on conflict do nothing", candidate)
        .execute(&mut *connection)
        .await
        .meaning(WHAT)?;
    sqlx::query_scalar!("select id from syncline.install").fetch_one(connection).await.meaning(WHAT)
}

async fn number(
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
            "with raised as (update syncline.mapping set revision = $2 where id = $1)
             insert into syncline.mapping_revision (mapping, revision, source, made_at)
             values ($1, $2, $3, $4)",
            known.id,
            revision,
            source,
            at.micros(),
        )
        .execute(&mut *transaction)
        .await
        .meaning(WHAT)?;
        revision
    };
    transaction.commit().await.meaning(WHAT)?;
    Ok(MappingRevision { mapping, name: name.to_owned(), revision })
}

async fn mappings(connection: &mut PgConnection) -> Result<Vec<MappingRevision>> {
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

async fn snapshot(
    connection: &mut PgConnection,
    system: &SystemName,
    entity: &EntityName,
) -> Result<Option<Snapshot>> {
    let row = sqlx::query!(
        "select fingerprint, taken_at from syncline.schema_snapshot
         where system = $1 and entity = $2",
        system.as_str(),
        entity.as_str(),
    )
    .fetch_optional(connection)
    .await
    .meaning("read a schema snapshot")?;
    Ok(row.map(|row| Snapshot {
        fingerprint: row.fingerprint,
        at: Instant::from_micros(row.taken_at),
    }))
}

async fn keep_snapshot(
    connection: &mut PgConnection,
    system: &SystemName,
    entity: &EntityName,
    snapshot: &Snapshot,
) -> Result<()> {
    sqlx::query!(
        "insert into syncline.schema_snapshot (system, entity, fingerprint, taken_at)
         values ($1, $2, $3, $4)
         on conflict (system, entity) do update
         set fingerprint = excluded.fingerprint, taken_at = excluded.taken_at",
        system.as_str(),
        entity.as_str(),
        snapshot.fingerprint,
        snapshot.at.micros(),
    )
    .execute(connection)
    .await
    .meaning("keep a schema snapshot")?;
    Ok(())
}

async fn token(
    connection: &mut PgConnection,
    system: &SystemName,
    name: &str,
) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select sealed from syncline.token where system = $1 and name = $2",
        system.as_str(),
        name,
    )
    .fetch_optional(connection)
    .await
    .meaning("read a stored login")
}

async fn keep_token(
    connection: &mut PgConnection,
    system: &SystemName,
    name: &str,
    sealed: &[u8],
) -> Result<()> {
    sqlx::query!(
        "insert into syncline.token (system, name, sealed) values ($1, $2, $3)
         on conflict (system, name) do update set sealed = excluded.sealed, kept_at = now()",
        system.as_str(),
        name,
        sealed,
    )
    .execute(connection)
    .await
    .meaning("keep a login")?;
    Ok(())
}
