//! What is kept of mappings with sensitive fields: encrypted wherever it stands, and read back as
//! it was written. Postgres alone: nothing else keeps anything beyond its process.

use sqlx::PgPool;
use syncline_core::encoding::encode;
use syncline_core::mapping::NoImage;
use syncline_core::model::{
    Answer, Base, BatchChange, BothHalves, Changeset, Choice, Decided, Entry, FieldState, Half,
    Link, LinkChange, Observed, Outcome, Parked, Pending, Review, ReviewChange, ReviewKind,
    Settled, Shown, Verdict, WrittenField,
};
use syncline_core::{Side, Sides};
use syncline_sdk::{Actor, BatchId, IntentId, Key, LinkId, Value, Version};

use super::database::Database;
use super::fixture::{Engine, MAPPING, at, batch, entry, link, review};
use crate::postgres::Postgres;
use crate::{Access as _, Answered, Ledger as _, LinkQuery, NewAnswer, People as _, ReviewQuery};

/// A value that stands nowhere by chance.
pub(super) const SECRET: &str = "078-05-1120-Woolworth";

fn secret() -> Value {
    Value::from(SECRET)
}

/// A link with the value wherever a link can have one.
pub(super) fn secret_link(number: u128) -> Link {
    let pending = Pending { values: vec![(0, secret())], ..Pending::default() };
    let values = || vec![(0, secret())];
    let both = BothHalves {
        units: vec![0],
        seen: Sides { left: values(), right: values() },
        halves: Sides { left: Half::Applied(values()), right: Half::Open },
    };
    let base = Some(Base { exists: true, image: vec![secret(), Value::Null] });
    Link {
        base: Sides { left: base.clone(), right: base },
        pending: Sides { left: pending.clone(), right: pending },
        complement: SECRET.as_bytes().to_vec(),
        field_state: FieldState {
            both: Some(both),
            evidence: Sides { left: Some(values()), right: None },
            given_up: Sides { left: values(), right: values() },
            ..FieldState::default()
        },
        last_entry: Some(IntentId { commit: 1, ordinal: 0 }),
        origins: vec![None, None],
        ..link(number)
    }
}

/// An entry with the value wherever an entry can have one.
pub(super) fn secret_entry(id: IntentId, link: LinkId) -> Entry {
    let mut told = entry(id, link, None);
    told.observed = vec![Observed {
        side: Side::Left,
        key: Key::from("L1"),
        exists: None,
        values: vec![(0, secret(), secret())],
        version: Version::new([1]),
        closed: true,
        actor: Actor::default(),
        at: None,
        server_time: None,
        group: None,
        marker: None,
    }];
    let verdicts = [
        Verdict::NoImage(Side::Left, NoImage::NotInList(SECRET.to_owned())),
        Verdict::Answered(format!("value {SECRET} by jane")),
    ];
    told.decided = verdicts
        .map(|verdict| Decided {
            unit: Some(0),
            verdict,
            left: vec![secret()],
            right: vec![secret()],
        })
        .into();
    let written =
        WrittenField { field: 0, value: secret(), image: secret(), expected: Value::Null };
    let intent = told.intent.as_mut().unwrap();
    (intent.fields, intent.source) = (vec![written], vec![(0, secret())]);
    let outcome = Outcome::Refused("invalid".to_owned(), format!("{SECRET:?} is too odd"));
    told.settled = vec![Settled { intent: id, side: Side::Left, outcome }];
    told
}

pub(super) fn secret_review(link: LinkId) -> Review {
    let shown =
        Shown { exists: true, values: vec![secret()], base: vec![secret()], ..Shown::default() };
    let kind = ReviewKind::NoImage(Side::Right, NoImage::OutOfRange(SECRET.to_owned()));
    Review { kind, shown: Sides { left: shown.clone(), right: shown }, ..review(link) }
}

pub(super) fn secret_parked(link: LinkId) -> Parked {
    Parked {
        mapping: MAPPING,
        link,
        side: Side::Right,
        kind: "invalid".to_owned(),
        message: format!("value {SECRET} was refused"),
        advice: format!("mend {SECRET}"),
        entry: None,
        at: 9,
        asked_again: false,
    }
}

/// Everything that the ledger keeps of a link, the value in all of it; a batch under way too.
pub(super) fn all_of(changes: &mut Changeset, number: u128, sensitive: bool) -> (Link, Entry) {
    if sensitive {
        changes.sensitive.insert(MAPPING);
    }
    let intent = IntentId { commit: changes.commit, ordinal: 0 };
    let link = Link { last_entry: Some(intent), ..secret_link(number) };
    let entry = secret_entry(intent, link.id);
    changes.links.push(LinkChange::Insert(link.clone()));
    changes.entries.push(entry.clone());
    let id = BatchId { commit: changes.commit, ordinal: 1 };
    changes.batches.push(BatchChange::Send(batch(id, vec![intent])));
    changes.reviews.push(ReviewChange::Ask(secret_review(link.id)));
    changes.parked.push(secret_parked(link.id));
    (link, entry)
}

/// The columns of all tables of the ledger that hold some bytes, whatever their type.
pub(super) async fn found(pool: &PgPool, needle: &str) -> Vec<String> {
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text
         from information_schema.columns where table_schema = 'syncline'
         order by table_name, ordinal_position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(columns.len() > 100, "{}", columns.len());
    let mut holding = Vec::new();
    for (table, column, kind) in columns {
        let bytes = match kind.as_str() {
            "bytea" => format!("\"{column}\""),
            _ => format!("convert_to(\"{column}\"::text, 'UTF8')"),
        };
        let statement = format!(
            "select count(*) from syncline.\"{table}\" where position($1::bytea in {bytes}) > 0"
        );
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .bind(needle.as_bytes())
            .fetch_one(pool)
            .await
            .unwrap();
        if rows > 0 {
            holding.push(format!("{table}.{column}"));
        }
    }
    holding
}

