//! Binding the mappings to what their systems describe, or to what they described last.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use syncline_core::machine::Mappings;
use syncline_core::mapping::language::{Diagnostics, MappingRef, MappingSpec, Severity, bind};
use syncline_core::mapping::{Drifted, Former, Mapping, MappingId};
use syncline_core::{Side, Sides};
use syncline_engine::{Away, Clock as _, driver::SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Description, Ledger as _, Setup as _};
use syncline_sdk::{Capabilities, EntitySchema, ReceiptKind, Selection, SystemName};

use super::drift::{FrozenFields, agreed_of, bound_to, drifted, told};
use super::lookout::{Agreed, agreed, read_fields};
use super::reaching::Schemas;
use super::revisions::{former_revisions, has_begun};
use crate::installation::Installation;

/// What the mappings were bound to.
#[derive(Default)]
pub(super) struct Bound {
    /// The mappings that can be kept in agreement now.
    pub mappings: Mappings,
    /// The others, with why they wait. They have never begun: what happens meanwhile comes with
    /// their first loads.
    pub waiting: BTreeMap<Arc<str>, String>,
    /// Why none can be, although some could: one that has begun cannot be bound, and the feeds
    /// of its systems must not go on without it.
    pub held: bool,
    /// The mappings that go on although they do not fit their systems any more, with why: what
    /// is not written or not read says so itself.
    pub misfits: BTreeMap<Arc<str>, String>,
    /// The fields that are left alone, with why.
    pub frozen: FrozenFields,
    /// What the ledger keeps as agreed of each side.
    pub agreed: Agreed,
    /// What is wrong with mappings that were bound to what their systems describe now.
    pub found: Diagnostics,
}

/// One mapping to be bound.
struct Numbered<'a> {
    spec: &'a MappingSpec,
    id: MappingId,
    revision: i32,
    /// The revisions that links may still be written in.
    former: BTreeMap<i32, Former>,
    /// Whether anything of it was ever read.
    begun: bool,
}

/// A side of a mapping as its system describes it.
type Sight = (EntitySchema, Capabilities);

/// Binds what can be bound.
pub(super) struct Binder<'a> {
    pub installation: &'a Installation,
    pub ledger: &'a Postgres,
    /// The systems that are waited for.
    pub away: &'a BTreeMap<SystemName, Away>,
    /// What the others describe.
    pub schemas: Schemas,
}

