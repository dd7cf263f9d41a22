//! The pair that is explained.

use anyhow::{Context as _, anyhow};
use syncline_core::Side;
use syncline_core::mapping::language::{nearest, one_of};
use syncline_core::model::Link;
use syncline_ledger::{Access as _, LinkQuery, Loaded, People as _};
use syncline_sdk::Key;

use super::command::Arguments;
use crate::cli::Stop;
use crate::cli::desk::{Desk, KnownMapping};
use crate::cli::words::plain;
use crate::queue::pair::Pair;

/// The unit that a field of that name belongs to.
pub(super) fn unit_of(mapping: &KnownMapping, name: &str) -> Result<u16, Stop> {
    if let Some(unit) = mapping.unit_named(name) {
        return Ok(unit);
    }
    let fields = |unit| Side::BOTH.into_iter().flat_map(move |at| mapping.unit_fields(at, unit));
    let names: Vec<&str> =
        (0..mapping.units()).flat_map(fields).map(|field| field.as_str()).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its fields are {}", one_of(names.iter().copied())),
    };
    let message = format!("mapping `{}` has no field `{}`", mapping.name, plain(name));
    Err(Stop::found(message, help))
}

/// The pair that was asked about.
pub(super) async fn find(
    desk: &Desk,
    mapping: &KnownMapping,
    arguments: &Arguments,
) -> Result<Pair, Stop> {
    let mut query = LinkQuery {
        mapping: mapping.id,
        links: arguments.link.into_iter().collect(),
        ..LinkQuery::default()
    };
    query.keys.left.extend(arguments.left.as_deref().map(Key::from));
    query.keys.right.extend(arguments.right.as_deref().map(Key::from));
    let mut loaded = desk.load(&[query.clone()]).await?;
    let has_record = |link: &Link| Side::BOTH.into_iter().any(|side| link.keys[side].is_some());
    if !loaded.links.iter().any(has_record)
        && let Some(there) = moved(desk, query).await?
    {
        loaded = there;
    }
    let Some(link) = loaded.links.pop() else {
        return Err(missing(desk, mapping, arguments).await?);
    };
    let rules = desk.mapping(link.mapping).by(link.mapping_rev).clone();
    let parked = desk.ledger.parked_of(&[(link.mapping, link.id)]).await;
    let mut parked = parked.context("the ledger")?;
    Ok(Pair {
        parked: parked.pop(),
        alias: loaded.aliases.pop(),
        questions: loaded.reviews,
        unit: arguments.field.as_deref().and_then(|name| rules.unit_named(name)),
        mapping: rules,
        link,
    })
}

/// A pair that moved to another mapping, by what it was asked for in this one: it left a link of
/// the same id behind.
async fn moved(desk: &Desk, query: LinkQuery) -> Result<Option<Loaded>, Stop> {
    let others = desk.mappings.iter().filter(|other| other.id != query.mapping);
    let others = others.map(|other| LinkQuery { mapping: other.id, ..query.clone() });
    let found = desk.load(&others.collect::<Vec<_>>()).await?.links;
    for link in found {
        let of = |mapping| LinkQuery { mapping, links: vec![link.id], ..LinkQuery::default() };
        let left_behind = desk.load(&[of(query.mapping)]).await?.links;
        if !left_behind.is_empty() {
            return Ok(Some(desk.load(&[of(link.mapping)]).await?));
        }
    }
    Ok(None)
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
