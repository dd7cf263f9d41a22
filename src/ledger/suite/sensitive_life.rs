//! Keys of links through their life: lost, changed, made later, forgotten.

use syncline_core::model::{Link, LinkState, ReviewChange, ReviewStatus};
use syncline_core::{Side, Sides};
use syncline_sdk::Value;

use super::database::Database;
use super::fixture::{Engine, MAPPING, link_id, review, update};
use super::sensitive::{SECRET, all_of, found, secret_link, secret_parked, secret_review};
use crate::postgres::Postgres;
use crate::{
    Access as _, Encrypting, KeptFrom, Ledger as _, LedgerError, LinkQuery, People as _, Pruned,
    ReviewQuery, Schedules as _,
};

async fn run(ledger: &Postgres, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(ledger.pool()).await.unwrap();
}

async fn loaded(ledger: &Postgres) -> Result<Vec<Link>, LedgerError> {
    let links = vec![link_id(1)];
    let query = LinkQuery { mapping: MAPPING, links, ..LinkQuery::default() };
    Ok(ledger.load(&[query]).await?.links)
}

#[tokio::test]
async fn another_key_or_none_is_said_and_loses_nothing() {
    let database = Database::new().await;
    let ledger = database.ledger().await;
    let engine = Engine::new(&ledger).await;
    ledger.check_key().await.unwrap();
    engine.must(|changes| drop(all_of(changes, 1, true))).await;
    ledger.check_key().await.unwrap();
    for (digits, words) in [
        (Some("1a"), "was sealed with another key than the test's file: bring back the key file"),
        (None, "there is no key file: bring back the file `key` of the state folder"),
    ] {
        let other = database.ledger_with(digits).await;
        let mut said = vec![loaded(&other).await.unwrap_err().to_string()];
        said.push(other.check_key().await.unwrap_err().to_string());
        said.push(other.explain(MAPPING, link_id(1), 9).await.unwrap_err().to_string());
        let open = ReviewQuery { max: 9, ..ReviewQuery::default() };
        said.push(other.reviews(&open).await.unwrap_err().to_string());
        said.push(other.parked(None, 9).await.unwrap_err().to_string());
        let mut changes = engine.changeset().await;
        let read = loaded(&ledger).await.unwrap().pop().unwrap();
        let moved = Link { sync_version: 9, ..read.clone() };
        changes.sensitive.insert(MAPPING);
        changes.links.push(update(&read, moved));
        said.push(other.commit(&changes).await.unwrap_err().to_string());
        for said in said {
            assert!(said.contains(words), "{said}");
        }
        assert_eq!(loaded(&ledger).await.unwrap(), [read]);
    }
}

#[tokio::test]
async fn what_was_changed_or_moved_is_refused_and_never_garbage() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    engine.must(|changes| drop(all_of(changes, 1, true))).await;
    engine.must(|changes| drop(all_of(changes, 2, true))).await;
    run(&ledger, "create table syncline.good as select * from syncline.link").await;
    let mend = "update syncline.link as l set body = g.body from syncline.good as g
                where l.link = g.link";
    let own = "does not open with the key of its link";
    for (harm, words) in [
        (
            "update syncline.link as l set body = g.body from syncline.good as g
          where l.link <> g.link",
            own,
        ),
        (
            "update syncline.link as l set body = j.body from syncline.journal as j
          where l.link = j.link",
            own,
        ),
        ("update syncline.link set body = substring(body for 60)", own),
        ("update syncline.link set body = substring(body for 1)", own),
        ("update syncline.link set body = set_byte(body, 70, get_byte(body, 70) # 1)", own),
    ] {
        run(&ledger, harm).await;
        let said = loaded(&ledger).await.unwrap_err();
        assert!(matches!(said, LedgerError::Corrupt { table: "link", .. }), "{said}");
        assert!(said.to_string().contains(words), "{harm}: {said}");
        run(&ledger, mend).await;
        assert_eq!(loaded(&ledger).await.unwrap().len(), 1);
    }
    run(
        &ledger,
        "update syncline.link_key set link = '00000000-0000-0000-0000-000000000009'
                  where link = '00000000-0000-0000-0000-000000000001'",
    )
    .await;
    let said = loaded(&ledger).await.unwrap_err().to_string();
    assert!(said.contains("the key of its link is not in table link_key"), "{said}");
    // Nor does a key open in the place of another.
    run(
        &ledger,
        "update syncline.link_key set sealed = o.sealed from syncline.link_key as o
                  where o.link <> link_key.link",
    )
    .await;
    assert!(ledger.check_key().await.is_err());
}

