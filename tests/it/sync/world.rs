//! A world of two systems and a service between them.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use salesforce_sim::{Org, Server};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use syncline::service::Service;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wire::Wire;

/// How long anything may take to come true. Generous: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A folder with settings and mappings, its databases, and the service while it runs.
pub struct World {
    folder: PathBuf,
    systems: String,
    server: String,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    databases: Vec<(String, PgPool)>,
    orgs: Vec<Server>,
}

impl World {
    /// An empty one, with a database for its ledger.
    pub async fn new(name: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        // What the service says is shown when a test fails.
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_test_writer()
            .try_init();
        let server = server_url();
        let folder =
            std::env::temp_dir().join(format!("syncline-it-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("mappings")).unwrap();
        let mut world = Self {
            folder,
            systems: String::new(),
            server,
            running: None,
            databases: Vec::new(),
            orgs: Vec::new(),
        };
        world.database(&format!("{name}_ledger")).await;
        world
    }

    /// A new database, and its pool.
    async fn database(&mut self, name: &str) -> PgPool {
        let admin = pool(&self.server).await;
        let name = format!("it_{name}_{}", std::process::id());
        let drop = format!("drop database if exists {name} with (force)");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&admin).await.unwrap();
        let create = format!("create database {name}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&admin).await.unwrap();
        let url = self.server.rsplit_once('/').unwrap().0.to_owned() + "/" + &name;
        let pool = pool(&url).await;
        self.databases.push((url, pool.clone()));
        pool
    }

    /// A Postgres system with these tables.
    pub async fn postgres(&mut self, system: &str, tables: &str) -> PgPool {
        self.postgres_with(system, tables, "").await
    }

    /// A Postgres system with these tables and further settings.
    pub async fn postgres_with(&mut self, system: &str, tables: &str, settings: &str) -> PgPool {
        let name = self.folder.file_name().unwrap().to_str().unwrap().replace('-', "_");
        let pool = self.database(&format!("{name}_{system}")).await;
        sqlx::raw_sql(AssertSqlSafe(tables.to_owned())).execute(&pool).await.unwrap();
        let url = &self.databases.last().unwrap().0;
        std::fs::write(self.folder.join(format!("{system}.url")), url).unwrap();
        self.systems +=
            &format!("  {system}: {{ kind: postgres, url: \"file:{system}.url\"{settings} }}\n");
        pool
    }

    /// A simulated org.
    pub async fn org(&mut self, system: &str, seed: u64) -> Org {
        let (org, server) = started(seed).await;
        let url = server.url();
        self.add_org(system, &org, server, &url)
    }

    /// A simulated org at the end of a line that can go dead.
    pub async fn org_behind_wire(&mut self, system: &str, seed: u64) -> (Org, Wire) {
        let (org, server) = started(seed).await;
        let wire = Wire::new(server.address()).await;
        let url = format!("http://{}", wire.address);
        (self.add_org(system, &org, server, &url), wire)
    }

    fn add_org(&mut self, system: &str, org: &Org, server: Server, url: &str) -> Org {
        let secrets = org.credentials();
        std::fs::write(self.folder.join(format!("{system}.secret")), &secrets.client_secret)
            .unwrap();
        self.systems += &format!(
            "  {system}: {{ kind: salesforce, url: \"{}\", client_id: {}, \
             client_secret: \"file:{system}.secret\", lag: 0s, overlap_every: 2s }}\n",
            url, secrets.client_id,
        );
        self.orgs.push(server);
        org.clone()
    }

    /// A mapping file.
    pub fn mapping(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(format!("mappings/{name}.yaml")), text).unwrap();
    }

    /// The ledger's pool.
    pub fn ledger(&self) -> PgPool {
        self.databases[0].1.clone()
    }

    /// Starts the service.
    pub async fn start(&mut self) {
        std::fs::write(self.folder.join("ledger.url"), &self.databases[0].0).unwrap();
        let settings = format!(
            "ledger: {{ url: \"file:ledger.url\" }}\nsystems:\n{}mappings: mappings\n\
             listen: 127.0.0.1:0\npoll_interval: 1s\n",
            self.systems
        );
        let config = self.folder.join("syncline.yaml");
        std::fs::write(&config, settings).unwrap();
        let stop = CancellationToken::new();
        let service = match Service::open(&config, stop.clone()).await {
            Ok(service) => service,
            Err(stop) => panic!("the service did not open: {stop:?}"),
        };
        let task = tokio::spawn(service.run());
        self.running = Some((stop, task));
    }

    /// Stops the service as the TERM signal does.
    pub async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
            task.await.unwrap().unwrap();
        }
    }

    /// Ends everything.
    pub async fn end(mut self) {
        self.stop().await;
        for (url, pool) in std::mem::take(&mut self.databases) {
            let _ = sqlx::query(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                 where database = current_database()",
            )
            .execute(&pool)
            .await;
            pool.close().await;
            let name = url.rsplit_once('/').unwrap().1;
            let drop = format!("drop database if exists {name} with (force)");
            let admin = pool_of(&self.server).await;
            let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&admin).await;
        }
        for org in std::mem::take(&mut self.orgs) {
            let _ = org.shutdown().await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn started(seed: u64) -> (Org, Server) {
    let org = Org::new(seed);
    let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
    (org, server)
}

async fn pool_of(url: &str) -> PgPool {
    pool(url).await
}

async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(3).connect(url).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the address of the test cluster")]
fn server_url() -> String {
    std::env::var("SYNCLINE_TEST_POSTGRES_URL")
        .expect("run the tests with `make test`, which starts a Postgres for them")
}

/// Waits until a condition holds, looking again and again, up to a deadline.
pub async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !holds().await {
            look_again().await;
        }
    });
    assert!(waited.await.is_ok(), "it did not come true in {DEADLINE:?}: {what}");
}

#[expect(clippy::disallowed_methods, reason = "the pace of looking at a condition")]
async fn look_again() {
    tokio::time::sleep(LOOK).await;
}

/// One text of a query, empty where there is no row or it is null.
pub async fn text(pool: &PgPool, sql: &str) -> String {
    let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_optional(pool).await.unwrap();
    row.and_then(|row| row.get::<Option<String>, _>(0)).unwrap_or_default()
}

/// Runs a statement.
pub async fn run(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}

/// Waits until a query answers this text.
pub async fn becomes(pool: &PgPool, sql: &str, wanted: &str) {
    eventually(&format!("{sql} = {wanted:?}"), || async { text(pool, sql).await == wanted }).await;
}
