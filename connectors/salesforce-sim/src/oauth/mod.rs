//! Users' logins: connected apps, sessions, refresh tokens, and the token endpoint.

mod identity;
mod login;
mod token;

pub(crate) use identity::identity;
pub(crate) use login::{App, Logins, Session};
pub(crate) use token::{introspect, open_refresh, open_session, password_login, revoke, token};
