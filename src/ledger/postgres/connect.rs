//! Connecting: encryption for strangers, limits for silence.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};

use super::error::unavailable;
use crate::{LedgerError, Result};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// More connections only queue: the ledger is one hot set of rows. One commits, one loads, two
/// are for people.
const CONNECTIONS_MAX: u32 = 4;

/// How long a call waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What those who look on have: connections of their own, so that they wait for each other and
/// the engine for nobody.
const LOOKING_CONNECTIONS_MAX: u32 = 2;
const LOOKING_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);
/// The longest that a statement of theirs takes, milliseconds.
const LOOKING_STATEMENT_MS: &str = "8000";

/// How the ledger's database may be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    /// Another machine only over TLS: with its certificate verified, unless the address says
    /// otherwise.
    #[default]
    Encrypted,
    /// In plain text too.
    PlainAllowed,
}

/// Connects to the ledger's database.
///
/// # Errors
/// `Refused` when the address is not one or would send plain text to another machine;
/// `Unavailable` when the database does not answer.
pub async fn connect(url: &str, access: Access) -> Result<PgPool> {
    let options = options(url, access)?;
    PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping before each call would be a round trip more, and the connection may break behind
        // it all the same.
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|error| unavailable("connect to its database", error))
}

/// A second pool on the database of another, for those who look on while an engine works: an
/// API, metrics. It connects when it is used first. Few calls run on it at once, none for long;
/// one that gets no connection soon fails as `Unavailable`.
#[must_use]
pub(super) fn beside(pool: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&pool.connect_options())
        .application_name("syncline looking")
        .options([
            ("statement_timeout", LOOKING_STATEMENT_MS),
            ("lock_timeout", LOOKING_STATEMENT_MS),
            // What is asked here differs, and some of it is about whole tables.
            ("plan_cache_mode", "auto"),
            ("enable_hashjoin", "on"),
            ("enable_mergejoin", "on"),
            ("enable_seqscan", "on"),
        ]);
    PgPoolOptions::new()
        .max_connections(LOOKING_CONNECTIONS_MAX)
        .acquire_timeout(LOOKING_ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

/// Brings the tables to this release. Repeating it changes nothing; two processes at once take
/// turns.
///
/// # Errors
/// `Refused` when a migration fails, or the tables belong to a newer release.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    let refused = |reason: String, source| LedgerError::Refused {
        what: "migrate",
        reason,
        source: Some(source),
    };
    // The list of migrations lives in the schema as well: the search path names it, and that
    // takes effect once the schema is there.
    sqlx::query("create schema if not exists syncline")
        .execute(pool)
        .await
        .map_err(|error| refused(error.to_string(), error.into()))?;
    MIGRATIONS.run(pool).await.map_err(|error| refused(error.to_string(), error.into()))
}

fn options(url: &str, access: Access) -> Result<PgConnectOptions> {
    let refused = |reason: String| LedgerError::Refused {
        what: "the address of its database",
        reason,
        source: None,
    };
    // The parser's own words may repeat the address, and with it a password.
    let mut options = PgConnectOptions::from_str(url).map_err(|_| {
        refused("it is not of the form postgres://user:password@host:port/database".to_owned())
    })?;
    if is_remote(&options) && access == Access::Encrypted {
        if !url.contains("sslmode=") && !url.contains("ssl-mode=") {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        if matches!(
            options.get_ssl_mode(),
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
        ) {
            return Err(refused(format!(
                "it may send plain text to {}; say sslmode=verify-full, or allow plain text",
                options.get_host()
            )));
        }
    }
    Ok(options.application_name("syncline").options([
        ("search_path", "syncline,public"),
        // A connection whose other end is gone is noticed by the server, and its locks freed.
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("statement_timeout", "30000"),
        ("lock_timeout", "20000"),
        ("idle_in_transaction_session_timeout", "60000"),
        // The engine's statements join a few hundred rows of a parameter with a table by its
        // key: one plan is right whatever the statistics say, and it is made once.
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("enable_seqscan", "off"),
        ("jit", "off"),
    ]))
}

fn is_remote(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<String> {
        options(url, Access::Encrypted).map(|options| format!("{:?}", options.get_ssl_mode()))
    }

    #[test]
    fn strangers_are_verified() {
        assert_eq!(mode("postgres://u@db.example/l").unwrap(), "VerifyFull");
        assert_eq!(mode("postgres://u@db.example/l?sslmode=require").unwrap(), "Require");
        assert!(mode("postgres://u@db.example/l?sslmode=prefer").is_err());
        assert!(mode("postgres://u@10.1.2.3/l?sslmode=disable").is_err());
    }

    #[test]
    fn this_machine_needs_no_encryption() {
        for host in ["localhost", "127.0.0.1", "%2Fvar%2Frun%2Fpostgresql"] {
            assert_eq!(mode(&format!("postgres://u@{host}/l")).unwrap(), "Prefer", "{host}");
        }
    }

    #[test]
    fn a_bad_address_does_not_show_its_password() {
        let error = mode("postgres://u:secret@host:port/l").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
