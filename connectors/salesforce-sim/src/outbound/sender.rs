//! Sends what is due, for as long as the org is served.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::ack;
use super::queue::Sending;
use crate::org::Org;
use crate::org::clock::instant;

/// How long an endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing is looked at where nothing is due.
const IDLE: Duration = Duration::from_secs(60);
/// An answer is an `Ack`.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Sends until the future is dropped.
pub(crate) async fn run(org: Org) {
    let client = match Client::builder().no_proxy().timeout(TIMEOUT).build() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no outbound messages are sent");
            return;
        }
    };
    let wake = org.state().outbound.wake.clone();
    loop {
        let due = org.state().take_outbound();
        for sending in due {
            tokio::spawn(send(org.clone(), client.clone(), sending));
        }
        let next = org.state().next_outbound().unwrap_or_else(|| instant() + IDLE);
        if tokio::time::timeout_at(next, wake.notified()).await.is_err() {
            tracing::trace!("an outbound message is due, or it is time to look");
        }
    }
}

async fn send(org: Org, client: Client, sending: Sending) {
    let mut answer = Err(String::from("it was not sent"));
    for _ in 0..sending.copies {
        answer = post(&client, &sending).await;
    }
    let mut state = org.state();
    state.settle_outbound(&sending, answer);
    state.outbound.wake.notify_one();
}

async fn post(client: &Client, sending: &Sending) -> Result<(), String> {
    let request = client
        .post(&sending.url)
        .header(CONTENT_TYPE, "text/xml; charset=utf-8")
        .header("SOAPAction", "\"\"")
        .body(sending.body.clone());
    // The words of the client would repeat the address.
    let reply = request.send().await.map_err(|error| error.without_url().to_string())?;
    let status = reply.status().as_u16();
    if reply.content_length().is_some_and(|length| length > ANSWER_BYTES_MAX) {
        return Err(String::from("the answer is too long"));
    }
    let body = reply.text().await.map_err(|error| error.without_url().to_string())?;
    ack::check(status, &body)
}
