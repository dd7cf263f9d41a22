//! V12 and the life of intents: each write in the systems' logs belongs to one journalled intent
//! and says what that says; nothing is applied twice, nor after it was settled as not applied.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::model::{
    BatchState, DeletePhase, IntentKind, Link, LinkState, Outcome, ReviewStatus,
};

use syncline_sdk::{Instant, ReceiptKind};
use syncline_testkit::{Event, WriteEntry};

use super::evidence::{Evidence, Violation, violation};
use super::overwritten::is_unguarded;
use crate::setup::is_own_field;

/// Judges writes against intents, and what must be at rest at the end.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut settled = BTreeMap::new();
    for entry in evidence.entries.values() {
        for one in &entry.settled {
            settled.insert(one.intent, (one.outcome.clone(), entry.at));
        }
    }
    let mut applied: BTreeMap<_, u32> = BTreeMap::new();
    for side in Side::BOTH {
        for write in evidence.writes[side].iter().filter(|write| write.effect == "applied") {
            let entry = evidence.entries.get(&write.intent);
            let Some(intent) = entry.and_then(|entry| entry.intent.as_ref()) else {
                let text = format!("write {} of {} has no intent", write.intent, write.verb);
                found.push(violation("V12", text));
                continue;
            };
            let times = applied.entry((write.intent, write.verb)).or_default();
            *times += 1;
            let late_copy = write.verb == "update" && is_unguarded(evidence, side, &write.entity);
            if *times > 1
                && !late_copy
                && !matches!(write.verb, "fence" | "undelete")
                && !is_made_again(evidence, side, write)
                && !is_deleted_again(evidence, side, write)
            {
                let text = format!("{} of {} was applied {times} times", write.verb, write.intent);
                found.push(violation("V12", text));
            }
            let mapping = &evidence.world.mappings[&entry.map(|e| e.mapping).unwrap_or_default()];
            for (name, _) in write.values.iter().filter(|(name, _)| !is_own_field(name)) {
                let at = mapping.sides[side].selection.fields.iter().position(|n| n == name);
                let named = at.is_some_and(|at| {
                    intent.fields.iter().any(|field| usize::from(field.field) == at)
                });
                if !named {
                    let text = format!("{} wrote {name}, which its intent does not", write.intent);
                    found.push(violation("V11", text));
                }
            }
            let update = matches!(intent.kind, IntentKind::Update | IntentKind::Create);
            if let (true, Some((outcome, at))) = (update, settled.get(&write.intent))
                && *outcome != Outcome::Applied
                && !is_found_otherwise(intent.kind, outcome)
                && !is_doubled(evidence, side, write)
                && !is_judged_by_content(evidence, side, write, *at)
            {
                let text = format!("{} was applied and settled as {outcome:?}", write.intent);
                found.push(violation("V12", text));
            }
        }
    }
    found.extend(rest(evidence));
    found
}

/// Whether a create that was applied is found by other means: by its link id after a refusal as
/// a duplicate (protocol C4), or by a person where nothing tells which record it made (C5).
fn is_found_otherwise(kind: IntentKind, outcome: &Outcome) -> bool {
    let told = match outcome {
        Outcome::Refused(kind, _) => kind.as_str(),
        _ => return false,
    };
    kind == IntentKind::Create && matches!(told, "duplicate" | "unsupported")
}

/// Whether a late copy of a create made a record once more, after somebody had removed the one
/// of the first copy: no unique link id stood in its way then (protocol W6).
fn is_made_again(evidence: &Evidence<'_>, side: Side, write: &WriteEntry) -> bool {
    let mut made = evidence.writes[side].iter().filter(|other| {
        other.intent == write.intent && other.effect == "applied" && other.key != write.key
    });
    write.verb == "insert"
        && made.all(|other| {
            evidence.history[side].iter().any(|line| {
                Some(&line.key) == other.key.as_ref()
                    && line.entity == other.entity
                    && matches!(
                        line.event,
                        Event::Deleted | Event::Truncated | Event::MergedInto(_)
                    )
            })
        })
}