/// A field that becomes sensitive: everything of before is encrypted, page by page.
#[tokio::test]
async fn what_was_in_clear_is_encrypted_and_says_the_same() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    for number in 1..=3 {
        engine.must(|changes| drop(all_of(changes, number, false))).await;
    }
    let all = async || {
        let open = ReviewQuery { max: 9, ..ReviewQuery::default() };
        let links = ledger.page(MAPPING, None, 9).await.unwrap();
        let journal = ledger.journal(None, None, 9).await.unwrap();
        let parked = ledger.parked(None, 9).await.unwrap();
        (links, journal, ledger.reviews(&open).await.unwrap(), parked)
    };
    let before = all().await;
    assert_eq!(found(ledger.pool(), SECRET).await.len(), 7);
    let mut from = Some(Encrypting::START);
    let mut pages = 0;
    while let Some(place) = from {
        from = ledger.encrypt(MAPPING, place, 2).await.unwrap();
        pages += 1;
    }
    assert_eq!(pages, 8, "two of links, journal, questions and parked records each");
    assert_eq!(found(ledger.pool(), SECRET).await, Vec::<String>::new());
    assert_eq!(all().await, before);
    // Again, with nothing left to do; and what is parked or asked anew stays encrypted.
    let mut from = Some(Encrypting::START);
    while let Some(place) = from {
        from = ledger.encrypt(MAPPING, place, 2).await.unwrap();
    }
    assert_eq!(all().await, before);
    let asked = before.2[0].clone();
    let shown = ReviewChange::Show {
        review: syncline_core::model::Review { revision: 2, ..secret_review(asked.key.link) },
        read_revision: 1,
        read_status: ReviewStatus::Open,
    };
    engine
        .must(|changes| {
            changes.sensitive.insert(MAPPING);
            changes.reviews.push(shown);
            changes.parked.push(secret_parked(asked.key.link));
        })
        .await;
    assert_eq!(found(ledger.pool(), SECRET).await, Vec::<String>::new());
}

/// The key goes with the last of what it opens, and what is left of the link holds no value.
#[tokio::test]
async fn a_key_is_forgotten_with_the_journal_of_a_link_that_is_over() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    for number in 1..=3 {
        engine
            .must(|changes| {
                let (link, _) = all_of(changes, number, true);
                changes.parked.clear();
                changes.reviews.clear();
                // The third is alive.
                let state = if number == 3 { LinkState::Linked } else { LinkState::Tombstone };
                changes.links =
                    vec![syncline_core::model::LinkChange::Insert(Link { state, ..link })];
                // Somebody is asked about the second.
                if number == 2 {
                    changes.reviews.push(ReviewChange::Ask(review(link_id(2))));
                }
            })
            .await;
    }
    let kept = KeptFrom { journal: Some(1_000_000), ..KeptFrom::default() };
    let keys = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from syncline.link_key");
        count.fetch_one(ledger.pool()).await.unwrap()
    };
    assert_eq!(ledger.prune(&kept).await.unwrap().keys, 0, "the journal is there");
    let read = loaded(&ledger).await.unwrap().pop().unwrap();
    assert_eq!(ledger.prune_journal(1_000_000, None, 9).await.unwrap().removed, 2);
    run(&ledger, "delete from syncline.journal").await;
    let once = Pruned { keys: 1, ..Pruned::default() };
    assert_eq!(ledger.prune(&kept).await.unwrap(), once);
    assert_eq!(ledger.prune(&kept).await.unwrap(), Pruned::default());
    assert_eq!(keys().await, 2);

    let erased = loaded(&ledger).await.unwrap().pop().unwrap();
    assert_eq!((erased.keys.clone(), erased.state), (read.keys.clone(), LinkState::Tombstone));
    assert_eq!(*erased.base_value(Side::Left, 0), Value::Absent);
    assert!(erased.pending.left.is_empty() && erased.complement.is_empty());
    assert_eq!(found(ledger.pool(), SECRET).await, Vec::<String>::new());
    // Who loaded it before writes nothing of what is forgotten.
    engine.refused(|changes| changes.links.push(update(&read, read.clone()))).await;
    // One that comes back has a key of its own again.
    let back = Link {
        state: LinkState::Linked,
        base: secret_link(1).base,
        origins: Vec::new(),
        pending: Sides::default(),
        ..erased.clone()
    };
    engine
        .must(|changes| {
            changes.sensitive.insert(MAPPING);
            changes.links.push(update(&erased, back));
        })
        .await;
    assert_eq!(keys().await, 3);
    assert_eq!(*loaded(&ledger).await.unwrap()[0].base_value(Side::Left, 0), Value::from(SECRET));
}
