//! What can go wrong with a private cluster.

use std::io;
use std::path::{Path, PathBuf};

use super::limits;

/// Why a private cluster is not there. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The machine has no Postgres server programs.
    #[error(
        "no PostgreSQL server programs found (looked in {looked}): install them (Debian and \
         Ubuntu: the package postgresql), or set `ledger.url` to a database of your own"
    )]
    NoPrograms {
        /// Where was looked, for people.
        looked: String,
    },

    /// The programs are too old.
    #[error(
        "the PostgreSQL programs in {folder} are of version {major}, but {min} or newer is \
         needed: install a newer package, or set `ledger.url` to a database of your own",
        folder = .folder.display(),
        min = limits::MAJOR_MIN
    )]
    OldPrograms {
        /// The folder of the programs.
        folder: PathBuf,
        /// Their major version.
        major: u32,
    },

    /// The data was written by another major version than the programs found.
    #[error(
        "the data in {data} was written by PostgreSQL {made_by}, but only version {found} is \
         installed: install postgresql-{made_by} beside it, or move the data with pg_upgrade",
        data = .data.display()
    )]
    VersionMismatch {
        /// The data folder.
        data: PathBuf,
        /// The major version that wrote the data.
        made_by: u32,
        /// The major version of the programs found.
        found: u32,
    },

    /// A cluster's name that cannot be a folder's name.
    #[error(
        "`{name}` cannot name a cluster: use up to {max} of a-z, 0-9, - and _",
        max = limits::NAME_BYTES_MAX
    )]
    BadName {
        /// The name given.
        name: String,
    },

    /// Postgres refuses to run as root, and there is no other user to run it as.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor \
         `nobody`: create the user postgres, or run Syncline as an ordinary user"
    )]
    NoUser,

    /// A folder that should be ours belongs to another user.
    #[error(
        "{path} belongs to the user with id {uid}: run Syncline as that user, or move the folder \
         away",
        path = .path.display()
    )]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// Who owns it.
        uid: u32,
    },

    /// No folder was found that the server's user can enter.
    #[error(
        "the user `{user}`, as which PostgreSQL runs, can enter none of {tried}: run Syncline in \
         a folder that this user can enter, or as an ordinary user"
    )]
    NoFolder {
        /// The user of the server.
        user: String,
        /// The folders tried, for people.
        tried: String,
    },

    /// The file that names the state folder names something else.
    #[error(
        "{pointer} names {target}, which is not a folder: bring the folder back, or remove \
         {pointer} to start with an empty ledger",
        pointer = .pointer.display(),
        target = .target.display()
    )]
    LostFolder {
        /// The file that names it.
        pointer: PathBuf,
        /// What it names.
        target: PathBuf,
    },

    /// Another process is busy with the same state folder for too long.
    #[error("another process holds {lock}: wait for it, or end it", lock = .lock.display())]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },

    /// One of Postgres's programs failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which program.
        program: &'static str,
        /// What it said.
        output: String,
    },

    /// The server ended while it started.
    #[error("PostgreSQL did not start; its log {log} ends with:\n{tail}", log = .log.display())]
    Start {
        /// The server's log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },

    /// The server runs, but does not answer in time.
    #[error(
        "PostgreSQL in {data} was not ready after {seconds} s; its log {log} ends with:\n{tail}",
        data = .data.display(),
        log = .log.display()
    )]
    NotReady {
        /// The data folder.
        data: PathBuf,
        /// How long was waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },

    /// The server does not end.
    #[error("PostgreSQL (process {pid}) did not stop in {seconds} s")]
    NotStopped {
        /// The server's process id.
        pid: i32,
        /// How long was waited.
        seconds: u64,
    },

    /// The server refuses us, or serves another data folder.
    #[error("the PostgreSQL server of {data} cannot be used", data = .data.display())]
    Connection {
        /// The data folder.
        data: PathBuf,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },

    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}", path = .path.display())]
    File {
        /// What was tried, as in "cannot … the file".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl EmbeddedError {
    /// For `map_err`: an error of the file system, with what was tried on which path.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
