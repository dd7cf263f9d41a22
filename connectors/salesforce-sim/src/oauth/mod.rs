//! Users' logins: connected apps, sessions, refresh tokens, and the token endpoint.

mod assertion;
mod identity;
mod login;
mod token;
mod web;

pub(crate) use identity::identity;
pub use login::AppPatch;
pub(crate) use login::{App, Logins, Session};
pub(crate) use token::{introspect, open_refresh, open_session, password_login, revoke, token};
pub(crate) use web::authorize;
