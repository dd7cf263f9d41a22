//! What a rehearsal found, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::discriminant;
use std::sync::Arc;

use syncline_core::machine::is_parked;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Link, LinkState, Review};
use syncline_core::{Side, Sides};
use syncline_ledger::{Ledger as _, Overlay, Stood};
use syncline_sdk::{Connector, Key, LinkId, SystemName, Value};

use super::plan::{Asked, Plan, SystemPlan};
use super::run::Rehearsal;
use crate::error::Result;
use crate::limits;

impl Rehearsal {
    /// Puts it together. `before` is how many calls were made of each system.
    pub(super) async fn finish(
        mut self,
        overlay: &Overlay,
        connectors: &BTreeMap<SystemName, Arc<dyn Connector>>,
        before: &BTreeMap<SystemName, u64>,
    ) -> Result<Plan> {
        let mut keys: BTreeMap<(MappingId, LinkId), Sides<Option<Key>>> = BTreeMap::new();
        let links = overlay.links();
        let questions = overlay.questions();
        let examples = examples(&questions);
        let mut shown: BTreeMap<(MappingId, LinkId), Link> = BTreeMap::new();
        // Under the same id a pair goes on in the mapping that it moves to.
        let moves = |(link, was): &(Link, Option<Stood>)| {
            let keyless = link.keys.left.is_none() && link.keys.right.is_none();
            let pair = was.is_some_and(|was| was.state != LinkState::Ended);
            link.state == LinkState::Ended && keyless && pair
        };
        let moved: BTreeSet<LinkId> =
            links.iter().filter(|of| moves(of)).map(|(link, _)| link.id).collect();
        for (link, was) in links {
            let made = self.tally.makes(link.mapping, link.id);
            let plan = self.tally.of(link.mapping);
            let parked = was.is_some() && is_parked(&link, self.limits.refusals_max);
            plan.already.parked += u64::from(parked);
            let outside = Stood::of(&link).outside;
            let comes = moved.contains(&link.id);
            match (link.state, was.map(|was| was.state)) {
                (LinkState::Ended, Some(was)) if was != LinkState::Ended => match comes {
                    true => plan.moved_out += 1,
                    false => plan.ended += 1,
                },
                (LinkState::Ended, _) => {}
                (_, None | Some(LinkState::Ended)) if comes => plan.moved_in += 1,
                // Those whose partner would be made are told as creates.
                (LinkState::Linked, None | Some(LinkState::Seen(_))) => {
                    plan.matched += u64::from(!made);
                }
                (LinkState::Linked, Some(_)) => match was.is_some_and(|was| was.outside) {
                    true if !outside => plan.entered += 1,
                    false if outside => plan.left += 1,
                    _ => plan.linked += 1,
                },
                _ => {}
            }
            let id = (link.mapping, link.id);
            keys.insert(id, link.keys.clone());
            if examples.contains(&id) {
                shown.insert(id, link);
            }
        }
        let of = |mapping, link| keys.get(&(mapping, link)).cloned().unwrap_or_default();
        // What waits for a person is not unknown, and is looked at again for as long as it waits.
        let mut held: BTreeSet<(SystemName, Key)> = BTreeSet::new();
        let mut asked: BTreeSet<(MappingId, LinkId)> = BTreeSet::new();
        for (Review { key, kind, .. }, known) in questions {
            let mapping = Arc::clone(&self.engine.mappings()[&key.mapping]);
            let keys = of(key.mapping, key.link);
            let named = |(side, key): (Side, &Option<Key>)| {
                Some((mapping.sides[side].system.clone(), key.clone()?))
            };
            held.extend(keys.iter().filter_map(named));
            if known {
                let first = asked.insert((key.mapping, key.link));
                let already = &mut self.tally.of(key.mapping).already;
                already.questions += 1;
                already.asked += u64::from(first);
            } else {
                let shown = shown.get(&(key.mapping, key.link)).zip(key.unit);
                let shown = shown.and_then(|(link, unit)| shows(&mapping, link, unit));
                let keys = self.there(&mapping, keys);
                let question = Asked { kind, unit: key.unit, keys, shown };
                self.tally.of(key.mapping).asked.push(question);
            }
        }
        let waiting = overlay.hinted().into_iter();
        let waiting =
            waiting.filter(|hint| !held.contains(&(hint.system.clone(), hint.key.clone())));
        for parked in overlay.parked(None, usize::MAX).await? {
            let mapping = &self.engine.mappings()[&parked.mapping];
            let keys = self.there(mapping, of(parked.mapping, parked.link));
            let row = (keys, parked.message);
            self.tally.of(parked.mapping).parked.push(row);
        }
        let systems = connectors.iter().map(|(name, connector)| {
            let usage = connector.usage();
            let plan = SystemPlan {
                read_calls: usage.calls.saturating_sub(before.get(name).copied().unwrap_or(0)),
                write_calls: self.tally.calls(name, &**connector),
                read_micros: self.stand_ins.get(name).map_or(0, |stand_in| stand_in.spent()),
                usage,
            };
            (name.clone(), plan)
        });
        let systems = systems.collect();
        let mappings = self.tally.finish();
        let waiting = waiting.count() + overlay.answered();
        Ok(Plan { mappings, systems, waiting })
    }

    /// The keys of a pair's records without those that a run would make.
    fn there(&self, mapping: &Mapping, keys: Sides<Option<Key>>) -> Sides<Option<Key>> {
        let is_there = |side: Side, key: &Key| {
            let stand_in = self.stand_ins.get(&mapping.sides[side].system);
            !stand_in.is_some_and(|stand_in| stand_in.would_make(key))
        };
        Sides {
            left: keys.left.filter(|key| is_there(Side::Left, key)),
            right: keys.right.filter(|key| is_there(Side::Right, key)),
        }
    }
}

/// The pairs of the first questions of each kind about each unit, of which the values are told.
fn examples(questions: &[(Review, bool)]) -> BTreeSet<(MappingId, LinkId)> {
    let mut counts = HashMap::new();
    let asked = questions.iter().filter(|(_, known)| !known).map(|(review, _)| review);
    let first = asked.filter(|review| {
        let alike = (review.key.mapping, review.key.unit, discriminant(&review.kind));
        let count: &mut usize = counts.entry(alike).or_default();
        *count += 1;
        *count <= limits::SAMPLES_MAX
    });
    first.map(|review| (review.key.mapping, review.key.link)).collect()
}

/// What both sides of a pair show of a unit.
fn shows(mapping: &Mapping, link: &Link, unit: u16) -> Option<Sides<Vec<Value>>> {
    let unit = mapping.units.get(usize::from(unit))?;
    Some(Sides::from_fn(|side| {
        unit.fields(side).map(|at| link.observed(side, at).clone()).collect()
    }))
}
