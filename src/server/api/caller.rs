//! Who calls: tokens and what they may.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::document::Api;
use crate::origin::{Origin, Peer, Way};
use crate::problem::Problem;

/// What a token may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Answer questions, and ask that parked records are tried again.
    Write,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The number of the token.
    pub token: i64,
    /// The name of the token.
    pub name: String,
    /// What it may.
    pub scopes: Vec<Scope>,
}

/// A caller that may read.
pub(super) struct Reader;

/// A caller that may write.
pub(super) struct Writer {
    /// Who calls.
    pub caller: Caller,
    /// What its requests are digested with: made of the token, which is kept nowhere, so that a
    /// digest that is kept tells nothing of what was asked, however few things that could be.
    pub salt: [u8; 32],
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        caller(parts, api, Scope::Read).await.map(|_| Self)
    }
}

impl FromRequestParts<Api> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let (caller, token) = caller(parts, api, Scope::Write).await?;
        let salt = Sha256::new().chain_update("requests of ").chain_update(token).finalize();
        Ok(Self { caller, salt: salt.into() })
    }
}

/// Who calls, and the token.
async fn caller(parts: &mut Parts, api: &Api, scope: Scope) -> Result<(Caller, String), Problem> {
    let ConnectInfo(peer) = ConnectInfo::<Peer>::from_request_parts(parts, api)
        .await
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"))?;
    let way = Origin::of(&peer, &parts.headers, &api.proxies).way;
    if way != Way::Secure {
        let detail = format!("a token may not travel in plain text, and {}", way.advice());
        return Err(Problem::new(StatusCode::FORBIDDEN, "The way is not secure").detail(detail));
    }
    let unknown = || {
        let detail = "send the header `Authorization: Bearer` with a token that is of use; \
                      `syncline tokens create` makes one";
        Problem::new(StatusCode::UNAUTHORIZED, "No token that is known").detail(detail)
    };
    let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = sent.and_then(|sent| sent.split_once(' ')).ok_or_else(unknown)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown());
    }
    let token = token.trim().to_owned();
    let digest = Sha256::digest(token.as_bytes()).into();
    let caller = api.book.caller(digest).await?.ok_or_else(unknown)?;
    if !caller.scopes.contains(&scope) {
        let detail = format!("the token `{}` does not have it", caller.name);
        let title = format!("This needs the scope `{}`", scope.as_str());
        return Err(Problem::new(StatusCode::FORBIDDEN, title).detail(detail));
    }
    Ok((caller, token))
}
