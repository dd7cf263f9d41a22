//! `POST /services/oauth2/token`, `/revoke` and `/introspect`.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{App, Session, assertion, web};
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::rest::{Http, Reply};

/// Refusal of the token endpoint: 400 with `error` and `error_description` (OAuth help pages).
#[derive(Debug)]
pub(super) struct Refusal(pub(super) &'static str, pub(super) &'static str);

pub(super) const CLIENT: Refusal = Refusal("invalid_client_id", "client identifier invalid");
const SECRET: Refusal = Refusal("invalid_client", "invalid client credentials");
const LOGIN: Refusal = Refusal("invalid_grant", "authentication failure");
const DOMAIN: Refusal = Refusal("invalid_grant", "request not supported on this domain");
const DEAD: Refusal = Refusal("invalid_grant", "expired access/refresh token");

/// Gives a token for the flow that the form asks for.
pub(crate) fn token(state: &mut State, http: &Http) -> Reply {
    match grant(state, http) {
        Ok(reply) => reply,
        Err(Refusal(error, description)) => {
            let body = object! { "error" => error, "error_description" => description };
            Reply::json(400, body)
        }
    }
}

fn grant(state: &mut State, http: &Http) -> Result<Reply, Refusal> {
    let form = http.form();
    let field = |name: &str| form.get(name).map(String::as_str);
    let basic = http.header("authorization").and_then(basic_credentials);
    let client_id = field("client_id").map(str::to_owned).or(basic.as_ref().map(|it| it.0.clone()));
    let secret = field("client_secret").map(str::to_owned).or(basic.map(|it| it.1));
    match field("grant_type") {
        Some("client_credentials") if generic_host(http) => Err(DOMAIN),
        Some("client_credentials") => {
            let app = app(state, client_id.as_deref(), secret.as_deref(), true)?;
            let user = app.run_as;
            Ok(issue(state, http, &app, user, false, "api"))
        }
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            let (app, user) = assertion::checked(state, http, field("assertion"))?;
            Ok(issue(state, http, &app, user, false, "api"))
        }
        Some("authorization_code") => {
            let needed = known_app(state, client_id.as_deref())?.secret_required;
            let app = app(state, client_id.as_deref(), secret.as_deref(), needed)?;
            let (user, scope) = web::redeemed(state, &app, &form)?;
            let with_refresh = web::wants_refresh(&scope);
            Ok(issue(state, http, &app, user, with_refresh, &scope))
        }
        Some("password") => {
            let app = app(state, client_id.as_deref(), secret.as_deref(), true)?;
            if !state.settings.password_flow {
                return Err(LOGIN);
            }
            let user = api_login(state, field("username"), field("password")).ok_or(LOGIN)?;
            Ok(issue(state, http, &app, user, false, "api"))
        }
        Some("refresh_token") => {
            let needed = known_app(state, client_id.as_deref())?.secret_required;
            let app = app(state, client_id.as_deref(), secret.as_deref(), needed)?;
            let given = field("refresh_token").unwrap_or_default();
            let session = state.logins.refresh.get(given).ok_or(DEAD)?;
            if session.client_id != app.client_id {
                return Err(DEAD);
            }
            let user = session.user;
            let rotate = state.settings.refresh_rotation;
            if rotate {
                state.logins.refresh.remove(given);
            }
            Ok(issue(state, http, &app, user, rotate, "api refresh_token"))
        }
        Some(_) => Err(Refusal("unsupported_grant_type", "grant type not supported")),
        None => Err(Refusal("invalid_request", "grant_type is missing")),
    }
}

/// `Authorization: Basic base64(id:secret)`.
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((plain(id), plain(secret)))
}

/// The two addresses that all orgs share.
fn generic_host(http: &Http) -> bool {
    matches!(http.header("host"), Some("login.salesforce.com" | "test.salesforce.com"))
}

/// The app of a consumer key.
pub(super) fn known_app<'a>(state: &'a State, client_id: Option<&str>) -> Result<&'a App, Refusal> {
    let apps = &state.logins.apps;
    apps.iter().find(|app| Some(app.client_id.as_str()) == client_id).ok_or(CLIENT)
}

fn app(
    state: &State,
    client_id: Option<&str>,
    secret: Option<&str>,
    secret_needed: bool,
) -> Result<App, Refusal> {
    let app = known_app(state, client_id)?;
    match secret {
        Some(secret) if secret == app.client_secret => Ok(app.clone()),
        None if !secret_needed => Ok(app.clone()),
        _ => Err(SECRET),
    }
}

