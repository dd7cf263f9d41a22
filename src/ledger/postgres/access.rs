//! What the JSON API asks.

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Entry, EntryId, Parked};
use syncline_sdk::{Instant, LinkId};

use super::session::call;
use super::{Postgres, api_request, api_token, journal, parked};
use crate::access::{Digest, ParkedPlace};
use crate::{Access, AccessToken, Begun, NewRequest, NewToken, Result};

#[async_trait]
impl Access for Postgres {
    async fn add_token(&self, token: &NewToken) -> Result<bool> {
        call!(self, "keep a token", |connection| api_token::add(connection, token))
    }

    async fn access_tokens(&self) -> Result<Vec<AccessToken>> {
        call!(self, "list tokens", |connection| api_token::all(connection))
    }

    async fn revoke_token(&self, name: &str, at: Instant) -> Result<bool> {
        call!(self, "revoke a token", |connection| api_token::revoke(connection, name, at))
    }

    async fn use_token(&self, digest: &Digest, now: Instant) -> Result<Option<AccessToken>> {
        call!(self, "look for a token", |connection| {
            api_token::by_digest(connection, digest, now)
        })
    }

    async fn live_tokens(&self, now: Instant) -> Result<Vec<(Digest, AccessToken)>> {
        call!(self, "read the tokens", |connection| api_token::live(connection, now))
    }

    async fn begin_request(&self, request: &NewRequest) -> Result<Begun> {
        call!(self, "begin a request", |connection| api_request::begin(connection, request))
    }

    async fn end_request(&self, token: i64, key: &str, answer: Option<(u16, &str)>) -> Result<()> {
        call!(self, "end a request", |connection| {
            api_request::end(connection, token, key, answer)
        })
    }

    async fn journal(
        &self,
        mapping: Option<MappingId>,
        before: Option<EntryId>,
        max: usize,
    ) -> Result<Vec<Entry>> {
        call!(self, "read the journal", |connection| {
            journal::page(connection, &self.keyring, mapping, before, max)
        })
    }

    async fn journal_of(
        &self,
        mapping: MappingId,
        link: LinkId,
        before: Option<EntryId>,
        max: usize,
    ) -> Result<Vec<Entry>> {
        call!(self, "walk the journal", |connection| {
            journal::chain(connection, &self.keyring, mapping, link, before, max)
        })
    }

    async fn parked_page(
        &self,
        mapping: Option<MappingId>,
        after: Option<ParkedPlace>,
        max: usize,
    ) -> Result<Vec<Parked>> {
        call!(self, "list parked records", |connection| {
            parked::page(connection, &self.keyring, mapping, after, max)
        })
    }

    async fn parked_of(&self, links: &[(MappingId, LinkId)]) -> Result<Vec<Parked>> {
        call!(self, "read parked records", |connection| parked::of(
            connection,
            &self.keyring,
            links
        ))
    }

    async fn ask_again(&self, mapping: MappingId, link: LinkId, at: Instant) -> Result<bool> {
        call!(self, "ask for a parked record again", |connection| {
            parked::ask_again(connection, mapping, link, at)
        })
    }

    async fn ask_all_again(&self, mapping: MappingId, at: Instant) -> Result<u64> {
        call!(self, "ask for parked records again", |connection| {
            parked::ask_all_again(connection, mapping, at)
        })
    }
}
