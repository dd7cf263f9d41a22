//! Tokens and requests of the JSON API, on the one ledger that has them.

use std::time::Duration;

use syncline_core::Side;
use syncline_core::model::{Entry, LinkChange, Parked, StreamPosition};

use super::database::Database;
use super::fixture::{Engine, MAPPING, at, hint, link, link_id};
use crate::access::{ParkedPlace, REQUEST_LIFE};
use crate::{
    Access as _, Begun, Depth, Depths, Ledger as _, LedgerError, Measures as _, NewRequest,
    NewToken, People as _,
};

fn token(name: &str, expires: Option<i64>) -> NewToken {
    let mut digest = [0; 32];
    digest[..name.len()].copy_from_slice(name.as_bytes());
    NewToken {
        name: name.to_owned(),
        digest,
        scopes: vec!["read".to_owned()],
        made_at: at(1),
        expires_at: expires.map(at),
    }
}

#[tokio::test]
async fn a_token_is_of_use_until_it_expires_or_is_revoked() {
    let ledger = Database::new().await.ledger().await;
    let (a, b) = (token("a", None), token("b", Some(50)));
    assert!(ledger.add_token(&a).await.unwrap() && ledger.add_token(&b).await.unwrap());
    let again = NewToken { digest: [9; 32], ..a.clone() };
    assert!(!ledger.add_token(&again).await.unwrap());
    let used = async |of: &NewToken, now| {
        let found = ledger.use_token(&of.digest, at(now)).await.unwrap();
        found.map(|token| (token.name, token.scopes))
    };
    assert_eq!(used(&a, 2).await, Some(("a".to_owned(), vec!["read".to_owned()])));
    assert_eq!(used(&again, 2).await, None);
    assert!(used(&b, 49).await.is_some());
    assert_eq!(used(&b, 50).await, None);
    let live = async |now| -> Vec<_> {
        let tokens = ledger.live_tokens(at(now)).await.unwrap();
        tokens.into_iter().map(|(digest, token)| (digest, token.name)).collect()
    };
    let both = [(a.digest, "a".to_owned()), (b.digest, "b".to_owned())];
    assert_eq!(live(49).await, both);
    assert_eq!(live(50).await, both[..1]);
    assert!(ledger.revoke_token("a", at(3)).await.unwrap());
    assert!(!ledger.revoke_token("a", at(4)).await.unwrap());
    assert!(!ledger.revoke_token("c", at(4)).await.unwrap());
    assert_eq!(used(&a, 5).await, None);
    assert_eq!(live(50).await, []);
    let all = ledger.access_tokens().await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].used_at, all[0].revoked_at), (Some(at(2)), Some(at(3))));
}

#[tokio::test]
async fn a_request_is_carried_out_once() {
    let ledger = Database::new().await.ledger().await;
    ledger.add_token(&token("a", None)).await.unwrap();
    let token = ledger.access_tokens().await.unwrap()[0].id;
    let request =
        |now, digest| NewRequest { token, key: "k".to_owned(), digest: [digest; 32], at: at(now) };
    let begin = async |now, digest| ledger.begin_request(&request(now, digest)).await.unwrap();
    assert_eq!(begin(1, 1).await, Begun::New);
    assert_eq!(begin(2, 1).await, Begun::UnderWay);
    assert_eq!(begin(2, 2).await, Begun::Other);
    // Its process is gone.
    let later = |after: Duration| i64::try_from(after.as_micros()).unwrap();
    assert_eq!(begin(later(REQUEST_LIFE) + 2, 1).await, Begun::New);
    // It failed for a reason that passes.
    ledger.end_request(token, "k", None).await.unwrap();
    assert_eq!(begin(later(REQUEST_LIFE) + 3, 1).await, Begun::New);
    ledger.end_request(token, "k", Some((200, "done"))).await.unwrap();
    let answered = Begun::Answered(200, "done".to_owned());
    assert_eq!(begin(later(REQUEST_LIFE) * 3, 1).await, answered);
    assert_eq!(begin(later(REQUEST_LIFE) * 3, 2).await, Begun::Other);
}

