//! Private Postgres clusters, made from the machine's own server programs.
//!
//! Without a `ledger.url`, Syncline keeps its ledger in a cluster of its own, so that one command
//! is enough to start. The demo keeps its operational database in a second one.
//!
//! [`Cluster::ensure`] is the whole of it: it makes the cluster when there is none, starts it
//! when it is down (after crash recovery, if it crashed), and *adopts* it when it is up, which it
//! is after this process, or an earlier one, was killed. Only [`Cluster::stop`] ends a server.
//!
//! Where things are, below the state folder (`.syncline/`, see [`Cluster::folder`]):
//!
//! | Path | What |
//! |---|---|
//! | `cluster` | only where the server's user cannot enter the folder: the folder used instead |
//! | `lock` | held while a cluster is made, started or adopted |
//! | `NAME/data` | the data folder of cluster NAME |
//! | `NAME/password` | the superuser's password, mode 0600 |
//! | `NAME/port` | the loopback port last used, taken again when it is free |
//! | `NAME/server.log` | the server's own words |
//!
//! The server listens on 127.0.0.1 only and has no Unix socket: the replication client, `psql`
//! and the ledger reach it in the same way, and no deep folder is too long for a socket's name.

mod cluster;
mod configuration;
mod error;
mod limits;
mod log;
mod owner;
mod postmaster;
mod programs;
mod server;
mod state_folder;

pub use cluster::{Cluster, ClusterOptions};
pub use error::EmbeddedError;
pub use programs::Programs;
