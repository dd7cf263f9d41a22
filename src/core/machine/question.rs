//! Questions to people: asked, shown anew when a value moves, closed by themselves when the
//! sides come together (protocol P3, P4).

use syncline_sdk::LinkId;

use super::slot::Asked;
use super::workset::{Workset, review_change};
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Decided, Figure, Review, ReviewChange, ReviewKey, ReviewKind, ReviewStatus, Shown, Verdict,
};
use crate::{Side, Sides};

impl Workset<'_> {
    /// Asks a question about a unit or the pair, or brings the one that is open up to date.
    pub(super) fn ask(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        unit: Option<usize>,
        kind: ReviewKind,
    ) {
        let shown = Sides::from_fn(|side| self.shown(id, mapping, side, unit));
        self.ask_showing(id, unit, kind, shown);
    }

    /// The same with what the question shows.
    pub(super) fn ask_showing(
        &mut self,
        id: (MappingId, LinkId),
        unit: Option<usize>,
        kind: ReviewKind,
        shown: Sides<Shown>,
    ) {
        if self.is_shown_otherwise(id, unit, &kind, &shown) {
            self.drop_answer(id, unit, "a value moved before the answer was applied");
        }
        let number = unit.map(|unit| u16::try_from(unit).unwrap_or(u16::MAX));
        let now = self.now();
        let entry = self.slots[&id].link.last_entry;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let sync_version = slot.link.sync_version;
        if let Some(asked) = slot.asked.get_mut(&number)
            && asked.review.status != ReviewStatus::Closed
        {
            let review = &mut asked.review;
            if shows_other(review, &kind, &shown) {
                review.revision += 1;
                review.kind = kind;
                review.shown = shown;
                review.status = ReviewStatus::Open;
                review.answer = None;
                review.entry = entry;
                asked.changed = true;
            }
            return;
        }
        let review = Review {
            key: ReviewKey { mapping: id.0, link: id.1, unit: number, sync_version },
            id: 0,
            revision: 1,
            kind,
            shown,
            status: ReviewStatus::Open,
            answer: None,
            entry,
            asked_at: now,
        };
        // A question closed in this very round and asked again is the same row, shown anew.
        let reopened =
            slot.asked.get(&number).filter(|asked| !asked.new && asked.review.key == review.key);
        let asked = match reopened {
            Some(asked) => {
                let revision = asked.review.revision + 1;
                let review = Review { revision, id: asked.review.id, ..review };
                Asked { review, read: asked.read, changed: true, new: false }
            }
            None => Asked { read: (1, ReviewStatus::Open), review, changed: true, new: true },
        };
        let key = asked.review.key;
        // One that was closed in this very round on an older base is closed all the same.
        let closed = slot.asked.insert(number, asked);
        let closed =
            closed.filter(|before| before.changed && !before.new && before.review.key != key);
        self.out.reviews.extend(closed.map(review_change));
        self.count(Figure::Held, 1);
    }

    /// Whether a question stands and shows something else than it will.
    fn is_shown_otherwise(
        &self,
        id: (MappingId, LinkId),
        unit: Option<usize>,
        kind: &ReviewKind,
        shown: &Sides<Shown>,
    ) -> bool {
        let number = unit.map(|unit| u16::try_from(unit).unwrap_or(u16::MAX));
        let asked = self.slots[&id].asked.get(&number);
        asked.is_some_and(|asked| shows_other(&asked.review, kind, shown))
    }

    /// An answer that was given and not folded is lost to something newer: that is journalled
    /// (protocol P4).
    fn drop_answer(&mut self, id: (MappingId, LinkId), unit: Option<usize>, reason: &str) {
        let number = unit.map(|unit| u16::try_from(unit).unwrap_or(u16::MAX));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let Some(asked) = slot.asked.get_mut(&number) else { return };
        if asked.review.status != ReviewStatus::Answered {
            return;
        }
        asked.review.status = ReviewStatus::Open;
        asked.changed = true;
        let Some(answer) = asked.review.answer.take() else { return };
        let told = format!("{} by {}: {reason}", answer.choice, answer.by);
        let shown = asked.review.shown.clone();
        let decided = Decided {
            unit: number,
            verdict: Verdict::AnswerNotApplied(told),
            left: shown.left.values,
            right: shown.right.values,
        };
        self.entry(id, false).decided.push(decided);
    }

    /// Closes a question that names its unit by the place that it had in a former revision; where
    /// that is `now`. What the values of by now do not tell is asked again there.
    pub(super) fn outdate(&mut self, review: Review, now: Option<u16>) {
        let id = (review.key.mapping, review.key.link);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if review.status == ReviewStatus::Closed || !slot.outdated.insert(review.key) {
            return;
        }
        // What is asked from here on has names of its own.
        if slot.guard.as_ref().is_some_and(|guard| guard.sync_version == slot.link.sync_version) {
            slot.link.sync_version += 1;
        }
        if let Some(answer) = &review.answer {
            let why = "the mapping was changed before the answer was applied";
            let told = format!("{} by {}: {why}", answer.choice, answer.by);
            self.note(id, Verdict::AnswerNotApplied(told));
        }
        let (read_revision, read_status) = (review.revision, review.status);
        let key = review.key;
        self.out.reviews.push(ReviewChange::Close { key, read_revision, read_status });
        if let Some(now) = now {
            self.move_edit(review, now);
        }
    }

    /// Closes the question about a unit or the pair, if one is open.
    pub(super) fn close(&mut self, id: (MappingId, LinkId), unit: Option<usize>) {
        self.drop_answer(id, unit, "the question had answered itself");
        let number = unit.map(|unit| u16::try_from(unit).unwrap_or(u16::MAX));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let Some(asked) = slot.asked.get_mut(&number) else { return };
        if asked.review.status == ReviewStatus::Closed {
            return;
        }
        let question = asked.review.clone();
        if asked.new {
            slot.asked.remove(&number);
        } else {
            asked.review.status = ReviewStatus::Closed;
            asked.changed = true;
        }
        self.await_no_more(id, &question);
    }

    /// Closes every question about a link: there is nothing left to choose.
    pub(super) fn close_all(&mut self, id: (MappingId, LinkId)) {
        let asked: Vec<Option<u16>> = self.slots[&id].asked.keys().copied().collect();
        for unit in asked {
            self.close(id, unit.map(usize::from));
        }
    }

    /// What a side shows of a unit, or of the whole record.
    pub(super) fn shown(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        unit: Option<usize>,
    ) -> Shown {
        let link = &self.slots[&id].link;
        let fields: Vec<usize> = match unit {
            Some(unit) => mapping.units[unit].fields(side).collect(),
            None => (0..mapping.sides[side].image_len).collect(),
        };
        let pending = &link.pending[side];
        Shown {
            exists: link.exists(side),
            values: fields.iter().map(|at| link.observed(side, *at).clone()).collect(),
            base: fields.iter().map(|at| link.base_value(side, *at).clone()).collect(),
            actor: pending.actor.clone(),
            at: pending.at,
        }
    }
}

/// Whether a question asks or shows something else than it will. What stands in the place of an
/// edit that stands in its question alone is in the base's place.
pub(super) fn shows_other(review: &Review, kind: &ReviewKind, shown: &Sides<Shown>) -> bool {
    let other = |side: Side| {
        let (was, now) = (&review.shown[side], &shown[side]);
        was.values != now.values
            || was.exists != now.exists
            || (kind.edit() == Some(side) && was.base != now.base)
    };
    review.kind != *kind || Side::BOTH.into_iter().any(other)
}
