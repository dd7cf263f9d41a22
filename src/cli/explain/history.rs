//! The journal of a pair, or what of it is about one unit.

use std::cmp::Reverse;
use std::collections::HashSet;

use anyhow::Context as _;
use syncline_core::model::{Entry, Link, Outcome, Settled};
use syncline_ledger::{Ledger as _, LinkQuery};
use syncline_sdk::IntentId;

use crate::cli::Stop;
use crate::cli::desk::{Desk, KnownMapping};

/// The most journal entries that are searched for those about one field.
const FIELD_ENTRIES_MAX: usize = 10_000;

/// What is told of the journal of a pair.
pub(super) struct History {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Whether there are more than were asked for.
    pub more: bool,
    /// Whether there were older ones, which were removed since they were old.
    pub removed: bool,
}

/// The journal of the pair, newest first. A pair that moved has a part of it in each mapping that
/// it was in.
pub(super) async fn entries(
    desk: &Desk,
    field: Option<&str>,
    link: &Link,
    limit: usize,
) -> Result<History, Stop> {
    let others = desk.mappings.iter().filter(|other| other.id != link.mapping);
    let others = others.map(|other| LinkQuery {
        mapping: other.id,
        links: vec![link.id],
        ..LinkQuery::default()
    });
    let left_behind = desk.load(&others.collect::<Vec<_>>()).await?.links;
    let mut history = part(desk, field, link, limit).await?;
    for link in &left_behind {
        let History { entries, more, removed } = part(desk, field, link, limit).await?;
        history.entries.extend(entries);
        history.more |= more;
        history.removed |= removed;
    }
    history.entries.sort_by_key(|entry| Reverse(entry.id));
    history.more |= history.entries.len() > limit;
    history.entries.truncate(limit);
    Ok(history)
}

/// What one mapping's journal has of it.
async fn part(
    desk: &Desk,
    field: Option<&str>,
    link: &Link,
    limit: usize,
) -> Result<History, Stop> {
    let mapping = &desk.mapping(link.mapping);
    let most = match field {
        Some(_) => FIELD_ENTRIES_MAX,
        None => limit + 1,
    };
    let ledger = &desk.ledger;
    let chain = ledger.explain(link.mapping, link.id, most).await;
    let mut chain = chain.context("the ledger")?;
    let searched_all = chain.len() < most;
    // The oldest entry that is left names the one before it, which is gone.
    let before = match chain.last() {
        Some(oldest) => oldest.previous,
        None => link.last_entry,
    };
    let removed = searched_all && before.is_some();
    settle_applied(&mut chain, link);
    if let Some(name) = field {
        // By the rules of its time: a unit has not always been where it is.
        let about = |entry: &Entry| {
            let rules = mapping.by(entry.revision);
            (rules, rules.unit_named(name))
        };
        let carried = carriers(&chain, |entry| about(entry).1);
        for entry in &mut chain {
            let (rules, unit) = about(entry);
            narrow(rules, entry, unit, &carried);
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
    Ok(History { entries: chain, more, removed })
}

/// Tells of the updates that were applied. The journal has no entry of that: it tells of what
/// became of a write when it was anything else, and while it is under way the link says so.
fn settle_applied(chain: &mut [Entry], link: &Link) {
    let settled: HashSet<IntentId> =
        chain.iter().flat_map(|entry| &entry.settled).map(|settled| settled.intent).collect();
    // The link was read first: what an entry since then began it does not know.
    let known = chain.iter_mut().skip_while(|entry| Some(entry.id) != link.last_entry);
    for entry in known {
        let Some(intent) = &entry.intent else { continue };
        let (intent, side) = (intent.id, intent.side);
        if link.open[side] != Some(intent) && !settled.contains(&intent) {
            entry.settled.push(Settled { intent, side, outcome: Outcome::Applied });
        }
    }
}

/// The intents that carried a unit.
fn carriers(chain: &[Entry], unit_of: impl Fn(&Entry) -> Option<u16>) -> Vec<IntentId> {
    let carried = |entry: &Entry| {
        let (intent, unit) = (entry.intent.as_ref()?, unit_of(entry)?);
        intent.units.contains(&unit).then_some(intent.id)
    };
    chain.iter().filter_map(carried).collect()
}

/// Leaves in an entry only what is about one unit, or about the pair as a whole.
fn narrow(rules: &KnownMapping, entry: &mut Entry, unit: Option<u16>, carried: &[IntentId]) {
    let places = |side| unit.map_or(Vec::new(), |unit| rules.places(side, unit));
    for observed in &mut entry.observed {
        let places = places(observed.side);
        observed.values.retain(|(at, _, _)| places.contains(&usize::from(*at)));
    }
    entry.observed.retain(|observed| !observed.values.is_empty() || observed.exists.is_some());
    entry.decided.retain(|decided| decided.unit.is_none() || decided.unit == unit);
    // A delete and an undelete carry no unit and are about every field.
    entry.intent = entry.intent.take().filter(|intent| {
        intent.units.is_empty() || unit.is_some_and(|at| intent.units.contains(&at))
    });
    if let Some(intent) = &mut entry.intent {
        let places = places(intent.side);
        intent.fields.retain(|field| places.contains(&usize::from(field.field)));
    }
    entry.settled.retain(|settled| carried.contains(&settled.intent));
}
