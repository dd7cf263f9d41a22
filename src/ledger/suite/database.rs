//! A database of its own for each test, on the cluster that the tests run beside.

use secrecy::SecretString;
use sqlx::{Connection, Executor, PgConnection};

use crate::postgres::{Access, Postgres, SealKey, connect, migrate};

/// A fresh database.
pub(crate) struct Database {
    url: String,
}

impl Database {
    /// Makes it. It goes with its cluster.
    pub(crate) async fn new() -> Self {
        let server = server();
        let name = format!("ledger_{}_{}", std::process::id(), next());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let statement = format!("create database {name}");
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}") }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The ledger in it, its tables made.
    pub(crate) async fn ledger(&self) -> Postgres {
        self.ledger_at(&self.url).await
    }

    /// The ledger in it, reached by another address.
    pub(crate) async fn ledger_at(&self, url: &str) -> Postgres {
        let pool = connect(url, Access::Encrypted).await.unwrap();
        migrate(&pool).await.unwrap();
        Postgres::new(pool, Some(key("7f")))
    }

    /// The ledger in it, opened with the key of these digits, or with none.
    pub(crate) async fn ledger_with(&self, digits: Option<&str>) -> Postgres {
        let pool = connect(&self.url, Access::Encrypted).await.unwrap();
        Postgres::new(pool, digits.map(key))
    }
}

/// A key of two digits over and over.
fn key(digits: &str) -> SealKey {
    SealKey::parse(&SecretString::from(digits.repeat(32)), "the test's file").unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the wrapper of the tests names its cluster there")]
fn server() -> String {
    std::env::var("SYNCLINE_TEST_POSTGRES_URL")
        .expect("SYNCLINE_TEST_POSTGRES_URL is not set: run the tests by make test")
}

/// Tests of one process share its id.
fn next() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
