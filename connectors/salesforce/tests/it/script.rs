//! A server that plays back answers and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use percent_encoding::percent_decode_str;
use syncline_salesforce::{MemoryTokenStore, Salesforce, SalesforceSettings};
use syncline_sdk::{
    BatchId, Context, Expect, FieldName, Instant, IntentId, LinkId, Purpose, Selection, Version,
    Write, WriteBatch, WriteOp,
};
use uuid::Uuid;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    /// Path and query, decoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    body: String,
    date: &'static str,
    cut: bool,
    headers: Vec<(&'static str, &'static str)>,
}

impl Answer {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }
    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), date: LATER, cut: false, headers: Vec::new() }
    }
    pub fn at(mut self, date: &'static str) -> Self {
        self.date = date;
        self
    }
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
    /// The connection breaks in the middle of the answer.
    pub fn cut() -> Self {
        Self { cut: true, ..Self::ok("") }
    }
}

/// Ten seconds after eight o'clock.
pub const LATER: &str = "Sat, 21 Nov 2026 08:00:10 GMT";
/// Eight o'clock, in seconds.
pub const EIGHT: i64 = 1_795_248_000;

#[derive(Default)]
struct Inner {
    answers: VecDeque<Answer>,
    tokens: VecDeque<Answer>,
    seen: Vec<Seen>,
    token_requests: Vec<Seen>,
    token_pause: Duration,
}

/// The server.
#[derive(Clone)]
pub struct Script {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Script {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Self { url, inner: Arc::default() };
        let app = axum::Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        script
    }
    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) -> &Self {
        self.inner.lock().unwrap().answers.extend(answers);
        self
    }
    pub fn play_token(&self, answer: Answer) -> &Self {
        self.inner.lock().unwrap().tokens.push_back(answer);
        self
    }
    /// How long a token request takes, so that others come meanwhile.
    pub fn slow_tokens(&self, pause: Duration) {
        self.inner.lock().unwrap().token_pause = pause;
    }
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }
    pub fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }
    pub fn token_requests(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().token_requests.clone()
    }
    pub fn settings(&self) -> SalesforceSettings {
        let mut settings = SalesforceSettings::new(&self.url, "key");
        settings.client_secret = Some("hush".into());
        settings.lag = Duration::ZERO;
        settings
    }
    pub fn connector(&self) -> Salesforce {
        self.connector_of(self.settings())
    }
    pub fn connector_of(&self, settings: SalesforceSettings) -> Salesforce {
        Salesforce::new(settings, Arc::new(MemoryTokenStore::default())).unwrap()
    }
    pub fn token(&self, token: &str) -> Answer {
        Answer::ok(format!(
            "{{\"access_token\":\"{token}\",\"instance_url\":\"{}\",\"token_type\":\"Bearer\",\
             \"id\":\"https://login.salesforce.com/id/00D1a000000H3O9EAK/005000000000001AAA\",\
             \"issued_at\":\"1435269270000\",\"signature\":\"c2ln\"}}",
            self.url
        ))
    }
}

