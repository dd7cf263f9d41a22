//! Takeovers on Postgres before a lease ran out: what only sessions of their own show.

use std::time::Duration;

use syncline_core::model::{Changeset, Fence};

use super::database::Database;
use super::fixture::at;
use crate::postgres::Postgres;
use crate::{Committed, Ledger, Ownership};

/// How long the server may take to notice that a connection has ended.
const NOTICED: Duration = Duration::from_secs(20);

const TAKEN: Ownership = Ownership::Taken { until: 1_000 };

fn owned(epoch: i64) -> Ownership {
    Ownership::Owned(Fence { epoch })
}

/// Asks again and again, at a time when the lease has not run out, until it is given.
async fn given_early(ledger: &Postgres, owner: &str) -> Ownership {
    let asking = async {
        loop {
            let answer = ledger.own(owner, at(2), at(1_000)).await.unwrap();
            if answer != TAKEN {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NOTICED, asking).await.expect("the end of the owner is noticed")
}

#[tokio::test]
async fn an_owner_that_ended_is_not_waited_for() {
    let database = Database::new().await;
    let one = database.ledger().await;
    assert_eq!(one.own("one", at(0), at(1_000)).await.unwrap(), owned(1));
    let two = database.ledger().await;
    for _ in 0..3 {
        // Alive, however often it is asked, and however seldom it renews.
        assert_eq!(two.own("two", at(1), at(1_000)).await.unwrap(), TAKEN);
        assert_eq!(one.own("one", at(1), at(1_000)).await.unwrap(), owned(1));
    }
    drop(one);
    assert_eq!(given_early(&two, "two").await, owned(2));
    // The successor is told by its own session, and the next one of that.
    let three = database.ledger().await;
    assert_eq!(three.own("three", at(3), at(1_000)).await.unwrap(), TAKEN);
    drop(two);
    assert_eq!(given_early(&three, "three").await, owned(3));
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_from_a_live_session() {
    let database = Database::new().await;
    let (one, two) = (database.ledger().await, database.ledger().await);
    assert_eq!(one.own("one", at(0), at(100)).await.unwrap(), owned(1));
    assert_eq!(two.own("two", at(100), at(1_000)).await.unwrap(), owned(2));
    // Who stalled comes back, is refused for as long as the successor lives, and is fenced.
    for _ in 0..3 {
        assert_eq!(one.own("one", at(101), at(1_000)).await.unwrap(), TAKEN);
    }
    let commit = one.reserve(1).await.unwrap().start;
    let changes = Changeset { commit, fence: Fence { epoch: 1 }, ..Changeset::default() };
    assert_eq!(one.commit(&changes).await.unwrap(), Committed::Fenced);
    drop(two);
    assert_eq!(given_early(&one, "one").await, owned(3));
}
