//! A commit: all guards are checked on a draft; only when all hold is the draft kept.

use std::collections::BTreeSet;

use syncline_core::model::{Changeset, Hint, RecordName};

use super::draft::Draft;
use super::state::State;
use crate::{Committed, fold};

impl State {
    /// Makes a changeset durable at one instant, or nothing of it.
    pub(super) fn commit(&mut self, changeset: &Changeset) -> Committed {
        let epoch = self.lease.as_ref().map(|lease| lease.epoch);
        if epoch != Some(changeset.fence.epoch) {
            return Committed::Fenced;
        }
        if self.decided.contains_key(&changeset.commit) {
            return Committed::Moved(format!("commit number {} is taken", changeset.commit));
        }
        let draft = match Draft::new(self, changeset) {
            Ok(draft) => draft.finish(),
            Err(moved) => return Committed::Moved(moved),
        };
        draft.keep(self);
        self.apply_unguarded(changeset);
        self.decided.insert(changeset.commit, true);
        Committed::Committed
    }

    /// What cannot fail once the guards hold.
    fn apply_unguarded(&mut self, changeset: &Changeset) {
        for alias in &changeset.aliases {
            self.aliases.insert((alias.mapping, alias.side, alias.key.clone()), alias.clone());
        }
        for done in &changeset.hints_done {
            let key = (done.system.clone(), done.entity.clone(), done.key.clone());
            if self.hints.get(&key).is_some_and(|hint| hint.seq == done.seq) {
                self.hints.remove(&key);
            }
        }
        self.add_hints(&changeset.hints);
        self.awaits.retain(|one| !changeset.awaits_done.contains(&one.child));
        self.awaits.extend(changeset.awaits.iter().cloned());
        let arrived: BTreeSet<&RecordName> = changeset.arrived.iter().collect();
        let woken = self.awaits.extract_if(.., |one| arrived.contains(&one.parent));
        let woken: Vec<Hint> = woken.map(|one| fold::woken(one.child)).collect();
        self.add_hints(&woken);
        for position in &changeset.positions {
            self.positions.insert(position.stream.clone(), position.clone());
        }
        for name in &changeset.unparked {
            self.parked.remove(name);
        }
        for parked in &changeset.parked {
            self.parked.insert((parked.mapping, parked.link), parked.clone());
        }
        for (key, gap) in fold::gaps(&changeset.gaps) {
            self.gaps
                .entry(key)
                .and_modify(|known| known.closed_at = known.closed_at.or(gap.closed_at))
                .or_insert(gap);
        }
        for (figure, count) in fold::figures(&changeset.figures) {
            *self.figures.entry(figure).or_insert(0) += count;
        }
        for (tally, count) in &changeset.tallies {
            *self.tallies.entry(tally.clone()).or_insert(0) += count;
        }
    }
}
