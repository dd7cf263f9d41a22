//! The life of a request: log, faults, latency, authentication, transaction, answer.

use std::time::Duration;

use super::call::{Call, Caller};
use super::http::{Http, Reply};
use super::kind::{kind, records, writes};
use super::requests::RequestEntry;
use super::{discovery, form, limits, route};
use crate::faults::{FaultAction, Target};
use crate::oauth;
use crate::org::clock::{instant, pause};
use crate::org::ids::Id;
use crate::org::locks::LockKey;
use crate::org::txn::Actor;
use crate::org::{CommitDelay, Org};
use crate::soap;
use crate::{bulk, control};

/// What the faults of a request ask for.
#[derive(Debug, Default)]
struct Plan {
    number: u64,
    before: Option<Answer>,
    after: Option<Answer>,
    delay_apply_ms: u64,
    delay_reply_ms: u64,
    duplicate_ms: Option<u64>,
    commit_ms: Option<u64>,
    page_rows: Option<usize>,
    fail_job: bool,
    expired: Option<String>,
}

/// An answer in place of the real one; `None` cuts the connection.
type Answer = Option<Reply>;

/// Answers a request; `None` cuts the connection.
pub(crate) async fn answer(org: &Org, http: Http) -> Option<Reply> {
    if http.path.starts_with("/__sim") {
        return Some(control::answer(org, &http).await);
    }
    let kind = kind(&http);
    let plan = arrive(org, &http, kind);
    org.travel().await;
    pause(plan.delay_apply_ms).await;
    let reply = match plan.before {
        Some(ref answer) => answer.clone(),
        None => {
            let real = apply(org, &http, kind, &plan).await;
            if let Some(ms) = plan.duplicate_ms {
                duplicate(org, &http, kind, ms, plan.number);
            }
            match plan.after {
                Some(ref answer) => answer.clone(),
                None => Some(real),
            }
        }
    };
    pause(plan.delay_reply_ms).await;
    org.travel().await;
    let status = reply.as_ref().map_or(0, |reply| reply.status);
    org.state().requests.answer(plan.number, status);
    reply
}

/// Logs the request and draws its faults.
fn arrive(org: &Org, http: &Http, kind: &str) -> Plan {
    let mut state = org.state();
    let path = http.shown();
    let body = String::from_utf8_lossy(&http.body);
    let target = Target { method: &http.method, kind, path: &path, body: &body };
    let struck = state.faults.strike(&target);
    let entry = RequestEntry {
        number: 0,
        at_ms: state.clock.now_ms(),
        method: http.method.clone(),
        path,
        kind: kind.to_owned(),
        user: None,
        client: client_tag(http),
        status: 0,
        records: records(kind, http),
        faults: struck.len(),
    };
    let mut plan = Plan { number: state.requests.arrive(entry), ..Plan::default() };
    for (action, record) in struck {
        match action {
            FaultAction::LockRow { ms } => {
                if let Some(id) = record.as_deref().and_then(Id::parse) {
                    let until = instant() + Duration::from_millis(ms);
                    state.locks.take(LockKey::Row(id), 0, Some(until));
                }
            }
            FaultAction::ExpireLocators => state.cursors.clear(),
            other => plan.add(other),
        }
    }
    plan
}

impl Plan {
    fn add(&mut self, action: FaultAction) {
        match action {
            FaultAction::Fail { status, code, message, html, after } => {
                let reply = if html {
                    let page = format!("<html><body><h1>{status}</h1>{message}</body></html>");
                    Reply::text(status, "text/html;charset=UTF-8", page)
                } else {
                    Reply::error(status, &code, message)
                };
                self.replace(after, Some(reply));
            }
            FaultAction::Cut { after } => self.replace(after, None),
            FaultAction::RequestLimit { concurrent } => {
                self.replace(false, Some(limits::exceeded(concurrent)));
            }
            FaultAction::DelayReply { ms } => self.delay_reply_ms += ms,
            FaultAction::DelayApply { ms } => self.delay_apply_ms += ms,
            FaultAction::Duplicate { after_ms } => self.duplicate_ms = Some(after_ms),
            FaultAction::CommitLate { ms } => self.commit_ms = Some(ms),
            FaultAction::FailJob => self.fail_job = true,
            FaultAction::SmallPages { rows } => self.page_rows = Some(rows),
            FaultAction::ExpireToken { message } => {
                let usual = || String::from("Session expired or invalid");
                self.expired = Some(message.unwrap_or_else(usual));
            }
            FaultAction::LockRow { .. }
            | FaultAction::ExpireLocators
            | FaultAction::RecordError { .. } => {}
        }
    }

    fn replace(&mut self, after: bool, answer: Answer) {
        if after {
            self.after = Some(answer);
        } else {
            self.before = Some(answer);
        }
    }
}

/// Applies the request once more, later, for nobody.
fn duplicate(org: &Org, http: &Http, kind: &'static str, ms: u64, number: u64) {
    let (org, http) = (org.clone(), http.clone());
    tokio::spawn(async move {
        pause(ms).await;
        let plan = Plan { number, ..Plan::default() };
        let reply = apply(&org, &http, kind, &plan).await;
        tracing::debug!(number, status = reply.status, "a duplicate was applied");
    });
}

