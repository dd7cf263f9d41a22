//! The operational database as people use it, and its own history.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _, FromRow};

use super::crm::Saved;
use super::world::{KEY, Kind};

/// The name of the database.
pub(super) const DATABASE: &str = "ops";
/// The role of the people.
pub(super) const DESK: &str = "desk";
/// The role of the sync.
pub(super) const SYNC: &str = "integration";

const SCHEMA: &str = include_str!("files/ops.sql");
/// As many people as save at a time.
const CONNECTIONS: u32 = 12;
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often somebody saves a form again when somebody else was faster.
const TRIES: usize = 5;

/// The database, from outside.
#[derive(Clone, Debug)]
pub(super) struct Ops {
    people: PgPool,
    judge: PgPool,
}

/// One row of the history that the database's triggers write.
#[derive(Debug, FromRow)]
pub(super) struct Change {
    /// Its place.
    pub seq: i64,
    /// The role that did it.
    pub author: String,
    /// `INSERT`, `UPDATE` or `DELETE`.
    pub op: String,
    /// The table.
    pub entity: String,
    /// The record.
    pub record: String,
    /// The row before.
    pub before: Option<Value>,
    /// The row after.
    pub after: Option<Value>,
}

/// The address of the database with another user.
pub(super) fn url_of(user: &str, superuser: &str) -> anyhow::Result<String> {
    let mut url = reqwest::Url::parse(superuser).context("the address of ops")?;
    url.set_username(user).ok().context("the address of ops takes no user")?;
    Ok(url.into())
}

impl Ops {
    /// Makes tables, users and triggers, and connects as the people. All roles have the
    /// superuser's password, which nobody can guess.
    pub async fn open(superuser: &str) -> anyhow::Result<Self> {
        let url = reqwest::Url::parse(superuser).context("the address of ops")?;
        let schema = SCHEMA.replace("{password}", url.password().unwrap_or_default());
        let judge = PgPoolOptions::new().max_connections(3).connect(superuser).await;
        let judge = judge.context("the database ops")?;
        judge.execute(sqlx::raw_sql(AssertSqlSafe(schema))).await.context("the tables of ops")?;
        let people = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(TIMEOUT)
            .connect(&url_of(DESK, superuser)?)
            .await
            .context("the database ops, as the people")?;
        Ok(Self { people, judge })
    }

