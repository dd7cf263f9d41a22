//! The guarded rows of a commit as they would become.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Batch, BatchChange, BatchState, Changeset, EntryId, Guard, Link, LinkChange, Review,
    ReviewChange, ReviewKey, ReviewStatus,
};
use syncline_sdk::{BatchId, LinkId};

use super::state::{RecordKey, State};

/// What does not hold, in words for the log.
type Moved = String;

/// Rows that the commit changes; nothing of the state is touched before [`Kept::keep`].
pub(super) struct Draft<'a> {
    state: &'a State,
    changed: Kept,
}

/// The rows alone.
#[derive(Default)]
pub(super) struct Kept {
    links: BTreeMap<(MappingId, LinkId), Link>,
    /// `None` where the name is given up.
    keys: BTreeMap<RecordKey, Option<LinkId>>,
    claims: BTreeMap<(MappingId, String), Option<LinkId>>,
    entries: Vec<syncline_core::model::Entry>,
    batches: BTreeMap<BatchId, Batch>,
    reviews: BTreeMap<ReviewKey, Review>,
    last_review: i64,
}

impl<'a> Draft<'a> {
    /// Applies all guarded rows, in the order that the Postgres ledger has.
    pub(super) fn new(state: &'a State, changeset: &Changeset) -> Result<Self, Moved> {
        let changed = Kept { last_review: state.last_review, ..Kept::default() };
        let mut draft = Self { state, changed };
        draft.change_links(changeset.fence.epoch, &changeset.links)?;
        draft.change_claims(changeset)?;
        draft.add_entries(changeset)?;
        draft.change_batches(&changeset.batches)?;
        for change in &changeset.reviews {
            draft.change_review(change)?;
        }
        Ok(draft)
    }

    /// The rows, without the hold on the state.
    pub(super) fn finish(self) -> Kept {
        self.changed
    }

    fn change_links(&mut self, epoch: i64, changes: &[LinkChange]) -> Result<(), Moved> {
        let mut seen = BTreeSet::new();
        for change in changes {
            let link = change.link();
            let name = (link.mapping, link.id);
            if !seen.insert(name) {
                return Err(format!("link {} is changed twice", link.id));
            }
            let known = self.state.links.get(&name);
            let mut link = match (change, known) {
                (LinkChange::Insert(_), Some(_)) => {
                    return Err(format!("link {} is there already", link.id));
                }
                (LinkChange::Insert(link), None) => link.clone(),
                (LinkChange::Update { .. }, None) => {
                    return Err(format!("link {} is not there", link.id));
                }
                (LinkChange::Update { guard, link, keys_changed }, Some(known)) => {
                    check_guard(guard, known)?;
                    self.give_up_keys(known, *keys_changed);
                    let mut link = link.clone();
                    if !keys_changed {
                        link.keys = known.keys.clone();
                    }
                    link.shard = known.shard;
                    link
                }
            };
            link.epoch = epoch;
            self.changed.links.insert(name, link);
        }
        self.take_keys(changes)
    }

    fn give_up_keys(&mut self, known: &Link, keys_changed: bool) {
        for side in Side::BOTH {
            if let (true, Some(key)) = (keys_changed, &known.keys[side]) {
                self.changed.keys.insert((known.mapping, side, key.clone()), None);
            }
        }
    }

    /// Takes names after all that are given up are free.
    fn take_keys(&mut self, changes: &[LinkChange]) -> Result<(), Moved> {
        for change in changes {
            if matches!(change, LinkChange::Update { keys_changed: false, .. }) {
                continue;
            }
            let link = change.link();
            for (side, key) in link.keys.iter() {
                let Some(key) = key else { continue };
                let name = (link.mapping, side, key.clone());
                let holder = match self.changed.keys.get(&name) {
                    Some(holder) => *holder,
                    None => self.state.keys.get(&name).copied(),
                };
                if let Some(holder) = holder {
                    return Err(format!("{side} record {key} belongs to link {holder}"));
                }
                self.changed.keys.insert(name, Some(link.id));
            }
        }
        Ok(())
    }

    fn change_claims(&mut self, changeset: &Changeset) -> Result<(), Moved> {
        for release in &changeset.releases {
            let name = (release.mapping, release.key.clone());
            if self.state.claims.get(&name) == Some(&release.link) {
                self.changed.claims.insert(name, None);
            }
        }
        for claim in &changeset.claims {
            let name = (claim.mapping, claim.key.clone());
            let holder = match self.changed.claims.get(&name) {
                Some(holder) => *holder,
                None => self.state.claims.get(&name).copied(),
            };
            if let Some(holder) = holder.filter(|holder| *holder != claim.link) {
                return Err(format!("business key {:?} belongs to link {holder}", claim.key));
            }
            self.changed.claims.insert(name, Some(claim.link));
        }
        Ok(())
    }

    fn add_entries(&mut self, changeset: &Changeset) -> Result<(), Moved> {
        let mut seen: BTreeSet<EntryId> = BTreeSet::new();
        for entry in &changeset.entries {
            if !seen.insert(entry.id) || self.state.entries.contains_key(&entry.id) {
                return Err(format!("journal entry {} is there already", entry.id));
            }
        }
        self.changed.entries.clone_from(&changeset.entries);
        Ok(())
    }

