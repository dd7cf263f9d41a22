//! Loading links with what hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use syncline_core::mapping::MappingId;
use syncline_core::model::Link;
use syncline_core::{Side, Sides};
use syncline_sdk::{Key, LinkId};
use uuid::Uuid;

use super::keyring::Keyring;
use super::{alias, claim, link, review};
use crate::{LinkQuery, Loaded, Result, fold};

/// Links by name. One read twice is kept as it was read last; the guards of a commit find out
/// when that was too early.
type Found = BTreeMap<(MappingId, LinkId), Box<Link>>;

/// Loads what the queries ask for. One round trip for the keys of each side, and one each for
/// aliases (only where keys were not found), claims, ids and questions, only where there are any.
pub(super) async fn load(
    connection: &mut PgConnection,
    keyring: &Keyring,
    queries: &[LinkQuery],
) -> Result<Loaded> {
    let mut found = Found::new();
    let unknown = by_keys(connection, keyring, queries, &mut found).await?;
    let mut loaded = Loaded::default();
    if !unknown.is_empty() {
        loaded.aliases = alias::among(connection, &unknown).await?;
    }
    let (mappings, keys): (Vec<i32>, Vec<String>) = queries
        .iter()
        .flat_map(|query| query.claims.iter().map(|key| (query.mapping.0, key.clone())))
        .unzip();
    if !keys.is_empty() {
        loaded.claims = claim::among(connection, &mappings, &keys).await?;
    }
    let asked = queries
        .iter()
        .flat_map(|query| query.links.iter().map(|link| (query.mapping, *link)))
        .chain(loaded.aliases.iter().map(|alias| (alias.mapping, alias.link)))
        .chain(loaded.claims.iter().map(|claim| (claim.mapping, claim.link)));
    let wanted: BTreeSet<(MappingId, LinkId)> =
        asked.filter(|name| !found.contains_key(name)).collect();
    if !wanted.is_empty() {
        let (mappings, links) = columns(wanted.into_iter());
        let rows = link::by_ids(connection, &mappings, &links).await?;
        keep(&mut found, link::links(connection, keyring, rows).await?);
    }
    let questionable = found.values().filter(|link| fold::may_have_reviews(link));
    let (mappings, links) = columns(questionable.map(|link| (link.mapping, link.id)));
    if !links.is_empty() {
        loaded.reviews = review::of_links(connection, keyring, &mappings, &links).await?;
    }
    loaded.links = found.into_values().map(|link| *link).collect();
    Ok(loaded)
}

/// Loads links by the keys of their records; answers the names that no link has.
async fn by_keys(
    connection: &mut PgConnection,
    keyring: &Keyring,
    queries: &[LinkQuery],
    found: &mut Found,
) -> Result<Vec<(MappingId, Side, Key)>> {
    let mut names: Sides<BTreeSet<(MappingId, &Key)>> = Sides::default();
    for query in queries {
        for (side, keys) in query.keys.iter() {
            names[side].extend(keys.iter().map(|key| (query.mapping, key)));
        }
    }
    for (side, names) in names.iter().filter(|(_, names)| !names.is_empty()) {
        let (mappings, keys): (Vec<i32>, Vec<String>) =
            names.iter().map(|(mapping, key)| (mapping.0, key.as_str().to_owned())).unzip();
        let rows = match side {
            Side::Left => link::by_left_keys(connection, &mappings, &keys).await?,
            Side::Right => link::by_right_keys(connection, &mappings, &keys).await?,
        };
        keep(found, link::links(connection, keyring, rows).await?);
    }
    for link in found.values() {
        for (side, key) in link.keys.iter() {
            if let Some(key) = key {
                names[side].remove(&(link.mapping, key));
            }
        }
    }
    let unknown = names.iter().flat_map(|(side, names)| {
        names.iter().map(move |(mapping, key)| (*mapping, side, (*key).clone()))
    });
    Ok(unknown.collect())
}

fn keep(found: &mut Found, links: Vec<Link>) {
    found.extend(links.into_iter().map(|link| ((link.mapping, link.id), Box::new(link))));
}

fn columns(names: impl Iterator<Item = (MappingId, LinkId)>) -> (Vec<i32>, Vec<Uuid>) {
    names.map(|(mapping, link)| (mapping.0, link.0)).unzip()
}
