//! The ledger's running figures.

use std::collections::BTreeMap;

use sqlx::PgPool;

/// The figures now, by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, i64>);

impl Figures {
    /// Reads them; all are zero where there is no ledger yet.
    pub(crate) async fn read(ledger: &PgPool) -> anyhow::Result<Self> {
        let rows =
            sqlx::query_as("select name, value from syncline.figure").fetch_all(ledger).await;
        match rows {
            Ok(rows) => Ok(Self(rows.into_iter().collect())),
            Err(error) if no_table(&error) => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }
    /// One of them.
    pub(crate) fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

/// How many first loads of a mapping are done; two when both sides are.
pub(crate) async fn loads_done(ledger: &PgPool, mapping: &str) -> anyhow::Result<i64> {
    let done = sqlx::query_scalar(
        "select count(*) from syncline.position where stream like $1 and place = $2",
    )
    .bind(format!("load:{mapping}:%"))
    .bind(syncline_engine::LOADED)
    .fetch_one(ledger)
    .await;
    match done {
        Err(error) if no_table(&error) => Ok(0),
        done => Ok(done?),
    }
}

/// Whether the engine has not yet made its tables.
fn no_table(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|inner| inner.code()).is_some_and(|code| code == "42P01")
}
