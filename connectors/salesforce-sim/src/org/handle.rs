//! The handle that tests, the server and the control API hold.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value as Raw};
use tokio::sync::Notify;

use super::clock::instant;
use super::ids::Id;
use super::locks::LockKey;
use super::person::{Person, Refused};
use super::settings::Settings;
use super::state::State;
use super::txn::Actor;
use super::users::NewUser;
use crate::faults::Fault;
use crate::history::HistoryEntry;
use crate::oauth::{App, AppPatch};
use crate::rest::{RequestCounts, RequestEntry};
use crate::save::{self, DuplicateRule, FlowRule};
use crate::schema::standard_objects;

/// A Salesforce org in memory. Clones share it.
#[derive(Clone, Debug)]
pub struct Org {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: Mutex<State>,
    /// Told when a lock is released or a held transaction commits.
    pub(crate) changed: Notify,
}

/// What a client needs to log in to a new org.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Consumer key of the connected app.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// The integration user that the app acts as.
    pub username: String,
}

impl Org {
    /// A new org with the standard schema. The seed decides ids, tokens and jitter.
    pub fn new(seed: u64) -> Self {
        Self::with_settings(seed, Settings::default())
    }

    /// A new org with its own switches.
    pub fn with_settings(seed: u64, settings: Settings) -> Self {
        let mut state = State::new(seed, settings, standard_objects());
        for username in ["integration@example.com", "admin@example.com", "caseowner@example.com"] {
            if let Err(errors) = state.add_user(&NewUser::named(username)) {
                tracing::error!(?errors, "a standard user was refused");
            }
        }
        state.add_organization(false);
        let run_as = state.user_id("integration@example.com").unwrap_or(state.org_id);
        state.logins.apps.push(App::new("syncline-client", "syncline-secret", run_as));
        let inner = Inner { state: Mutex::new(state), changed: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The connected app of the org and its integration user (password `secret`).
    pub fn credentials(&self) -> Credentials {
        let state = self.state();
        let app = state.logins.apps.first();
        Credentials {
            client_id: app.map(|app| app.client_id.clone()).unwrap_or_default(),
            client_secret: app.map(|app| app.client_secret.clone()).unwrap_or_default(),
            username: app.and_then(|app| state.username(app.run_as)).unwrap_or_default(),
        }
    }

    /// The 18-character organisation id.
    pub fn id(&self) -> Id {
        self.state().org_id
    }

    /// Adds a user, or gives the one of that name.
    pub fn add_user(&self, user: &NewUser) -> Result<Id, Refused> {
        Ok(self.state().add_user(user)?)
    }

    /// Somebody who edits in the org, made on first use.
    pub fn person(&self, username: &str) -> Result<Person, Refused> {
        let user = self.add_user(&NewUser::named(username))?;
        Ok(Person::new(self.clone(), user))
    }

    /// A refresh token of a user for the org's app, as the web server flow would give it.
    pub fn refresh_token(&self, username: &str) -> Option<String> {
        let mut state = self.state();
        let user = state.user_id(username)?;
        let client_id = state.logins.apps.first()?.client_id.clone();
        Some(crate::oauth::open_refresh(&mut state, user, &client_id))
    }

    /// The switches now.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes switches.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Saves many records at once as a user, in one transaction, through all save rules.
    /// Nothing is kept when one is refused.
    pub fn seed(
        &self,
        username: &str,
        object: &str,
        records: &[Map<String, Raw>],
    ) -> Result<Vec<Id>, Refused> {
        let user = self.add_user(&NewUser::named(username))?;
        let mut state = self.state();
        let Some(table) = state.table_at(object) else {
            return Err(Refused::new("INVALID_TYPE", format!("no object {object}")));
        };
        let actor = Actor { user, client: None, api: "seed", request: None };
        let mut txn = state.begin(actor);
        txn.wait_over = true;
        let mut ids = Vec::with_capacity(records.len());
        for record in records {
            match save::create(&mut state, &mut txn, table, record, None) {
                Ok(id) => ids.push(id),
                Err(errors) => {
                    state.rollback(&mut txn);
                    return Err(errors.into());
                }
            }
        }
        state.commit(txn);
        Ok(ids)
    }

    /// Every field of a record, live or in the recycle bin (then with `deletedBy`).
    pub fn record(&self, id: Id) -> Option<Map<String, Raw>> {
        let state = self.state();
        let (table, row) = state.row(id)?;
        Some(crate::control::full_record(&state, table, row))
    }

    /// All live records of an object, or with `bin` those in the recycle bin, by id.
    pub fn records(&self, object: &str, bin: bool) -> Vec<Map<String, Raw>> {
        let state = self.state();
        let Some(at) = state.table_at(object) else {
            return Vec::new();
        };
        let Some(table) = state.table(at) else {
            return Vec::new();
        };
        let rows = table.all().filter(|row| row.is_live() != bin);
        rows.map(|row| crate::control::full_record(&state, at, row)).collect()
    }

    /// Committed saves with `seq` above `seq`, at most `limit`, in commit order.
    pub fn history_since(&self, seq: u64, limit: usize) -> Vec<HistoryEntry> {
        let state = self.state();
        let skip = usize::try_from(seq).unwrap_or(usize::MAX);
        let entries = state.history.iter().skip(skip).take(limit);
        entries.map(|entry| entry.shown(state.username(entry.actor.user))).collect()
    }

    /// Number of the last committed save.
    pub fn last_seq(&self) -> u64 {
        self.state().history.len() as u64
    }

    /// API requests with a number above `number`, oldest first; the log keeps the last 100,000.
    pub fn requests_since(&self, number: u64) -> Vec<RequestEntry> {
        self.state().requests.since(number)
    }

    /// How many API requests of each kind came, and how many records they wrote.
    pub fn request_counts(&self) -> RequestCounts {
        self.state().requests.counts()
    }

    /// Forgets the request log and its counts.
    pub fn reset_requests(&self) {
        self.state().requests.reset();
    }

    /// Plans a fault; gives its number.
    pub fn add_fault(&self, fault: Fault) -> u64 {
        self.state().faults.add(fault)
    }

    /// Removes a planned fault; false when it is gone already.
    pub fn remove_fault(&self, number: u64) -> bool {
        self.state().faults.remove(number)
    }

    /// The planned faults that have strikes left, with their numbers.
    pub fn faults(&self) -> Vec<(u64, Fault)> {
        self.state().faults.list().map(|(id, fault)| (id, fault.clone())).collect()
    }

    /// Removes all planned faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Locks a row for a while, as a long transaction of somebody else would.
    pub fn lock_row(&self, id: Id, ms: u64) {
        let until = instant() + Duration::from_millis(ms);
        self.state().locks.take(LockKey::Row(id), 0, Some(until));
    }

    /// Ends the locks of [`Org::lock_row`].
    pub fn unlock_rows(&self) {
        self.state().locks.release_timed();
        self.inner.changed.notify_waiters();
    }

    /// The org's clock, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.state().clock.now_ms()
    }

    /// Sets the clock `ms` ahead of (or behind) real time.
    pub fn set_clock_offset_ms(&self, ms: i64) {
        self.state().clock.set_offset_ms(ms);
    }

    /// Moves the clock on.
    pub fn advance_clock_ms(&self, ms: i64) {
        self.state().clock.advance_ms(ms);
    }

    /// Stops the clock at an instant, or where it stands.
    pub fn freeze_clock(&self, at_ms: Option<i64>) {
        self.state().clock.freeze(at_ms);
    }

    /// Lets a stopped clock run on.
    pub fn resume_clock(&self) {
        self.state().clock.resume();
    }

    /// Ends sessions, of one user or all; gives how many.
    pub fn expire_tokens(&self, username: Option<&str>) -> usize {
        let mut state = self.state();
        let user = username.and_then(|name| state.user_id(name));
        if username.is_some() && user.is_none() { 0 } else { state.logins.expire(user) }
    }

    /// Kills refresh tokens, of one user or all; gives how many.
    pub fn revoke_refresh_tokens(&self, username: Option<&str>) -> usize {
        let mut state = self.state();
        let user = username.and_then(|name| state.user_id(name));
        if username.is_some() && user.is_none() { 0 } else { state.logins.revoke_refresh(user) }
    }

    /// Replaces the secret of the connected app, so that its logins are refused.
    pub fn set_client_secret(&self, secret: &str) {
        if let Some(app) = self.state().logins.apps.first_mut() {
            app.client_secret = secret.to_owned();
        }
    }

    /// Changes the connected app: its redirect addresses, its certificate, its policies.
    pub fn change_app(&self, patch: AppPatch) {
        if let Some(app) = self.state().logins.apps.first_mut() {
            patch.apply(app);
        }
    }

    /// Forgets all query locators.
    pub fn expire_locators(&self) {
        self.state().cursors.clear();
    }

    /// Sets the daily allowance and what of it is used.
    pub fn set_daily_limit(&self, max: u64, used: u64) {
        let mut state = self.state();
        state.usage.max = max;
        state.usage.used = used;
    }

    /// Adds a flow.
    pub fn add_flow(&self, rule: FlowRule) {
        self.state().flows.push(rule);
    }

    /// Adds a duplicate rule.
    pub fn add_duplicate_rule(&self, rule: DuplicateRule) {
        self.state().duplicate_rules.push(rule);
    }

    /// Removes all duplicate rules.
    pub fn clear_duplicate_rules(&self) {
        self.state().duplicate_rules.clear();
    }

    /// Removes all flows.
    pub fn clear_flows(&self) {
        self.state().flows.clear();
    }
}
