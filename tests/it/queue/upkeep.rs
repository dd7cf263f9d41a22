//! `syncline migrate` and `syncline health`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::fixture::Installation;

#[tokio::test]
async fn migrate_says_what_was_there_before() {
    let installation = Installation::empty().await;
    let first = installation.run(&["migrate"]).well();
    assert!(first.starts_with("the ledger was empty and is at "), "{first}");
    assert!(first.contains("\n  made 0001 (ledger)\n"), "{first}");
    let second = installation.run(&["migrate", "--json"]).json();
    assert_eq!(second["changed"], false);
    assert_eq!(second["before"], second["after"]);
    let text = installation.run(&["migrate"]).well();
    assert!(text.contains("already: nothing to do"), "{text}");
    let status = installation.run(&["status"]).well();
    assert!(status.starts_with("engine     has never run on this ledger"), "{status}");
    // Tables of a newer release are left alone.
    let pool = sqlx::PgPool::connect(&installation.url).await.unwrap();
    sqlx::query(
        "insert into syncline._sqlx_migrations
         (version, description, success, checksum, execution_time)
         values (9999, 'later', true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let newer = installation.run(&["migrate"]);
    assert_eq!(newer.code(), Some(1));
    assert!(newer.errors().contains("at 9999 (later)"), "{}", newer.errors());
}

#[tokio::test]
async fn health_asks_the_running_process() {
    let installation = Installation::empty().await;
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    installation.settings("syncline.yaml", &format!("listen: {nobody}\n"));
    let down = installation.run(&["health"]);
    assert_eq!(down.code(), Some(1));
    assert!(down.errors().contains("is `syncline run` running"), "{}", down.errors());
    for (status, body, code, told) in [
        (
            "200 OK",
            r#"{"ready":true,"notes":["first loads are running"]}"#,
            0,
            "ready\n  first loads are running\n",
        ),
        ("503 Service Unavailable", r#"{"ready":false,"notes":[]}"#, 1, "not ready\n"),
        ("200 OK", "<html>", 1, ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = format!("listen: 0.0.0.0:{}\n", listener.local_addr().unwrap().port());
        installation.settings("syncline.yaml", &listen);
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /readyz "));
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        });
        let health = installation.run(&["health"]);
        answer.join().unwrap();
        assert_eq!((health.code(), &*health.text()), (Some(code), told), "{}", health.errors());
    }
}
