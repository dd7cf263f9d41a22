//! One org behind one server, with an authenticated client. The only place where the tests
//! touch HTTP.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use salesforce_sim::{Org, Server};
use serde_json::{Map, Value, json};

/// A running org and a logged-in client.
pub struct Sim {
    pub org: Org,
    pub server: Server,
    pub http: reqwest::Client,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and `errorCode` of the first error.
    pub fn error(&self) -> (u16, String) {
        let code = self.json()[0]["errorCode"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

pub const DATA: &str = "/services/data/v67.0";

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

impl Sim {
    pub async fn start() -> Self {
        Self::with(Org::new(1)).await
    }

    pub async fn with(org: Org) -> Self {
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        let mut sim = Self { org, server, http: client(), token: String::new() };
        let login = sim.org.credentials();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &login.client_id),
            ("client_secret", &login.client_secret),
        ];
        let answer = sim.form("/services/oauth2/token", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        sim.token = answer.json()["access_token"].as_str().unwrap().to_owned();
        sim
    }

    pub fn url(&self, path: &str) -> String {
        let path = if path.starts_with("/services") || path.starts_with("/__sim") {
            path.to_owned()
        } else {
            format!("{DATA}/{path}")
        };
        format!("{}{path}", self.server.url())
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        read(self.http.post(self.url(path)).form(fields)).await
    }

    /// A call with the token; headers may be added.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        read(self.request("POST", path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        read(self.request("PATCH", path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        read(self.request("DELETE", path)).await
    }

    pub async fn query(&self, statement: &str) -> Answer {
        read(self.request("GET", "query").query(&[("q", statement)])).await
    }

    pub async fn query_all(&self, statement: &str) -> Answer {
        read(self.request("GET", "queryAll").query(&[("q", statement)])).await
    }

    /// Creates a row and gives its id.
    pub async fn create(&self, object: &str, body: Value) -> String {
        let answer = self.post(&format!("sobjects/{object}"), body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// The fields of a row.
    pub async fn row(&self, object: &str, id: &str) -> Value {
        let answer = self.get(&format!("sobjects/{object}/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Values of one column of a query.
    pub async fn column(&self, statement: &str, column: &str) -> Vec<Value> {
        let answer = self.query(statement).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let records = answer.json()["records"].as_array().unwrap().clone();
        records.into_iter().map(|record| record[column].clone()).collect()
    }

    /// A control call.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        read(self.request(method, &format!("/__sim/{path}")).json(&body)).await
    }
}

pub async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    Answer { status, headers, text }
}

/// A JSON object as the handle takes it.
pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => panic!("not an object"),
    }
}

/// `n` contacts named `C0`, `C1` ….
pub fn contacts(n: usize) -> Vec<Map<String, Value>> {
    (0..n).map(|at| fields(json!({ "LastName": format!("C{at}") }))).collect()
}

/// Waits until a condition holds, at most five seconds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(5), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(waited.is_ok(), "waited in vain: {what}");
}