/// Whether the network made two requests of one delete, of which the second came when the first
/// was answered and a person had brought the record back: nothing guards a delete without
/// condition against that (protocol 1.4.1, W6).
fn is_deleted_again(evidence: &Evidence<'_>, side: Side, write: &WriteEntry) -> bool {
    let undeleted = || {
        evidence.history[side].iter().any(|line| {
            Some(&line.key) == write.key.as_ref()
                && line.entity == write.entity
                && line.event == Event::Undeleted
                && line.origin.is_none()
        })
    };
    let guarded = evidence.world.systems[side].profile().capabilities.conditional_delete;
    write.verb == "delete" && !guarded && is_doubled(evidence, side, write) && undeleted()
}

/// Whether the network made two requests of the one that was sent: of these the answer may tell
/// of the one that was refused, and nothing proves that there was another (protocol I3).
fn is_doubled(evidence: &Evidence<'_>, side: Side, applied: &WriteEntry) -> bool {
    let batches = evidence.world.ledger.batches();
    let batch = batches.iter().find(|batch| batch.id == applied.batch);
    let twin = |other: &&WriteEntry| {
        other.intent == applied.intent
            && other.request == applied.request
            && other.copy != applied.copy
    };
    batch.is_some_and(|batch| batch.attempts == 1)
        && evidence.writes[side].iter().any(|other| twin(&other))
}

/// Whether a lost stream took the receipt with it: then what the record shows decides, and it
/// showed another, because the side changed the value on save or somebody changed the record since
/// (protocol I5.5).
fn is_judged_by_content(
    evidence: &Evidence<'_>,
    side: Side,
    write: &WriteEntry,
    settled_at: Instant,
) -> bool {
    let world = evidence.world;
    let by_stream = world.systems[side].profile().capabilities.receipt == ReceiptKind::Stream;
    let lost = |(of, at): &(Side, i64)| *of == side && *at <= settled_at.micros();
    let shows_another = evidence.history[side].iter().any(|line| {
        let of_record = Some(&line.key) == write.key.as_ref() && line.entity == write.entity;
        let ours = line.origin.as_ref().is_some_and(|origin| origin.intent == write.intent);
        let otherwise = match &line.event {
            Event::Field { given, new, automatic, .. } => *automatic || given != new,
            _ => false,
        };
        let since = Some(line.sequence) > write.sequence;
        of_record && (since && !ours || ours && otherwise)
    });
    // Without a guard the content decides as well, once no copy can arrive (protocol I5.5).
    let unguarded = is_unguarded(evidence, side, &write.entity);
    (unguarded || by_stream && world.lost_streams.iter().any(lost)) && shows_another
}

/// Whether our delete took a record with an edit and its system refuses to bring it back: that
/// stands among what is set aside until somebody frees what is in its way (protocol 1.4.1 iii).
fn waits_in_bin(evidence: &Evidence<'_>, link: &Link) -> bool {
    let Some((side, DeletePhase::Look)) = link.state.deleting() else { return false };
    let mut of = evidence.writes[side].iter().rev();
    let last = of.find(|write| Some(write.intent) == link.open[side]);
    last.is_some_and(|write| write.verb == "undelete" && write.effect == "rejected")
        && evidence.is_parked(link.id)
}

/// Nothing is open at the end.
fn rest(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for link in evidence.links.values() {
        let open = link.is_open()
            || matches!(link.state, LinkState::Creating(_))
            || link.state.deleting().is_some();
        if open && !waits_in_bin(evidence, link) {
            let text = format!("link {} is {:?} with {:?} open", link.id, link.state, link.open);
            found.push(violation("QUIET", text));
        }
    }
    for batch in evidence.world.ledger.batches() {
        if batch.state == BatchState::Sent {
            found.push(violation("QUIET", format!("batch {} is not settled", batch.id)));
        }
    }
    for review in &evidence.reviews {
        if review.status == ReviewStatus::Answered {
            found.push(violation("ANSWER", format!("question {} waits answered", review.id)));
        }
    }
    for (by, review, _) in &evidence.world.answers.given {
        let told = format!(" by {by}");
        let folded = evidence.decided(review.key.link).any(|decided| match &decided.verdict {
            syncline_core::model::Verdict::Answered(text) => text.ends_with(&told),
            syncline_core::model::Verdict::AnswerNotApplied(text) => {
                text.contains(&format!("{told}:"))
            }
            _ => false,
        });
        if !folded {
            let text = format!("the answer of {by} to question {} is nowhere", review.id);
            found.push(violation("ANSWER", text));
        }
    }
    found
}
