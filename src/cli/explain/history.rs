//! The journal of a pair, or what of it is about one unit.

use anyhow::Context as _;
use syncline_core::model::Entry;
use syncline_ledger::Ledger as _;
use syncline_sdk::IntentId;

use crate::cli::Stop;
use crate::cli::desk::Desk;
use crate::queue::pair::Pair;

/// The most journal entries that are searched for those about one field.
const FIELD_ENTRIES_MAX: usize = 10_000;

/// The journal of the pair, newest first, and whether there is more of it.
pub(super) async fn entries(
    desk: &Desk,
    pair: &Pair,
    limit: usize,
) -> Result<(Vec<Entry>, bool), Stop> {
    let most = match pair.unit {
        Some(_) => FIELD_ENTRIES_MAX,
        None => limit + 1,
    };
    let ledger = &desk.ledger;
    let chain = ledger.explain(pair.mapping.id, pair.link.id, most).await;
    let mut chain = chain.context("the ledger")?;
    let searched_all = chain.len() < most;
    if let Some(unit) = pair.unit {
        let carried = carriers(&chain, unit);
        for entry in &mut chain {
            narrow(pair, entry, unit, &carried);
        }
        chain.retain(|entry| {
            !entry.observed.is_empty()
                || !entry.decided.is_empty()
                || entry.intent.is_some()
                || !entry.settled.is_empty()
        });
    }
    let more = chain.len() > limit || !searched_all;
    chain.truncate(limit);
    Ok((chain, more))
}

/// The intents that carried a unit.
fn carriers(chain: &[Entry], unit: u16) -> Vec<IntentId> {
    let intents = chain.iter().filter_map(|entry| entry.intent.as_ref());
    let carried = intents.filter(|intent| intent.units.contains(&unit));
    carried.map(|intent| intent.id).collect()
}

/// Leaves in an entry only what is about one unit, or about the pair as a whole.
fn narrow(pair: &Pair, entry: &mut Entry, unit: u16, carried: &[IntentId]) {
    for observed in &mut entry.observed {
        let places = pair.mapping.places(observed.side, unit);
        observed.values.retain(|(at, _, _)| places.contains(&usize::from(*at)));
    }
    entry.observed.retain(|observed| !observed.values.is_empty() || observed.exists.is_some());
    entry.decided.retain(|decided| decided.unit.is_none_or(|about| about == unit));
    // A delete and an undelete carry no unit and are about every field.
    entry.intent = entry
        .intent
        .take()
        .filter(|intent| intent.units.contains(&unit) || intent.units.is_empty());
    if let Some(intent) = &mut entry.intent {
        let places = pair.mapping.places(intent.side, unit);
        intent.fields.retain(|field| places.contains(&usize::from(field.field)));
    }
    entry.settled.retain(|settled| carried.contains(&settled.intent));
}
