//! A lookout for changes of what systems describe, while a session runs (protocol 1.10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use syncline_core::Side;
use syncline_core::machine::Mappings;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_engine::Clock as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Depth, Description, Measures as _, Setup as _};
use syncline_sdk::{
    Connector, Context, EntityName, ErrorKind, FeedKind, FieldName, Purpose, SystemName,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::reaching::Schemas;

/// How often a database is asked: a look at its catalog.
const LOOK: Duration = Duration::from_secs(10);

/// How many looks pass between two at a system that counts its calls: five minutes.
const POLLED_LOOKS: u32 = 30;

/// The same where something is amiss, a refused write or a field that is left alone: a minute.
const AMISS_LOOKS: u32 = 6;

/// The kinds of errors that may tell of a system that is described otherwise by now. Of one that
/// holds less than it did only the first refusal does: most of those are the system's own rules.
const TELLING: [ErrorKind; 3] = [ErrorKind::Schema, ErrorKind::Forbidden, ErrorKind::Invalid];

/// How long a system may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One side of a mapping, and what was seen of it.
struct Watched {
    mapping: MappingId,
    side: Side,
    system: SystemName,
    entity: EntityName,
    fields: Vec<FieldName>,
    polled: bool,
    /// Whether a field of the mapping is left alone.
    frozen: bool,
    /// What the system described, where it did.
    described: Option<String>,
    /// What the ledger kept as agreed when the mapping was bound.
    agreed: Option<String>,
}

/// What the ledger keeps as agreed of the sides of mappings, as [`agreed`] tells it.
pub(super) type Agreed = BTreeMap<(MappingId, Side), String>;

/// What is agreed of some fields of a side, told so that a change shows.
pub(super) fn agreed(description: &Description, fields: &[FieldName]) -> String {
    format!("{} {:?}", description.schema.fingerprint(fields), description.gone)
}

/// All fields of a side that a mapping reads: a change of those that it is filtered or matched by
/// matters as much as one of those that it carries.
pub(super) fn read_fields(mapping: &Mapping, side: Side) -> Vec<FieldName> {
    let selection = &mapping.sides[side].selection;
    let own = selection.external_id.iter().chain(&selection.marker);
    selection.fields.iter().chain(own).cloned().collect()
}

/// What looks out.
pub(super) struct Lookout {
    connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    install: Arc<str>,
    ledger: Arc<Postgres>,
    watched: Vec<Watched>,
}

impl Lookout {
    /// A lookout for the mappings of a session, which were bound to these descriptions.
    pub fn new(
        connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
        install: Arc<str>,
        ledger: Arc<Postgres>,
        mappings: &Mappings,
        schemas: &Schemas,
        kept: &Agreed,
    ) -> Self {
        let mut watched = Vec::new();
        for mapping in mappings.values() {
            let frozen = Side::BOTH.into_iter().any(|side| !mapping.drifted[side].is_empty());
            for side in Side::BOTH {
                let place = &mapping.sides[side];
                let entity = &place.selection.entity;
                let key = (place.system.clone(), entity.clone());
                let fields = read_fields(mapping, side);
                let schema = schemas.get(&key).and_then(|schema| schema.as_ref().ok());
                watched.push(Watched {
                    mapping: mapping.id,
                    side,
                    system: key.0,
                    entity: key.1,
                    polled: place.capabilities.feed == FeedKind::Polled,
                    frozen,
                    described: schema.map(|schema| schema.fingerprint(&fields)),
                    agreed: kept.get(&(mapping.id, side)).cloned(),
                    fields,
                });
            }
        }
        Self { connectors, install, ledger, watched }
    }

    /// Looks until something has changed, and then cancels `session`; ends with it. Where people
    /// are asked about values that a field does not take it looks at once: the field may be
    /// another one by now, and one question would come for each record.
    pub async fn look_out(
        mut self,
        session: CancellationToken,
        mut status: watch::Receiver<Status>,
    ) {
        let mut number: u32 = 0;
        let mut refused = BTreeSet::new();
        // Looks for misfits: never two in a row, and one a minute where calls are counted.
        let (mut listens, mut last) = (true, None);
        let mut known = status.borrow().misfits;
        loop {
            let pause = pause(LOOK);
            let asked = async { status.wait_for(|now| now.misfits > known).await.is_ok() };
            let misfit = tokio::select! {
                () = session.cancelled() => return,
                () = pause => false,
                told = asked, if listens => {
                    if !told {
                        return;
                    }
                    true
                }
            };
            (listens, known) = (!misfit, status.borrow().misfits);
            let is_rare = last.is_none_or(|last| number.wrapping_sub(last) >= AMISS_LOOKS);
            let for_misfit = misfit && is_rare;
            if for_misfit {
                last = Some(number);
            }
            let with_polled = !misfit && number.is_multiple_of(POLLED_LOOKS) && number > 0;
            let with_amiss = !misfit && number.is_multiple_of(AMISS_LOOKS);
            number = number.wrapping_add(u32::from(!misfit));
            let before = std::mem::replace(&mut refused, self.refused().await);
            let new = refused.difference(&before).map(|(mapping, _)| *mapping);
            let new: BTreeSet<MappingId> = new.collect();
            let amiss = refused.iter().filter(|(_, kind)| *kind != ErrorKind::Invalid.as_str());
            let amiss: BTreeSet<MappingId> = amiss.map(|(mapping, _)| *mapping).collect();
            for at in 0..self.watched.len() {
                let of = &self.watched[at];
                let is_new = new.contains(&of.mapping);
                let amiss = of.frozen || amiss.contains(&of.mapping);
                let rarely = with_polled || is_new || for_misfit || (amiss && with_amiss);
                let asks = !of.polled || rarely;
                let changed = tokio::select! {
                    () = session.cancelled() => return,
                    changed = self.has_changed(at, asks) => changed,
                };
                if let Some(what) = changed {
                    let of = &self.watched[at];
                    tracing::warn!(system = %of.system, entity = %of.entity, what,
                        "the mappings are bound anew");
                    session.cancel();
                    return;
                }
            }
        }
    }

    /// The mappings of which a write was refused as one that does not fit its system any more, and
    /// how. No answer is no news.
    async fn refused(&self) -> BTreeSet<(MappingId, &'static str)> {
        let depths = self.ledger.depths(SystemClock.now().micros()).await;
        let parked = depths.map(|depths| depths.parked).unwrap_or_default().into_iter();
        let telling = |kind: &str| TELLING.into_iter().find(|telling| telling.as_str() == kind);
        parked
            .filter_map(|Depth { of: (id, kind), .. }| Some((id, telling(&kind)?.as_str())))
            .collect()
    }

    /// What has changed about one side since the last look; its system is asked where `asks` says
    /// so. No answer is no news.
    async fn has_changed(&mut self, at: usize, asks: bool) -> Option<&'static str> {
        let of = &mut self.watched[at];
        if let Ok(Some(description)) = self.ledger.description(of.mapping, of.side).await
            && of.agreed.as_ref().is_some_and(|kept| *kept != agreed(&description, &of.fields))
        {
            return Some("somebody took a field as it is");
        }
        if !asks {
            return None;
        }
        let connector = self.connectors.get(&of.system)?;
        let context = Context {
            install: self.install.clone(),
            now: SystemClock.now(),
            timeout: PATIENCE,
            purpose: Purpose::Sync,
        };
        let schema = connector.describe(&context, &of.entity).await.ok()?;
        let described = schema.fingerprint(&of.fields);
        let before = of.described.replace(described.clone());
        before.is_some_and(|before| before != described).then_some("it is described otherwise")
    }
}

#[expect(clippy::disallowed_methods, reason = "the pace of a lookout")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
