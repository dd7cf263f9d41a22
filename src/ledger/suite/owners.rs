//! Ownership and numbers, across processes.

use std::collections::BTreeSet;

use syncline_core::model::{Changeset, Fence};

use super::Subject;
use super::fixture::at;
use crate::{Committed, Owner, Ownership};

pub(super) async fn one_at_a_time<L: Subject>(ledger: &L) {
    assert_eq!(ledger.owner().await.unwrap(), None);
    let first = ledger.own("one", at(0), at(100)).await.unwrap();
    assert_eq!(first, Ownership::Owned(Fence { epoch: 1 }));
    let other = ledger.clone();
    assert_eq!(other.own("two", at(99), at(200)).await.unwrap(), Ownership::Taken { until: 100 });
    // Renewing keeps the epoch, also after the lease ran out and nobody wanted it.
    for (now, until) in [(50, 150), (400, 500)] {
        assert_eq!(ledger.own("one", at(now), at(until)).await.unwrap(), first);
    }
    let second = other.own("two", at(500), at(600)).await.unwrap();
    assert_eq!(second, Ownership::Owned(Fence { epoch: 2 }));
    let back = ledger.own("one", at(700), at(800)).await.unwrap();
    assert_eq!(back, Ownership::Owned(Fence { epoch: 3 }));
    let owner = Owner { owner: "one".into(), epoch: 3, until: 800 };
    assert_eq!(ledger.owner().await.unwrap(), Some(owner));
}

pub(super) async fn a_former_owner_is_fenced<L: Subject>(ledger: &L) {
    let commit = async |ledger: &L, epoch| {
        let commit = ledger.reserve(1).await.unwrap().start;
        let changes = Changeset { commit, fence: Fence { epoch }, ..Changeset::default() };
        ledger.commit(&changes).await.unwrap()
    };
    assert_eq!(commit(ledger, 0).await, Committed::Fenced);
    ledger.own("one", at(0), at(100)).await.unwrap();
    assert_eq!(commit(ledger, 1).await, Committed::Committed);
    // A lease that ran out still commits, as long as nobody took it over: the epoch decides.
    let other = ledger.clone();
    other.own("two", at(100), at(200)).await.unwrap();
    assert_eq!(commit(ledger, 1).await, Committed::Fenced);
    assert_eq!(commit(&other, 2).await, Committed::Committed);
}

pub(super) async fn numbers_are_reserved_once<L: Subject>(ledger: &L) {
    let other = ledger.clone();
    let mut seen = BTreeSet::new();
    for count in [1, 5, 100] {
        let (one, two) = tokio::join!(ledger.reserve(count), other.reserve(count));
        for range in [one.unwrap(), two.unwrap()] {
            assert_eq!(range.end - range.start, count);
            assert!(range.start > 0);
            assert!(range.into_iter().all(|number| seen.insert(number)), "given twice");
        }
    }
    assert!(ledger.reserve(0).await.unwrap().is_empty());
}
