//! Login: sessions, their renewal, and refresh tokens.
//!
//! Sessions carry no end: a session is used until the server refuses it with 401, then renewed
//! once for all tasks, and the refused request is sent once more (REST guide, OAuth flows). A
//! 401 is a refusal before execution, so this one replay is safe for writes as well.

mod assertion;
mod grant;
mod login;
mod store;
mod web;

pub(crate) use login::{Login, Session};
pub use store::{MemoryTokenStore, TokenStore, TokenStoreError};
pub use web::{Consent, WebLogin};
