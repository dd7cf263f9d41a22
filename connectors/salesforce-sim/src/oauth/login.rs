//! Who may ask for tokens, and which tokens live.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::web::Code;
use crate::org::ids::Id;

/// A connected app: who may ask for tokens.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The user that client credentials act as.
    pub(crate) run_as: Id,
    /// Addresses that the web server flow may send a code to.
    pub(crate) callbacks: Vec<String>,
    /// The certificate, or the public key, that assertions are checked with, in PEM.
    pub(crate) certificate: Option<String>,
    /// Users need not approve the app before an assertion names them.
    pub(crate) pre_authorized: bool,
    /// The web server flow and the renewal of its logins ask for the secret.
    pub(crate) secret_required: bool,
    /// Codes are given only with a challenge.
    pub(crate) pkce_required: bool,
    /// What a login may do that names no scopes itself.
    pub(crate) scopes: String,
}

impl App {
    pub(crate) fn new(client_id: &str, client_secret: &str, run_as: Id) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            run_as,
            callbacks: Vec::new(),
            certificate: None,
            pre_authorized: true,
            secret_required: true,
            pkce_required: false,
            scopes: String::from("api refresh_token"),
        }
    }
}

/// What an administrator changes of the org's connected app; an absent member stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppPatch {
    /// Addresses that the web server flow may send a code to.
    pub callbacks: Option<Vec<String>>,
    /// The certificate, or the public key, that assertions are checked with, in PEM.
    pub certificate: Option<String>,
    /// Users need not approve the app before an assertion names them.
    pub pre_authorized: Option<bool>,
    /// The web server flow and the renewal of its logins ask for the secret.
    pub secret_required: Option<bool>,
    /// Codes are given only with a challenge.
    pub pkce_required: Option<bool>,
    /// What a login may do that names no scopes itself, separated by spaces.
    pub scopes: Option<String>,
}

impl AppPatch {
    pub(crate) fn apply(self, app: &mut App) {
        fn set<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        set(&mut app.callbacks, self.callbacks);
        set(&mut app.certificate, self.certificate.map(Some));
        set(&mut app.pre_authorized, self.pre_authorized);
        set(&mut app.secret_required, self.secret_required);
        set(&mut app.pkce_required, self.pkce_required);
        set(&mut app.scopes, self.scopes);
    }
}

/// A live access token.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: Id,
    pub(crate) client_id: String,
    pub(crate) issued_ms: i64,
    pub(crate) last_used_ms: i64,
}

/// Apps, passwords and live tokens of an org.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    pub(crate) apps: Vec<App>,
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) refresh: HashMap<String, Session>,
    /// User name → password, with the security token that may follow it.
    pub(crate) passwords: HashMap<String, (String, String)>,
    /// Codes of the web server flow that nobody has changed for a token yet.
    pub(crate) codes: HashMap<String, Code>,
    /// Who has approved which app.
    pub(crate) approvals: HashSet<(String, Id)>,
}

impl Logins {
    /// The user of a token that still lives; using it extends it.
    pub(crate) fn authenticate(&mut self, token: &str, now_ms: i64, life_s: i64) -> Option<Id> {
        let session = self.sessions.get_mut(token)?;
        if now_ms - session.last_used_ms > life_s * 1000 {
            self.sessions.remove(token);
            return None;
        }
        session.last_used_ms = now_ms;
        Some(session.user)
    }

    /// Ends sessions; of one user, or all.
    pub(crate) fn expire(&mut self, user: Option<Id>) -> usize {
        let before = self.sessions.len();
        self.sessions.retain(|_, session| user.is_some_and(|it| it != session.user));
        before - self.sessions.len()
    }

    /// Kills refresh tokens; of one user, or all.
    pub(crate) fn revoke_refresh(&mut self, user: Option<Id>) -> usize {
        let before = self.refresh.len();
        self.refresh.retain(|_, session| user.is_some_and(|it| it != session.user));
        before - self.refresh.len()
    }
}
