//! The private clusters: made, adopted, recovered, refused.

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use syncline::embedded::{Cluster, ClusterOptions, EmbeddedError};

/// A working folder; its servers end and its files go with the test.
struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// One that every user may enter.
    fn open() -> Self {
        Self::with_mode(0o755)
    }

    fn with_mode(mode: u32) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("syncline-embedded-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(mode).create(&folder).unwrap();
        Self { folder }
    }

    fn options(&self, name: &str) -> ClusterOptions {
        ClusterOptions {
            state_dir: self.folder.join(".syncline"),
            name: name.to_owned(),
            logical: false,
            programs: None,
        }
    }

    async fn ensure(&self, name: &str) -> Cluster {
        Cluster::ensure(&self.options(name)).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Where the clusters are: here, or where the file `cluster` says.
    fn state(&self) -> PathBuf {
        let local = self.folder.join(".syncline");
        match std::fs::read_to_string(local.join("cluster")) {
            Ok(elsewhere) => PathBuf::from(elsewhere.trim_end()),
            Err(_) => local,
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let state = self.state();
        for entry in std::fs::read_dir(&state).into_iter().flatten().flatten() {
            let file = entry.path().join("data/postmaster.pid");
            let pid = std::fs::read_to_string(file)
                .ok()
                .and_then(|text| text.lines().next()?.trim().parse().ok().and_then(Pid::from_raw));
            if let Some(pid) = pid
                && pid.as_raw_nonzero().get().cast_unsigned() != std::process::id()
            {
                let _ = kill_process(pid, Signal::QUIT);
            }
        }
        let _ = std::fs::remove_dir_all(&state);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn connect(cluster: &Cluster, database: &str) -> PgConnection {
    PgConnection::connect(cluster.url(database).expose_secret()).await.unwrap()
}

async fn show(cluster: &Cluster, setting: &str) -> String {
    let mut connection = connect(cluster, "postgres").await;
    sqlx::query_scalar("select current_setting($1)")
        .bind(setting)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn kill(cluster: &Cluster) {
    kill_process(Pid::from_raw(cluster.pid()).unwrap(), Signal::KILL).unwrap();
}

async fn is_listening(cluster: &Cluster) -> bool {
    tokio::net::TcpStream::connect(("127.0.0.1", cluster.port())).await.is_ok()
}

#[tokio::test]
async fn a_fresh_cluster_is_durable_private_and_adopted_by_the_next_call() {
    let workshop = Workshop::open();
    let first = workshop.ensure("ledger").await;
    assert!(!first.adopted());
    assert_eq!(show(&first, "fsync").await, "on");
    assert_eq!(show(&first, "synchronous_commit").await, "on");
    assert_eq!(show(&first, "data_checksums").await, "on");
    assert_eq!(show(&first, "listen_addresses").await, "127.0.0.1");
    assert_eq!(show(&first, "wal_level").await, "replica");

    let second = workshop.ensure("ledger").await;
    assert!(second.adopted());
    assert_eq!(second.pid(), first.pid());
    assert_eq!(second.port(), first.port());

    let password = first.folder().join("password").metadata().unwrap();
    assert_eq!(password.mode() & 0o777, 0o600);
    assert_eq!(first.folder().metadata().unwrap().mode() & 0o777, 0o700);
    let debug = format!("{first:?}");
    let text = std::fs::read_to_string(first.folder().join("password")).unwrap();
    assert!(!debug.contains(text.trim()), "the password is in {debug}");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    let address = format!("postgres://syncline:wrong@127.0.0.1:{}/postgres", cluster.port());
    let error = PgConnection::connect(&address).await.unwrap_err();
    let code = error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned());
    assert_eq!(code.as_deref(), Some("28P01"));
}

#[tokio::test]
async fn what_was_committed_is_there_after_the_server_was_killed() {
    let workshop = Workshop::open();
    let before = workshop.ensure("ledger").await;
    before.ensure_database("syncline").await.unwrap();
    before.ensure_database("syncline").await.unwrap();
    let mut connection = connect(&before, "syncline").await;
    sqlx::raw_sql("create table kept (n int); insert into kept values (7)")
        .execute(&mut connection)
        .await
        .unwrap();

    kill(&before);
    let after = workshop.ensure("ledger").await;
    assert!(!after.adopted());
    assert_ne!(after.pid(), before.pid());
    assert_eq!(after.port(), before.port(), "an address stays good over a restart");
    let mut connection = connect(&after, "syncline").await;
    let kept: i32 =
        sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 7);
}

#[tokio::test]
async fn the_server_never_runs_as_root() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    let owner = cluster.folder().join("data").metadata().unwrap().uid();
    assert_ne!(owner, 0);
    if !geteuid().is_root() {
        assert_eq!(owner, geteuid().as_raw());
    }
    // `/proc/PID` belongs to the user of the process.
    if let Ok(process) = Path::new(&format!("/proc/{}", cluster.pid())).metadata() {
        assert_eq!(process.uid(), owner);
    }
}

#[tokio::test]
async fn a_folder_that_the_server_cannot_enter_is_left_for_another_that_stays_named() {
    let workshop = Workshop::with_mode(0o700);
    let first = workshop.ensure("ledger").await;
    let local = workshop.folder.join(".syncline").canonicalize().unwrap();
    let is_local = first.folder().starts_with(&local);
    assert_eq!(is_local, !geteuid().is_root(), "{}", first.folder().display());
    assert_eq!(local.join("cluster").exists(), geteuid().is_root());

    let ops = workshop.ensure("ops").await;
    assert_eq!(ops.folder().parent(), first.folder().parent(), "one state folder serves both");
    let again = workshop.ensure("ledger").await;
    assert_eq!(again.pid(), first.pid());
}

#[tokio::test]
async fn clusters_of_one_folder_are_apart() {
    let workshop = Workshop::open();
    let wanted = ClusterOptions { logical: true, ..workshop.options("ops") };
    let one = workshop.options("ledger");
    let (ledger, ops) = tokio::try_join!(Cluster::ensure(&one), Cluster::ensure(&wanted)).unwrap();
    assert_ne!(ledger.pid(), ops.pid());
    assert_ne!(ledger.port(), ops.port());
    assert_eq!(show(&ops, "wal_level").await, "logical");
    ledger.stop().await.unwrap();
    assert!(!is_listening(&ledger).await);
    assert!(is_listening(&ops).await);
}

#[tokio::test]
async fn calls_at_the_same_time_agree_on_one_server() {
    let workshop = Workshop::open();
    let options = workshop.options("ledger");
    let calls = (0..4).map(|_| {
        let options = options.clone();
        tokio::spawn(async move { Cluster::ensure(&options).await.unwrap().pid() })
    });
    let mut pids = Vec::new();
    for call in calls {
        pids.push(call.await.unwrap());
    }
    pids.dedup();
    assert_eq!(pids.len(), 1, "{pids:?}");
}

#[tokio::test]
async fn a_server_is_ended_once_nobody_uses_it() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    let url = cluster.url("postgres");
    let mut user = PgConnection::connect(url.expose_secret()).await.unwrap();
    assert!(!cluster.stop_if_unused().await.unwrap());
    assert!(workshop.ensure("ledger").await.adopted());
    user.ping().await.unwrap();
    user.close().await.unwrap();
    assert!(cluster.stop_if_unused().await.unwrap());
    assert!(!workshop.ensure("ledger").await.adopted());
}

