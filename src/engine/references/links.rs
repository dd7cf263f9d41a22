//! References: native ids outside, links inside (protocol 1.7).

use std::borrow::Cow;

use syncline_core::Side;
use syncline_core::machine::{Mappings, Observation, SettleInput, Settling};
use syncline_core::mapping::{Mapping, MappingId, named};
use syncline_ledger::Ledger;
use syncline_sdk::{HistoryEntry, Key, Value};

use crate::error::Result;
use crate::gather::{Gathered, Queries, siblings};

impl Gathered {
    /// A settlement as the machine takes it: what it shows of the record with its references as
    /// links. Nothing when it shows none as native ids.
    ///
    /// What a refused write found is what the next one expects, so there a reference by a name
    /// that its record does not have any more stays as the side shows it: no link can tell it.
    pub fn prepare_settled(&self, mappings: &Mappings, input: &SettleInput) -> Option<SettleInput> {
        let (mapping, side) = (input.carried.mapping, input.carried.intent.side);
        let settling = match &input.settling {
            Settling::Applied { version, stored: Some(stored), key } => Settling::Applied {
                version: version.clone(),
                stored: Some(self.linked(mappings, mapping, side, stored, Names::All)?),
                key: key.clone(),
            },
            Settling::Stale(Some(seen)) => {
                let values = self.linked(mappings, mapping, side, shown(seen), Names::Present)?;
                Settling::Stale(Some(Box::new(with_values(seen, values))))
            }
            _ => return None,
        };
        Some(SettleInput { carried: input.carried.clone(), settling })
    }

    /// An observation with its references as links, where those are known.
    pub(crate) fn resolve<'a>(
        &self,
        mappings: &Mappings,
        mapping: MappingId,
        side: Side,
        seen: &'a Observation,
    ) -> Cow<'a, Observation> {
        match self.linked(mappings, mapping, side, shown(seen), Names::All) {
            Some(values) => Cow::Owned(with_values(seen, values)),
            None => Cow::Borrowed(seen),
        }
    }

    /// The values of a record with its references as links, where those are known; nothing when
    /// it holds none as native ids.
    fn linked(
        &self,
        mappings: &Mappings,
        mapping: MappingId,
        side: Side,
        values: &[Value],
        names: Names,
    ) -> Option<Vec<Value>> {
        let mapping = mappings.get(&mapping)?;
        let mut linked: Option<Vec<Value>> = None;
        for (at, parents, key) in references(mappings, mapping, side, values) {
            let known = || {
                let mut all = std::iter::once(parents.0).chain(siblings(mappings, parents.0));
                all.any(|of| self.knows(of, parents.1, &key))
            };
            if names == Names::Present && !known() {
                continue;
            }
            let elsewhere = || {
                let mut others = siblings(mappings, parents.0);
                others.find_map(|other| self.link(other, parents.1, &key))
            };
            let value = match self.link(parents.0, parents.1, &key).or_else(elsewhere) {
                Some(link) => Value::Link(link),
                None => Value::text(key.as_str()),
            };
            if let Some(place) = linked.get_or_insert_with(|| values.to_vec()).get_mut(at) {
                *place = value;
            }
        }
        linked
    }
}

/// By which names records are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Those that they have, and those that they had.
    All,
    /// Those that they have.
    Present,
}

/// An observation that shows other values.
fn with_values(seen: &Observation, values: Vec<Value>) -> Observation {
    let mut seen = seen.clone();
    match (&mut seen.content, &mut seen.bin) {
        (Ok(place), _) => *place = values,
        (Err(_), Some(bin)) => bin.values = values,
        (Err(_), None) => {}
    }
    seen
}

/// The values of a record that was read, with its references as links.
///
/// # Errors
/// When the ledger gives no answer.
pub(crate) async fn with_links<L: Ledger>(
    ledger: &L,
    mappings: &Mappings,
    mapping: MappingId,
    side: Side,
    values: Vec<Value>,
) -> Result<Vec<Value>> {
    let mut queries = Queries::default();
    ask_for_parents(&mut queries, mappings, mapping, side, &values);
    let mut gathered = Gathered::default();
    gathered.fetch(ledger, mappings, queries).await?;
    Ok(gathered.linked(mappings, mapping, side, &values, Names::All).unwrap_or(values))
}

/// Changes of a field of a record, with the references that it held as links.
///
/// # Errors
/// When the ledger gives no answer.
pub(crate) async fn link_history<L: Ledger>(
    ledger: &L,
    mappings: &Mappings,
    mapping: MappingId,
    (side, at): (Side, usize),
    entries: &mut [HistoryEntry],
) -> Result<()> {
    let image = |value: &Value| {
        let mut image = vec![Value::Absent; at];
        image.push(value.clone());
        image
    };
    let mut queries = Queries::default();
    for value in entries.iter().flat_map(|entry| [&entry.old, &entry.new]) {
        ask_for_parents(&mut queries, mappings, mapping, side, &image(value));
    }
    let mut gathered = Gathered::default();
    gathered.fetch(ledger, mappings, queries).await?;
    for value in entries.iter_mut().flat_map(|entry| [&mut entry.old, &mut entry.new]) {
        let linked = gathered.linked(mappings, mapping, side, &image(value), Names::All);
        if let Some(linked) = linked.and_then(|mut image| image.pop()) {
            *value = linked;
        }
    }
    Ok(())
}

/// Asks for the links that a record refers to.
pub(crate) fn ask_for_parents(
    queries: &mut Queries,
    mappings: &Mappings,
    id: MappingId,
    side: Side,
    values: &[Value],
) {
    let Some(mapping) = mappings.get(&id) else { return };
    for (_, parents, key) in references(mappings, mapping, side, values) {
        queries.key(parents.0, parents.1, &key);
        // It may have moved to another mapping of the same entities, under the same link.
        siblings(mappings, parents.0).for_each(|other| queries.key(other, parents.1, &key));
    }
}

/// The values of an observation: the record's, or those that the recycle bin still shows of it.
pub(crate) fn shown(seen: &Observation) -> &[Value] {
    match (&seen.content, &seen.bin) {
        (Ok(values), _) => values,
        (Err(_), Some(bin)) => &bin.values,
        (Err(_), None) => &[],
    }
}

/// The references that a record holds as native ids: the field, the parent's mapping and
/// side, the id.
fn references<'a>(
    mappings: &'a Mappings,
    mapping: &'a Mapping,
    side: Side,
    values: &'a [Value],
) -> impl Iterator<Item = (usize, (MappingId, Side), Key)> + 'a {
    mapping.units.iter().flat_map(|unit| &unit.pairs).filter_map(move |pair| {
        let parents = mappings.get(&pair.reference?)?;
        let there = mapping.side_of_parents(side, parents)?;
        let at = pair.on(side);
        let key = named(values.get(at)?)?;
        Some((at, (parents.id, there), key))
    })
}
