//! What people and the pages made for them ask of the ledger.

use std::collections::BTreeMap;

use async_trait::async_trait;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Choice, Figure, Gap, Hint, Link, LinkState, Review, ReviewStatus, Tally,
};
use syncline_sdk::{Instant, Key, LinkId, SystemName};

use crate::{Awaited, Ledger, LinkQuery, Result};

/// Which questions are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReviewQuery {
    /// Of one mapping, or of all.
    pub mapping: Option<MappingId>,
    /// In one status, or in any that is not closed.
    pub status: Option<ReviewStatus>,
    /// Only those with a larger number: the next page.
    pub after: i64,
    /// The most that are answered.
    pub max: usize,
}

/// A person's answer to a question, as it is given.
#[derive(Clone, PartialEq, Debug)]
pub struct NewAnswer {
    /// The number of the question.
    pub id: i64,
    /// The revision that the person saw.
    pub revision: i32,
    /// What was chosen.
    pub choice: Choice,
    /// Who answers.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Hints for both records, so that the engine reads them afresh.
    pub hints: Vec<Hint>,
}

/// What became of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Answered {
    /// It was taken; the engine will fold it.
    Taken,
    /// It was not: the question shows something newer, or was answered or closed by now. As it
    /// is now.
    Moved(Box<Review>),
    /// There is no such question.
    Unknown,
}

/// How many links of a mapping stand where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LinkCount {
    /// The mapping.
    pub mapping: MappingId,
    /// Where they stand, by [`state_name`].
    pub state: &'static str,
    /// How many.
    pub count: i64,
}

/// What waits to be read on a system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Waiting {
    /// The system.
    pub system: SystemName,
    /// How many hints.
    pub hints: i64,
    /// When the first is due, microseconds UTC.
    pub due: i64,
}

/// Who owns the shards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The process.
    pub owner: String,
    /// Its epoch.
    pub epoch: i64,
    /// When its lease runs out, microseconds UTC.
    pub until: i64,
}

/// The questions of people. They are read beside the engine's work and take no locks that it
/// waits for; the two that write (an answer, a hint) are one transaction each.
#[async_trait]
pub trait People: Ledger {
    /// Questions, by number.
    ///
    /// # Errors
    /// As every call.
    async fn reviews(&self, query: &ReviewQuery) -> Result<Vec<Review>>;

    /// One question, in any status.
    ///
    /// # Errors
    /// As every call.
    async fn review(&self, id: i64) -> Result<Option<Review>>;

    /// Takes an answer, if the question still shows the revision that the person saw and waits
    /// for one; adds the hints with it.
    ///
    /// # Errors
    /// As every call; whether it was taken is then to be looked up.
    async fn answer(&self, answer: &NewAnswer) -> Result<Answered>;

    /// Adds hints: of a webhook, of a poll, or to try a parked record again.
    ///
    /// # Errors
    /// As every call.
    async fn hint(&self, hints: &[Hint]) -> Result<()>;

    /// Gaps, closed ones too, the latest first.
    ///
    /// # Errors
    /// As every call.
    async fn all_gaps(&self, max: usize) -> Result<Vec<Gap>>;

    /// The running figures; one that was never raised is not there.
    ///
    /// # Errors
    /// As every call.
    async fn figures(&self) -> Result<BTreeMap<Figure, i64>>;

    /// The running counts of mappings, in order; what was never raised is not there.
    ///
    /// # Errors
    /// As every call.
    async fn tallies(&self) -> Result<Vec<(Tally, i64)>>;

    /// How many links stand where. Reads every link: for a page that is looked at, not for a
    /// loop.
    ///
    /// # Errors
    /// As every call.
    async fn link_counts(&self) -> Result<Vec<LinkCount>>;

    /// What waits to be read.
    ///
    /// # Errors
    /// As every call.
    async fn waiting(&self) -> Result<Vec<Waiting>>;

    /// Who owns the shards; nothing before the first owner.
    ///
    /// # Errors
    /// As every call.
    async fn owner(&self) -> Result<Option<Owner>>;

    /// What the owner waits for, systems first, by name. It is as the last owner left it: worth
    /// something only while an owner lives.
    ///
    /// # Errors
    /// As every call.
    async fn awaited(&self) -> Result<Vec<Awaited>>;

    /// Asks the engine for a sweep of a mapping; gives how many were asked for by now.
    ///
    /// # Errors
    /// As every call.
    async fn ask_sweep(&self, mapping: MappingId) -> Result<i64>;

    /// A link of any mapping, by its id. A pair that moved left a link of that id without a
    /// record in the mapping that it was in before: the one that goes on is given.
    ///
    /// # Errors
    /// As every call.
    async fn link(&self, link: LinkId) -> Result<Option<Link>>;

    /// The link of a record, also by an old name of it.
    ///
    /// # Errors
    /// As every call.
    async fn find(&self, mapping: MappingId, side: Side, key: &Key) -> Result<Option<Link>> {
        let mut query = LinkQuery { mapping, ..LinkQuery::default() };
        query.keys[side].push(key.clone());
        Ok(self.load(&[query]).await?.links.pop())
    }
}

/// Where a link stands, as people are told.
#[must_use]
pub fn state_name(state: LinkState) -> &'static str {
    match state {
        LinkState::Seen(Side::Left) => "seen_left",
        LinkState::Seen(Side::Right) => "seen_right",
        LinkState::Creating(Side::Left) => "creating_left",
        LinkState::Creating(Side::Right) => "creating_right",
        LinkState::Linked => "linked",
        LinkState::Deleting(Side::Left, _) => "deleting_left",
        LinkState::Deleting(Side::Right, _) => "deleting_right",
        LinkState::Retracting(Side::Left, _) => "retracting_left",
        LinkState::Retracting(Side::Right, _) => "retracting_right",
        LinkState::Tombstone => "tombstone",
        LinkState::Merged(_) => "merged",
        LinkState::Held => "held",
        LinkState::Ended => "ended",
    }
}
