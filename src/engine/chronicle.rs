//! A commit in the log: what was decided on which link, what is sent, what became of it. Ids and
//! kinds, never values: those are in the journal, which knows who may read it.

use std::fmt;

use syncline_core::machine::Mappings;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    BatchChange, Changeset, Entry, Outcome, ReviewChange, ReviewKey, ReviewStatus, Verdict,
};
use syncline_sdk::{Error, Scope};

/// Tells what a commit did, now that it is durable.
pub(crate) fn tell(changeset: &Changeset, mappings: &Mappings) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        changeset.entries.iter().for_each(|entry| tell_entry(entry, mappings));
        changeset.batches.iter().for_each(tell_batch);
    }
    for parked in &changeset.parked {
        tracing::warn!(
            mapping = %name(mappings, parked.mapping),
            link = %parked.link,
            side = %parked.side,
            kind = parked.kind,
            "a record is set aside; `syncline status` tells what was refused"
        );
    }
    for (mapping, link) in &changeset.unparked {
        tracing::info!(
            mapping = %name(mappings, *mapping),
            %link,
            "a record is taken back from being set aside"
        );
    }
    for change in &changeset.reviews {
        let (key, what) = match change {
            // It is put with its answer: nobody is asked.
            ReviewChange::Ask(review) if review.status == ReviewStatus::Answered => {
                (&review.key, "an edit that a merge came before goes into the pair that is left")
            }
            ReviewChange::Ask(review) => (&review.key, "a question is asked"),
            ReviewChange::Show { review, .. } => (&review.key, "a question shows newer values"),
            ReviewChange::Close { key, .. } => (key, "a question is closed"),
        };
        let ReviewKey { mapping, link, unit, sync_version } = key;
        let unit = unit.map_or(-1, i64::from);
        tracing::info!(mapping = %name(mappings, *mapping), %link, unit, sync_version, "{what}");
    }
}

/// A mapping by its name.
fn name(mappings: &Mappings, id: MappingId) -> String {
    mappings.get(&id).map_or_else(|| id.to_string(), |mapping| mapping.name.to_string())
}

fn tell_entry(entry: &Entry, mappings: &Mappings) {
    let Entry { link, id, .. } = entry;
    let mapping = name(mappings, entry.mapping);
    for decided in &entry.decided {
        let unit = decided.unit.map_or(-1, i64::from);
        let verdict = verdict(&decided.verdict);
        tracing::debug!(mapping, %link, entry = %id, unit, verdict, "decided");
    }
    if let Some(intent) = &entry.intent {
        tracing::debug!(
            mapping,
            %link,
            intent = %intent.id,
            side = %intent.side,
            kind = ?intent.kind,
            fields = intent.fields.len(),
            "a write is planned"
        );
    }
    for settled in &entry.settled {
        tracing::debug!(
            mapping,
            %link,
            intent = %settled.intent,
            side = %settled.side,
            outcome = outcome(&settled.outcome),
            "a write is settled"
        );
    }
}

fn tell_batch(change: &BatchChange) {
    match change {
        BatchChange::Send(batch) => {
            let intents = Joined(&batch.intents);
            let (id, system) = (batch.id, &batch.system);
            tracing::debug!(batch = %id, %system, %intents, "recorded as sent");
        }
        BatchChange::Resend { id, read_attempts, .. } => {
            tracing::debug!(batch = %id, attempts = read_attempts + 1, "recorded as sent again");
        }
        BatchChange::Close { id, .. } => tracing::debug!(batch = %id, "the batch is settled"),
        BatchChange::Assert { .. } | BatchChange::Audit(_) => {}
    }
}

/// Ids with commas between them.
struct Joined<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, id) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            id.fmt(f)?;
        }
        Ok(())
    }
}

/// A verdict by its name. Answers and reasons are texts of people and systems: left out.
fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Write(_) => "write",
        Verdict::Agree => "agree",
        Verdict::PolicyTook(_) => "policy_took",
        Verdict::Merged => "merged",
        Verdict::Reverted(_) => "reverted",
        Verdict::Hold => "hold",
        Verdict::Kept(_) => "kept",
        Verdict::NoImage(..) => "no_image",
        Verdict::AwaitParent => "await_parent",
        Verdict::Oscillates => "oscillates",
        Verdict::Create(_) => "create",
        Verdict::Delete(_) => "delete",
        Verdict::Retract(_) => "retract",
        Verdict::Undelete(_) => "undelete",
        Verdict::BothGone => "both_gone",
        Verdict::DeleteUpdate(_) => "delete_update",
        Verdict::Adopt(_) => "adopt",
        Verdict::Ambiguous => "ambiguous",
        Verdict::End => "end",
        Verdict::MergeInto(_) => "merge_into",
        Verdict::Rekey(_) => "rekey",
        Verdict::Leave(_) => "leave",
        Verdict::Enter(_) => "enter",
        Verdict::Excluded(_) => "excluded",
        Verdict::Answered(_) => "answered",
        Verdict::AnswerNotApplied(_) => "answer_not_applied",
        Verdict::HalfWritten => "half_written",
        Verdict::Released(_) => "released",
        Verdict::Would(_) => "would",
        Verdict::Came(_) => "came",
        Verdict::MoveTo(_) => "move_to",
        Verdict::MoveFrom(_) => "move_from",
        Verdict::Overwritten(_) => "overwritten",
        Verdict::Candidate(_) => "candidate",
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Stale => "stale",
        Outcome::Missing => "missing",
        Outcome::Busy => "busy",
        Outcome::Refused(..) => "refused",
        Outcome::Cancelled => "cancelled",
    }
}

/// An error for the log. What a system says of one record may repeat its values.
pub(crate) fn without_values(error: &Error) -> String {
    if error.kind.scope() == Scope::Record {
        return format!("{:?}: what it said of the record is not logged", error.kind);
    }
    error.to_string()
}
