//! `syncline explain`: why a value is what it is.

mod entry;
mod link;
mod verdict;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args};
use serde_json::{Map, Value as Json};
use syncline_core::Side;
use syncline_core::mapping::language::{Diagnostic, nearest, one_of};
use syncline_core::model::{Alias, Entry, Link, Parked, Review};
use syncline_ledger::{Ledger as _, LinkQuery, People as _};
use syncline_sdk::{IntentId, Key, LinkId};

use super::desk::{Desk, KnownMapping};
use super::words::plain;
use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline explain accounts --left 001xx000003DGb1AAG
  syncline explain accounts --right 4711 --field Phone
  syncline explain accounts --link 0198f3a2-5c1e-7d00-a111-4f7a9c2e5b10 --limit 200
  syncline explain accounts --right 4711 --json | jq '.entries[0]'

First how the pair stands: what was last agreed, what differs from it, what is under way or waits.
Then the journal of the pair, newest entry first: what was observed (by whom, when, from what to
what), what was decided and why, what was written, what became of it.

Exit code 1 when the ledger has no such pair.";

/// The most journal entries that are searched for those about one field.
const FIELD_ENTRIES_MAX: usize = 10_000;

/// The most parked records that are looked through for the one of this pair.
const PARKED_MAX: usize = 10_000;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("record").required(true).args(["left", "right", "link"]))]
pub(super) struct Arguments {
    /// The mapping.
    #[arg(value_name = "MAPPING")]
    mapping: String,

    /// The key of the left record.
    #[arg(long, value_name = "KEY")]
    left: Option<String>,

    /// The key of the right record.
    #[arg(long, value_name = "KEY")]
    right: Option<String>,

    /// The id of the link.
    #[arg(long, value_name = "ID")]
    link: Option<LinkId>,

    /// Only what is about one field, by its name on either side.
    #[arg(long, value_name = "NAME")]
    field: Option<String>,

    /// The most journal entries that are told.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// A pair of records with all that the ledger knows of how it stands.
struct Pair {
    mapping: KnownMapping,
    link: Link,
    /// The old name by which it was found.
    alias: Option<Alias>,
    /// Its questions that are not closed.
    questions: Vec<Review>,
    parked: Option<Parked>,
    /// The only unit that is told of.
    unit: Option<u16>,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?;
    let mapping = desk.named(&arguments.mapping)?.clone();
    let unit = match &arguments.field {
        Some(name) => Some(unit_of(&mapping, name)?),
        None => None,
    };
    let pair = find(&desk, mapping, &arguments, unit).await?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let (entries, more) = entries(&desk, &pair, limit).await?;
    for line in link::lines(&desk, &pair) {
        output.line(&line);
    }
    for entry in &entries {
        output.line("");
        for line in entry::lines(&pair, entry) {
            output.line(&line);
        }
    }
    if entries.is_empty() {
        output.line("");
        output.line("the journal has no entry about it");
    }
    if more {
        output.line("");
        output.line(&format!("older entries are not shown: raise --limit {limit}"));
    }
    let mut fields = Map::new();
    fields.extend(link::json(&pair));
    let told: Json = entries.iter().map(|entry| entry::json(&pair, entry)).collect();
    fields.insert("entries".to_owned(), told);
    fields.insert("more".to_owned(), more.into());
    output.answer("explain", fields);
    Ok(Exit::Well)
}

/// The unit that a field of that name belongs to.
fn unit_of(mapping: &KnownMapping, name: &str) -> Result<u16, Stop> {
    let units = || (0..mapping.units()).filter_map(|unit| Some((unit, mapping.pair(unit)?)));
    for (unit, pair) in units() {
        let named = Side::BOTH.into_iter().any(|side| pair.fields[side].as_str() == name);
        if named || &*pair.unit_name() == name {
            return Ok(unit);
        }
    }
    let names: Vec<&str> =
        units().flat_map(|(_, pair)| Side::BOTH.map(|side| pair.fields[side].as_str())).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its fields are {}", one_of(names.iter().copied())),
    };
    let message = format!("mapping `{}` has no field `{}`", mapping.name, plain(name));
    Err(Stop::Found(Diagnostic::error(message).help(help).into()))
}

async fn find(
    desk: &Desk,
    mapping: KnownMapping,
    arguments: &Arguments,
    unit: Option<u16>,
) -> Result<Pair, Stop> {
    let mut query = LinkQuery {
        mapping: mapping.id,
        links: arguments.link.into_iter().collect(),
        ..LinkQuery::default()
    };
    query.keys.left.extend(arguments.left.as_deref().map(Key::from));
    query.keys.right.extend(arguments.right.as_deref().map(Key::from));
    let mut loaded = desk.load(&[query]).await?;
    let Some(link) = loaded.links.pop() else {
        return Err(missing(desk, &mapping, arguments).await?);
    };
    let parked = desk.ledger.parked(Some(mapping.id), PARKED_MAX).await;
    let parked = parked.context("the ledger")?;
    Ok(Pair {
        parked: parked.into_iter().find(|parked| parked.link == link.id),
        alias: loaded.aliases.pop(),
        questions: loaded.reviews,
        mapping,
        link,
        unit,
    })
}

/// Why there is no such pair, as far as that can be told.
async fn missing(desk: &Desk, mapping: &KnownMapping, arguments: &Arguments) -> Result<Stop, Stop> {
    if let Some(id) = arguments.link {
        let elsewhere = desk.ledger.link(id).await.context("the ledger")?;
        let advice = match elsewhere {
            Some(link) => format!("it belongs to mapping `{}`", desk.mapping(link.mapping).name),
            None => "look it up by the key of a record: --left KEY or --right KEY".to_owned(),
        };
        return Ok(anyhow!("mapping `{}` has no link {id}: {advice}", mapping.name).into());
    }
    let side = if arguments.left.is_some() { Side::Left } else { Side::Right };
    let key = arguments.left.as_ref().or(arguments.right.as_ref());
    let record = mapping.record(side, key.map(|key| Key::from(key.as_str())).as_ref());
    let status = desk.command("status");
    Ok(anyhow!(
        "the ledger knows no record {record}: write the key in the full form that the system \
         uses; a record that the filter of `{}` leaves out is not known, nor is one that was not \
         read yet (`{status}` tells how far the loads and streams are)",
        mapping.name
    )
    .into())
}

/// The journal of the pair, newest first, and whether there is more of it.
async fn entries(desk: &Desk, pair: &Pair, limit: usize) -> Result<(Vec<Entry>, bool), Stop> {
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
