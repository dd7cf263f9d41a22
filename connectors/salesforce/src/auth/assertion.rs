//! The JWT bearer flow (OAuth help pages, JWT bearer): an assertion signed with the private key of
//! a certificate that the external client app knows.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use oauth2::http::header::{ACCEPT, CONTENT_TYPE};
use oauth2::{HttpRequest, RequestTokenError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use syncline_sdk::ErrorKind;

use super::grant::{LoginFailure, TokenError, Tokens, call};
use crate::settings::SalesforceSettings;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion lives: Salesforce takes at most three minutes, and clocks differ.
const LIFE_S: u64 = 120;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: u64,
}

/// Asks for a token with an assertion. The outer error is one of the key.
pub(super) async fn request(
    http: &reqwest::Client,
    settings: &SalesforceSettings,
    login: &Url,
) -> Result<Result<Tokens, TokenError>, LoginFailure> {
    let assertion = signed(settings)?;
    let unsent = |what: String| LoginFailure {
        kind: ErrorKind::Config,
        code: None,
        context: format!("the token request cannot be written: {what}"),
        advice: "set url to https://host",
    };
    let url = login.join("/services/oauth2/token").map_err(|error| unsent(error.to_string()))?;
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let body = format!("grant_type={}&assertion={}", escaped(GRANT), escaped(&assertion));
    let mut request = HttpRequest::new(body.into_bytes());
    *request.method_mut() = oauth2::http::Method::POST;
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|error: oauth2::http::uri::InvalidUri| unsent(error.to_string()))?;
    let headers = request.headers_mut();
    let form = "application/x-www-form-urlencoded";
    headers.insert(CONTENT_TYPE, oauth2::http::HeaderValue::from_static(form));
    headers.insert(ACCEPT, oauth2::http::HeaderValue::from_static("application/json"));
    Ok(answered(call(http.clone(), request).await))
}

/// An answer of the token address in the words of the OAuth library, which knows no such flow.
fn answered(
    answer: Result<oauth2::HttpResponse, super::grant::CallError>,
) -> Result<Tokens, TokenError> {
    let answer = answer.map_err(RequestTokenError::Request)?;
    let body = answer.body();
    if answer.status().is_success() {
        // The body is not repeated: an unreadable answer may still hold a token.
        let unreadable = || "the token response cannot be read".to_owned();
        return serde_json::from_slice(body).map_err(|_| RequestTokenError::Other(unreadable()));
    }
    match serde_json::from_slice(body) {
        Ok(error) => Err(RequestTokenError::ServerResponse(error)),
        Err(_) => {
            let what = format!("the login address answered {}", answer.status());
            Err(RequestTokenError::Other(what))
        }
    }
}

fn signed(settings: &SalesforceSettings) -> Result<String, LoginFailure> {
    let wrong = |error: jsonwebtoken::errors::Error| LoginFailure {
        kind: ErrorKind::Config,
        code: None,
        // What the library says of a key never repeats the key.
        context: format!("private_key cannot sign: {error}"),
        advice: "set it to an RSA private key in PEM, as `openssl genrsa` makes it",
    };
    let pem = settings.private_key.as_ref().map(SecretString::expose_secret).unwrap_or_default();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(wrong)?;
    let claims = Claims {
        iss: &settings.client_id,
        sub: settings.username.as_deref().unwrap_or_default(),
        aud: settings.audience(),
        exp: now_s() + LIFE_S,
    };
    encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(wrong)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an assertion states when it ends by the time of day; nothing else goes by it"
)]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
