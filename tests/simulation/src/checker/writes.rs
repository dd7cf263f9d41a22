//! V6: the sync writes no more than people gave it reason to.

use syncline_core::Side;
use syncline_core::model::{Entry, IntentKind, Verdict};
use syncline_sdk::ActorKind;
use syncline_testkit::{Event, Save};

use super::evidence::{Evidence, Violation, violation};

/// Judges the number of writes of the whole run.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let applied: usize = Side::BOTH
        .into_iter()
        .map(|side| evidence.writes[side].iter().filter(|w| w.effect == "applied").count())
        .sum();
    let mut allowed = 0;
    for side in Side::BOTH {
        let mut last = None;
        for line in &evidence.history[side] {
            let foreign = line.origin.is_none();
            let automatic = matches!(line.event, Event::Field { automatic: true, .. });
            let automation = line.actor.kind == ActorKind::Automation;
            let edit = Some((line.sequence, &line.entity, &line.key));
            if (foreign && edit != last) || automatic || automation {
                allowed += 1;
                last = edit;
            }
        }
        // The fence of a guarded delete, and the undelete that follows a race.
        let deletes = evidence.writes[side].iter().filter(|w| w.effect == "applied");
        allowed += deletes.filter(|w| matches!(w.verb, "delete" | "fence")).count() * 2;
    }
    for entry in evidence.entries.values() {
        allowed += deferred_references(evidence, entry);
        for decided in &entry.decided {
            // A decision may write both sides; a reference may follow its create.
            allowed += match decided.verdict {
                Verdict::Answered(_) => 2,
                Verdict::AwaitParent | Verdict::HalfWritten | Verdict::Adopt(_) => 1,
                // What a form changed beside it goes the other way with a write of its own.
                Verdict::Reverted(_) => 1,
                _ => 0,
            };
        }
    }
    // A record of ours that nobody can tell from others is carried back as somebody's.
    allowed += Side::BOTH.into_iter().map(|side| evidence.ambiguous_creates(side)).sum::<usize>();
    let fields = &evidence.world.plan.fields;
    let hidden = fields
        .iter()
        .any(|field| field.saves.iter().flatten().any(|save| !matches!(save, Save::Declared(_))));
    if hidden {
        // Each write may come back once in the form that a normaliser nobody told of gave it.
        allowed *= 2;
    }
    if applied > allowed {
        let text = format!("{applied} writes were applied where {allowed} are accounted for");
        return vec![violation("V6", text)];
    }
    Vec::new()
}

/// References that a create left empty for the time being: each follows by a write of its own.
fn deferred_references(evidence: &Evidence<'_>, entry: &Entry) -> usize {
    let Some(intent) = entry.intent.as_ref().filter(|of| of.kind == IntentKind::Create) else {
        return 0;
    };
    let units = evidence.world.mappings[&entry.mapping].units.iter().enumerate();
    let deferred = units.filter(|(at, unit)| {
        let refers = unit.pairs.iter().any(|pair| pair.reference.is_some());
        refers && !intent.units.iter().any(|carried| usize::from(*carried) == *at)
    });
    deferred.count()
}
