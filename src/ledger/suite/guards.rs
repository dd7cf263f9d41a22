//! Each guard alone refuses the whole commit.

use syncline_core::model::{Changeset, Fence, Guard, Link, LinkChange};
use syncline_sdk::IntentId;

use super::Subject;
use super::commits::position;
use super::fixture::{Engine, at, entry, full_link, guard, hint, link, link_id};
use crate::Committed;

const OTHER: Option<IntentId> = Some(IntentId { commit: 4, ordinal: 4 });

/// Tries to change a link under guards that do not hold.
async fn each_refuses<L: Subject>(ledger: &L, spoil: impl Fn(&Guard) -> Vec<Guard>) {
    let engine = Engine::new(ledger).await;
    for made in [link(1), full_link(2)] {
        engine.must(|changes| changes.links.push(LinkChange::Insert(made.clone()))).await;
        let becomes = Link { sync_version: made.sync_version + 1, ..made.clone() };
        for keys_changed in [false, true] {
            for guard in spoil(&guard(&made)) {
                let change = LinkChange::Update { guard, link: becomes.clone(), keys_changed };
                engine.refused(|changes| changes.links.push(change)).await;
            }
        }
        assert_eq!(engine.link(made.id).await, Some(made.clone()));
        let change = LinkChange::Update { guard: guard(&made), link: becomes, keys_changed: false };
        engine.must(|changes| changes.links.push(change)).await;
    }
}

pub(super) async fn the_fence<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    for epoch in [engine.fence.epoch - 1, engine.fence.epoch + 1] {
        let changes = Changeset {
            fence: Fence { epoch },
            links: vec![LinkChange::Insert(link(1))],
            ..engine.changeset().await
        };
        assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Fenced);
    }
    assert_eq!(engine.link(link_id(1)).await, None);
}

pub(super) async fn the_sync_version<L: Subject>(ledger: &L) {
    each_refuses(ledger, |guard| {
        [-1, 1].map(|by| Guard { sync_version: guard.sync_version + by, ..guard.clone() }).into()
    })
    .await;
}

pub(super) async fn the_open_intents<L: Subject>(ledger: &L) {
    each_refuses(ledger, |guard| {
        let mut spoilt = Vec::new();
        for side in syncline_core::Side::BOTH {
            let mut other = guard.clone();
            other.open[side] = OTHER;
            spoilt.push(other.clone());
            if guard.open[side].is_some() {
                other.open[side] = None;
                spoilt.push(other);
            }
        }
        spoilt
    })
    .await;
}

pub(super) async fn the_newest_entry<L: Subject>(ledger: &L) {
    each_refuses(ledger, |guard| {
        let mut spoilt = vec![Guard { last_entry: OTHER, ..guard.clone() }];
        if guard.last_entry.is_some() {
            spoilt.push(Guard { last_entry: None, ..guard.clone() });
        }
        spoilt
    })
    .await;
}

pub(super) async fn a_link_that_is_not_there<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let absent = link(1);
    for keys_changed in [false, true] {
        let change =
            LinkChange::Update { guard: guard(&absent), link: absent.clone(), keys_changed };
        engine.refused(|changes| changes.links.push(change)).await;
    }
}

pub(super) async fn a_link_named_twice<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let made = link(1);
    engine
        .refused(|changes| {
            changes.links.extend([made.clone(), made.clone()].map(LinkChange::Insert))
        })
        .await;
    engine.must(|changes| changes.links.push(LinkChange::Insert(made.clone()))).await;
    let change =
        LinkChange::Update { guard: guard(&made), link: made.clone(), keys_changed: false };
    engine.refused(|changes| changes.links.extend([change.clone(), change])).await;
}

pub(super) async fn nothing_of_a_refused_commit_happens<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let made = link(1);
    engine.must(|changes| changes.links.push(LinkChange::Insert(made.clone()))).await;
    let mut changes = engine.changeset().await;
    changes.links.push(LinkChange::Insert(link(2)));
    changes.links.push(LinkChange::Update {
        guard: Guard { sync_version: 8, ..guard(&made) },
        link: made.clone(),
        keys_changed: false,
    });
    let id = engine.id(&changes);
    changes.entries.push(entry(id, made.id, None));
    changes.hints.push(hint("a", 0));
    changes.positions.push(position("0/9"));
    changes.figures.push((syncline_core::model::Figure::Writes, 1));
    let answer = ledger.commit(&changes).await.unwrap();
    let Committed::Moved(words) = answer else { panic!("{answer:?}") };
    assert!(words.contains(&made.id.to_string()), "{words}");
    assert_eq!(engine.link(link_id(2)).await, None);
    assert!(ledger.hints(&"crm".into(), at(0), 9).await.unwrap().is_empty());
    assert!(ledger.positions().await.unwrap().is_empty());
    assert!(ledger.figures().await.unwrap().is_empty());
    // Its number was not used up: the same commit with a guard that holds goes through.
    changes.links.truncate(1);
    assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
}