/// The real work.
async fn apply(org: &Org, http: &Http, kind: &str, plan: &Plan) -> Reply {
    let path = http.path.trim_end_matches('/');
    match path {
        "/services/data" | "/services/data.xml" | "/services/data.json" => {
            return form::data(http, discovery::versions());
        }
        "/services/oauth2/token" if http.method == "POST" => {
            return form::token(http, oauth::token(&mut org.state(), http));
        }
        "/services/oauth2/authorize" => return oauth::authorize(&mut org.state(), http),
        "/services/oauth2/revoke" => return oauth::revoke(&mut org.state(), &http.form()),
        "/services/oauth2/introspect" => return oauth::introspect(&org.state(), &http.form()),
        _ => {}
    }
    if path.starts_with("/services/Soap/") {
        return soap::answer(org, http, plan.number, delay(kind, plan)).await;
    }
    if path.starts_with("/services/async/") {
        return bulk::first_answer(org, http);
    }
    let caller = match authenticate(org, http, plan) {
        Ok(caller) => caller,
        Err(reply) => return reply,
    };
    if path.starts_with("/id/") || path == "/services/oauth2/userinfo" {
        return oauth::identity(&org.state(), http, caller.user);
    }
    let mut reply = if !path.starts_with("/services/data/") {
        Reply::not_found()
    } else if !org.state().usage.count() {
        limits::exceeded(false)
    } else if http.path.split('/').nth(4) == Some("jobs") {
        let actor = actor(&caller, http, plan, "bulkapi");
        let delay = delay(kind, plan);
        let fail = plan.fail_job;
        bulk::answer(org, bulk::Asked { caller: &caller, http, actor, delay, fail })
    } else {
        let reply = match Call::parse(&form::without_suffix(http)) {
            Ok(call) => run(org, &caller, &call, kind, plan, http).await,
            Err(reply) => reply,
        };
        form::data(http, reply)
    };
    let usage = org.state().usage.header();
    reply.headers.push((String::from("Sforce-Limit-Info"), usage));
    reply
}

async fn run(
    org: &Org,
    caller: &Caller,
    call: &Call,
    kind: &str,
    plan: &Plan,
    http: &Http,
) -> Reply {
    let actor = actor(caller, http, plan, "rest");
    org.transact(&actor, delay(kind, plan), |state, txn| {
        // TRUE when the header is missing (REST guide, assignment rule header).
        txn.auto_assign = true;
        route::dispatch(state, txn, caller, call)
    })
    .await
}

fn actor(caller: &Caller, http: &Http, plan: &Plan, api: &'static str) -> Actor {
    let client = client_tag(http);
    Actor { user: caller.user, client, api, request: Some(plan.number) }
}

fn delay(kind: &str, plan: &Plan) -> CommitDelay {
    match plan.commit_ms {
        _ if !writes(kind) => CommitDelay::None,
        Some(ms) => CommitDelay::Ms(ms),
        None => CommitDelay::Jitter,
    }
}

/// `client=` of `Sforce-Call-Options`; parts are split by `;` or `,`.
fn client_tag(http: &Http) -> Option<String> {
    let options = http.header("sforce-call-options")?;
    options.split([';', ',']).find_map(|option| {
        let (name, value) = option.split_once('=')?;
        name.trim().eq_ignore_ascii_case("client").then(|| value.trim().to_owned())
    })
}

/// `Bearer` or the older `OAuth` scheme, in any case; the identity URL takes the token as a
/// parameter too.
fn authenticate(org: &Org, http: &Http, plan: &Plan) -> Result<Caller, Reply> {
    let mut state = org.state();
    let in_query = || {
        let pairs = super::http::pairs(&http.raw_query);
        let found = pairs.into_iter().find(|(name, _)| name == "oauth_token");
        found.filter(|_| http.path.starts_with("/id/")).map(|(_, token)| token)
    };
    let token = http.header("authorization").and_then(bearer).map(str::to_owned).or_else(in_query);
    let Some(token) = token else {
        return Err(Reply::error(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
            .with_header("WWW-Authenticate", "Token"));
    };
    let (now_ms, life_s) = (state.clock.now_ms(), state.settings.session_s);
    if let Some(message) = &plan.expired {
        state.logins.sessions.remove(&token);
        return Err(Reply::error(401, "INVALID_SESSION_ID", message.clone()));
    }
    let Some(user) = state.logins.authenticate(&token, now_ms, life_s) else {
        if http.path.starts_with("/id/") {
            return Err(Reply::text(403, "text/plain", String::from("Bad_OAuth_Token")));
        }
        return Err(Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid"));
    };
    let username = state.username(user).unwrap_or_default();
    state.requests.note(plan.number, |entry| entry.user = Some(username.clone()));
    Ok(Caller {
        user,
        username,
        base_url: http.base_url(),
        page_rows: plan.page_rows,
        nested: false,
    })
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim())
}
