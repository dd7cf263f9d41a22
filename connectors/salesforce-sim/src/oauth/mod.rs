//! Users' logins: connected apps, sessions, refresh tokens, and the token endpoint.

mod assertion;
mod identity;
mod login;
mod token;
mod web;

pub(crate) use identity::identity;
pub use login::AppPatch;
pub(crate) use login::{App, Logins, Session};
pub(crate) use token::{api_login, introspect, open_refresh, open_session, revoke, token};
pub(crate) use web::authorize;
