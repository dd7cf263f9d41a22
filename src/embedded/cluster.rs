//! A private cluster from the caller's side.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection as _, Executor as _};

use super::error::EmbeddedError;
use super::postmaster::Postmaster;
use super::server::{self, Server, USER};
use super::state_folder::{StateFolder, pause};
use super::{limits, log};

/// Which cluster is wanted.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The state folder, usually `.syncline` beside the settings.
    pub state_dir: PathBuf,
    /// Tells the clusters of one folder apart (`ledger`, `ops`): up to 32 of a-z, 0-9, - and _.
    pub name: String,
    /// Whether changes are to be streamed out of it (`wal_level = logical`).
    pub logical: bool,
    /// The folder of the server programs; found on the machine when not given.
    pub programs: Option<PathBuf>,
}

/// A private cluster that was up, and answered us, when it was returned. It goes on when this
/// value is dropped, and when this process ends in whatever way.
#[derive(Debug)]
pub struct Cluster {
    options: ClusterOptions,
    folder: PathBuf,
    password: SecretString,
    pid: i32,
    port: u16,
    adopted: bool,
}

impl Cluster {
    /// Makes, starts or adopts the cluster, and returns once it answers.
    ///
    /// Repeating is cheap, and safe from several processes at once: one lock per state folder
    /// lets them in one by one. A server found running with other settings than these options
    /// ask for is started anew. After a crash this waits for Postgres's recovery.
    ///
    /// # Errors
    ///
    /// Every [`EmbeddedError`]; nothing is left half made that a next call does not finish.
    pub async fn ensure(options: &ClusterOptions) -> Result<Self, EmbeddedError> {
        check_name(&options.name)?;
        let state = StateFolder::open(&options.state_dir).await?;
        let given = options.programs.as_deref();
        let folder = match state.existing(&options.name)? {
            Some(folder) => folder,
            None => server::create(&state, &options.name, given).await?,
        };
        let server = Server::open(folder, &options.name, options.logical)?;
        let upward = bring_up(&server, given);
        let Ok(result) = tokio::time::timeout(limits::READY_LIMIT, upward).await else {
            return Err(EmbeddedError::NotReady {
                data: server.data().to_owned(),
                seconds: limits::READY_LIMIT.as_secs(),
                log: log::path(server.folder()),
                tail: log::tail(server.folder()),
            });
        };
        let Up { pid, port, adopted } = result?;
        Ok(Self {
            options: options.clone(),
            folder: server.folder().to_owned(),
            password: server.password()?,
            pid,
            port,
            adopted,
        })
    }

    /// Whether the cluster was made before. Makes nothing, and starts nothing.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError`] when the state folder cannot be read.
    pub async fn is_made(options: &ClusterOptions) -> Result<bool, EmbeddedError> {
        check_name(&options.name)?;
        if !options.state_dir.is_dir() {
            return Ok(false);
        }
        let state = StateFolder::open(&options.state_dir).await?;
        Ok(state.existing(&options.name)?.is_some())
    }

    /// The superuser's address of `database`, whose name must need no escape in an address. It
    /// holds the password, and is good until the server is started anew on another port.
    #[must_use]
    pub fn url(&self, database: &str) -> SecretString {
        let password = self.password.expose_secret();
        let port = self.port;
        format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}?sslmode=disable").into()
    }

    /// Makes `database` unless it is there.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Connection`].
    pub async fn ensure_database(&self, database: &str) -> Result<(), EmbeddedError> {
        let made = async {
            let mut connection =
                PgConnection::connect_with(&connect_options(self.port, &self.password)).await?;
            let there: bool =
                sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                    .bind(database)
                    .fetch_one(&mut connection)
                    .await?;
            if !there {
                let name = database.replace('"', "\"\"");
                let statement = sqlx::AssertSqlSafe(format!("create database \"{name}\""));
                if let Err(error) = connection.execute(statement).await
                    // Another process was faster, which may show in either of two codes.
                    && !matches!(code(&error).as_deref(), Some("42P04" | "23505"))
                {
                    return Err(error);
                }
            }
            connection.close().await
        };
        let data = self.folder.join("data");
        made.await.map_err(|source| EmbeddedError::Connection { data, source })
    }

    /// Ends the server, with everybody's sessions, and waits until it has gone. Does nothing when
    /// it is down.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::NotStopped`], and errors of the lock.
    pub async fn stop(&self) -> Result<(), EmbeddedError> {
        let _state = StateFolder::open(&self.options.state_dir).await?;
        stop_server(&self.folder.join("data"), &[false, true]).await
    }

    /// Ends the server unless somebody else works with it; says whether it is down.
    ///
    /// # Errors
    ///
    /// As [`Cluster::stop`], and when the server does not tell who works with it.
    pub async fn stop_if_unused(&self) -> Result<bool, EmbeddedError> {
        let _state = StateFolder::open(&self.options.state_dir).await?;
        let data = self.folder.join("data");
        let used = self.is_used_by_others().await;
        if used.map_err(|source| EmbeddedError::Connection { data: data.clone(), source })? {
            return Ok(false);
        }
        stop_server(&data, &[false, true]).await?;
        Ok(true)
    }

    async fn is_used_by_others(&self) -> Result<bool, sqlx::Error> {
        let options = connect_options(self.port, &self.password);
        let mut connection = PgConnection::connect_with(&options).await?;
        let mut used = true;
        for _ in 0..limits::LOOKS_FOR_OTHERS {
            used = sqlx::query_scalar(
                "select exists (select from pg_stat_activity \
                 where backend_type = 'client backend' and pid <> pg_backend_pid())",
            )
            .fetch_one(&mut connection)
            .await?;
            if !used {
                break;
            }
            pause().await;
        }
        connection.close().await?;
        Ok(used)
    }

    /// As [`Cluster::stop`], without a last checkpoint, as a crash would: for data that is removed
    /// next.
    ///
    /// # Errors
    ///
    /// As [`Cluster::stop`].
    pub async fn stop_at_once(&self) -> Result<(), EmbeddedError> {
        let _state = StateFolder::open(&self.options.state_dir).await?;
        stop_server(&self.folder.join("data"), &[true]).await
    }

    /// Whether the server was running already.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The server's port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds the data folder, the password and the log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

