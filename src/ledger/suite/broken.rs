//! Postgres behind connections that break: what only a real server and a real socket show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use syncline_core::model::{Changeset, Link, LinkChange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::database::Database;
use super::fixture::{Engine, MAPPING, link, update};
use crate::postgres::Postgres;
use crate::{Committed, Ledger, LedgerError, LinkQuery};

/// Everything is passed on.
const PASS: u8 = 0;
/// A `COMMIT` is not passed on; the connection breaks there.
const CUT_BEFORE_COMMIT: u8 = 1;
/// A `COMMIT` is passed on and its reply is not; the connection breaks there.
const CUT_AFTER_COMMIT: u8 = 2;
/// Nothing is passed on any more, and nothing is closed.
const SILENT: u8 = 3;

/// A stretch of network between the ledger and its database.
struct Proxy {
    mode: Arc<AtomicU8>,
    url: String,
}

impl Proxy {
    async fn before(url: &str) -> Self {
        let (head, rest) = url.rsplit_once('@').unwrap();
        let (address, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU8::new(PASS));
        let (server, shared) = (address.to_owned(), Arc::clone(&mode));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Self { mode, url: format!("{head}@127.0.0.1:{port}/{database}") }
    }

    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

/// Carries bytes both ways until the mode or an end says otherwise.
async fn carry(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let sent = &asked[..length];
                let commits = sent.windows(6).any(|part| part == b"COMMIT");
                match mode.load(Ordering::SeqCst) {
                    CUT_BEFORE_COMMIT if commits => return,
                    CUT_AFTER_COMMIT if commits => {
                        server.write_all(sent).await.unwrap();
                        // The reply is the proof that the server has done it.
                        let _length = server.read(&mut answered).await.unwrap();
                        return;
                    }
                    SILENT => std::future::pending().await,
                    _ => server.write_all(sent).await.unwrap(),
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A commit through a connection that breaks at its end.
async fn lost_reply(mode: u8) -> (Postgres, Changeset) {
    let database = Database::new().await;
    let direct = database.ledger().await;
    let engine = Engine::new(&direct).await;
    let proxy = Proxy::before(database.url()).await;
    let ledger = database.ledger_at(&proxy.url).await;
    let mut changes = engine.changeset().await;
    changes.links.push(LinkChange::Insert(link(1)));
    proxy.set(mode);
    assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Unknown);
    proxy.set(PASS);
    // The pool has forgotten the broken connection.
    assert!(ledger.positions().await.unwrap().is_empty());
    (ledger, changes)
}

async fn there<L: Ledger>(ledger: &L) -> bool {
    let query = LinkQuery { mapping: MAPPING, links: vec![link(1).id], ..LinkQuery::default() };
    !ledger.load(&[query]).await.unwrap().links.is_empty()
}

#[tokio::test]
async fn a_commit_whose_reply_was_lost_is_found() {
    let (ledger, changes) = lost_reply(CUT_AFTER_COMMIT).await;
    assert!(ledger.committed(changes.commit).await.unwrap());
    assert!(there(&ledger).await);
}

#[tokio::test]
async fn a_commit_that_was_lost_itself_never_happens() {
    let (ledger, changes) = lost_reply(CUT_BEFORE_COMMIT).await;
    assert!(!ledger.committed(changes.commit).await.unwrap());
    assert!(!there(&ledger).await);
    let late = ledger.commit(&changes).await.unwrap();
    assert!(matches!(late, Committed::Moved(_)), "{late:?}");
}

#[tokio::test]
async fn the_question_waits_for_a_commit_under_way() {
    let database = Database::new().await;
    let ledger = database.ledger().await;
    let engine = Engine::new(&ledger).await;
    let commit = engine.changeset().await.commit;
    // A commit as it stands before its end, on a connection of its own.
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("insert into syncline.commit (commit, happened) values ($1, true)")
        .bind(commit)
        .execute(&mut *transaction)
        .await
        .unwrap();
    let question = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.committed(commit).await.unwrap() }
    });
    wait_for_a_lock(&database).await;
    transaction.commit().await.unwrap();
    assert!(question.await.unwrap());
}

#[tokio::test]
async fn a_dropped_commit_leaves_nothing() {
    let database = Database::new().await;
    let ledger = database.ledger().await;
    let engine = Engine::new(&ledger).await;
    let made = link(1);
    engine.must(|changes| changes.links.push(LinkChange::Insert(made.clone()))).await;
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    sqlx::query("select 1 from syncline.link for update").execute(&mut *transaction).await.unwrap();
    let mut changes = engine.changeset().await;
    changes.links.push(LinkChange::Insert(link(2)));
    changes.links.push(update(&made, Link { sync_version: 1, ..made.clone() }));
    let commit = tokio::spawn({
        let (ledger, changes) = (ledger.clone(), changes.clone());
        async move { ledger.commit(&changes).await }
    });
    wait_for_a_lock(&database).await;
    commit.abort();
    assert!(commit.await.unwrap_err().is_cancelled());
    transaction.rollback().await.unwrap();
    assert!(!ledger.committed(changes.commit).await.unwrap());
    assert_eq!(engine.link(link(2).id).await, None);
    assert_eq!(engine.link(made.id).await, Some(made));
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_frees_its_place() {
    let database = Database::new().await;
    let proxy = Proxy::before(database.url()).await;
    let ledger = database.ledger_at(&proxy.url).await.with_deadline(Duration::from_millis(1_500));
    let everybody = || {
        let calls =
            [ledger.positions(), ledger.positions(), ledger.positions(), ledger.positions()];
        futures_util::future::join_all(calls)
    };
    assert!(everybody().await.iter().all(Result::is_ok));
    proxy.set(SILENT);
    for answer in everybody().await {
        assert!(matches!(answer, Err(LedgerError::Unavailable { .. })), "{answer:?}");
    }
    proxy.set(PASS);
    assert!(everybody().await.iter().all(Result::is_ok));
}

/// Waits until somebody waits for a lock in the database.
async fn wait_for_a_lock(database: &Database) {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    for _ in 0..200 {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        sqlx::query("select pg_sleep(0.05)").execute(&mut connection).await.unwrap();
    }
    panic!("nobody waited for a lock");
}
