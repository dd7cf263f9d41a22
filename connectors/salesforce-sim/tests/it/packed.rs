//! Bodies packed with gzip, both ways.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::sim::{DATA, Sim, contacts, read};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A client that unpacks nothing by itself.
fn plain() -> reqwest::Client {
    reqwest::Client::builder().no_gzip().build().unwrap()
}

#[tokio::test]
async fn answers_are_packed_for_those_who_ask() {
    let sim = Sim::start().await;
    sim.org.seed("ann@example.com", "Contact", &contacts(300)).unwrap();
    let url = sim.url(&format!("{DATA}/query?q=SELECT+LastName+FROM+Contact"));
    let get = |encoding: &str| {
        plain().get(&url).bearer_auth(&sim.token).header("Accept-Encoding", encoding).send()
    };
    let loose = get("identity").await.unwrap();
    assert!(!loose.headers().contains_key("content-encoding"));
    let loose = loose.bytes().await.unwrap();
    let tight = get("gzip, deflate").await.unwrap();
    assert_eq!(tight.headers()["content-encoding"], "gzip");
    assert_eq!(tight.headers()["content-type"], "application/json;charset=UTF-8");
    let tight = tight.bytes().await.unwrap();
    assert!(tight.len() * 4 < loose.len(), "{} of {}", tight.len(), loose.len());
    let mut text = Vec::new();
    GzDecoder::new(tight.as_ref()).read_to_end(&mut text).unwrap();
    assert_eq!(text, loose);
    // A short one is not worth it.
    let short = plain().get(sim.url("/services/data/v67.0/limits/recordCount?sObjects=Contact"));
    let short = short.bearer_auth(&sim.token).header("Accept-Encoding", "gzip").send().await;
    assert!(!short.unwrap().headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn requests_may_be_packed() {
    let sim = Sim::start().await;
    let send = |bytes: Vec<u8>, encoding: &str| {
        let request = sim.request("POST", "sobjects/Account");
        let request = request.header("Content-Type", "application/json");
        read(request.header("Content-Encoding", encoding).body(bytes))
    };
    let body = json!({ "Name": "Packed".repeat(30) }).to_string();
    let made = send(packed(body.as_bytes()), "gzip").await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(sim.row("Account", &id).await["Name"], "Packed".repeat(30).as_str());
    // The fault of a record is found in the unpacked body, and the log counts it as one write.
    assert_eq!(sim.org.request_counts().records_by_kind["create"], 1);
    assert_eq!(send(body.clone().into_bytes(), "identity").await.status, 201);
    let broken = send(body.clone().into_bytes(), "gzip").await;
    assert_eq!(broken.error(), (400, "INVALID_REQUEST".to_owned()));
    let foreign = send(body.into_bytes(), "br").await;
    assert_eq!(foreign.error(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
}

#[tokio::test]
async fn a_body_that_unpacks_without_end_is_refused() {
    let sim = Sim::start().await;
    let bomb = packed(&vec![b' '; 60 * 1024 * 1024]);
    assert!(bomb.len() < 100_000);
    let request = sim.request("POST", "sobjects/Account");
    let request = request.header("Content-Type", "application/json");
    let answer = read(request.header("Content-Encoding", "gzip").body(bomb)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(sim.get("limits").await.status, 200, "the simulator lives on");
}
