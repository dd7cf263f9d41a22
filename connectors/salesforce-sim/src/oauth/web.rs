//! The web server flow with PKCE: a person logs in on a page of the org, which sends the browser
//! on to the app with a code (OAuth help pages, web server flow).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::App;
use super::token::{Refusal, known_app, password_login};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::rest::{Http, Reply};

/// A code is good once and for about a quarter of an hour.
const CODE_MS: i64 = 15 * 60 * 1000;

/// A code that waits to be changed for a token.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    client_id: String,
    user: Id,
    redirect_uri: String,
    scope: String,
    challenge: Option<String>,
    given_ms: i64,
}

/// `GET` shows the login page, `POST` is what the person decided there.
pub(crate) fn authorize(state: &mut State, http: &Http) -> Reply {
    let form = http.form();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (redirect, state_text) = (field("redirect_uri"), field("state"));
    // An app or address that is not known is never redirected to.
    let app = match known_app(state, Some(field("client_id"))) {
        Ok(app) if app.callbacks.iter().any(|known| known == redirect) => app.clone(),
        Ok(_) => {
            let text = "redirect_uri must match configuration";
            return page(400, &format!("error=redirect_uri_mismatch&error_description={text}"));
        }
        Err(Refusal(code, text)) => {
            return page(400, &format!("error={code}&error_description={text}"));
        }
    };
    let refused = |code: &str, text: &str| {
        back(redirect, state_text, &[("error", code), ("error_description", text)])
    };
    if field("response_type") != "code" {
        return refused("unsupported_response_type", "response type not supported");
    }
    // A missing method is S256: Salesforce knows no other.
    if !matches!(field("code_challenge_method"), "" | "S256") {
        return refused("invalid_request", "code challenge method must be S256");
    }
    let challenge = form.get("code_challenge").filter(|text| !text.is_empty()).cloned();
    if app.pkce_required && challenge.is_none() {
        return refused("invalid_request", "missing required code challenge");
    }
    if http.method != "POST" {
        return page(200, &login_form(field("login_hint"), ""));
    }
    if form.contains_key("deny") {
        return refused("access_denied", "end-user denied authorization");
    }
    let user = password_login(state, Some(field("username")), Some(field("password")));
    let Some(user) = user else {
        let text = "Please check your username and password.";
        return page(200, &login_form(field("username"), text));
    };
    let scope = match field("scope") {
        "" => app.scopes.clone(),
        named => named.to_owned(),
    };
    let code = format!("aPrx{}", state.random_text(60));
    let waiting = Code {
        client_id: app.client_id.clone(),
        user,
        redirect_uri: redirect.to_owned(),
        scope,
        challenge,
        given_ms: state.clock.now_ms(),
    };
    state.logins.codes.insert(code.clone(), waiting);
    state.logins.approvals.insert((app.client_id, user));
    back(redirect, state_text, &[("code", &code)])
}

/// Whether a login with these scopes is given a refresh token.
pub(super) fn wants_refresh(scope: &str) -> bool {
    scope.split(' ').any(|one| matches!(one, "refresh_token" | "offline_access" | "full"))
}

/// The user and scopes of a code, which is used up by asking.
pub(super) fn redeemed(
    state: &mut State,
    app: &App,
    form: &HashMap<String, String>,
) -> Result<(Id, String), Refusal> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let code = state.logins.codes.remove(field("code"));
    let code = code.filter(|code| code.client_id == app.client_id);
    let code = code.ok_or(Refusal("invalid_grant", "invalid authorization code"))?;
    if state.clock.now_ms() - code.given_ms > CODE_MS {
        return Err(Refusal("invalid_grant", "expired authorization code"));
    }
    if code.redirect_uri != field("redirect_uri") {
        return Err(Refusal("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    let verifier = field("code_verifier");
    let proved = match &code.challenge {
        Some(challenge) => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge
        }
        None => verifier.is_empty(),
    };
    if !proved {
        return Err(Refusal("invalid_grant", "invalid code verifier"));
    }
    Ok((code.user, code.scope))
}

/// Sends the browser back to the app.
fn back(redirect: &str, state_text: &str, values: &[(&str, &str)]) -> Reply {
    let mut target = redirect.to_owned();
    let mut separator = if redirect.contains('?') { '&' } else { '?' };
    let named = values.iter().copied().chain([("state", state_text)]);
    for (name, value) in named.filter(|(_, value)| !value.is_empty()) {
        target.push(separator);
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        target.push_str(&format!("{name}={value}"));
        separator = '&';
    }
    Reply::empty(302).with_header("Location", target)
}

fn login_form(username: &str, trouble: &str) -> String {
    let username = quick_xml::escape::escape(username);
    format!(
        "<h1>Log in to the simulated org</h1><p>{trouble}</p><form method=\"post\">\
         <p><label>Username <input name=\"username\" value=\"{username}\"></label></p>\
         <p><label>Password <input name=\"password\" type=\"password\"></label></p>\
         <p><button>Log in and allow access</button> \
         <button name=\"deny\" value=\"1\">Deny</button></p></form>"
    )
}

fn page(status: u16, content: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><title>Login</title></head>\
         <body>{content}</body></html>"
    );
    Reply::text(status, "text/html;charset=UTF-8", html)
}
