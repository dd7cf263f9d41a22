//! Deliveries: hints with them or nothing, notices once, replays never.

use syncline_core::model::Hint;

use super::Subject;
use super::fixture::{at, hint};
use crate::{Delivered, Delivery, NewDelivery, NewNotice, Verdict};

fn delivery(now: i64, notices: &[(&str, &str)]) -> NewDelivery {
    let notices = notices.iter().map(|(id, key)| NewNotice {
        id: (*id).to_owned(),
        hint: (!key.is_empty()).then(|| hint(key, 0)),
    });
    NewDelivery {
        system: "crm".into(),
        verdict: Verdict::Accepted,
        reason: None,
        sender: None,
        at: at(now),
        remote: "203.0.113.9".to_owned(),
        bytes: 12,
        notices: notices.collect(),
        once: None,
        alike: 0,
    }
}

async fn deliver<L: Subject>(ledger: &L, delivery: &NewDelivery) -> Delivery {
    match ledger.deliver(delivery).await.unwrap() {
        Delivered::Recorded(delivery) => delivery,
        Delivered::Replayed => panic!("it was taken for a replay"),
    }
}

async fn hinted<L: Subject>(ledger: &L) -> Vec<String> {
    let hints: Vec<Hint> = ledger.hints(&"crm".into(), at(1), 100).await.unwrap();
    let mut keys: Vec<String> =
        hints.into_iter().map(|hint| hint.key.as_str().to_owned()).collect();
    keys.sort();
    keys
}

pub(super) async fn a_delivery_makes_hints_once<L: Subject>(ledger: &L) {
    let first = deliver(ledger, &delivery(5, &[("n1", "a"), ("n2", "b"), ("n3", "")])).await;
    let counts = |of: &Delivery| (of.verdict, of.notices, of.hints, of.repeated, of.unmapped);
    assert_eq!(counts(&first), (Verdict::Accepted, 3, 2, 0, 1));
    assert_eq!(hinted(ledger).await, ["a", "b"]);
    // One is new, the others had come.
    let second = deliver(ledger, &delivery(6, &[("n2", "b"), ("n4", "c"), ("n3", "")])).await;
    assert_eq!(counts(&second), (Verdict::Accepted, 3, 1, 2, 0));
    assert_eq!(hinted(ledger).await, ["a", "b", "c"]);
    // All had come.
    let third = deliver(ledger, &delivery(7, &[("n1", "x")])).await;
    assert_eq!(counts(&third), (Verdict::Repeated, 1, 0, 1, 0));
    assert_eq!(hinted(ledger).await, ["a", "b", "c"]);
    // The same id of another system's sender is another notice.
    let elsewhere = NewDelivery { system: "shop".into(), ..delivery(8, &[("n1", "")]) };
    assert_eq!(deliver(ledger, &elsewhere).await.repeated, 0);
    let listed = ledger.deliveries(Some(&"crm".into()), 9).await.unwrap();
    assert_eq!(listed, [third, second, first]);
    assert_eq!(ledger.deliveries(None, 1).await.unwrap()[0].system.as_str(), "shop");
}

pub(super) async fn what_may_come_once_comes_once<L: Subject>(ledger: &L) {
    let signed = |now, once: &str, key: &str| NewDelivery {
        once: Some(once.to_owned()),
        sender: Some("m1".to_owned()),
        ..delivery(now, &[("m1", key)])
    };
    deliver(ledger, &signed(5, "m1@5", "a")).await;
    let again = ledger.deliver(&signed(6, "m1@5", "b")).await.unwrap();
    assert_eq!(again, Delivered::Replayed);
    assert_eq!(hinted(ledger).await, ["a"]);
    // Sent again by its sender, at a later time: taken, and nothing is made of it.
    assert_eq!(deliver(ledger, &signed(7, "m1@7", "b")).await.verdict, Verdict::Repeated);
    assert_eq!(hinted(ledger).await, ["a"]);
    assert_eq!(ledger.deliveries(None, 9).await.unwrap().len(), 2);
}

pub(super) async fn every_verdict_is_kept<L: Subject>(ledger: &L) {
    for verdict in Verdict::ALL {
        let reason = Some(format!("because it is {}", verdict.as_str()));
        let new = NewDelivery { verdict, reason, alike: 3, ..delivery(5, &[]) };
        let recorded = deliver(ledger, &new).await;
        assert_eq!((recorded.verdict, recorded.alike), (verdict, 3));
        assert_eq!(ledger.deliveries(None, 1).await.unwrap(), [recorded]);
    }
    assert!(hinted(ledger).await.is_empty());
}