struct Up {
    pid: i32,
    port: u16,
    adopted: bool,
}

/// Goes from whatever state the server is in to one in which it answers. The caller sets the
/// limit of time.
async fn bring_up(server: &Server, given: Option<&Path>) -> Result<Up, EmbeddedError> {
    let mut adopted = true;
    let mut taken_ports = Vec::new();
    loop {
        match Postmaster::look(server.data())? {
            Postmaster::Down => {
                adopted = false;
                if !server.start(given, &mut taken_ports).await? {
                    pause().await;
                }
            }
            Postmaster::Stranger => server.forget_process()?,
            Postmaster::Busy { .. } => pause().await,
            Postmaster::Ready { .. } if !server.is_configured() => {
                stop_server(server.data(), &[false, true]).await?;
            }
            Postmaster::Ready { pid, port } => match verify(server, port).await {
                Ok(()) => return Ok(Up { pid, port, adopted }),
                // It began to stop, or crashed, after we looked.
                Err(error) if is_passing(&error) => pause().await,
                Err(source) => {
                    let data = server.data().to_owned();
                    return Err(EmbeddedError::Connection { data, source });
                }
            },
        }
    }
}

/// Stops a server in these ways, one after the other: at once, or after a checkpoint.
async fn stop_server(data: &Path, ways: &[bool]) -> Result<(), EmbeddedError> {
    let Some(pid) = Postmaster::look(data)?.pid() else {
        return Ok(());
    };
    for at_once in ways {
        Postmaster::signal_stop(pid, *at_once);
        let gone = async {
            // The file goes a moment before the process.
            while Postmaster::is_running(pid, data) {
                pause().await;
            }
        };
        if tokio::time::timeout(limits::STOP_LIMIT, gone).await.is_ok() {
            return Ok(());
        }
    }
    let tries = u32::try_from(ways.len()).unwrap_or(u32::MAX);
    let seconds = limits::STOP_LIMIT.saturating_mul(tries).as_secs();
    Err(EmbeddedError::NotStopped { pid, seconds })
}

/// The server's own word that it serves this data folder, to our password.
async fn verify(server: &Server, port: u16) -> Result<(), sqlx::Error> {
    let password =
        server.password().map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
    let mut connection = PgConnection::connect_with(&connect_options(port, &password)).await?;
    let data: String = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await?;
    connection.close().await?;
    if Path::new(&data) == server.data() {
        return Ok(());
    }
    Err(sqlx::Error::Configuration(format!("port {port} serves {data} instead").into()))
}

fn connect_options(port: u16, password: &SecretString) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(USER)
        .password(password.expose_secret())
        .database("postgres")
        .ssl_mode(PgSslMode::Disable)
}

fn is_passing(error: &sqlx::Error) -> bool {
    // Class 57P: the administrator's doing, which includes starting up and shutting down.
    matches!(error, sqlx::Error::Io(_)) || code(error).is_some_and(|code| code.starts_with("57P"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn check_name(name: &str) -> Result<(), EmbeddedError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= limits::NAME_BYTES_MAX && name.chars().all(fits) {
        return Ok(());
    }
    Err(EmbeddedError::BadName { name: name.to_owned() })
}
