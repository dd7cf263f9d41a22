//! Opening the ledger: a database of the settings, or a private cluster of our own.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use syncline_ledger::LedgerError;
use syncline_ledger::postgres::{Access, Postgres, SealKey, connect, migrate};

use crate::embedded::{Cluster, ClusterOptions};
use crate::settings::Settings;

/// The database of the ledger in a cluster of our own.
const DATABASE: &str = "syncline";
/// The name of that cluster in the state folder.
const CLUSTER: &str = "ledger";
/// The file of the key of stored logins and of sensitive fields, in the state folder.
const KEY: &str = "key";

/// How long a connection that is at work may keep its pool from closing.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// The ledger, and the cluster it lives in where that is ours.
pub struct LedgerHandle {
    /// The ledger.
    pub ledger: Postgres,
    /// Its private cluster. It goes on when this process is killed: the next one adopts it.
    pub cluster: Option<Cluster>,
}

/// The private cluster of the ledger.
fn private(settings: &Settings) -> ClusterOptions {
    ClusterOptions {
        state_dir: settings.ledger.state_dir.clone(),
        name: CLUSTER.to_owned(),
        logical: false,
        programs: None,
    }
}

/// Connects to the ledger's database, its private cluster made, started or adopted. The tables
/// stay as they are.
///
/// # Errors
/// When the database does not answer; the message says what to do.
pub async fn reach_ledger(settings: &Settings) -> anyhow::Result<(PgPool, Option<Cluster>)> {
    let (url, cluster) = match &settings.ledger.url {
        Some(url) => (url.clone(), None),
        None => {
            let cluster = Cluster::ensure(&private(settings))
                .await
                .context("the private Postgres of the ledger could not be started")?;
            cluster.ensure_database(DATABASE).await?;
            (cluster.url(DATABASE), Some(cluster))
        }
    };
    // The settings have refused an address that would send plain text where that is not allowed.
    let pool = connect(url.expose_secret(), Access::PlainAllowed).await;
    let pool = pool.map_err(|error| {
        let refused = cluster.is_none() && is_login_refused(&error);
        anyhow::Error::new(error).context(match refused {
            true => "the ledger does not take the login: check user and password in `ledger.url`",
            false => "the ledger",
        })
    })?;
    Ok((pool, cluster))
}

/// Whether the database knows no such user, or not with that password.
fn is_login_refused(error: &LedgerError) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let mut database = causes.filter_map(|cause| cause.downcast_ref::<sqlx::Error>());
    let code = database.find_map(|error| error.as_database_error()?.code());
    code.is_some_and(|code| code.starts_with("28"))
}

/// Opens the ledger and brings its tables to this release.
///
/// # Errors
/// When the database does not answer or refuses, or what it keeps of sensitive fields does not
/// open with the key at hand; the message says what to do.
pub async fn open_ledger(settings: &Settings) -> anyhow::Result<LedgerHandle> {
    let (pool, cluster) = reach_ledger(settings).await?;
    migrate(&pool).await.context("the ledger's tables")?;
    let ledger = Postgres::new(pool.clone(), None);
    let file = key_file(settings)?;
    if !file.exists() {
        // A new key would open nothing of what is kept.
        let lost = || format!("the key file {} is missing", file.display());
        ledger.check_key().await.with_context(lost)?;
    }
    let ledger = Postgres::new(pool, Some(login_key(settings)?));
    ledger.check_key().await.with_context(|| format!("the key file {}", file.display()))?;
    Ok(LedgerHandle { ledger, cluster })
}

/// Closes the pools of a ledger that this process works with no more, and ends its private cluster
/// unless others use it: another process that would take over, a command that looks.
pub(super) async fn end_private(cluster: &Cluster, pools: &[PgPool]) {
    for pool in pools {
        if tokio::time::timeout(CLOSE_LIMIT, pool.close()).await.is_err() {
            tracing::warn!("connections to the ledger are still at work");
        }
    }
    match cluster.stop_if_unused().await {
        Ok(true) => tracing::info!("the private Postgres of the ledger has ended"),
        Ok(false) => tracing::info!("the private Postgres of the ledger goes on: it is in use"),
        Err(error) => {
            tracing::warn!(%error, "the private Postgres of the ledger could not be ended");
        }
    }
}

/// Whether there is a ledger to be opened: always where the settings name its database, else once
/// a run has made its private cluster. Makes nothing.
///
/// # Errors
/// When the state folder cannot be read.
pub async fn has_ledger(settings: &Settings) -> anyhow::Result<bool> {
    Ok(settings.ledger.url.is_some() || Cluster::is_made(&private(settings)).await?)
}

/// The ledger as it is, for those who only look.
pub struct FoundLedger {
    /// The ledger.
    pub ledger: Postgres,
    /// The id of its installation; nothing before the first run.
    pub install: Option<String>,
    /// Whether logins can be kept in it: its tables are there, and so is the key.
    pub keeps_logins: bool,
}

/// The ledger as it is, for those who only look: nothing is made, its tables stay as they are.
/// Nothing where there is none.
///
/// # Errors
/// When there is a ledger and it does not answer; the message says what to do.
pub async fn find_ledger(settings: &Settings) -> anyhow::Result<Option<FoundLedger>> {
    if !has_ledger(settings).await? {
        return Ok(None);
    }
    let (pool, _) = reach_ledger(settings).await?;
    let file = settings.ledger.state_dir.join(KEY);
    let key = match file.is_file() {
        true => Some(SealKey::from_file(&file).context("the key file")?),
        false => None,
    };
    let has_key = key.is_some();
    let ledger = Postgres::new(pool, key);
    let install = ledger.known_install().await.context("the ledger")?;
    let keeps_logins = has_key && ledger.has_tables().await.context("the ledger")?;
    Ok(Some(FoundLedger { ledger, install, keeps_logins }))
}

/// The key of stored logins and sensitive fields, made where it is missing.
///
/// # Errors
/// When the file cannot be made or read, or is open to others.
pub fn login_key(settings: &Settings) -> anyhow::Result<SealKey> {
    SealKey::from_file(&key_file(settings)?).context("the key file")
}

/// Where that key lies: in the state folder, which is made where it is missing.
fn key_file(settings: &Settings) -> anyhow::Result<std::path::PathBuf> {
    let folder = &settings.ledger.state_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the state folder {} cannot be made", folder.display()))?;
    Ok(folder.join(KEY))
}
