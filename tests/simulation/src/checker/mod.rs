//! The checker: judges a run from outside, by the systems' own histories, the requests that
//! reached them, the review queue and the journal (protocol section 2). It never looks at what
//! the engine believes but to learn which two records were meant to be one.

mod agreement;
mod chains;
mod deletes;
mod intents;
mod writes;

use std::collections::BTreeMap;

use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Entry, EntryId, Link, Parked, Review, ReviewStatus, Verdict};
use syncline_core::{Side, Sides};
use syncline_ledger::{Ledger as _, People as _};
use syncline_sdk::{Key, LinkId};
use syncline_testkit::{LogEntry, WriteEntry, complete};

use crate::world::World;
use chains::Chains;

/// What a run violated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The invariant, by its id.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

/// Everything that the checker looks at.
pub struct Evidence<'a> {
    world: &'a World,
    history: Sides<Vec<LogEntry>>,
    writes: Sides<Vec<WriteEntry>>,
    entries: BTreeMap<EntryId, Entry>,
    by_link: BTreeMap<LinkId, Vec<EntryId>>,
    reviews: Vec<Review>,
    links: BTreeMap<LinkId, Link>,
    parked: Vec<Parked>,
    link_of: BTreeMap<(MappingId, Side, Key), LinkId>,
}

impl<'a> Evidence<'a> {
    fn gather(world: &'a World) -> Self {
        let entries = world.ledger.entries();
        let mut by_link: BTreeMap<LinkId, Vec<EntryId>> = BTreeMap::new();
        for entry in &entries {
            by_link.entry(entry.link).or_default().push(entry.id);
        }
        let links = world.ledger.links();
        let mut evidence = Self {
            world,
            history: Sides::from_fn(|side| world.systems[side].history()),
            writes: Sides::from_fn(|side| world.systems[side].writes()),
            entries: entries.into_iter().map(|entry| (entry.id, entry)).collect(),
            by_link,
            reviews: world.ledger.all_reviews(),
            links: links.into_iter().map(|link| (link.id, link)).collect(),
            parked: complete(world.ledger.parked(None, usize::MAX)).unwrap_or_default(),
            link_of: BTreeMap::new(),
        };
        evidence.name_links();
        evidence
    }
    /// Which link each record belongs to, by an old name too.
    fn name_links(&mut self) {
        for (mapping_id, mapping) in &self.world.mappings {
            for side in Side::BOTH {
                let entity = &mapping.sides[side].selection.entity;
                let lines = self.history[side].iter().filter(|line| line.entity == *entity);
                let keys: std::collections::BTreeSet<Key> =
                    lines.map(|line| line.key.clone()).collect();
                for key in keys {
                    let found = complete(self.world.ledger.find(*mapping_id, side, &key));
                    if let Ok(Some(link)) = found {
                        self.link_of.insert((*mapping_id, side, key), link.id);
                    }
                }
            }
        }
    }
    fn mapping_of(&self, entity: &syncline_sdk::EntityName) -> Option<&Mapping> {
        let mut mappings = self.world.mappings.values();
        mappings.find(|mapping| mapping.sides.left.selection.entity == *entity).map(|m| &**m)
    }
    /// Whether a question about a link's unit, or about the pair, is open.
    fn is_asked(&self, link: LinkId, unit: Option<usize>) -> bool {
        self.reviews.iter().any(|review| {
            review.key.link == link
                && review.status == ReviewStatus::Open
                && (review.key.unit.is_none()
                    || unit.is_none()
                    || review.key.unit.map(usize::from) == unit)
        })
    }
    fn is_parked(&self, link: LinkId) -> bool {
        self.parked.iter().any(|parked| parked.link == link)
    }
    /// The decisions journalled for a link.
    fn decided(&self, link: LinkId) -> impl Iterator<Item = &syncline_core::model::Decided> {
        let entries = self.by_link.get(&link).into_iter().flatten();
        entries.filter_map(|id| self.entries.get(id)).flat_map(|entry| &entry.decided)
    }
}

fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}

/// Judges a run that came to its end. Gives everything that was violated, the gravest first.
#[must_use]
pub fn judge(world: &World) -> Vec<Violation> {
    let evidence = Evidence::gather(world);
    let chains = Chains::build(&evidence);
    let mut found = chains.violations.clone();
    found.extend(intents::judge(&evidence));
    found.extend(deletes::judge(&evidence, &chains));
    found.extend(agreement::judge(&evidence, &chains));
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
            use syncline_core::model::Outcome;
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
        Verdict::Hold => "verdict: hold",
        Verdict::Kept(_) => "verdict: kept",
        Verdict::AwaitParent => "verdict: await parent",
        Verdict::Oscillates => "verdict: oscillates",
        Verdict::Create(_) => "verdict: create",
        Verdict::Delete(_) => "verdict: delete",
        Verdict::Undelete(_) => "verdict: undelete",
        Verdict::BothGone => "verdict: both gone",
        Verdict::DeleteUpdate(_) => "verdict: delete/update",
        Verdict::Adopt(_) => "verdict: adopt",
        Verdict::Ambiguous => "verdict: ambiguous",
        Verdict::MergeInto(_) => "verdict: merge",
        Verdict::Answered(_) => "verdict: answered",
        Verdict::AnswerNotApplied(_) => "verdict: answer not applied",
        Verdict::HalfWritten => "verdict: half written",
        _ => return None,
    })
}