impl Binder<'_> {
    /// Binds the mappings, and keeps what each was bound to for a start without its systems.
    pub async fn bind(&self) -> anyhow::Result<Bound> {
        let numbered = self.numbered().await.context("the ledger")?;
        let outlines: Vec<MappingRef> =
            numbered.iter().map(|one| one.spec.outline(one.id)).collect();
        let mut bound = Bound::default();
        for one in &numbered {
            let name = Arc::clone(&one.spec.name);
            match self.bind_one(one, &outlines, &mut bound).await.context("the ledger")? {
                Ok(mapping) => {
                    for side in Side::BOTH {
                        let fields = read_fields(&mapping, side);
                        let kept = self.ledger.description(one.id, side).await;
                        if let Some(kept) = kept.context("the ledger")? {
                            bound.agreed.insert((one.id, side), agreed(&kept, &fields));
                        }
                        bound.frozen.extend(told(&name, side, &mapping.drifted[side]));
                    }
                    bound.mappings.insert(one.id, Arc::new(mapping));
                }
                Err(why) => {
                    bound.held |= one.begun;
                    bound.waiting.insert(name, why);
                }
            }
        }
        leave_out_children(&numbered, &mut bound);
        if bound.held {
            let cause = bound.waiting.keys().map(|name| &**name).collect::<Vec<_>>().join(", ");
            let why = format!("waits for {cause}: the feeds must not go on without it");
            for mapping in std::mem::take(&mut bound.mappings).into_values() {
                bound.waiting.insert(Arc::clone(&mapping.name), why.clone());
            }
        }
        Ok(bound)
    }

    async fn numbered(&self) -> syncline_ledger::Result<Vec<Numbered<'_>>> {
        let positions = self.ledger.positions().await?;
        let mut numbered = Vec::new();
        for spec in &self.installation.specs {
            let known =
                self.ledger.mapping(&spec.name, &spec.rules_text(), SystemClock.now()).await?;
            let (id, revision) = (known.mapping, known.revision);
            let begun = has_begun(self.ledger, id, &spec.name, &positions).await?;
            let former = former_revisions(self.ledger, spec, id, revision).await?;
            numbered.push(Numbered { spec, id, revision, former, begun });
        }
        Ok(numbered)
    }

    /// A mapping, or why it waits.
    async fn bind_one(
        &self,
        one: &Numbered<'_>,
        outlines: &[MappingRef],
        bound: &mut Bound,
    ) -> syncline_ledger::Result<Result<Mapping, String>> {
        let mut wrong = Diagnostics::new();
        let mut drift: Sides<Vec<Drifted>> = Sides::default();
        let live = Sides::from_fn(|side| self.live(one.spec, side, &mut wrong));
        let away = Side::BOTH.map(|side| one.spec.sides[side].system.value.clone());
        let away = away.into_iter().find_map(|name| Some((self.away.get(&name)?, name)));
        if let Some((away, name)) = &away
            && !one.begun
        {
            return Ok(Err(format!("it begins when system {name} answers: {}", away.why)));
        }
        if wrong.is_empty() {
            let agreed = match one.begun {
                true => agreed_of(self.ledger, one.spec, one.id).await?,
                false => Sides::from_fn(|_| None),
            };
            let stored = Sides::from_fn(|side| self.sight_of(one, side, agreed[side].as_ref()));
            let mut live = live;
            for side in Side::BOTH {
                let (Some(sight), Some(agreed)) = (&mut live[side], &agreed[side]) else {
                    continue;
                };
                drift[side] = drifted(one.spec, side, agreed, &sight.0);
                sight.0 = bound_to(&sight.0, agreed, &drift[side]);
            }
            let sights = Sides::from_fn(|side| live[side].as_ref().or(stored[side].as_ref()));
            match bind_to(one, sights, outlines) {
                Some(Ok(mut mapping)) => {
                    self.keep(one, &live, &drift).await?;
                    mapping.freeze(drift);
                    return Ok(Ok(mapping));
                }
                Some(Err(errors)) => wrong = errors,
                None => {}
            }
        }
        let why = match &away {
            Some((away, name)) if wrong.is_empty() => format!(
                "what {name} describes is not known here yet, and it does not answer: {}",
                away.why
            ),
            _ => in_a_line(&wrong),
        };
        let misfit = away.is_none().then(|| told_in_a_line(&wrong));
        if away.is_none() {
            bound.found.extend(wrong);
        }
        if one.begun {
            // Its feeds go on: it stays bound to what its systems described when it fitted, but
            // for what cannot be written any more.
            let agreed = agreed_of(self.ledger, one.spec, one.id).await?;
            let stored = Sides::from_fn(|side| self.sight_of(one, side, agreed[side].as_ref()));
            let sights = Sides::from_fn(|side| stored[side].as_ref());
            if let Some(Ok(mut mapping)) = bind_to(one, sights, outlines) {
                bound.misfits.extend(misfit.map(|why| (Arc::clone(&one.spec.name), why)));
                mapping.freeze(drift);
                return Ok(Ok(mapping));
            }
        }
        Ok(Err(why))
    }

    /// A side as its system describes it now; nothing while the system is waited for.
    fn live(&self, spec: &MappingSpec, side: Side, wrong: &mut Diagnostics) -> Option<Sight> {
        let named = &spec.sides[side];
        let key = (named.system.value.clone(), named.entity.value.clone());
        match self.schemas.get(&key)? {
            Ok(schema) => {
                let connector = self.installation.connectors.get(&key.0)?;
                Some((schema.clone(), connector.effective(&spec.draft_selection(side))))
            }
            Err(diagnostic) => {
                wrong.push(diagnostic.clone().at(&spec.source, named.entity.span));
                None
            }
        }
    }

    /// A side as its system described it when the mapping was last bound.
    fn sight_of(
        &self,
        one: &Numbered<'_>,
        side: Side,
        agreed: Option<&Description>,
    ) -> Option<Sight> {
        let agreed = agreed?;
        let selection = one.spec.draft_selection(side);
        Some((agreed.schema.clone(), weakened(agreed.capabilities.clone(), &selection)))
    }

    async fn keep(
        &self,
        one: &Numbered<'_>,
        live: &Sides<Option<Sight>>,
        drift: &Sides<Vec<Drifted>>,
    ) -> syncline_ledger::Result<()> {
        for side in Side::BOTH {
            let Some((schema, capabilities)) = live[side].clone() else { continue };
            let named = &one.spec.sides[side];
            let gone = drift[side].iter().filter(|one| one.is_gone());
            let description = Description {
                system: named.system.value.clone(),
                entity: named.entity.value.clone(),
                schema,
                capabilities,
                gone: gone.map(|one| one.field.clone()).collect(),
                at: SystemClock.now(),
            };
            self.ledger.keep_description(one.id, side, &description).await?;
        }
        Ok(())
    }
}

