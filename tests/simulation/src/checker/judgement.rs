//! The judgement of a whole run: every part of the checker in turn, and what the run covered.

use syncline_core::Side;
use syncline_core::model::{Outcome, Verdict};

use super::chains::Chains;
use super::evidence::{Evidence, Violation};
use super::{agreement, deletes, intents, merges, twins, writes};
use crate::world::World;

/// Judges a run that came to its end. Gives everything that was violated, the gravest first.
#[must_use]
pub fn judge(world: &World) -> Vec<Violation> {
    let evidence = Evidence::gather(world);
    let chains = Chains::build(&evidence);
    let mut found = chains.violations.clone();
    found.extend(intents::judge(&evidence));
    found.extend(deletes::judge(&evidence, &chains));
    found.extend(agreement::judge(&evidence, &chains));
    found.extend(twins::judge(&evidence));
    found.extend(merges::judge(&evidence));
    found.extend(writes::judge(&evidence));
    note_coverage(&evidence);
    found
}

fn note_coverage(evidence: &Evidence<'_>) {
    let mut inner = evidence.world.desk.lock();
    for entry in evidence.entries.values() {
        for decided in &entry.decided {
            if let Some(name) = verdict_name(&decided.verdict) {
                inner.coverage.hit(name);
            }
        }
        for settled in &entry.settled {
            inner.coverage.hit(match settled.outcome {
                Outcome::Applied => "outcome: applied",
                Outcome::Stale => "outcome: stale",
                Outcome::Missing => "outcome: missing",
                Outcome::Busy => "outcome: busy",
                Outcome::Refused(..) => "outcome: refused",
                Outcome::Cancelled => "outcome: cancelled",
            });
        }
    }
    for side in Side::BOTH {
        for write in &evidence.writes[side] {
            match write.effect {
                "applied" => inner.coverage.hit("write: applied"),
                "repeat" => inner.coverage.hit("write: repeat"),
                _ => {}
            }
        }
        let automatic = evidence.history[side].iter().any(|line| {
            matches!(line.event, syncline_testkit::Event::Field { automatic: true, .. })
        });
        if automatic {
            inner.coverage.hit("people: automation");
        }
    }
    let resent = evidence.world.ledger.batches().iter().any(|batch| batch.attempts > 1);
    if resent {
        inner.coverage.hit("settled: send again");
    }
    let takeovers = evidence.world.ledger.batches().iter().any(|batch| batch.epoch > 1);
    if takeovers {
        inner.coverage.hit("fault: takeover");
    }
}

fn verdict_name(verdict: &Verdict) -> Option<&'static str> {
    Some(match verdict {
        Verdict::Write(_) => "verdict: write",
        Verdict::Agree => "verdict: agree",
        Verdict::PolicyTook(_) => "verdict: policy took",
        Verdict::Merged => "verdict: merged",
        Verdict::Reverted(_) => "verdict: reverted",
        Verdict::Hold => "verdict: hold",
        Verdict::Kept(_) => "verdict: kept",
        Verdict::AwaitParent => "verdict: await parent",
        Verdict::Oscillates => "verdict: oscillates",
        Verdict::Create(_) => "verdict: create",
        Verdict::Delete(_) => "verdict: delete",
        Verdict::Retract(_) => "verdict: retract",
        Verdict::Undelete(_) => "verdict: undelete",
        Verdict::BothGone => "verdict: both gone",
        Verdict::DeleteUpdate(_) => "verdict: delete/update",
        Verdict::Adopt(_) => "verdict: adopt",
        Verdict::Ambiguous => "verdict: ambiguous",
        Verdict::MergeInto(_) => "verdict: merge",
        Verdict::Answered(_) => "verdict: answered",
        Verdict::AnswerNotApplied(_) => "verdict: answer not applied",
        Verdict::Would(_) => "verdict: would",
        Verdict::Came(_) => "verdict: came",
        Verdict::HalfWritten => "verdict: half written",
        Verdict::Overwritten(_) => "verdict: overwritten",
        Verdict::Candidate(_) => "verdict: candidate",
        Verdict::Leave(_) => "verdict: leave",
        Verdict::Enter(_) => "verdict: enter",
        Verdict::Excluded(_) => "verdict: excluded",
        Verdict::End => "verdict: end",
        _ => return None,
    })
}
