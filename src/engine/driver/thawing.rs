//! Fields that were left alone and are written again (protocol 1.10): what waited is planned, and
//! what was gone is read anew.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use syncline_core::Side;
use syncline_core::mapping::{Drift, Mapping};
use syncline_core::model::{LinkState, StreamPosition};
use syncline_ledger::Ledger;

use super::run::{Driver, DriverError};
use crate::error::EngineError;
use crate::intake::{frozen_stream, load_stream};
use crate::limits;
use crate::work::Work;

/// A field that was left alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Frozen {
    side: Side,
    field: String,
    /// Whether it was not there at some time.
    gone: bool,
}

impl Frozen {
    /// What a mapping leaves alone now.
    fn of(mapping: &Mapping) -> BTreeSet<Self> {
        let on = |side: Side| {
            mapping.drifted[side].iter().map(move |one| Self {
                side,
                field: one.field.to_string(),
                gone: matches!(one.what, Drift::Gone | Drift::Back),
            })
        };
        on(Side::Left).chain(on(Side::Right)).collect()
    }

    fn read(line: &str) -> Option<Self> {
        let (side, rest) = line.split_once(' ')?;
        let (how, field) = rest.split_once(' ')?;
        let side = Side::BOTH.into_iter().find(|known| known.as_str() == side)?;
        Some(Self { side, field: field.to_owned(), gone: how == "gone" })
    }

    fn line(&self) -> String {
        let how = if self.gone { "gone" } else { "held" };
        format!("{} {how} {}", self.side, self.field)
    }
}

/// A number for what the fields of both sides can hold.
fn kinds(mapping: &Mapping) -> u64 {
    let mut hasher = DefaultHasher::new();
    for side in Side::BOTH {
        for field in &mapping.sides[side].fields {
            (&field.name, &field.kind, field.nullable, field.updatable).hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl<L: Ledger> Driver<L> {
    /// Takes up the fields of a mapping that it left alone before and does not any more. False
    /// when it was stopped.
    pub(super) async fn thaw(
        &mut self,
        mapping: &Mapping,
        known: &mut BTreeMap<String, StreamPosition>,
    ) -> Result<bool, DriverError> {
        let stream = frozen_stream(&mapping.name);
        let noted = known.get(&stream).map_or("", |noted| &noted.place);
        let before: BTreeSet<Frozen> = noted.lines().filter_map(Frozen::read).collect();
        let now = Frozen::of(mapping);
        // What the fields hold decides about values that had no image.
        let kinds = format!("fields {:016x}", kinds(mapping));
        let lines = std::iter::once(kinds.clone()).chain(now.iter().map(Frozen::line));
        let lines: Vec<String> = lines.collect();
        if noted == lines.join("\n") {
            return Ok(true);
        }
        let other_kinds = !noted.is_empty() && !noted.starts_with(&kinds);
        let stays = |one: &Frozen| {
            now.iter().any(|known| (known.side, &known.field) == (one.side, &one.field))
        };
        let over: Vec<Frozen> = before.into_iter().filter(|one| !stays(one)).collect();
        for one in &over {
            tracing::info!(mapping = &*mapping.name, side = %one.side, field = one.field,
                "the field is written again");
        }
        if (other_kinds || !over.is_empty()) && !self.thaw_links(mapping, &over).await? {
            return Ok(false);
        }
        let mut work = Work::default();
        if !over.is_empty() {
            for side in Side::BOTH {
                work.positions.push(StreamPosition {
                    stream: load_stream(&mapping.name, side),
                    identity: mapping.sides[side].system.to_string(),
                    place: String::new(),
                });
            }
        }
        let (identity, place) = (String::new(), lines.join("\n"));
        work.positions.push(StreamPosition { stream, identity, place });
        for position in &work.positions {
            known.insert(position.stream.clone(), position.clone());
        }
        self.commit(work).await
    }

    /// Plans what waited for fields. False when it was stopped.
    async fn thaw_links(
        &mut self,
        mapping: &Mapping,
        over: &[Frozen],
    ) -> Result<bool, DriverError> {
        let mut returned: Vec<(usize, Side)> = Vec::new();
        for one in over.iter().filter(|one| one.gone) {
            let image = &mapping.sides[one.side].fields;
            let at = image.iter().position(|field| *field.name.as_str() == one.field);
            let has = |at| mapping.units.iter().position(|unit| unit.has(one.side, at));
            returned.extend(at.and_then(has).map(|unit| (unit, one.side)));
        }
        let mut after = None;
        loop {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let max = limits::VERIFY_LINKS_MAX;
            let page = self.engine.intake.ledger.page(mapping.id, after, max).await;
            let links = page.map_err(EngineError::from)?;
            let mut work = Work::default();
            for link in &links {
                let pair = matches!(link.state, LinkState::Linked | LinkState::Held);
                if pair {
                    let of = |(unit, side): &(usize, Side)| (link.mapping, link.id, *unit, *side);
                    work.returned.extend(returned.iter().map(of));
                }
                if Side::BOTH.into_iter().any(|side| !link.pending[side].is_empty()) {
                    work.touched.push((link.mapping, link.id));
                }
            }
            if !work.is_empty() && !self.commit(work).await? {
                return Ok(false);
            }
            match links.last().filter(|_| links.len() == max) {
                Some(last) => after = Some(last.id),
                None => return Ok(true),
            }
        }
    }
}
