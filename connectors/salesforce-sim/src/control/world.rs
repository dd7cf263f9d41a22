//! The rest of the control API: settings, users, history, records, requests, faults, locks,
//! clock, tokens, limits, flows.

use serde::Deserialize;
use serde_json::{Value as Raw, json};

use super::{Answered, Refusal, parameter, read};
use crate::faults::Fault;
use crate::oauth::AppPatch;
use crate::org::{Id, NewUser, Org, Settings};
use crate::rest::Http;
use crate::save::{DuplicateRule, FlowRule};

pub(super) fn route(org: &Org, http: &Http, segments: &[&str]) -> Answered {
    match (http.method.as_str(), segments) {
        ("GET", []) => Ok(info(org)),
        (method, ["settings"]) => settings(org, http, method),
        ("POST", ["users"]) => add_user(org, http),
        ("GET", ["history"]) => history(org, http),
        ("GET", ["record", id]) => {
            let id = Id::parse(id).ok_or(Refusal::NotFound)?;
            org.record(id).map(Raw::Object).ok_or(Refusal::NotFound)
        }
        ("GET", ["records", object]) => {
            let bin = parameter(http, "bin").is_some_and(|flag| flag == "true");
            Ok(json!({ "records": org.records(object, bin) }))
        }
        (method, ["requests", rest @ ..]) => requests(org, http, method, rest),
        (method, ["faults", rest @ ..]) => faults(org, http, method, rest),
        (method, ["locks"]) => locks(org, http, method),
        ("POST", ["held", "commit"]) => Ok(json!({ "committed": org.commit_held() })),
        (method, ["clock"]) => clock(org, http, method),
        ("POST", ["tokens", what]) => tokens(org, http, what),
        ("PATCH", ["app"]) => {
            org.change_app(read::<AppPatch>(http)?);
            Ok(json!({}))
        }
        ("POST", ["locators", "expire"]) => {
            org.expire_locators();
            Ok(json!({}))
        }
        ("POST", ["limits"]) => limits(org, http),
        ("POST", ["flows"]) => {
            org.add_flow(read::<FlowRule>(http)?);
            Ok(json!({}))
        }
        ("POST", ["duplicate_rules"]) => {
            org.add_duplicate_rule(read::<DuplicateRule>(http)?);
            Ok(json!({}))
        }
        ("DELETE", ["duplicate_rules"]) => {
            org.clear_duplicate_rules();
            Ok(json!({}))
        }
        ("POST", ["features", feature]) => {
            if org.enable(feature) {
                Ok(json!({}))
            } else {
                Err(Refusal::NotFound)
            }
        }
        ("DELETE", ["flows"]) => {
            org.clear_flows();
            Ok(json!({}))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn info(org: &Org) -> Raw {
    let credentials = org.credentials();
    let state = org.state();
    json!({
        "org_id": state.org_id,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "integration_user": credentials.username,
        "now_ms": state.clock.now_ms(),
        "last_seq": state.history.len(),
        "held": state.held.len(),
        "api_used": state.usage.used,
        "api_max": state.usage.max,
        "objects": state
            .tables
            .iter()
            .map(|table| (table.object.name.clone(), Raw::from(table.live_count())))
            .collect::<serde_json::Map<_, _>>(),
    })
}

/// A patch names only the switches it changes.
fn settings(org: &Org, http: &Http, method: &str) -> Answered {
    let shown = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
    match method {
        "GET" => Ok(shown(&org.settings())),
        "PATCH" => {
            let patch: serde_json::Map<String, Raw> = read(http)?;
            let mut whole = shown(&org.settings());
            if let Raw::Object(members) = &mut whole {
                members.extend(patch);
            }
            let new: Settings = serde_json::from_value(whole)
                .map_err(|error| Refusal::BadInput(error.to_string()))?;
            org.change_settings(|settings| *settings = new);
            Ok(shown(&org.settings()))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn add_user(org: &Org, http: &Http) -> Answered {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct User {
        username: String,
        name: Option<String>,
        password: Option<String>,
        security_token: Option<String>,
    }
    let given: User = read(http)?;
    let mut user = NewUser::named(&given.username);
    user.name = given.name.unwrap_or(user.name);
    user.password = given.password.unwrap_or(user.password);
    user.security_token = given.security_token.unwrap_or(user.security_token);
    Ok(json!({ "id": org.add_user(&user)? }))
}

fn history(org: &Org, http: &Http) -> Answered {
    let number = |name: &str, default: u64| {
        parameter(http, name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| Refusal::BadInput(format!("{name} is a number, not {text}")))
        })
    };
    let since = number("since", 0)?;
    let limit = usize::try_from(number("limit", 10_000)?).unwrap_or(usize::MAX);
    let entries = org.history_since(since, limit);
    Ok(json!({ "entries": entries, "last_seq": org.last_seq() }))
}

fn requests(org: &Org, http: &Http, method: &str, rest: &[&str]) -> Answered {
    match (method, rest) {
        ("GET", []) => {
            let since = parameter(http, "since").and_then(|text| text.parse().ok()).unwrap_or(0);
            Ok(json!({ "requests": org.requests_since(since) }))
        }
        ("GET", ["counts"]) => Ok(json!(org.request_counts())),
        ("DELETE", []) => {
            org.reset_requests();
            Ok(json!({}))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn faults(org: &Org, http: &Http, method: &str, rest: &[&str]) -> Answered {
    match (method, rest) {
        ("GET", []) => {
            let planned = org.faults().into_iter();
            let shown: Vec<Raw> =
                planned.map(|(id, fault)| json!({ "id": id, "fault": fault })).collect();
            Ok(json!({ "faults": shown }))
        }
        ("POST", []) => Ok(json!({ "id": org.add_fault(read::<Fault>(http)?) })),
        ("DELETE", []) => {
            org.clear_faults();
            Ok(json!({}))
        }
        ("DELETE", [id]) => match id.parse() {
            Ok(id) if org.remove_fault(id) => Ok(json!({})),
            _ => Err(Refusal::NotFound),
        },
        _ => Err(Refusal::NotFound),
    }
}

fn locks(org: &Org, http: &Http, method: &str) -> Answered {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Lock {
        id: Id,
        ms: u64,
    }
    match method {
        "POST" => {
            let lock: Lock = read(http)?;
            org.lock_row(lock.id, lock.ms);
            Ok(json!({}))
        }
        "DELETE" => {
            org.unlock_rows();
            Ok(json!({}))
        }
        _ => Err(Refusal::NotFound),
    }
}

fn clock(org: &Org, http: &Http, method: &str) -> Answered {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum Move {
        OffsetMs(i64),
        AdvanceMs(i64),
        /// An instant, or null for now.
        Freeze(Option<i64>),
        Resume {},
    }
    match method {
        "GET" => {}
        "POST" => match read::<Move>(http)? {
            Move::OffsetMs(ms) => org.set_clock_offset_ms(ms),
            Move::AdvanceMs(ms) => org.advance_clock_ms(ms),
            Move::Freeze(at_ms) => org.freeze_clock(at_ms),
            Move::Resume {} => org.resume_clock(),
        },
        _ => return Err(Refusal::NotFound),
    }
    let state = org.state();
    Ok(json!({
        "now_ms": state.clock.now_ms(),
        "offset_ms": state.clock.offset_ms(),
        "frozen": state.clock.is_frozen(),
    }))
}

fn tokens(org: &Org, http: &Http, what: &str) -> Answered {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whose {
        user: Option<String>,
        secret: Option<String>,
    }
    let whose: Whose = read(http)?;
    let user = whose.user.as_deref();
    match what {
        "expire" => Ok(json!({ "ended": org.expire_tokens(user) })),
        "revoke" => Ok(json!({ "ended": org.revoke_refresh_tokens(user) })),
        "refresh" => {
            let token = user.and_then(|user| org.refresh_token(user));
            token.map(|token| json!({ "refresh_token": token })).ok_or(Refusal::NotFound)
        }
        "secret" => match whose.secret {
            Some(secret) => {
                org.set_client_secret(&secret);
                Ok(json!({}))
            }
            None => Err(Refusal::BadInput(String::from("the member secret is missing"))),
        },
        _ => Err(Refusal::NotFound),
    }
}

fn limits(org: &Org, http: &Http) -> Answered {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Limits {
        max: u64,
        used: u64,
    }
    let limits: Limits = read(http)?;
    org.set_daily_limit(limits.max, limits.used);
    Ok(json!({}))
}
