//! What a round works on.

use syncline_core::Side;
use syncline_core::audit::Overwritten;
use syncline_core::machine::{Observation, SettleInput};
use syncline_core::mapping::{MappingId, NoImage};
use syncline_core::model::{
    BatchChange, Changeset, Gap, Hint, HintDone, ReviewChange, ReviewKey, ReviewKind,
    StreamPosition,
};
use syncline_sdk::{Key, LinkId};

use crate::send::Sending;

/// What a round folds into the ledger with one commit. Several sources may be put together.
#[derive(Debug, Default)]
pub struct Work {
    /// What was observed, in order.
    pub observed: Vec<(MappingId, Side, Observation)>,
    /// What is proved about writes.
    pub settled: Vec<SettleInput>,
    /// Links to plan although nothing was observed of them.
    pub touched: Vec<(MappingId, LinkId)>,
    /// Units of links of which a field of a side was gone and is back.
    pub returned: Vec<(MappingId, LinkId, usize, Side)>,
    /// Edits of a side of links that writes of ours replaced unseen.
    pub overwritten: Vec<(MappingId, LinkId, Side, Vec<Overwritten>)>,
    /// Links of which what was set aside is tried again.
    pub retried: Vec<(MappingId, LinkId)>,
    /// Questions that were answered.
    pub answered: Vec<ReviewKey>,
    /// Records whose links must be known, although nothing is observed of them.
    pub named: Vec<(MappingId, Side, Key)>,
    /// How far streams are folded with this work.
    pub positions: Vec<StreamPosition>,
    /// Hints that are done with.
    pub hints_done: Vec<HintDone>,
    /// Hints to add.
    pub hints: Vec<Hint>,
    /// What becomes of batches.
    pub batches: Vec<BatchChange>,
    /// Gaps noticed or closed.
    pub gaps: Vec<Gap>,
}

impl Work {
    /// True when there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.observed.is_empty()
            && self.settled.is_empty()
            && self.touched.is_empty()
            && self.returned.is_empty()
            && self.overwritten.is_empty()
            && self.retried.is_empty()
            && self.answered.is_empty()
            && self.positions.is_empty()
            && self.hints_done.is_empty()
            && self.hints.is_empty()
            && self.batches.is_empty()
            && self.gaps.is_empty()
    }
    /// Two halves of the work, the first without positions; the work itself when it is about one
    /// thing only.
    ///
    /// # Errors
    /// The work, when it cannot be divided.
    pub fn split(mut self) -> Result<(Self, Self), Box<Self>> {
        let things = self.observed.len()
            + self.settled.len()
            + self.touched.len()
            + self.returned.len()
            + self.overwritten.len()
            + self.retried.len()
            + self.answered.len();
        if things < 2 {
            return Err(Box::new(self));
        }
        let mut first = Self::default();
        let mut room = things / 2;
        let mut share = |len: usize| {
            let part = len.min(room);
            room -= part;
            part
        };
        first.observed = self.observed.drain(..share(self.observed.len())).collect();
        first.settled = self.settled.drain(..share(self.settled.len())).collect();
        first.touched = self.touched.drain(..share(self.touched.len())).collect();
        first.returned = self.returned.drain(..share(self.returned.len())).collect();
        first.overwritten = self.overwritten.drain(..share(self.overwritten.len())).collect();
        first.retried = self.retried.drain(..share(self.retried.len())).collect();
        first.answered = self.answered.drain(..share(self.answered.len())).collect();
        first.named.clone_from(&self.named);
        Ok((first, self))
    }
    /// Puts other work behind this.
    pub fn append(&mut self, mut other: Self) {
        self.observed.append(&mut other.observed);
        self.settled.append(&mut other.settled);
        self.touched.append(&mut other.touched);
        self.returned.append(&mut other.returned);
        self.overwritten.append(&mut other.overwritten);
        self.retried.append(&mut other.retried);
        self.answered.append(&mut other.answered);
        self.named.append(&mut other.named);
        self.positions.append(&mut other.positions);
        self.hints_done.append(&mut other.hints_done);
        self.hints.append(&mut other.hints);
        self.batches.append(&mut other.batches);
        self.gaps.append(&mut other.gaps);
    }
}

/// What a round did, and what must be done now that it is durable.
#[derive(Default)]
pub struct Account {
    /// Batches to send. Their sends are recorded; whether they are made or lost, the ledger can
    /// tell them apart afterwards.
    pub sends: Vec<Sending>,
    /// Observations folded.
    pub observed: usize,
    /// Hints added: some may be due at once.
    pub hints: usize,
    /// Values that a side's field cannot hold, about which people were asked: its system may
    /// describe it otherwise by now.
    pub misfits: usize,
    /// Whether anything was committed.
    pub committed: bool,
}

impl Account {
    /// What a round comes to that commits this, before it has.
    pub(crate) fn of(work: &Work, changeset: &Changeset) -> Self {
        let misfits = changeset.reviews.iter().filter(|change| tells_of_drift(change)).count();
        let (observed, hints) = (work.observed.len(), changeset.hints.len());
        Self { observed, hints, misfits, ..Self::default() }
    }

    /// Puts another round's account behind this.
    pub fn append(&mut self, mut other: Self) {
        self.sends.append(&mut other.sends);
        self.observed += other.observed;
        self.hints += other.hints;
        self.misfits += other.misfits;
        self.committed |= other.committed;
    }
}

/// Whether a question is about a value that the type of a field does not take. What no table has,
/// and whose parent is missing, is no matter of types.
fn tells_of_drift(change: &ReviewChange) -> bool {
    let (ReviewChange::Ask(review) | ReviewChange::Show { review, .. }) = change else {
        return false;
    };
    let ReviewKind::NoImage(_, why) = &review.kind else { return false };
    match why {
        NoImage::WrongType { .. }
        | NoImage::OutOfRange(_)
        | NoImage::NotInList(_)
        | NoImage::TooLong { .. }
        | NoImage::WouldLose(_) => true,
        NoImage::Absent
        | NoImage::NotNullable
        | NoImage::NotInTable(_)
        | NoImage::Expression(_)
        | NoImage::NoParent(_) => false,
    }
}
