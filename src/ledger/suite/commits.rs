//! What a commit does.

use syncline_core::model::{Changeset, Figure, Link, LinkChange, StreamPosition};
use syncline_sdk::{Key, Value};

use super::Subject;
use super::fixture::{Engine, MAPPING, entry, full_link, guard, hint, link, link_id, update};
use crate::{Committed, LinkQuery};

pub(super) fn position(place: &str) -> StreamPosition {
    StreamPosition { stream: "feed:ops".into(), identity: "one".into(), place: place.into() }
}

pub(super) async fn all_of_it_is_durable<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let made = full_link(1);
    engine
        .must(|changes| {
            changes.links.push(LinkChange::Insert(made.clone()));
            changes.positions.push(position("0/1"));
            changes.hints.push(hint("a", 0));
        })
        .await;
    let asked = [
        LinkQuery { links: vec![made.id], ..LinkQuery::default() },
        LinkQuery {
            keys: syncline_core::Sides { left: vec![Key::from("L1")], right: Vec::new() },
            ..LinkQuery::default()
        },
        LinkQuery {
            keys: syncline_core::Sides {
                left: vec![Key::from("L1"), Key::from("no such")],
                right: vec![Key::from("R1")],
            },
            links: vec![made.id, link_id(99)],
            ..LinkQuery::default()
        },
    ];
    for query in asked {
        let loaded = engine.load(LinkQuery { mapping: MAPPING, ..query.clone() }).await;
        assert_eq!(loaded.links, std::slice::from_ref(&made));
        assert!(loaded.aliases.is_empty() && loaded.claims.is_empty());
        // Keys lead to links of their own mapping only.
        assert!(engine.load(query).await.links.is_empty());
    }
    assert_eq!(ledger.positions().await.unwrap(), [position("0/1")]);
    let changed = Link {
        sync_version: made.sync_version + 1,
        open: syncline_core::Sides::default(),
        ..link(1)
    };
    engine.must(|changes| changes.links.push(update(&made, changed.clone()))).await;
    assert_eq!(engine.link(made.id).await, Some(changed));
}

pub(super) async fn an_empty_commit_is_decided_too<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let changeset = engine.changeset().await;
    assert_eq!(ledger.commit(&changeset).await.unwrap(), Committed::Committed);
    assert!(ledger.committed(changeset.commit).await.unwrap());
}

pub(super) async fn only_positions_move<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    for place in ["0/1", "0/2", "0/3"] {
        engine
            .must(|changes| {
                changes.positions.push(position("overtaken"));
                changes.positions.push(position(place));
                changes.figures.extend([(Figure::Echoes, 2), (Figure::Echoes, 1)]);
            })
            .await;
        assert_eq!(ledger.positions().await.unwrap(), [position(place)]);
    }
    assert_eq!(
        ledger.figures().await.unwrap().into_iter().collect::<Vec<_>>(),
        [(Figure::Echoes, 9)]
    );
    let stale = Changeset {
        fence: syncline_core::model::Fence { epoch: engine.fence.epoch - 1 },
        positions: vec![position("stale")],
        ..engine.changeset().await
    };
    assert_eq!(ledger.commit(&stale).await.unwrap(), Committed::Fenced);
    assert!(!ledger.committed(stale.commit).await.unwrap());
    let late = Changeset { fence: engine.fence, ..stale };
    assert!(matches!(ledger.commit(&late).await.unwrap(), Committed::Moved(_)));
    assert_eq!(ledger.positions().await.unwrap(), [position("0/3")]);
}

pub(super) async fn a_number_is_used_once<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let mut changeset = engine.changeset().await;
    changeset.hints.push(hint("a", 0));
    assert_eq!(ledger.commit(&changeset).await.unwrap(), Committed::Committed);
    changeset.hints = vec![hint("b", 0)];
    let again = ledger.commit(&changeset).await.unwrap();
    assert!(matches!(again, Committed::Moved(_)), "{again:?}");
    assert_eq!(ledger.hints(&"crm".into(), super::fixture::at(0), 9).await.unwrap().len(), 1);
}

pub(super) async fn two_at_once_and_one_wins<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let made = link(1);
    engine.must(|changes| changes.links.push(LinkChange::Insert(made.clone()))).await;
    let edit = |text: &str| {
        let mut link = Link { sync_version: 1, ..made.clone() };
        link.base.left.as_mut().unwrap().image[0] = Value::from(text);
        link
    };
    let (one, two) = tokio::join!(
        engine.commit(|changes| changes.links.push(update(&made, edit("one")))),
        engine.commit(|changes| changes.links.push(update(&made, edit("two")))),
    );
    let won: Vec<_> = [(&one, "one"), (&two, "two")]
        .into_iter()
        .filter(|(a, _)| **a == Committed::Committed)
        .collect();
    assert_eq!(won.len(), 1, "{one:?} {two:?}");
    assert_eq!(engine.link(made.id).await, Some(edit(won[0].1)));
}

pub(super) async fn explain_walks_the_chain<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let (mut first, other) = (link(1), link(2));
    engine
        .must(|changes| {
            changes.links.extend([first.clone(), other.clone()].map(LinkChange::Insert));
        })
        .await;
    assert!(ledger.explain(MAPPING, first.id, 9).await.unwrap().is_empty());
    let mut written = Vec::new();
    for _ in 0..5 {
        let mut changes = engine.changeset().await;
        let id = engine.id(&changes);
        let said = entry(id, first.id, first.last_entry);
        changes.entries.push(said.clone());
        changes.entries.push(entry(engine.id(&changes), other.id, None));
        let guard = guard(&first);
        first.last_entry = Some(id);
        changes.links.push(LinkChange::Update { guard, link: first.clone(), keys_changed: false });
        assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
        written.insert(0, said);
    }
    assert_eq!(ledger.explain(MAPPING, first.id, 9).await.unwrap(), written);
    assert_eq!(ledger.explain(MAPPING, first.id, 2).await.unwrap(), written[..2]);
    assert!(ledger.explain(MAPPING, link_id(9), 9).await.unwrap().is_empty());
    // An entry is written once.
    engine.refused(|changes| changes.entries.push(written[0].clone())).await;
}

pub(super) async fn pages_walk_a_mapping<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    engine
        .must(|changes| {
            changes.links.extend((1..=7).map(|number| LinkChange::Insert(link(number))))
        })
        .await;
    let mut seen = Vec::new();
    loop {
        let page = ledger.page(MAPPING, seen.last().copied(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|link| link.id));
    }
    assert_eq!(seen, (1..=7).map(link_id).collect::<Vec<_>>());
    assert!(ledger.page(syncline_core::mapping::MappingId(4), None, 3).await.unwrap().is_empty());
}
