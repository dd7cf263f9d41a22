//! Commits whose reply was lost.

use syncline_core::model::LinkChange;

use super::Subject;
use super::fixture::{Engine, link};
use crate::Committed;

pub(super) async fn a_commit_that_happened<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let mut changes = engine.changeset().await;
    changes.links.push(LinkChange::Insert(link(1)));
    assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
    for _ in 0..2 {
        assert!(ledger.clone().committed(changes.commit).await.unwrap());
    }
}

pub(super) async fn a_commit_that_never_will<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let mut changes = engine.changeset().await;
    changes.links.push(LinkChange::Insert(link(1)));
    for _ in 0..2 {
        assert!(!ledger.clone().committed(changes.commit).await.unwrap());
    }
    // It was under way all the time, and arrives too late.
    let late = ledger.commit(&changes).await.unwrap();
    assert!(matches!(late, Committed::Moved(_)), "{late:?}");
    assert_eq!(engine.link(link(1).id).await, None);
    assert!(!ledger.committed(changes.commit).await.unwrap());
}
