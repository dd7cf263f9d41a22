//! What a commit adds to the running counts of its mappings. Counted from what the commit does,
//! and made durable with it, so that it is counted once whatever breaks.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::machine::{Mappings, SettleInput};
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Changeset, Counted, Intent, Outcome, ReviewChange, Settled, Tally, Verdict,
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
/// answered. `settled` tells of the writes that it settles when their edits were made.
pub(crate) fn tallies(
    changeset: &Changeset,
    settled: &[SettleInput],
    mappings: &Mappings,
) -> Vec<(Tally, i64)> {
    let mut counts = Counts::default();
    let intents: BTreeMap<IntentId, &Intent> =
        settled.iter().map(|input| (input.carried.intent.id, &input.carried.intent)).collect();
    for entry in &changeset.entries {
        for settled in &entry.settled {
            let intent = intents.get(&settled.intent).copied();
            count_settled(&mut counts, changeset.at, entry.mapping, settled, intent, mappings);
        }
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

fn count_settled(
    counts: &mut Counts,
    now: i64,
    mapping: MappingId,
    settled: &Settled,
    intent: Option<&Intent>,
    mappings: &Mappings,
) {
    let toward = Some(settled.side);
    let counted = match &settled.outcome {
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