    /// Inserts many records in one transaction; gives their ids in order. A reference is an id.
    pub async fn seed(
        &self,
        kind: Kind,
        rows: &[Vec<Option<String>>],
    ) -> anyhow::Result<Vec<String>> {
        let names: Vec<&str> = kind.fields().iter().map(|field| field.ops).collect();
        let mut ids = Vec::with_capacity(rows.len());
        let mut work = self.people.begin().await?;
        for row in rows {
            let sql = insert(kind, &names);
            let mut query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql));
            for value in row {
                query = query.bind(value);
            }
            ids.push(query.fetch_one(&mut *work).await.context("seeding ops")?);
        }
        work.commit().await?;
        Ok(ids)
    }

    /// Makes a record as a person; gives its id.
    pub async fn create(
        &self,
        kind: Kind,
        fields: &[(usize, String)],
    ) -> anyhow::Result<Saved<String>> {
        let names: Vec<&str> = fields.iter().map(|(at, _)| kind.fields()[*at].ops).collect();
        let mut query = sqlx::query_scalar::<_, String>(AssertSqlSafe(insert(kind, &names)));
        for (_, value) in fields {
            query = query.bind(value);
        }
        saved(query.fetch_one(&self.people).await)
    }

    /// Reads fields of a record; nothing when it is gone.
    pub async fn values(
        &self,
        kind: Kind,
        id: &str,
        fields: &[usize],
    ) -> anyhow::Result<Option<Vec<Option<String>>>> {
        let names: Vec<String> =
            fields.iter().map(|at| format!("{}::text", kind.fields()[*at].ops)).collect();
        let sql = format!(
            "select array[{}] from public.{} where id = $1::uuid",
            names.join(", "),
            kind.table()
        );
        let found = sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.people);
        found.await.context("reading ops")
    }

    /// Changes fields of a record as a person whose form holds what was read: when somebody else
    /// was faster the form is read again. Gives what was seen last.
    pub async fn update(
        &self,
        kind: Kind,
        id: &str,
        fields: &[(usize, String)],
        mut saw: Vec<Option<String>>,
    ) -> anyhow::Result<Saved<Vec<Option<String>>>> {
        let places: Vec<usize> = fields.iter().map(|(at, _)| *at).collect();
        for _ in 0..TRIES {
            let sql = update(kind, &places);
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(id);
            for ((_, new), old) in fields.iter().zip(&saw) {
                query = query.bind(new).bind(old);
            }
            match saved(query.execute(&self.people).await)? {
                Saved::Refused(why) => return Ok(Saved::Refused(why)),
                Saved::Done(done) if done.rows_affected() > 0 => return Ok(Saved::Done(saw)),
                Saved::Done(_) => match self.values(kind, id, &places).await? {
                    Some(now) => saw = now,
                    None => return Ok(Saved::Refused("the record is gone".to_owned())),
                },
            }
        }
        Ok(Saved::Refused("somebody else was always faster".to_owned()))
    }

    /// Deletes a record as a person.
    pub async fn delete(&self, kind: Kind, id: &str) -> anyhow::Result<Saved<()>> {
        let sql = format!("delete from public.{} where id = $1::uuid", kind.table());
        let done = sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&self.people).await;
        Ok(match saved(done)? {
            Saved::Done(done) if done.rows_affected() == 0 => {
                Saved::Refused("the record is gone".to_owned())
            }
            Saved::Done(_) => Saved::Done(()),
            Saved::Refused(why) => Saved::Refused(why),
        })
    }

    /// Every record: its id and its business key.
    pub async fn keys(&self, kind: Kind) -> anyhow::Result<Vec<(String, String)>> {
        let key = kind.fields()[KEY].ops;
        let sql = format!("select id::text, {key}::text from public.{}", kind.table());
        let found = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.people).await;
        found.context("listing ops")
    }

    /// The whole history, in the order of the changes of each record.
    pub async fn history(&self) -> anyhow::Result<Vec<Change>> {
        let sql = "select seq, author, op, entity, record::text as record, before, after \
                   from history.change order by seq";
        let found = sqlx::query_as(sql).fetch_all(&self.judge).await;
        found.context("the history of ops")
    }

    /// The number of the last change.
    pub async fn last_seq(&self) -> anyhow::Result<u64> {
        let sql = "select coalesce(max(seq), 0) from history.change";
        let last: i64 = sqlx::query_scalar(sql).fetch_one(&self.judge).await?;
        Ok(u64::try_from(last)?)
    }

    /// Whether the sync has written anything after a change.
    pub async fn is_written_since(&self, seq: u64) -> anyhow::Result<bool> {
        let sql = "select exists (select from history.change where seq > $1 and author = $2)";
        let found = sqlx::query_scalar(sql).bind(i64::try_from(seq)?).bind(SYNC);
        found.fetch_one(&self.judge).await.context("the history of ops")
    }

    /// Ends the connections.
    pub async fn close(&self) {
        self.people.close().await;
        self.judge.close().await;
    }
}

fn insert(kind: Kind, names: &[&str]) -> String {
    let values: Vec<String> =
        (1..).zip(names).map(|(number, name)| format!("${number}{}", cast(name))).collect();
    let (names, values) = (names.join(", "), values.join(", "));
    format!("insert into public.{} ({names}) values ({values}) returning id::text", kind.table())
}

fn update(kind: Kind, places: &[usize]) -> String {
    let (mut sets, mut conditions) = (Vec::new(), Vec::new());
    for (at, place) in places.iter().enumerate() {
        let name = kind.fields()[*place].ops;
        sets.push(format!("{name} = ${}", 2 * at + 2));
        conditions.push(format!("{name} is not distinct from ${}", 2 * at + 3));
    }
    format!(
        "update public.{} set {} where id = $1::uuid and {}",
        kind.table(),
        sets.join(", "),
        conditions.join(" and ")
    )
}

fn cast(name: &str) -> &'static str {
    if name.ends_with("_id") { "::uuid" } else { "" }
}

/// A refusal by a rule of the database is an answer; anything else is a failure.
fn saved<T>(done: Result<T, sqlx::Error>) -> anyhow::Result<Saved<T>> {
    match done {
        Ok(done) => Ok(Saved::Done(done)),
        Err(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| {
                // Integrity, serialisation and deadlocks, locks not available.
                ["23", "40", "55"].iter().any(|class| code.starts_with(class))
            }) =>
        {
            Ok(Saved::Refused(error.to_string()))
        }
        Err(error) => bail!(anyhow::Error::from(error).context("the database ops")),
    }
}