async fn answer(
    State(script): State<Script>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let seen = Seen {
        method,
        target: percent_decode_str(target).decode_utf8().unwrap().into_owned(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let token = target == "/services/oauth2/token";
    let (answer, pause) = {
        let mut inner = script.inner.lock().unwrap();
        if token {
            inner.token_requests.push(seen);
            let number = inner.token_requests.len();
            let next = inner.tokens.pop_front();
            (next.unwrap_or_else(|| script.token(&format!("token-{number}"))), inner.token_pause)
        } else {
            inner.seen.push(seen);
            let none = || Answer::status(500, "[{\"errorCode\":\"X\",\"message\":\"no script\"}]");
            (inner.answers.pop_front().unwrap_or_else(none), Duration::ZERO)
        }
    };
    if !pause.is_zero() {
        // The server is slow: nothing else is waited for here.
        let never = std::future::pending::<()>();
        drop(tokio::time::timeout(pause, never).await);
    }
    let mut response = Response::builder()
        .status(answer.status)
        .header("date", answer.date)
        .header("content-type", "application/json;charset=UTF-8");
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = if answer.cut {
        let broken = std::io::Error::other("cut");
        Body::from_stream(futures_util::stream::once(async { Err::<Bytes, _>(broken) }))
    } else {
        Body::from(answer.body)
    };
    response.body(body).unwrap()
}

pub fn cx() -> Context {
    Context {
        install: "inst".into(),
        now: Instant::from_micros(1_000_000),
        timeout: Duration::from_secs(10),
        purpose: Purpose::Sync,
    }
}

/// A describe of Account with what the tests use.
pub fn account() -> Answer {
    let field = |name: &str, kind: &str, rest: &str| {
        format!(
            "{{\"name\":\"{name}\",\"type\":\"{kind}\",\"length\":255,\"nillable\":true,\
             \"createable\":true,\"updateable\":true,\"filterable\":true{rest}}}"
        )
    };
    let fields = [
        field("Id", "id", ""),
        field("SystemModstamp", "datetime", ""),
        field("LastModifiedById", "reference", ""),
        field("IsDeleted", "boolean", ""),
        field("MasterRecordId", "reference", ""),
        field("Name", "string", ""),
        field("Size__c", "double", ",\"precision\":18,\"scale\":2"),
        field("Link__c", "string", ",\"unique\":true,\"externalId\":true"),
        field("Marker__c", "string", ""),
    ];
    Answer::ok(format!(
        "{{\"name\":\"Account\",\"queryable\":true,\"updateable\":true,\"createable\":true,\
         \"deletable\":true,\"undeletable\":true,\"fields\":[{}]}}",
        fields.join(",")
    ))
}

pub fn selection() -> Arc<Selection> {
    Arc::new(Selection {
        entity: "Account".into(),
        fields: ["Name", "Size__c"].map(FieldName::new).into(),
        external_id: Some("Link__c".into()),
        marker: Some("Marker__c".into()),
        actor: None,
        filter: None,
    })
}

pub const ID: &str = "001000000000001AAA";

pub fn row(id: &str, second: i64, rest: &str) -> String {
    let at = jiff::Timestamp::from_second(EIGHT + second).unwrap();
    let at = at.strftime("%Y-%m-%dT%H:%M:%S.000+0000");
    format!(
        "{{\"attributes\":{{\"type\":\"Account\",\"url\":\"/x\"}},\"Id\":\"{id}\",\
         \"SystemModstamp\":\"{at}\",\"LastModifiedById\":\"005000000000002AAA\",\
         \"MasterRecordId\":null,\"Marker__c\":null,\"Link__c\":null,\"Size__c\":null{rest}}}"
    )
}

pub fn live(id: &str, second: i64, name: &str) -> String {
    row(id, second, &format!(",\"IsDeleted\":false,\"Name\":\"{name}\""))
}

pub fn rows(rows: &[String]) -> Answer {
    Answer::ok(format!(
        "{{\"totalSize\":{},\"done\":true,\"records\":[{}]}}",
        rows.len(),
        rows.join(",")
    ))
}

pub fn expect(second: i64) -> Expect {
    let version = Version::new((EIGHT + second).to_string().into_bytes());
    Expect { version, ..Expect::default() }
}

pub fn write(ordinal: i32, op: WriteOp) -> Write {
    Write {
        intent: IntentId { commit: 4, ordinal },
        ordinal,
        link: LinkId(Uuid::from_u128(7)),
        selection: selection(),
        op,
        group: None,
    }
}

pub fn batch(ops: Vec<WriteOp>) -> WriteBatch {
    let writes = ops.into_iter().zip(0..).map(|(op, at)| write(at, op)).collect();
    WriteBatch { batch: BatchId { commit: 4, ordinal: 0 }, writes }
}
