//! Connections that say nothing, half of something, or too much.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fixture::{Served, client, served_within};
use crate::connections::{LIMITS, Limits};

/// Far longer than what is waited for.
const LONG: Duration = Duration::from_secs(30);

const BRIEF: Limits = Limits {
    connections: 3,
    head: Duration::from_millis(300),
    ending: Duration::from_millis(300),
    ..LIMITS
};

async fn said(served: &Served, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the other side ends the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is cut may end as a reset.
    let _ = timeout(LONG, stream.read_to_end(&mut text)).await.expect("it stays open");
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn one_that_says_nothing_or_half_of_something_ends() {
    let served = served_within(BRIEF, |_| {}, &[], None).await;
    let preface = "PRI * HTTP/2.0\r\n\r\nS";
    for text in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Mor", preface] {
        let told = rest(said(&served, text).await).await;
        assert!(!told.contains("200 OK"), "{text}: {told}");
    }
    // They hold the places of others for as long as that, and no longer.
    let silent = [said(&served, "").await, said(&served, "").await, said(&served, "").await];
    let url = format!("http://{}/healthz", served.address);
    assert_eq!(client().build().unwrap().get(url).send().await.unwrap().status(), 200);
    drop(silent);
}

#[tokio::test]
async fn a_half_sent_request_does_not_keep_the_surface_from_ending() {
    let limits = Limits { head: LONG * 100, ..BRIEF };
    let served = served_within(limits, |_| {}, &[], None).await;
    let half = said(&served, "POST /hooks/crm/x HTTP/1.1\r\nHost: x\r\nContent-Le").await;
    let silent = said(&served, "").await;
    // Both are taken before it stops: a third one is answered.
    let url = format!("http://{}/healthz", served.address);
    assert_eq!(client().build().unwrap().get(url).send().await.unwrap().status(), 200);
    drop(served.stop);
    timeout(LONG, served.serving).await.expect("it does not end").unwrap();
    drop((half, silent));
}