/// A login in a browser: a user name with its password.
pub(crate) fn password_login(
    state: &State,
    username: Option<&str>,
    password: Option<&str>,
) -> Option<Id> {
    login(state, username, |wanted, _| password == Some(wanted))
}

/// A login by the API: the security token is appended to the password, which is left out only
/// where the calling address is a trusted one.
pub(crate) fn api_login(
    state: &State,
    username: Option<&str>,
    password: Option<&str>,
) -> Option<Id> {
    let trusted = state.settings.trusted_ip;
    login(state, username, |wanted, token| {
        let rest = password.and_then(|given| given.strip_prefix(wanted));
        rest.is_some_and(|rest| rest == token || (trusted && rest.is_empty()))
    })
}

fn login(state: &State, username: Option<&str>, good: impl Fn(&str, &str) -> bool) -> Option<Id> {
    let username = username?.to_lowercase();
    let (wanted, token) = state.logins.passwords.get(&username)?;
    let user = state.user_id(&username).filter(|_| good(wanted, token))?;
    state.user_is_active(user).then_some(user)
}

/// A new session: 15-character org id, `!`, opaque text.
pub(crate) fn open_session(state: &mut State, user: Id, client_id: &str) -> String {
    let opaque = state.random_text(60);
    let token = format!("{}!AQ{opaque}", state.org_id.short());
    let now = state.clock.now_ms();
    let session =
        Session { user, client_id: client_id.to_owned(), issued_ms: now, last_used_ms: now };
    state.logins.sessions.insert(token.clone(), session);
    token
}

/// A refresh token, as the web server flow hands it out.
pub(crate) fn open_refresh(state: &mut State, user: Id, client_id: &str) -> String {
    let token = format!("5Aep861{}", state.random_text(70));
    let now = state.clock.now_ms();
    let session =
        Session { user, client_id: client_id.to_owned(), issued_ms: now, last_used_ms: now };
    state.logins.refresh.insert(token.clone(), session);
    token
}

/// The recorded reply: no `expires_in`, `issued_at` in milliseconds as text. The signature is
/// HMAC-SHA256 over `id` and `issued_at`, keyed with the consumer secret (OAuth help pages).
fn issue(
    state: &mut State,
    http: &Http,
    app: &App,
    user: Id,
    with_refresh: bool,
    scope: &str,
) -> Reply {
    let access = open_session(state, user, &app.client_id);
    let base = state.settings.instance_url.clone().unwrap_or_else(|| http.base_url());
    let id = format!("{base}/id/{}/{user}", state.org_id);
    let issued = state.clock.now_ms().to_string();
    let signature = signed(&app.client_secret, &format!("{id}{issued}"));
    let mut members = vec![
        ("access_token".into(), Json::from(access)),
        ("signature".into(), Json::from(signature)),
        ("scope".into(), Json::from(scope.to_owned())),
        ("instance_url".into(), Json::from(base)),
        ("id".into(), Json::from(id)),
        ("token_type".into(), Json::from("Bearer")),
        ("issued_at".into(), Json::from(issued)),
    ];
    if with_refresh {
        let refresh = open_refresh(state, user, &app.client_id);
        members.push(("refresh_token".into(), Json::from(refresh)));
    }
    Reply::json(200, Json::Map(members)).with_header("Cache-Control", "no-cache, no-store")
}

fn signed(secret: &str, text: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Ends an access or refresh token.
pub(crate) fn revoke(state: &mut State, form: &HashMap<String, String>) -> Reply {
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let known = state.logins.sessions.remove(token).is_some()
        | state.logins.refresh.remove(token).is_some();
    if known {
        return Reply::empty(200);
    }
    Reply::json(
        400,
        object! { "error" => "unsupported_token_type", "error_description" => "invalid token" },
    )
}

/// Says whether a token lives.
pub(crate) fn introspect(state: &State, form: &HashMap<String, String>) -> Reply {
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let life_ms = state.settings.session_s * 1000;
    let live = state
        .logins
        .sessions
        .get(token)
        .filter(|session| state.clock.now_ms() - session.last_used_ms <= life_ms);
    let Some(session) = live else {
        return Reply::json(200, object! { "active" => false });
    };
    Reply::json(
        200,
        object! {
            "active" => true,
            "scope" => "api",
            "client_id" => session.client_id.clone(),
            "username" => state.username(session.user),
            "sub" => session.user.to_string(),
            "token_type" => "access_token",
            "iat" => session.issued_ms / 1000,
            "exp" => (session.last_used_ms + life_ms) / 1000,
        },
    )
}
