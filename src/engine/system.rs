//! The configured systems, and which mappings read what of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::mapping::MappingId;
use syncline_core::{Side, machine::Mappings};
use syncline_sdk::{
    Capabilities, Connector, EntityName, FeedKind, FieldName, Instant, Selection, SystemName, Value,
};

use crate::away::{Away, Shut};
use crate::breaker::Breaker;
use crate::clock::Clock;
use crate::limits;
use crate::refused::RefusedLookups;

/// One configured system.
pub struct System {
    /// Its connector. That of a system that is waited for refuses what reads or writes.
    pub connector: Arc<dyn Connector>,
    /// Whether it answers.
    pub breaker: Breaker,
    /// Why it is waited for, when it is.
    pub away: Option<Away>,
    /// What the feed gives of each entity: one selection an entity, in the union of the fields
    /// that its mappings name.
    pub feed: Vec<Arc<Selection>>,
    readers: BTreeMap<EntityName, Vec<Reader>>,
    /// The look-ups that it refused.
    pub(crate) refused: RefusedLookups,
}

/// One side of a mapping that reads an entity.
pub struct Reader {
    /// The mapping.
    pub mapping: MappingId,
    /// The side.
    pub side: Side,
    /// For each field of the side's selection, its place in the feed's selection.
    pub places: Vec<usize>,
}

impl Reader {
    /// The values of a change of the feed in the order of the side's selection.
    #[must_use]
    pub fn project(&self, values: &[Value]) -> Vec<Value> {
        self.places.iter().map(|at| values.get(*at).cloned().unwrap_or_default()).collect()
    }
}

impl System {
    /// A system as the mappings use it.
    #[must_use]
    pub fn new(name: &SystemName, connector: Arc<dyn Connector>, mappings: &Mappings) -> Self {
        let mut feed: Vec<Selection> = Vec::new();
        let mut readers: BTreeMap<EntityName, Vec<Reader>> = BTreeMap::new();
        for mapping in mappings.values() {
            for side in Side::BOTH.into_iter().filter(|side| mapping.sides[*side].system == *name) {
                let selection = &mapping.sides[side].selection;
                let places = join(&mut feed, selection);
                let reader = Reader { mapping: mapping.id, side, places };
                readers.entry(selection.entity.clone()).or_default().push(reader);
            }
        }
        let feed = feed.into_iter().map(Arc::new).collect();
        let (breaker, refused) = (Breaker::default(), RefusedLookups::default());
        Self { connector, away: None, breaker, feed, readers, refused }
    }
    /// The system while it is waited for: nothing is read from it or written to it.
    #[must_use]
    pub fn away(self, away: Away) -> Self {
        let shut = Shut { connector: self.connector, away: away.clone() };
        Self { connector: Arc::new(shut), away: Some(away), ..self }
    }
    /// How much longer rounds leave the system alone, microseconds; nothing when it may be asked.
    #[must_use]
    pub fn silent(&self, now: Instant) -> Option<i64> {
        let waited_for = self.away.as_ref().map(|_| limits::AWAITED_AGAIN);
        waited_for.or_else(|| self.breaker.away(now))
    }
    /// Whether no mapping reads anything of it.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.feed.is_empty()
    }
    /// The sides of mappings that read an entity.
    #[must_use]
    pub fn readers(&self, entity: &EntityName) -> &[Reader] {
        self.readers.get(entity).map(Vec::as_slice).unwrap_or_default()
    }
    /// Waits for the answer to a call that is made beside the rounds, and notes whether the
    /// system answers.
    ///
    /// # Errors
    /// That of the call.
    pub async fn ask<T>(
        &self,
        clock: &dyn Clock,
        call: impl Future<Output = syncline_sdk::Result<T>>,
    ) -> syncline_sdk::Result<T> {
        let began = clock.now();
        let answer = call.await;
        self.breaker.note(began, clock.now(), answer.as_ref().err());
        answer
    }
    /// Whether changes are pushed by it.
    #[must_use]
    pub fn has_feed(&self) -> bool {
        self.connector.capabilities().feed == FeedKind::Images
    }
    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        self.connector.capabilities()
    }
}

/// Adds a selection's fields to the feed's selection of its entity; gives their places there.
fn join(feed: &mut Vec<Selection>, selection: &Selection) -> Vec<usize> {
    let found = feed.iter().position(|known| known.entity == selection.entity);
    let at = found.unwrap_or_else(|| {
        feed.push(Selection { fields: Arc::from([]), filter: None, ..selection.clone() });
        feed.len() - 1
    });
    let known = &mut feed[at];
    let mut fields: Vec<FieldName> = known.fields.to_vec();
    let mut place = |name: &FieldName| {
        fields.iter().position(|field| field == name).unwrap_or_else(|| {
            fields.push(name.clone());
            fields.len() - 1
        })
    };
    let places = selection.fields.iter().map(&mut place).collect();
    known.fields = fields.into();
    known.external_id = known.external_id.take().or_else(|| selection.external_id.clone());
    known.marker = known.marker.take().or_else(|| selection.marker.clone());
    known.actor = known.actor.take().or_else(|| selection.actor.clone());
    places
}
