//! Keys, old names and claims.

use syncline_core::model::{Alias, Claim, Link, LinkChange};
use syncline_core::{Side, Sides};
use syncline_sdk::Key;

use super::Subject;
use super::fixture::{Engine, MAPPING, guard, link, link_id, update};
use crate::LinkQuery;

fn by_key(side: Side, key: &str) -> LinkQuery {
    let mut query = LinkQuery { mapping: MAPPING, ..LinkQuery::default() };
    query.keys[side].push(Key::from(key));
    query
}

fn claim(key: &str, number: u128) -> Claim {
    Claim { mapping: MAPPING, key: key.to_owned(), link: link_id(number) }
}

pub(super) async fn keys_are_unique<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let one = link(1);
    engine.must(|changes| changes.links.push(LinkChange::Insert(one.clone()))).await;
    engine.refused(|changes| changes.links.push(LinkChange::Insert(one.clone()))).await;
    for side in Side::BOTH {
        let mut same = link(2);
        same.keys[side] = one.keys[side].clone();
        engine.refused(|changes| changes.links.push(LinkChange::Insert(same.clone()))).await;
        let mut twins = [link(3), link(4)];
        twins[0].keys[side] = Some(Key::from("twin"));
        twins[1].keys[side] = Some(Key::from("twin"));
        engine.refused(|changes| changes.links.extend(twins.map(LinkChange::Insert))).await;
    }
    // Another mapping has keys of its own, and links without a key do not collide.
    let elsewhere = Link { mapping: syncline_core::mapping::MappingId(4), ..link(1) };
    let without = |number| Link { keys: Sides::default(), ..link(number) };
    engine
        .must(|changes| {
            changes.links.extend([elsewhere, without(5), without(6)].map(LinkChange::Insert));
        })
        .await;
}

pub(super) async fn keys_move_between_links<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let (one, two) = (link(1), link(2));
    engine
        .must(|changes| changes.links.extend([one.clone(), two.clone()].map(LinkChange::Insert)))
        .await;
    let (mut one_after, mut two_after) = (one.clone(), two.clone());
    std::mem::swap(&mut one_after.keys, &mut two_after.keys);
    engine
        .must(|changes| {
            changes.links.push(update(&one, one_after.clone()));
            changes.links.push(update(&two, two_after.clone()));
        })
        .await;
    let found = engine.load(by_key(Side::Left, "L1")).await.links;
    assert_eq!(found, [two_after.clone()]);
    // A key that is given up is free in the same commit.
    let given_up = Link { keys: Sides::default(), ..two_after.clone() };
    let three = Link { keys: two_after.keys.clone(), ..link(3) };
    engine
        .must(|changes| {
            changes.links.push(LinkChange::Insert(three.clone()));
            changes.links.push(update(&two_after, given_up));
        })
        .await;
    assert_eq!(engine.load(by_key(Side::Right, "R1")).await.links, [three]);
    // One that is not, is not.
    let taken = Link { keys: one_after.keys.clone(), ..link(4) };
    engine.refused(|changes| changes.links.push(LinkChange::Insert(taken))).await;
}

pub(super) async fn keys_stay_unless_they_changed<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let one = link(1);
    engine.must(|changes| changes.links.push(LinkChange::Insert(one.clone()))).await;
    let other = Link { keys: Sides::default(), sync_version: 1, ..one.clone() };
    let change = LinkChange::Update { guard: guard(&one), link: other, keys_changed: false };
    engine.must(|changes| changes.links.push(change)).await;
    assert_eq!(engine.link(one.id).await, Some(Link { sync_version: 1, ..one }));
}

pub(super) async fn old_names_lead_to_links<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let (one, two) = (link(1), link(2));
    let alias = |key: &str, number| Alias {
        mapping: MAPPING,
        side: Side::Left,
        key: Key::from(key),
        link: link_id(number),
        reason: "merged".into(),
    };
    engine
        .must(|changes| {
            changes.links.extend([one.clone(), two.clone()].map(LinkChange::Insert));
            changes.aliases.extend([alias("old", 1), alias("L1", 2)]);
        })
        .await;
    let loaded = engine.load(by_key(Side::Left, "old")).await;
    assert_eq!((loaded.links, loaded.aliases), (vec![one.clone()], vec![alias("old", 1)]));
    assert!(engine.load(by_key(Side::Right, "old")).await.links.is_empty());
    // A name that a link has now is not an old one.
    let loaded = engine.load(by_key(Side::Left, "L1")).await;
    assert_eq!((loaded.links, loaded.aliases), (vec![one], Vec::new()));
    engine.must(|changes| changes.aliases.push(alias("old", 2))).await;
    assert_eq!(engine.load(by_key(Side::Left, "old")).await.links, std::slice::from_ref(&two));
    let found = ledger.find(MAPPING, Side::Left, &Key::from("old")).await.unwrap();
    assert_eq!(found, Some(two));
}

pub(super) async fn claims_exclude_each_other<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    engine
        .must(|changes| {
            changes.links.push(LinkChange::Insert(link(1)));
            changes.claims.extend([claim("acme", 1), claim("acme", 1), claim("other", 7)]);
        })
        .await;
    let query = LinkQuery {
        mapping: MAPPING,
        claims: vec!["acme".into(), "free".into()],
        ..LinkQuery::default()
    };
    let loaded = engine.load(query).await;
    assert_eq!((loaded.claims, loaded.links), (vec![claim("acme", 1)], vec![link(1)]));
    engine.must(|changes| changes.claims.push(claim("acme", 1))).await;
    engine.refused(|changes| changes.claims.push(claim("acme", 2))).await;
    engine.refused(|changes| changes.claims.extend([claim("new", 1), claim("new", 2)])).await;
    let elsewhere = Claim { mapping: syncline_core::mapping::MappingId(4), ..claim("acme", 2) };
    engine.must(|changes| changes.claims.push(elsewhere)).await;
}

pub(super) async fn released_claims_are_free<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    engine.must(|changes| changes.claims.push(claim("acme", 1))).await;
    // Only its owner's release counts.
    engine.must(|changes| changes.releases.push(claim("acme", 2))).await;
    engine.refused(|changes| changes.claims.push(claim("acme", 2))).await;
    // Handed over within one commit.
    engine
        .must(|changes| {
            changes.claims.push(claim("acme", 2));
            changes.releases.push(claim("acme", 1));
        })
        .await;
    engine.refused(|changes| changes.claims.push(claim("acme", 1))).await;
}