#[tokio::test]
async fn other_settings_start_the_server_anew() {
    let workshop = Workshop::open();
    let before = workshop.ensure("ops").await;
    let options = ClusterOptions { logical: true, ..workshop.options("ops") };
    let after = Cluster::ensure(&options).await.unwrap();
    assert!(!after.adopted());
    assert_ne!(after.pid(), before.pid());
    assert_eq!(show(&after, "wal_level").await, "logical");
}

#[tokio::test]
async fn a_process_number_given_away_again_does_not_stop_the_start() {
    let workshop = Workshop::open();
    let before = workshop.ensure("ledger").await;
    before.stop().await.unwrap();
    before.stop().await.unwrap();
    // What a crash of the machine leaves, when our own number is the server's old one.
    let stale = format!(
        "{}\n{}\n1700000000\n{}\n\n127.0.0.1\n        1         1\nready   \n",
        std::process::id(),
        before.folder().join("data").display(),
        before.port()
    );
    std::fs::write(before.folder().join("data/postmaster.pid"), stale).unwrap();
    let after = workshop.ensure("ledger").await;
    assert!(!after.adopted());
    assert_eq!(show(&after, "fsync").await, "on");
}

#[tokio::test]
async fn a_port_taken_meanwhile_is_replaced() {
    let workshop = Workshop::open();
    let before = workshop.ensure("ledger").await;
    before.stop().await.unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", before.port())).unwrap();
    let after = workshop.ensure("ledger").await;
    assert_ne!(after.port(), before.port());
}

#[tokio::test]
async fn data_of_another_version_is_refused_with_both_versions() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    cluster.stop().await.unwrap();
    std::fs::write(cluster.folder().join("data/PG_VERSION"), "9\n").unwrap();
    let error = Cluster::ensure(&workshop.options("ledger")).await.unwrap_err();
    let EmbeddedError::VersionMismatch { made_by, found, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*made_by, 9);
    assert!(*found >= 15);
    let text = error.to_string();
    assert!(text.contains("install postgresql-9 beside it"), "{text}");
}

#[tokio::test]
async fn a_start_that_fails_shows_the_end_of_the_log() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    cluster.stop().await.unwrap();
    std::fs::remove_file(cluster.folder().join("data/global/pg_control")).unwrap();
    let error = Cluster::ensure(&workshop.options("ledger")).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, EmbeddedError::Start { .. }), "{error:?}");
    assert!(text.contains("server.log") && text.contains("could not find the database"), "{text}");
}

#[tokio::test]
async fn half_made_data_is_made_again() {
    let workshop = Workshop::open();
    let cluster = workshop.ensure("ledger").await;
    cluster.stop().await.unwrap();
    let data = cluster.folder().join("data");
    std::fs::rename(&data, cluster.folder().join("data.new")).unwrap();
    let again = workshop.ensure("ledger").await;
    assert_eq!(show(&again, "fsync").await, "on");
}

#[tokio::test]
async fn names_that_lead_out_of_the_folder_are_refused() {
    let workshop = Workshop::open();
    for name in ["", "..", "a/b", "Ledger", &"x".repeat(33)] {
        let error = Cluster::ensure(&workshop.options(name)).await.unwrap_err();
        assert!(matches!(error, EmbeddedError::BadName { .. }), "{name:?}: {error:?}");
    }
    assert!(!workshop.folder.join(".syncline").exists());
}
