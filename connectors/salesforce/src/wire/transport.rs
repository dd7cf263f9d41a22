//! One request to the org: headers, login, clock, quota, and what a failure means.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use syncline_sdk::{Error, ErrorKind, Quota, Result};

use super::call::{Body, Call, CallError, Reply};
use super::fault::Reach;
use super::http::read_limited;
use super::refusal::{Refusal, lost, refused};
use super::soap;
use crate::auth::{Login, Session};
use crate::limits::ANSWER_BYTES_MAX;
use crate::version::Stamp;

/// The way to the org.
pub(crate) struct Transport {
    http: reqwest::Client,
    login: Login,
    client: String,
    calls: AtomicU64,
    quota: Mutex<Option<Quota>>,
    /// The Date of the last answer.
    heard: Mutex<Option<Stamp>>,
}

enum Try {
    Done(Reply),
    Failed(CallError),
    /// Refused because the session ended.
    Expired(CallError),
}

impl Transport {
    pub(crate) fn new(http: reqwest::Client, login: Login, client: &str) -> Self {
        Self {
            http,
            login,
            client: format!("client={client}"),
            calls: AtomicU64::new(0),
            quota: Mutex::default(),
            heard: Mutex::default(),
        }
    }
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
    pub(crate) fn quota(&self) -> Option<Quota> {
        *self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The server's clock as it was last heard.
    pub(crate) fn heard(&self) -> Option<Stamp> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The value of `Sforce-Call-Options`.
    pub(crate) fn call_options(&self) -> &str {
        &self.client
    }

    /// Sends a request. One that is refused for an ended session is sent once more after one
    /// renewal shared by all tasks.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, CallError> {
        let not_sent =
            |error| CallError { error, reach: Reach::NotSent, status: None, faults: Vec::new() };
        let session = self.login.session(None).await.map_err(not_sent)?;
        match self.once(call, &session).await {
            Try::Done(reply) => Ok(reply),
            Try::Failed(error) => Err(error),
            Try::Expired(_) => {
                let renewed = self.login.session(Some(session.generation));
                let session = renewed.await.map_err(not_sent)?;
                match self.once(call, &session).await {
                    Try::Done(reply) => Ok(reply),
                    Try::Failed(error) | Try::Expired(error) => Err(error),
                }
            }
        }
    }

    async fn once(&self, call: &Call, session: &Session) -> Try {
        let request = match self.request(call, session) {
            Ok(request) => request,
            Err(error) => {
                return Try::Failed(CallError {
                    error,
                    reach: Reach::NotSent,
                    status: None,
                    faults: Vec::new(),
                });
            }
        };
        let before = self.heard();
        let watch = stopwatch();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return Try::Failed(lost(call, error)),
        };
        let took = watch.elapsed();
        let status = response.status();
        let headers = response.headers().clone();
        let floor = self.hear(&headers, before, took);
        let body = match read_limited(response, ANSWER_BYTES_MAX).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                let error = Error::new(
                    ErrorKind::Protocol,
                    call.operation,
                    format!("{}: the answer is larger than {ANSWER_BYTES_MAX} bytes", call.place),
                );
                return Try::Failed(CallError {
                    error: error.advise("lower page_rows"),
                    reach: Reach::Unknown,
                    status: Some(status.as_u16()),
                    faults: Vec::new(),
                });
            }
            Err(error) => return Try::Failed(lost(call, error)),
        };
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            let last_modified = text(&headers, "last-modified").map(str::to_owned);
            return Try::Done(Reply { status: status.as_u16(), body, floor, last_modified });
        }
        match refused(call, status, &body) {
            Refusal::Failed(error) => Try::Failed(error),
            Refusal::Expired(error) => Try::Expired(error),
        }
    }

    fn request(&self, call: &Call, session: &Session) -> Result<reqwest::Request> {
        let broken = |error: &dyn std::fmt::Display| {
            Error::new(
                ErrorKind::Protocol,
                call.operation,
                format!("{}: the request cannot be written: {error}", call.place),
            )
        };
        let url = session.instance.join(&call.path).map_err(|error| broken(&error))?;
        let token = session.token.expose_secret();
        let mut request =
            self.http.request(call.method.clone(), url).header("Sforce-Call-Options", &self.client);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        request = match &call.body {
            Body::None => request.bearer_auth(token),
            Body::Json(json) => request
                .bearer_auth(token)
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(json.clone()),
            Body::Undelete { ids, whole } => request
                .header(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"))
                .header("SOAPAction", "\"undelete\"")
                .body(soap::undelete_envelope(token, &self.client, ids, *whole)),
        };
        request.build().map_err(|error| broken(&error.without_url()))
    }

    /// Takes clock and quota from an answer; gives the floor of its reading.
    fn hear(&self, headers: &HeaderMap, before: Option<Stamp>, took: Duration) -> Option<Stamp> {
        if let Some(quota) = text(headers, "sforce-limit-info").and_then(api_usage) {
            *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
        }
        let date = text(headers, "date").and_then(Stamp::from_http_date)?;
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        // Begun seconds count whole: the reading took place within them.
        let took = i64::try_from(took.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
        let reached = Stamp(date.0.saturating_sub(took));
        Some(before.map_or(reached, |before| before.max(reached)))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long the server took, to know how old its Date may be; no decision \
              goes by the time of day of this machine"
)]
fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The quota in `Sforce-Limit-Info: api-usage=17/15000; per-app-api-usage=17/250(appName=x)`
/// (REST guide, limit info header).
fn api_usage(text: &str) -> Option<Quota> {
    let usage = text.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, max) = usage.split_once('/')?;
    Some(Quota { used: used.trim().parse().ok()?, max: max.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_is_found_in_every_form() {
        for text in [
            "api-usage=17/15000",
            "api-usage=17/15000; per-app-api-usage=9/250(appName=x)",
            "api-bursts=1/750, api-usage=17/15000",
        ] {
            assert_eq!(api_usage(text), Some(Quota { used: 17, max: 15_000 }), "{text}");
        }
        assert_eq!(api_usage("per-app-api-usage=1/2"), None);
    }
}