#[tokio::test]
async fn lists_go_on_behind_a_place() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    let parked = |number, at| Parked {
        mapping: MAPPING,
        link: link_id(number),
        side: Side::Left,
        kind: "invalid".into(),
        message: "no".into(),
        advice: "mend it".into(),
        entry: None,
        at,
        asked_again: false,
    };
    engine.must(|changes| changes.parked.extend([1, 2, 3].map(|n| parked(n, 5)))).await;
    let first = ledger.parked_page(None, None, 2).await.unwrap();
    assert_eq!(first, [parked(1, 5), parked(2, 5)]);
    let place = ParkedPlace { at: 5, mapping: MAPPING, link: link_id(2) };
    assert_eq!(ledger.parked_page(Some(MAPPING), Some(place), 2).await.unwrap(), [parked(3, 5)]);

    let wanted = [(MAPPING, link_id(2)), (MAPPING, link_id(9))];
    assert_eq!(ledger.parked_of(&wanted).await.unwrap(), [parked(2, 5)]);

    // Asked for again, until it is set aside anew.
    assert!(ledger.ask_again(MAPPING, link_id(2), at(6)).await.unwrap());
    assert!(!ledger.ask_again(MAPPING, link_id(9), at(6)).await.unwrap());
    let asked = ledger.parked(Some(MAPPING), 9).await.unwrap();
    assert_eq!(asked.iter().filter(|one| one.asked_again).count(), 1);
    engine.must(|changes| changes.parked.push(parked(2, 7))).await;
    let again = ledger.parked(Some(MAPPING), 9).await.unwrap();
    assert!(again.iter().all(|one| !one.asked_again));
    assert_eq!(ledger.ask_all_again(MAPPING, at(6)).await.unwrap(), 3);
    let all = ledger.parked(Some(MAPPING), 9).await.unwrap();
    assert!(all.iter().all(|one| one.asked_again), "those set aside later as well");
    let nobody = syncline_core::mapping::MappingId(99);
    assert_eq!(ledger.ask_all_again(nobody, at(6)).await.unwrap(), 0);

    engine.must(|changes| changes.links.push(LinkChange::Insert(link(1)))).await;
    let mut entries: Vec<Entry> = Vec::new();
    for number in 0..3 {
        let previous = entries.last().map(|entry| entry.id);
        let mut changes = engine.changeset().await;
        let id = syncline_sdk::IntentId { commit: changes.commit, ordinal: 0 };
        let link = link(1).id;
        let entry = Entry {
            id,
            mapping: MAPPING,
            link,
            previous,
            at: at(number),
            revision: 1,
            observed: Vec::new(),
            decided: Vec::new(),
            intent: None,
            settled: Vec::new(),
        };
        entries.push(entry.clone());
        changes.entries.push(entry);
        ledger.commit(&changes).await.unwrap();
    }
    entries.reverse();
    let ids = |list: Vec<Entry>| list.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    let all = ids(entries.clone());
    assert_eq!(ids(ledger.journal(None, None, 9).await.unwrap()), all);
    assert_eq!(ids(ledger.journal(Some(MAPPING), Some(all[0]), 1).await.unwrap()), all[1..2]);
    assert!(ledger.journal(None, Some(all[2]), 9).await.unwrap().is_empty());
    let of = ledger.journal_of(MAPPING, link(1).id, Some(all[0]), 9).await.unwrap();
    assert_eq!(ids(of), all[1..]);
}

#[tokio::test]
async fn what_waits_is_measured() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    assert_eq!(ledger.depths(9).await.unwrap(), Depths::default());
    let parked = |number, kind: &str, at| Parked {
        mapping: MAPPING,
        link: link_id(number),
        side: Side::Left,
        kind: kind.into(),
        message: "no".into(),
        advice: "mend it".into(),
        entry: None,
        at,
        asked_again: false,
    };
    let position = |stream: &str| StreamPosition {
        stream: stream.into(),
        identity: "i".into(),
        place: "p".into(),
    };
    engine
        .must(|changes| {
            changes.hints.extend([hint("a", 0), hint("b", 7), hint("c", 99)]);
            changes.parked.extend([
                parked(1, "schema", 5),
                parked(2, "schema", 4),
                parked(3, "invalid", 6),
            ]);
            changes.positions.push(position("feed:ops"));
        })
        .await;
    let depths = ledger.depths(9).await.unwrap();
    let hints = Depth { of: "crm".into(), count: 2, oldest: 0 };
    assert_eq!(depths.hints, [hints]);
    let kind = |kind: &str, count, oldest| Depth { of: (MAPPING, kind.to_owned()), count, oldest };
    assert_eq!(depths.parked, [kind("invalid", 1, 6), kind("schema", 2, 4)]);
    assert_eq!(depths.streams.len(), 1);
    assert!(depths.questions.is_empty() && depths.batches.is_empty() && depths.gaps.is_empty());
}

#[tokio::test]
async fn those_who_look_on_wait_for_each_other_and_nobody_for_them() {
    let ledger = Database::new().await.ledger().await;
    let looking = ledger.looking();
    looking.figures().await.unwrap();
    let first = looking.pool().acquire().await.unwrap();
    let second = looking.pool().acquire().await.unwrap();
    let refused = looking.figures().await.unwrap_err();
    assert!(matches!(refused, LedgerError::Unavailable { .. }), "{refused:?}");
    ledger.figures().await.unwrap();
    drop((first, second));
    looking.figures().await.unwrap();
    let limit: String = sqlx::query_scalar("select current_setting('statement_timeout')")
        .fetch_one(looking.pool())
        .await
        .unwrap();
    assert_eq!(limit, "8s");
}