/// The mapping bound to these sights; nothing where one is missing.
fn bind_to(
    one: &Numbered<'_>,
    sights: Sides<Option<&Sight>>,
    outlines: &[MappingRef],
) -> Option<Result<Mapping, Diagnostics>> {
    let (left, right) = (sights.left?, sights.right?);
    let schemas = Sides { left: &left.0, right: &right.0 };
    let capabilities = Sides { left: left.1.clone(), right: right.1.clone() };
    let bound = bind(one.spec, one.id, one.revision, schemas, capabilities, outlines);
    Some(bound.map(|checked| Mapping { former: one.former.clone(), ..checked.value }))
}

/// What a side can do without the pieces that its mapping does not name any more.
fn weakened(mut capabilities: Capabilities, selection: &Selection) -> Capabilities {
    capabilities.unique_external_id &= selection.external_id.is_some();
    if selection.marker.is_none() && capabilities.receipt == ReceiptKind::MarkerField {
        capabilities.receipt = ReceiptKind::None;
    }
    capabilities
}

/// A mapping cannot be kept without those that its references lead to.
fn leave_out_children(numbered: &[Numbered<'_>], bound: &mut Bound) {
    loop {
        let orphan = numbered.iter().find_map(|one| {
            let mapping = bound.mappings.get(&one.id)?;
            let pairs = mapping.units.iter().flat_map(|unit| &unit.pairs);
            let parent = pairs
                .filter_map(|pair| pair.reference)
                .find(|parent| !bound.mappings.contains_key(parent))?;
            let parent = numbered.iter().find(|other| other.id == parent)?;
            Some((one, Arc::clone(&parent.spec.name)))
        });
        let Some((one, parent)) = orphan else { return };
        bound.mappings.remove(&one.id);
        bound.held |= one.begun;
        let why = format!("it refers to records of {parent}, which waits");
        bound.waiting.insert(Arc::clone(&one.spec.name), why);
    }
}

/// Findings in one line, with what to do, for somebody who has to start the process again.
fn in_a_line(found: &Diagnostics) -> String {
    format!("{}; then restart", told_in_a_line(found))
}

/// Findings in one line, with what to do.
fn told_in_a_line(found: &Diagnostics) -> String {
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    let lines: Vec<String> = errors
        .map(|one| match &one.help {
            Some(help) => format!("{} ({help})", one.message),
            None => one.message.clone(),
        })
        .collect();
    lines.join("; ")
}
