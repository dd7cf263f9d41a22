//! What a commit adds to the running counts of its mappings. Counted from what the commit does,
//! and made durable with it, so that it is counted once whatever breaks.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::machine::{Mappings, SettleInput};
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Changeset, Counted, Guard, Intent, Link, LinkChange, Outcome, ReviewChange, Tally, Verdict,
};
use syncline_sdk::IntentId;

/// The counts of one commit.
#[derive(Default)]
struct Counts(BTreeMap<Tally, i64>);

impl Counts {
    fn add(&mut self, mapping: MappingId, toward: Option<Side>, counted: Counted, by: i64) {
        *self.0.entry(Tally { mapping, toward, counted }).or_default() += by;
    }
}

/// What a commit adds: what became of writes, how long they took, what was set aside, asked and
/// answered. A write is settled by the commit that closes it on its link; what was simply applied
/// has no entry of its own. `settled` tells of writes when their edits were made.
pub(crate) fn tallies(
    changeset: &Changeset,
    settled: &[SettleInput],
    mappings: &Mappings,
) -> Vec<(Tally, i64)> {
    let mut counts = Counts::default();
    let outcomes: BTreeMap<IntentId, &Outcome> = changeset
        .entries
        .iter()
        .flat_map(|entry| &entry.settled)
        .map(|settled| (settled.intent, &settled.outcome))
        .collect();
    let intents: BTreeMap<IntentId, &Intent> =
        settled.iter().map(|input| (input.carried.intent.id, &input.carried.intent)).collect();
    for (mapping, side, closed) in closed(changeset) {
        let outcome = outcomes.get(&closed).copied().unwrap_or(&Outcome::Applied);
        let intent = intents.get(&closed).copied();
        count_settled(&mut counts, changeset.at, (mapping, side), outcome, intent, mappings);
    }
    for entry in &changeset.entries {
        let answers = entry.decided.iter().filter(|d| matches!(d.verdict, Verdict::Answered(_)));
        let answers = i64::try_from(answers.count()).unwrap_or(i64::MAX);
        if answers > 0 {
            counts.add(entry.mapping, None, Counted::Answered, answers);
        }
    }
    for parked in &changeset.parked {
        counts.add(parked.mapping, Some(parked.side), Counted::Parked, 1);
    }
    for change in &changeset.reviews {
        if let ReviewChange::Ask(review) = change {
            counts.add(review.key.mapping, None, Counted::Asked, 1);
        }
    }
    counts.0.into_iter().collect()
}

/// The intents that were open on a link and are not any more.
fn closed(changeset: &Changeset) -> impl Iterator<Item = (MappingId, Side, IntentId)> {
    fn updated(change: &LinkChange) -> Option<(&Guard, &Link)> {
        match change {
            LinkChange::Update { guard, link, .. } => Some((guard, link)),
            LinkChange::Insert(_) => None,
        }
    }
    changeset.links.iter().filter_map(updated).flat_map(|(guard, link)| {
        Side::BOTH.into_iter().filter_map(move |side| {
            let open = guard.open[side]?;
            (link.open[side] != Some(open)).then_some((link.mapping, side, open))
        })
    })
}

fn count_settled(
    counts: &mut Counts,
    now: i64,
    (mapping, side): (MappingId, Side),
    outcome: &Outcome,
    intent: Option<&Intent>,
    mappings: &Mappings,
) {
    let toward = Some(side);
    let counted = match outcome {
        Outcome::Applied => Counted::Applied,
        Outcome::Stale => Counted::Stale,
        Outcome::Missing => Counted::Missing,
        Outcome::Busy => Counted::Busy,
        Outcome::Refused(kind, _) => Counted::Refused(kind.clone()),
        Outcome::Cancelled => Counted::Cancelled,
    };
    let applied = counted == Counted::Applied;
    counts.add(mapping, toward, counted, 1);
    let edited = intent.filter(|_| applied).and_then(|intent| intent.edited_at);
    if let Some(edited) = edited {
        // The clock of the edit is another machine's: it may be ahead of ours.
        let lag = now.saturating_sub(edited.micros()).max(0);
        counts.add(mapping, toward, Counted::Measured, 1);
        counts.add(mapping, toward, Counted::LagMicros, lag);
        let objective = mappings.get(&mapping).and_then(|mapping| mapping.objective);
        if objective.and_then(|objective| objective.is_within(lag)) == Some(true) {
            counts.add(mapping, toward, Counted::Within, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use syncline_core::Sides;
    use syncline_core::model::{Entry, LinkState, Settled};
    use syncline_sdk::{Instant, LinkId};

    use super::*;

    fn id(ordinal: i32) -> IntentId {
        IntentId { commit: 7, ordinal }
    }

    /// A link on whose right side an intent was open, and what it is after.
    fn closes(number: u128, was: i32, is: Option<i32>) -> LinkChange {
        let link = Link {
            epoch: 1,
            mapping_rev: 1,
            sync_version: 1,
            open: Sides { left: None, right: is.map(id) },
            ..Link::new(MappingId(1), LinkId(uuid::Uuid::from_u128(number)), LinkState::Linked)
        };
        let open = Sides { left: None, right: Some(id(was)) };
        let guard = Guard { sync_version: 0, open, last_entry: None };
        LinkChange::Update { guard, link, keys_changed: false }
    }

    #[test]
    fn a_write_is_counted_by_the_commit_that_closes_it() {
        let refused = Settled {
            intent: id(2),
            side: Side::Right,
            outcome: Outcome::Refused("invalid".to_owned(), "no".to_owned()),
        };
        let entry = Entry {
            id: id(9),
            mapping: MappingId(1),
            revision: 1,
            link: LinkId(uuid::Uuid::from_u128(2)),
            previous: None,
            at: Instant::from_micros(1),
            observed: Vec::new(),
            decided: Vec::new(),
            intent: None,
            settled: vec![refused],
        };
        let changeset = Changeset {
            // Applied and nothing more; refused; applied and followed by the next; still open.
            links: vec![
                closes(1, 1, None),
                closes(2, 2, None),
                closes(3, 3, Some(4)),
                closes(4, 5, Some(5)),
            ],
            entries: vec![entry],
            ..Changeset::default()
        };
        let tally = |counted| Tally { mapping: MappingId(1), toward: Some(Side::Right), counted };
        let refused = Counted::Refused("invalid".to_owned());
        assert_eq!(
            tallies(&changeset, &[], &Mappings::new()),
            [(tally(Counted::Applied), 2), (tally(refused), 1)]
        );
    }
}
