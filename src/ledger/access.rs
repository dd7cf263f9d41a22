//! Who may use the JSON API, and requests that must not be carried out twice.

use std::time::Duration;

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Entry, EntryId, Parked};
use syncline_sdk::{Instant, LinkId};

use crate::Result;

/// How long the answers to requests with an idempotency key are kept.
pub const REQUESTS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long a request may be under way. One that has taken longer has lost its process, and may
/// be made again.
pub const REQUEST_LIFE: Duration = Duration::from_secs(60);

/// The SHA-256 of a token or a request.
pub type Digest = [u8; 32];

/// A token of the JSON API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessToken {
    /// Its number.
    pub id: i64,
    /// Who or what uses it.
    pub name: String,
    /// What it may, in words.
    pub scopes: Vec<String>,
    /// When it was made.
    pub made_at: Instant,
    /// From when on it is of no use.
    pub expires_at: Option<Instant>,
    /// When it was used last, to the minute.
    pub used_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

/// A token that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewToken {
    /// Who or what uses it.
    pub name: String,
    /// Its digest; the token itself is nobody's business but its user's.
    pub digest: Digest,
    /// What it may, in words.
    pub scopes: Vec<String>,
    /// When it is made.
    pub made_at: Instant,
    /// From when on it is of no use.
    pub expires_at: Option<Instant>,
}

/// A request that must not be carried out twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRequest {
    /// The token that asks.
    pub token: i64,
    /// The key it chose.
    pub key: String,
    /// What is asked.
    pub digest: Digest,
    /// When.
    pub at: Instant,
}

/// How a request begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It is to be carried out.
    New,
    /// The same is under way.
    UnderWay,
    /// Another request was made under this key.
    Other,
    /// It was carried out, with this status and body.
    Answered(u16, String),
}

/// A place in the list of parked records: the row it ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParkedPlace {
    /// When that was set aside, microseconds UTC.
    pub at: i64,
    /// Its mapping.
    pub mapping: MappingId,
    /// Its link.
    pub link: LinkId,
}

/// What the JSON API asks beyond what people ask.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Keeps a token. False when the name is taken, also by a revoked one.
    ///
    /// # Errors
    /// As every call.
    async fn add_token(&self, token: &NewToken) -> Result<bool>;

    /// All tokens, revoked ones too, by number.
    ///
    /// # Errors
    /// As every call.
    async fn access_tokens(&self) -> Result<Vec<AccessToken>>;

    /// Revokes a token for good. False when there is none of that name that is not revoked yet.
    ///
    /// # Errors
    /// As every call.
    async fn revoke_token(&self, name: &str, at: Instant) -> Result<bool>;

    /// The token with that digest, if it is of use now; notes that it was used.
    ///
    /// # Errors
    /// As every call.
    async fn use_token(&self, digest: &Digest, now: Instant) -> Result<Option<AccessToken>>;

    /// All tokens that are of use now, by their digests. There are few of them.
    ///
    /// # Errors
    /// As every call.
    async fn live_tokens(&self, now: Instant) -> Result<Vec<(Digest, AccessToken)>>;

    /// Begins a request, unless the same is under way or was carried out.
    ///
    /// # Errors
    /// As every call.
    async fn begin_request(&self, request: &NewRequest) -> Result<Begun>;

    /// Ends a request with its answer; without one it may be made again.
    ///
    /// # Errors
    /// As every call.
    async fn end_request(&self, token: i64, key: &str, answer: Option<(u16, &str)>) -> Result<()>;

    /// The journal, newest entry first, before an entry.
    ///
    /// # Errors
    /// As every call.
    async fn journal(
        &self,
        mapping: Option<MappingId>,
        before: Option<EntryId>,
        max: usize,
    ) -> Result<Vec<Entry>>;

    /// The journal of a link, newest entry first, before an entry.
    ///
    /// # Errors
    /// As every call.
    async fn journal_of(
        &self,
        mapping: MappingId,
        link: LinkId,
        before: Option<EntryId>,
        max: usize,
    ) -> Result<Vec<Entry>>;

    /// Records set aside, the latest first, behind a place.
    ///
    /// # Errors
    /// As every call.
    async fn parked_page(
        &self,
        mapping: Option<MappingId>,
        after: Option<ParkedPlace>,
        max: usize,
    ) -> Result<Vec<Parked>>;

    /// What was set aside of some links, in no order.
    ///
    /// # Errors
    /// As every call.
    async fn parked_of(&self, links: &[(MappingId, LinkId)]) -> Result<Vec<Parked>>;

    /// Asks that a record that is set aside is tried again. False when it is not set aside.
    ///
    /// # Errors
    /// As every call.
    async fn ask_again(&self, mapping: MappingId, link: LinkId, at: Instant) -> Result<bool>;

    /// Asks that everything of a mapping that is set aside is tried again; gives how many records.
    ///
    /// # Errors
    /// As every call.
    async fn ask_all_again(&self, mapping: MappingId, at: Instant) -> Result<u64>;
}
