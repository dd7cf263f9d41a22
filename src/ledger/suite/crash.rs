//! The ledger in memory behind a gate that breaks things.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use syncline_core::model::{Changeset, LinkChange};

use super::fixture::{Engine, link};
use crate::memory::{Call, Gate, Memory, Point, Step, Verdict};
use crate::{Committed, Ledger, LedgerError};

/// Verdicts for the commits to come; nothing is for ever in the gate.
struct Script(Mutex<VecDeque<(Step, Option<Verdict>)>>);

#[async_trait]
impl Gate for Script {
    async fn pass(&self, point: Point) -> Verdict {
        let mut found = Some(Verdict::Go);
        if point.call == Call::Commit {
            let mut script = self.0.lock().unwrap();
            if script.front().is_some_and(|(step, _)| *step == point.step) {
                found = script.pop_front().unwrap().1;
            }
        }
        match found {
            Some(verdict) => verdict,
            None => std::future::pending().await,
        }
    }
}

/// A ledger, a handle on it whose next commit meets this, and that commit.
async fn meets(step: Step, verdict: Option<Verdict>) -> (Memory, Memory, Changeset) {
    let ledger = Memory::default();
    let mut changes = Engine::new(&ledger).await.changeset().await;
    changes.links.push(LinkChange::Insert(link(1)));
    let script = Script(Mutex::new([(step, verdict)].into()));
    let handle = ledger.behind(Arc::new(script));
    (ledger, handle, changes)
}

#[tokio::test]
async fn a_refused_commit_did_not_happen() {
    let (ledger, handle, changes) = meets(Step::Arrive, Some(Verdict::Refuse)).await;
    let answer = handle.commit(&changes).await;
    assert!(matches!(answer, Err(LedgerError::Unavailable { .. })), "{answer:?}");
    assert!(ledger.links().is_empty());
    assert_eq!(handle.commit(&changes).await.unwrap(), Committed::Committed);
}

#[tokio::test]
async fn a_lost_commit_is_unknown() {
    for (step, happened) in [(Step::Arrive, false), (Step::Answer, true)] {
        let (ledger, handle, changes) = meets(step, Some(Verdict::Lose)).await;
        assert_eq!(handle.commit(&changes).await.unwrap(), Committed::Unknown);
        assert_eq!(ledger.links().len(), usize::from(happened));
        assert_eq!(handle.committed(changes.commit).await.unwrap(), happened);
    }
}

#[tokio::test]
async fn a_delayed_commit_lands_or_never_does() {
    let (ledger, handle, changes) = meets(Step::Arrive, Some(Verdict::Delay)).await;
    assert_eq!(handle.commit(&changes).await.unwrap(), Committed::Unknown);
    assert_eq!(ledger.under_way(), [changes.commit]);
    assert_eq!(ledger.land(changes.commit), Some(Committed::Committed));
    assert_eq!(ledger.land(changes.commit), None);
    assert!(handle.committed(changes.commit).await.unwrap());

    let (ledger, handle, changes) = meets(Step::Arrive, Some(Verdict::Delay)).await;
    assert_eq!(handle.commit(&changes).await.unwrap(), Committed::Unknown);
    assert!(!handle.committed(changes.commit).await.unwrap());
    assert_eq!(ledger.land(changes.commit), None);
    assert!(ledger.links().is_empty());
}

#[tokio::test]
async fn a_crash_leaves_all_or_nothing() {
    for (step, happened) in [(Step::Arrive, false), (Step::Answer, true)] {
        let (ledger, handle, changes) = meets(step, None).await;
        let commit = handle.commit(&changes);
        assert!(futures_util::FutureExt::now_or_never(commit).is_none());
        assert_eq!(ledger.links().len(), usize::from(happened));
        assert_eq!(ledger.committed(changes.commit).await.unwrap(), happened);
    }
}
