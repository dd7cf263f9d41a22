//! Decisions and outcomes in words.

use syncline_core::Side;
use syncline_core::model::{Came, IntentKind, Outcome, Verdict, Would};

use super::desk::KnownMapping;
use super::words::plain;

/// A decision in words.
pub fn verdict(mapping: &KnownMapping, verdict: &Verdict) -> String {
    let system = |side: &Side| mapping.system(*side);
    let partner = |side: &Side| mapping.system(side.other());
    match verdict {
        Verdict::Write(side) => format!("{} changed: it goes to {}", partner(side), system(side)),
        Verdict::Agree => "both sides hold the same: agreed".to_owned(),
        Verdict::PolicyTook(side) => format!(
            "both sides changed: the mapping takes {}'s, the other is kept here alone",
            system(side)
        ),
        Verdict::Merged => "both sides changed: the mapping makes one value of both".to_owned(),
        Verdict::Reverted(side) => format!(
            "changed in {}, which does not lead the field: {}'s goes back there, the edit is kept \
             here alone",
            system(side),
            partner(side)
        ),
        Verdict::Hold => "both sides changed to different values: a person is asked".to_owned(),
        Verdict::Kept(side) => {
            format!("changed in {}, which does not lead the field: it stays there", system(side))
        }
        Verdict::NoImage(side, reason) => {
            format!("{} cannot store the value: {}", system(side), plain(&reason.to_string()))
        }
        Verdict::AwaitParent => "waits for the record that it refers to".to_owned(),
        Verdict::Oscillates => {
            "written back and forth too often: not written until a person decides".to_owned()
        }
        Verdict::Create(side) => format!("the record is created in {}", system(side)),
        Verdict::Delete(side) => {
            format!("deleted in {}: the record is deleted in {} too", partner(side), system(side))
        }
        Verdict::Retract(side) => format!(
            "somebody made the same record in {0}: the one that Syncline made there is taken back",
            system(side)
        ),
        Verdict::Undelete(side) => format!(
            "the record is there again in {}: it is brought back in {}",
            partner(side),
            system(side)
        ),
        Verdict::BothGone => "both records are gone".to_owned(),
        Verdict::DeleteUpdate(side) => format!(
            "deleted in {} and changed in {}: a person is asked",
            system(side),
            partner(side)
        ),
        Verdict::Adopt(side) => format!("the partner was found in {}", system(side)),
        Verdict::Ambiguous => "several records could be the partner: a person is asked".to_owned(),
        Verdict::End => "the link ends: both records go their own ways".to_owned(),
        Verdict::MergeInto(link) => format!("the record was merged into that of link {link}"),
        Verdict::Rekey(side) => format!("the record has another key in {}", system(side)),
        Verdict::Leave(side) => format!("the record left the filter in {}", system(side)),
        Verdict::Enter(side) => format!("the record is back in the filter in {}", system(side)),
        Verdict::Excluded(side) => format!(
            "no record is made in {0}: it would stand outside the filter in {0}",
            system(side)
        ),
        Verdict::Answered(told) => format!("an answer is carried out: {}", plain(told)),
        Verdict::AnswerNotApplied(told) => {
            format!("an answer could not be carried out: {}", plain(told))
        }
        Verdict::HalfWritten => "of a decision on both sides only one half was written".to_owned(),
        Verdict::Released(why) => format!("released: {}", plain(why)),
        Verdict::MoveTo(to) => {
            format!("the record moved: the pair goes on in mapping {}", mapping.other(*to))
        }
        Verdict::MoveFrom(from) => {
            format!("the pair came from mapping {}", mapping.other(*from))
        }
        Verdict::Overwritten(side) => format!(
            "a write to {} replaced an edit that it had not seen: a person is asked",
            system(side)
        ),
        Verdict::Candidate(side) => format!(
            "changed in {} in a record whose partner was merged into this one's before the edit \
             could travel: it is asked about here",
            system(side)
        ),
        Verdict::Would(would) => format!("only observed: {}", would_do(mapping, *would)),
        Verdict::Came(Came::Same) => "came to be the same without Syncline".to_owned(),
        Verdict::Came(Came::Other(side)) => {
            format!("{} came to show another value without Syncline", system(side))
        }
        Verdict::Came(Came::Withdrawn) => "there is no reason for it any more".to_owned(),
    }
}

/// What a mapping that observes would have done, in words.
pub fn would_do(mapping: &KnownMapping, would: Would) -> String {
    let system = |side: Side| mapping.system(side);
    match would {
        Would::Write(side) => format!("{} would have been written", system(side)),
        Would::WriteBoth => "a value made of both would have been written to both".to_owned(),
        Would::Ask => "a person would have been asked".to_owned(),
        Would::Create(side) => format!("the record would have been created in {}", system(side)),
        Would::Delete(side) => format!("the record would have been deleted in {}", system(side)),
        Would::Undelete(side) => {
            format!("the record would have been brought back in {}", system(side))
        }
    }
}

/// What became of an intent, in words.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied => "applied".to_owned(),
        Outcome::Stale => "not written: the record had changed since it was read".to_owned(),
        Outcome::Missing => "not written: the record was gone".to_owned(),
        Outcome::Busy => "not written: the record was locked".to_owned(),
        Outcome::Refused(kind, message) => {
            format!("refused ({}): {}", plain(kind), plain(message))
        }
        Outcome::Cancelled => "cancelled before it could take effect".to_owned(),
    }
}

/// What an intent does, in words.
pub fn intent(kind: IntentKind) -> &'static str {
    match kind {
        IntentKind::Create => "create",
        IntentKind::Update => "update",
        IntentKind::Delete => "delete",
        IntentKind::Undelete => "bring back",
    }
}
