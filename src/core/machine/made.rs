//! Records that our creates made: what the journal says of them since (protocol C6).

use syncline_sdk::LinkId;

use super::refusal::passes_by_name;
use super::workset::Workset;
use crate::Side;
use crate::mapping::MappingId;
use crate::model::{Entry, IntentKind, Outcome, Settled, Verdict};

/// What the journal of a link says of a record that a create of ours may have made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Made {
    /// It was made by our create on this side, which was decided upon at this time, microseconds;
    /// nobody but us has changed it since.
    Ours(Side, i64),
    /// Somebody else made it, changed it or chose something about it, or it cannot be told.
    Others,
}

impl Workset<'_> {
    /// Answers [`super::Want::Journal`]: the newest entries of a link, newest first, as far as
    /// they are committed.
    pub fn journal(&mut self, mapping: MappingId, link: LinkId, entries: &[Entry]) {
        let Some(mapping) = self.mapping(mapping) else { return };
        let id = (mapping.id, link);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let conditional = |side: Side| mapping.sides[side].capabilities.conditional_delete;
        let written = slot.entries.iter().rev().chain(entries);
        slot.made = Some(read_back(written, conditional));
        if let Some(remade) = slot.remade.take() {
            let (side, seen) = *remade;
            self.made_again(id, &mapping, side, &seen, entries);
        }
    }
}

/// Reads a journal back to the create.
fn read_back<'a>(
    newest_first: impl Iterator<Item = &'a Entry>,
    conditional: impl Fn(Side) -> bool,
) -> Made {
    let mut settled: Vec<&Settled> = Vec::new();
    let mut touched = [false; 2];
    for entry in newest_first {
        settled.extend(&entry.settled);
        for observed in entry.observed.iter().filter(|observed| observed.marker.is_none()) {
            touched[index(observed.side)] = true;
        }
        for decided in &entry.decided {
            match &decided.verdict {
                Verdict::Adopt(side) | Verdict::Rekey(side) => touched[index(*side)] = true,
                Verdict::Answered(_) => return Made::Others,
                _ => {}
            }
        }
        let Some(intent) = &entry.intent else { continue };
        let outcome = settled.iter().find(|settled| settled.intent == intent.id);
        let outcome = outcome.map(|settled| &settled.outcome);
        match intent.kind {
            IntentKind::Update => {}
            IntentKind::Create if outcome == Some(&Outcome::Applied) => {
                let ours = !touched[index(intent.side)];
                let at = entry.at.micros();
                return if ours { Made::Ours(intent.side, at) } else { Made::Others };
            }
            // A delete of ours that certainly did nothing may be tried again.
            IntentKind::Delete
                if outcome.is_some_and(|of| did_nothing(of, conditional(intent.side))) => {}
            IntentKind::Create | IntentKind::Delete | IntentKind::Undelete => return Made::Others,
        }
    }
    Made::Others
}

fn index(side: Side) -> usize {
    usize::from(side == Side::Right)
}

/// Whether a delete was refused for now, before it could take effect. One without condition that
/// was given up after its look may have been undone by a person.
fn did_nothing(outcome: &Outcome, conditional: bool) -> bool {
    match outcome {
        Outcome::Stale | Outcome::Busy => true,
        Outcome::Refused(kind, _) => passes_by_name(kind),
        Outcome::Cancelled => conditional,
        Outcome::Applied | Outcome::Missing => false,
    }
}
