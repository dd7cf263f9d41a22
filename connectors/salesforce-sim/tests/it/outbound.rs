//! Outbound messages: what is sent, and what happens until it is acknowledged.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use salesforce_sim::{Org, OutboundMessage};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::sim::{Sim, client, until};

const ACK: &str = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
    <soapenv:Body><notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\">\
    <Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>";

/// An endpoint that keeps what came and answers as it is told, then with an `Ack`.
#[derive(Clone)]
struct Endpoint {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    came: Arc<watch::Sender<Vec<String>>>,
    url: String,
}

impl Endpoint {
    async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let mut answers: Vec<(u16, String)> =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        answers.reverse();
        let endpoint = Self {
            answers: Arc::new(Mutex::new(answers)),
            came: Arc::new(watch::channel(Vec::new()).0),
            url,
        };
        let router = Router::new().route("/hook", post(take)).with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }

    /// What came, once it is so many messages.
    async fn messages(&self, count: usize) -> Vec<String> {
        let mut came = self.came.subscribe();
        let enough = came.wait_for(|came| came.len() >= count);
        let enough = tokio::time::timeout(Duration::from_secs(20), enough).await;
        enough.expect("the messages did not come").unwrap().clone()
    }
}

async fn take(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    assert_eq!(headers["content-type"], "text/xml; charset=utf-8");
    assert_eq!(headers["soapaction"], "\"\"");
    let answer = endpoint.answers.lock().unwrap().pop();
    endpoint.came.send_modify(|came| came.push(body));
    let (status, body) = answer.unwrap_or((200, ACK.to_owned()));
    (StatusCode::from_u16(status).unwrap(), body)
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn settled(org: &Org) {
    until("nothing is pending", || org.outbound().pending.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_told_of_with_the_selected_fields() {
    let sim = Sim::start().await;
    let endpoint = Endpoint::start(&[]).await;
    let message = OutboundMessage {
        fields: ["Name", "Phone", "NumberOfEmployees"].map(String::from).to_vec(),
        ..OutboundMessage::new("Account", &endpoint.url)
    };
    let action = sim.org.add_outbound_message(message).unwrap();
    let person = sim.org.person("admin@example.com").unwrap();
    let id = person.create("Account", &fields(json!({"Name": "A & B"}))).await.unwrap();
    let came = endpoint.messages(1).await;
    for part in [
        format!("<OrganizationId>{}</OrganizationId>", sim.org.id()),
        format!("<ActionId>{action}</ActionId>"),
        "<SessionId xsi:nil=\"true\"/>".to_owned(),
        "xsi:type=\"sf:Account\"".to_owned(),
        format!("<sf:Id>{id}</sf:Id><sf:Name>A &amp; B</sf:Name></sObject>"),
    ] {
        assert!(came[0].contains(&part), "{part}: {}", came[0]);
    }
    // Not for other objects, nor for deletions.
    person.create("Lead", &fields(json!({"LastName": "L", "Company": "C"}))).await.unwrap();
    person.delete(id).await.unwrap();
    settled(&sim.org).await;
    let status = sim.org.outbound();
    assert_eq!((status.delivered, status.sent), (1, 1), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_sent_again_until_it_is_acknowledged_and_shows_the_row_of_then() {
    let sim = Sim::start().await;
    sim.org.change_settings(|settings| settings.outbound_retry_ms = 5);
    let not_true = ACK.replace("true", "false");
    let endpoint = Endpoint::start(&[(500, "busy"), (200, "OK"), (200, &not_true)]).await;
    let message = OutboundMessage {
        fields: vec!["Name".to_owned()],
        on_update: false,
        ..OutboundMessage::new("Account", &endpoint.url)
    };
    sim.org.add_outbound_message(message).unwrap();
    let person = sim.org.person("admin@example.com").unwrap();
    let id = person.create("Account", &fields(json!({"Name": "First"}))).await.unwrap();
    endpoint.messages(1).await;
    person.update(id, &fields(json!({"Name": "Second"}))).await.unwrap();
    let came = endpoint.messages(4).await;
    assert!(came[0].contains("First") && came[3].contains("Second"), "{came:?}");
    let ids: Vec<&str> = came.iter().filter_map(|body| body.split("<Id>04l").nth(1)).collect();
    assert!(ids.iter().all(|rest| rest[..15] == ids[0][..15]), "{came:?}");
    settled(&sim.org).await;
    assert_eq!(sim.org.outbound().delivered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_into_messages_of_a_hundred() {
    let sim = Sim::start().await;
    let endpoint = Endpoint::start(&[]).await;
    sim.org.add_outbound_message(OutboundMessage::new("Account", &endpoint.url)).unwrap();
    let records: Vec<Map<String, Value>> =
        (0..250).map(|n| fields(json!({"Name": format!("A{n}")}))).collect();
    sim.org.seed("admin@example.com", "Account", &records).unwrap();
    let came = endpoint.messages(3).await;
    let mut counts: Vec<usize> =
        came.iter().map(|body| body.matches("<Notification>").count()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [50, 100, 100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_twice_and_out_of_order_when_they_are_told_to() {
    let sim = Sim::start().await;
    sim.org.change_settings(|settings| {
        settings.outbound_repeat = 1;
        settings.outbound_shuffle = true;
    });
    let endpoint = Endpoint::start(&[]).await;
    sim.org.add_outbound_message(OutboundMessage::new("Account", &endpoint.url)).unwrap();
    let records = ["A", "B"].map(|name| fields(json!({"Name": name})));
    let ids = sim.org.seed("admin@example.com", "Account", &records).unwrap();
    let came = endpoint.messages(2).await;
    assert_eq!(came[0], came[1]);
    let place = |id: &salesforce_sim::Id| came[0].find(id.as_str()).unwrap();
    assert!(place(&ids[0]) > place(&ids[1]), "{}", came[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_adds_shows_and_removes_them() {
    let sim = Sim::start().await;
    let url = format!("{}/__sim/outbound", sim.server.url());
    let message = json!({"name": "M", "object": "Account", "url": "http://127.0.0.1:9/hook",
        "not_by": "integration@example.com"});
    let http = client();
    let added = http.post(&url).json(&message).send().await.unwrap();
    assert_eq!(added.status(), 200);
    let wrong = json!({"name": "M", "object": "Nothing", "url": "http://127.0.0.1:9/hook"});
    assert_eq!(http.post(&url).json(&wrong).send().await.unwrap().status(), 422);
    let robot = sim.org.person("integration@example.com").unwrap();
    robot.create("Account", &fields(json!({"Name": "Not told of"}))).await.unwrap();
    let person = sim.org.person("admin@example.com").unwrap();
    person.create("Account", &fields(json!({"Name": "Told of"}))).await.unwrap();
    let shown: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["messages"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["pending"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(http.delete(&url).send().await.unwrap().status(), 200);
    assert_eq!(
        sim.org.outbound(),
        salesforce_sim::OutboundStatus { sent: sim.org.outbound().sent, ..Default::default() }
    );
}
