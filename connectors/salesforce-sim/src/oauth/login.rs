//! Who may ask for tokens, and which tokens live.

use std::collections::HashMap;

use crate::org::ids::Id;

/// A connected app: who may ask for tokens.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The user that client credentials act as.
    pub(crate) run_as: Id,
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
