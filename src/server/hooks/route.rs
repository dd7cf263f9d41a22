//! The route: a delivery's way in, step by step.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http_body_util::LengthLimitError;
use syncline_ledger::Verdict;
use tokio::sync::Semaphore;

use super::refusal::{not_found, refusal, unavailable};
use super::signature::{Forged, Signed, is_signed};
use super::{Arrival, Door, Receipt, Receiver, Refused};
use crate::origin::{Origin, Peer, TrustedProxies, Way};

/// The longest delivery, bytes: 100 records with the fields of a form. One that selects no more
/// than the id has a hundredth of it.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many deliveries are under way at once; more are told to come again. They hold a body
/// each.
const UNDER_WAY_MAX: usize = 32;

/// What the route needs.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<Inner>);

struct Inner {
    doors: BTreeMap<String, Door>,
    receiver: Arc<dyn Receiver>,
    proxies: TrustedProxies,
    under_way: Semaphore,
}

impl Hooks {
    pub(crate) fn new(
        doors: Vec<Door>,
        receiver: Arc<dyn Receiver>,
        proxies: TrustedProxies,
    ) -> Self {
        let doors = doors.into_iter().map(|door| (door.system.clone(), door)).collect();
        let under_way = Semaphore::new(UNDER_WAY_MAX);
        Self(Arc::new(Inner { doors, receiver, proxies, under_way }))
    }
}

/// The routes of webhooks.
pub(crate) fn routes(hooks: Hooks) -> Router {
    Router::new().route("/hooks/{system}/{secret}", post(deliver)).with_state(hooks)
}

/// A refusal on the way in.
struct Stop {
    verdict: Verdict,
    reason: String,
    bytes: usize,
}

impl Stop {
    fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, reason: reason.into(), bytes: 0 }
    }
}

async fn deliver(
    State(Hooks(hooks)): State<Hooks>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    // A rejection of the path would repeat it.
    let Ok(Path((system, secret))) = path else {
        return not_found();
    };
    let Some(door) = hooks.doors.get(&system) else {
        return not_found();
    };
    let (head, body) = request.into_parts();
    let origin = Origin::of(&peer, &head.headers, &hooks.proxies);
    let refused = |Stop { verdict, reason, bytes }| {
        let answer = refusal(verdict, &reason);
        let system = door.system.clone();
        hooks.receiver.refused(Refused { system, remote: origin.client, verdict, reason, bytes });
        answer
    };
    // Who has no secret is answered as if there were no such system, and takes no place.
    if !door.opens_to(&secret) {
        let reason = "the secret of the address is not, or no longer, valid";
        return refused(Stop::new(Verdict::WrongSecret, reason));
    }
    let Ok(_place) = hooks.under_way.try_acquire() else {
        return unavailable("too many deliveries are under way");
    };
    match let_in(&hooks, door, &origin, &head.headers, body).await {
        Ok(arrival) => match hooks.receiver.take(arrival).await {
            Receipt::Taken(taken) => {
                if door.is_former(&secret) {
                    tracing::info!(system, "a delivery came by `previous_secret`");
                }
                (StatusCode::OK, [(header::CONTENT_TYPE, taken.content_type)], taken.body)
                    .into_response()
            }
            Receipt::Refused(verdict, reason) => refusal(verdict, &reason),
            Receipt::Unavailable(reason) => unavailable(&reason),
        },
        Err(stop) => refused(stop),
    }
}

/// Checks the way in of somebody with the secret; the cheap checks, and those that need no body,
/// first.
async fn let_in(
    hooks: &Inner,
    door: &Door,
    origin: &Origin,
    headers: &HeaderMap,
    body: Body,
) -> Result<Arrival, Stop> {
    if origin.way != Way::Secure {
        return Err(Stop::new(Verdict::Insecure, origin.way.advice()));
    }
    if !door.admits(origin.client) {
        let reason = format!("{} is none of the addresses that may send it", origin.client);
        return Err(Stop::new(Verdict::WrongAddress, reason));
    }
    if !door.trusts(origin.certificate) {
        let reason = match origin.certificate {
            Some(shown) => format!(
                "the client certificate that was shown (SHA-256 {shown}) is none of those in \
                 `client_certificate`: if its owner renewed it, add it to that file"
            ),
            None => "no client certificate was shown".to_owned(),
        };
        return Err(Stop::new(Verdict::NoCertificate, reason));
    }
    let signed = if is_signed(headers) {
        Some(Signed::read(headers).map_err(|error| forged(error, 0))?)
    } else if door.unsigned {
        None
    } else {
        let reason = "it is not signed, and this system sends nothing of itself";
        return Err(Stop::new(Verdict::Unsigned, reason));
    };
    let body = read(body, headers).await?;
    if let Some(signed) = &signed {
        let now_s = hooks.receiver.now().div_euclid(1_000_000);
        signed.verify(&door.signing, &body, now_s).map_err(|error| forged(error, body.len()))?;
    }
    let signed = signed.map(|signed| (signed.id.clone(), signed.once()));
    Ok(Arrival { system: door.system.clone(), remote: origin.client, body, signed })
}

fn forged(error: Forged, bytes: usize) -> Stop {
    let verdict = match error {
        Forged::Stale(_) => Verdict::Stale,
        Forged::Header(..) | Forged::Signature => Verdict::Forged,
    };
    Stop { verdict, reason: error.to_string(), bytes }
}

/// The whole body, unless it is too long. One that says so is not read at all.
async fn read(body: Body, headers: &HeaderMap) -> Result<Bytes, Stop> {
    let oversized = || {
        let mib = BODY_BYTES_MAX / (1024 * 1024);
        let reason = format!("it has more than {mib} MiB: let the sender select the id alone");
        Stop { verdict: Verdict::Oversized, reason, bytes: BODY_BYTES_MAX }
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(oversized());
    }
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            oversized()
        } else {
            Stop::new(Verdict::Malformed, "its body broke off")
        }
    })
}
