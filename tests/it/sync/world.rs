//! A world of two systems and a service between them.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use salesforce_sim::{AppPatch, Org, Server};
use serde_json::Value;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row};
use syncline::service::Service;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gate::{Gate, Way};

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
    address: Option<std::net::SocketAddr>,
    /// How often polled systems are asked.
    pub poll_interval: &'static str,
    /// Further lines of the settings.
    pub settings: String,
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
            address: None,
            poll_interval: "1s",
            settings: String::new(),
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

    /// A Postgres system with these tables behind a gate.
    pub async fn gated_postgres(&mut self, system: &str, tables: &str, way: Way) -> (PgPool, Gate) {
        let pool = self.postgres(system, tables).await;
        let url = reqwest::Url::parse(&self.databases.last().unwrap().0).unwrap();
        let server = (url.host_str().unwrap(), url.port().unwrap_or(5432));
        let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
        let gate = Gate::before(server, way).await;
        let mut url = url;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(gate.address.port())).unwrap();
        std::fs::write(self.folder.join(format!("{system}.url")), url.as_str()).unwrap();
        (pool, gate)
    }

    /// A simulated org.
    pub async fn org(&mut self, system: &str, seed: u64) -> Org {
        let org = Org::new(seed);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        self.add_org(system, &org, &server.url(), "");
        self.orgs.push(server);
        org
    }

    /// A simulated org with further settings.
    pub async fn org_with(&mut self, system: &str, seed: u64, settings: &str) -> Org {
        let org = Org::new(seed);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        self.add_org(system, &org, &server.url(), settings);
        self.orgs.push(server);
        org
    }

    /// Where a simulated org is, by the order in which they were made.
    pub fn org_url(&self, at: usize) -> String {
        self.orgs[at].url()
    }

    /// A simulated org behind a gate.
    pub async fn gated_org(&mut self, system: &str, seed: u64, way: Way) -> (Org, Gate) {
        let org = Org::new(seed);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        let gate = Gate::before(server.address(), way).await;
        self.add_org(system, &org, &format!("http://{}", gate.address), "");
        self.orgs.push(server);
        (org, gate)
    }

    /// A simulated org that is logged in to with a refresh token.
    pub async fn org_by_token(&mut self, system: &str, seed: u64) -> Org {
        let org = Org::new(seed);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        self.log_in(system, &org);
        let login = format!(", grant: refresh_token, refresh_token: \"file:{system}.token\"");
        self.add_org(system, &org, &server.url(), &login);
        self.orgs.push(server);
        org
    }

    /// A simulated org that a person logs in to with a browser.
    pub async fn org_by_browser(&mut self, system: &str, seed: u64) -> Org {
        let org = Org::new(seed);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let redirect = format!("http://{free}/callback");
        let callbacks = Some(vec![redirect.clone()]);
        org.change_app(AppPatch { callbacks, ..AppPatch::default() });
        let login = format!(", grant: web_server, redirect_uri: \"{redirect}\"");
        self.add_org(system, &org, &server.url(), &login);
        self.orgs.push(server);
        org
    }

    /// Puts a new refresh token for an org where the settings have it.
    pub fn log_in(&self, system: &str, org: &Org) {
        let token = org.refresh_token("integration@example.com").unwrap();
        std::fs::write(self.folder.join(format!("{system}.token")), token).unwrap();
    }

    fn add_org(&mut self, system: &str, org: &Org, url: &str, login: &str) {
        let secrets = org.credentials();
        std::fs::write(self.folder.join(format!("{system}.secret")), &secrets.client_secret)
            .unwrap();
        self.systems += &format!(
            "  {system}: {{ kind: salesforce, url: \"{url}\", client_id: {}, \
             client_secret: \"file:{system}.secret\", lag: 0s, overlap_every: 2s{login} }}\n",
            secrets.client_id,
        );
    }

    /// A mapping file.
    pub fn mapping(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(format!("mappings/{name}.yaml")), text).unwrap();
    }

    /// Gives a system its hours, or takes them away: what its settings have behind these.
    pub fn of_system(&mut self, system: &str, hours: &str) {
        let line = |line: &str| -> String {
            if !line.starts_with(&format!("  {system}: ")) {
                return format!("{line}\n");
            }
            let hours_at = [", quiet_hours:", ", poll_window:"].map(|key| line.find(key));
            let end = hours_at.into_iter().flatten().min().unwrap_or(line.len() - " }".len());
            format!("{}{hours} }}\n", &line[..end])
        };
        self.systems = self.systems.lines().map(line).collect();
    }

    /// The ledger's pool.
    pub fn ledger(&self) -> PgPool {
        self.databases[0].1.clone()
    }

    /// Writes the settings, and gives their file.
    pub fn settings(&self) -> PathBuf {
        std::fs::write(self.folder.join("ledger.url"), &self.databases[0].0).unwrap();
        let settings = format!(
            "ledger: {{ url: \"file:ledger.url\" }}\nsystems:\n{}mappings: mappings\n\
             listen: 127.0.0.1:0\npoll_interval: {}\n{}",
            self.systems, self.poll_interval, self.settings
        );
        let config = self.folder.join("syncline.yaml");
        std::fs::write(&config, settings).unwrap();
        config
    }

    /// Runs a command of the command line beside the service; gives its exit code and its answer
    /// as JSON.
    pub async fn command(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_syncline"));
        command.arg("--config").arg(self.settings()).arg("--json").args(arguments);
        let output = command.output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let answer = serde_json::from_str(&text);
        (output.status.code().unwrap(), answer.unwrap_or_else(|_| panic!("{arguments:?}: {text}")))
    }

    /// The same; gives the code, the answer as text, and what is said beside it.
    pub async fn said(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_syncline"));
        command.arg("--config").arg(self.settings()).args(arguments);
        let output = command.output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Starts the service.
    pub async fn start(&mut self) {
        let config = self.settings();
        let stop = CancellationToken::new();
        let service = match Service::open(&config, stop.clone()).await {
            Ok(service) => service,
            Err(stop) => panic!("the service did not open: {stop:?}"),
        };
        self.address = Some(service.address);
        let task = tokio::spawn(service.run());
        self.running = Some((stop, task));
    }

    /// The address of a path of the running service.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address.unwrap())
    }

    /// What the running service answers to a request: whether it says yes, and its words.
    pub async fn ask(&self, path: &str) -> (bool, String) {
        let url = self.url(path);
        let reply = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await;
        let reply = reply.unwrap();
        (reply.status().is_success(), reply.text().await.unwrap())
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
