//! Users of the org: rows of `User` plus their passwords.

use serde_json::{Map, Value as Raw};

use super::ids::Id;
use super::state::State;
use super::txn::Actor;
use super::value::Value;
use crate::save::{self, SaveResult};

/// A person or an integration that acts in the org.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Login name, in the form of an e-mail address.
    pub username: String,
    /// Shown name.
    pub name: String,
    /// Password for the username-password flow and SOAP login.
    pub password: String,
    /// Text that follows the password when the caller's address is not trusted.
    pub security_token: String,
}

impl NewUser {
    /// A user with a name made from the login name, password `secret`, token `token`.
    pub fn named(username: &str) -> Self {
        let name = username.split('@').next().unwrap_or(username);
        Self {
            username: username.to_owned(),
            name: name.to_owned(),
            password: String::from("secret"),
            security_token: String::from("token"),
        }
    }
}

impl State {
    pub(crate) fn add_user(&mut self, user: &NewUser) -> SaveResult<Id> {
        let Some(table) = self.table_at("User") else {
            return Err(Vec::new());
        };
        if let Some(known) = self.user_id(&user.username) {
            return Ok(known);
        }
        let (first, last) = user.name.rsplit_once(' ').unwrap_or(("", &user.name));
        let email = if user.username.contains('@') {
            user.username.clone()
        } else {
            format!("{}@example.com", user.username)
        };
        let mut body = Map::new();
        for (field, text) in [
            ("Username", user.username.as_str()),
            ("FirstName", first),
            ("LastName", last),
            ("Email", &email),
        ] {
            body.insert(field.to_owned(), Raw::from(text));
        }
        let actor = Actor { user: self.org_id, client: None, api: "seed", request: None };
        let mut txn = self.begin(actor);
        txn.wait_over = true;
        let id = save::create(self, &mut txn, table, &body, None)?;
        self.commit(txn);
        let secret = (user.password.clone(), user.security_token.clone());
        self.logins.passwords.insert(user.username.to_lowercase(), secret);
        Ok(id)
    }

    /// A user by login name, in any case, or by id.
    pub(crate) fn user_id(&self, name: &str) -> Option<Id> {
        let table = self.table_named("User")?;
        let slot = table.object.slot("Username")?;
        let found = table.with_key(slot, &Value::text(name)).first().copied();
        found.or_else(|| Id::parse(name).filter(|id| table.get(*id).is_some()))
    }

    pub(crate) fn username(&self, id: Id) -> Option<String> {
        let text = self.user_text(id, "Username");
        if text.is_empty() { None } else { Some(text) }
    }

    pub(crate) fn user_text(&self, id: Id, field: &str) -> String {
        let Some(table) = self.table_named("User") else {
            return String::new();
        };
        let slot = table.object.slot(field);
        let row = table.get(id);
        row.zip(slot).map(|(row, slot)| row.get(slot).display()).unwrap_or_default()
    }

    pub(crate) fn user_is_active(&self, id: Id) -> bool {
        let Some(table) = self.table_named("User") else {
            return false;
        };
        let slot = table.object.slot("IsActive");
        table.get(id).zip(slot).is_some_and(|(row, slot)| row.get(slot).is_true())
    }
}