async fn answer(ledger: &Postgres) -> Review {
    let open = ReviewQuery { max: 9, ..ReviewQuery::default() };
    let asked = ledger.reviews(&open).await.unwrap().pop().unwrap();
    let given = NewAnswer {
        id: asked.id,
        revision: asked.revision,
        choice: Choice::Typed(vec![secret()]),
        by: "jane".to_owned(),
        at: at(60),
        hints: Vec::new(),
    };
    assert_eq!(ledger.answer(&given).await.unwrap(), Answered::Taken);
    let answer = Answer { choice: given.choice, by: given.by, at: given.at };
    Review { answer: Some(answer), ..asked }
}

/// The value stands in none of the columns when the mapping is sensitive, and in all of these when
/// it is not: the search is worth something.
#[tokio::test]
async fn nothing_of_a_sensitive_mapping_is_kept_in_clear() {
    let in_clear: &[&str] = &[
        "journal.body",
        "link.body",
        "parked.message",
        "parked.advice",
        "review.kind",
        "review.left_shown",
        "review.right_shown",
        "review.answer",
    ];
    for (sensitive, expected) in [(true, &[][..]), (false, in_clear)] {
        let database = Database::new().await;
        let ledger = database.ledger().await;
        let engine = Engine::new(&ledger).await;
        engine.must(|changes| drop(all_of(changes, 1, sensitive))).await;
        answer(&ledger).await;
        assert_eq!(found(ledger.pool(), SECRET).await, expected, "sensitive: {sensitive}");
        let keys: i64 = sqlx::query_scalar("select count(*) from syncline.link_key")
            .fetch_one(ledger.pool())
            .await
            .unwrap();
        assert_eq!(keys, i64::from(sensitive));
    }
}

#[tokio::test]
async fn what_is_encrypted_reads_back_by_every_call() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    let mut written = None;
    engine.must(|changes| written = Some(all_of(changes, 1, true))).await;
    let (link, entry) = written.unwrap();
    let link = Link { epoch: engine.fence.epoch, ..link };
    assert_eq!(engine.link(link.id).await, Some(link.clone()));
    let mut by_key = LinkQuery { mapping: MAPPING, ..LinkQuery::default() };
    by_key.keys.right.push(Key::from("R1"));
    let links = vec![link.clone()];
    assert_eq!(engine.load(by_key).await.links, links);
    assert_eq!(ledger.page(MAPPING, None, 9).await.unwrap(), links);
    assert_eq!(ledger.link(link.id).await.unwrap(), Some(link.clone()));
    let entries = [entry];
    assert_eq!(ledger.explain(MAPPING, link.id, 9).await.unwrap(), entries);
    assert_eq!(ledger.journal(None, None, 9).await.unwrap(), entries);
    assert_eq!(ledger.journal(Some(MAPPING), None, 9).await.unwrap(), entries);
    assert_eq!(ledger.open_batches(9).await.unwrap()[0].entries, entries);
    let parked = [secret_parked(link.id)];
    assert_eq!(ledger.parked(None, 9).await.unwrap(), parked);
    assert_eq!(ledger.parked_page(None, None, 9).await.unwrap(), parked);
    assert_eq!(ledger.parked_of(&[(MAPPING, link.id)]).await.unwrap(), parked);
    let answered = answer(&ledger).await;
    let read = ledger.answers(9).await.unwrap().pop().unwrap();
    assert_eq!((read.answer, read.kind), (answered.answer.clone(), answered.kind.clone()));
    let one = ledger.review(read.id).await.unwrap().unwrap();
    assert_eq!((one.answer, one.shown), (answered.answer, answered.shown));
    // The looking handle opens it as well: the API reads links by it.
    assert_eq!(ledger.looking().link(link.id).await.unwrap(), Some(link));
}

/// What is written again is sealed anew with the key that is there, and other mappings pay nothing.
#[tokio::test]
async fn a_link_has_one_key_and_other_mappings_have_none() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    engine.must(|changes| drop(all_of(changes, 1, true))).await;
    let keys = async || -> Vec<Vec<u8>> {
        let keys = sqlx::query_scalar("select sealed from syncline.link_key");
        keys.fetch_all(ledger.pool()).await.unwrap()
    };
    let first = keys().await;
    let read = engine.link(super::fixture::link_id(1)).await.unwrap();
    let moved = Link { sync_version: read.sync_version + 1, ..read.clone() };
    engine
        .must(|changes| {
            changes.sensitive.insert(MAPPING);
            changes.links.push(super::fixture::update(&read, moved.clone()));
        })
        .await;
    assert_eq!(keys().await, first);
    assert_eq!(first.len(), 1);
    let other = Link { mapping: syncline_core::mapping::MappingId(8), ..link(2) };
    engine
        .must(|changes| {
            changes.sensitive.insert(MAPPING);
            changes.links.push(LinkChange::Insert(other));
        })
        .await;
    assert_eq!(keys().await.len(), 1);
    // No key, no bytes of it: what seals is at random.
    assert!(found(ledger.pool(), &String::from_utf8_lossy(&encode(&secret()))).await.is_empty());
}