    /// First sends, then assertions, then further sends, then closings, then audits.
    fn change_batches(&mut self, changes: &[BatchChange]) -> Result<(), Moved> {
        let rank = |change: &BatchChange| match change {
            BatchChange::Send(_) => 0,
            BatchChange::Assert { .. } => 1,
            BatchChange::Resend { .. } => 2,
            BatchChange::Close { .. } => 3,
            BatchChange::Audit(_) => 4,
        };
        let mut ordered: Vec<&BatchChange> = changes.iter().collect();
        ordered.sort_by_key(|change| rank(change));
        ordered.into_iter().try_for_each(|change| self.change_batch(change))
    }

    fn change_batch(&mut self, change: &BatchChange) -> Result<(), Moved> {
        match change {
            BatchChange::Send(batch) => {
                if self.batch(batch.id).is_some() {
                    return Err(format!("batch {} is there already", batch.id));
                }
                self.changed.batches.insert(batch.id, batch.clone());
            }
            BatchChange::Resend { id, read_attempts, epoch, last_sent, die_after } => {
                let mut batch = self.open_batch(*id, Some(*read_attempts))?;
                batch.attempts += 1;
                batch.epoch = *epoch;
                batch.last_sent = *last_sent;
                batch.die_after = *die_after;
                self.changed.batches.insert(*id, batch);
            }
            BatchChange::Close { id, state, attempts } => {
                let mut batch = self.open_batch(*id, *attempts)?;
                batch.state = *state;
                self.changed.batches.insert(*id, batch);
            }
            BatchChange::Assert { id, attempts } => {
                self.open_batch(*id, Some(*attempts))?;
            }
            BatchChange::Audit(id) => {
                let batch = self.batch(*id).filter(|batch| batch.state == BatchState::Settled);
                let audited = batch.map(|of| Batch { state: BatchState::Audited, ..of.clone() });
                self.changed.batches.extend(audited.map(|batch| (*id, batch)));
            }
        }
        Ok(())
    }

    fn batch(&self, id: BatchId) -> Option<&Batch> {
        self.changed.batches.get(&id).or_else(|| self.state.batches.get(&id))
    }

    fn open_batch(&self, id: BatchId, attempts: Option<i32>) -> Result<Batch, Moved> {
        let batch = self.batch(id).ok_or_else(|| format!("batch {id} is not there"))?;
        if batch.state != BatchState::Sent {
            return Err(format!("batch {id} is not open any more"));
        }
        if attempts.is_some_and(|attempts| attempts != batch.attempts) {
            return Err(format!("batch {id} has {} sends recorded", batch.attempts));
        }
        Ok(batch.clone())
    }

    fn review(&self, key: &ReviewKey) -> Option<&Review> {
        self.changed.reviews.get(key).or_else(|| self.state.reviews.get(key))
    }

    fn change_review(&mut self, change: &ReviewChange) -> Result<(), Moved> {
        let review = match change {
            ReviewChange::Ask(review) => match self.review(&review.key) {
                Some(known) if known.status != ReviewStatus::Closed => {
                    return Err(format!("question {} is asked already", known.id));
                }
                // The same question on the same base, asked again: its number stays, and the
                // revision tells it from what was shown before.
                Some(known) => Review {
                    id: known.id,
                    revision: review.revision.max(known.revision + 1),
                    ..review.clone()
                },
                None => {
                    self.changed.last_review += 1;
                    Review { id: self.changed.last_review, ..review.clone() }
                }
            },
            ReviewChange::Show { review, read_revision, read_status } => {
                let known = self.unmoved(&review.key, *read_revision, *read_status)?;
                Review { id: known.id, asked_at: known.asked_at, ..review.clone() }
            }
            ReviewChange::Close { key, read_revision, read_status } => Review {
                status: ReviewStatus::Closed,
                ..self.unmoved(key, *read_revision, *read_status)?.clone()
            },
        };
        self.changed.reviews.insert(review.key, review);
        Ok(())
    }

    fn unmoved(
        &self,
        key: &ReviewKey,
        revision: i32,
        status: ReviewStatus,
    ) -> Result<&Review, Moved> {
        let known = self
            .review(key)
            .ok_or_else(|| format!("the question on link {} is not there", key.link))?;
        if known.revision == revision && known.status == status {
            Ok(known)
        } else {
            Err(format!("question {} is at revision {} by now", known.id, known.revision))
        }
    }
}

impl Kept {
    /// Makes it the state.
    pub(super) fn keep(self, state: &mut State) {
        state.links.extend(self.links);
        for (name, holder) in self.keys {
            match holder {
                Some(link) => state.keys.insert(name, link),
                None => state.keys.remove(&name),
            };
        }
        for (name, holder) in self.claims {
            match holder {
                Some(link) => state.claims.insert(name, link),
                None => state.claims.remove(&name),
            };
        }
        state.entries.extend(self.entries.into_iter().map(|entry| (entry.id, entry)));
        state.batches.extend(self.batches);
        state.reviews.extend(self.reviews);
        state.last_review = self.last_review;
    }
}

fn check_guard(guard: &Guard, known: &Link) -> Result<(), Moved> {
    let link = known.id;
    if guard.sync_version != known.sync_version {
        return Err(format!("link {link} is at sync version {} by now", known.sync_version));
    }
    for (side, open) in guard.open.iter() {
        if *open != known.open[side] {
            return Err(format!("the open intent of link {link} on the {side} is another by now"));
        }
    }
    if guard.last_entry != known.last_entry {
        return Err(format!("link {link} has a newer journal entry"));
    }
    Ok(())
}
