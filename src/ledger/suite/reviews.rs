//! Questions and answers.

use syncline_core::model::{
    Answer, Choice, Link, LinkChange, LinkState, Review, ReviewChange, ReviewStatus,
};
use syncline_core::{Side, Sides};

use super::Subject;
use super::fixture::{Engine, MAPPING, at, hint, link, link_id, review};
use crate::{Answered, LinkQuery, NewAnswer, ReviewQuery};

async fn all<L: Subject>(ledger: &L) -> Vec<Review> {
    ledger.reviews(&ReviewQuery { max: 99, ..ReviewQuery::default() }).await.unwrap()
}

fn answer(review: &Review, revision: i32) -> NewAnswer {
    NewAnswer {
        id: review.id,
        revision,
        choice: Choice::Take(Side::Left),
        by: "jane".into(),
        at: at(800),
        hints: vec![hint("a", 0)],
    }
}

pub(super) async fn asked_once_a_base<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let ask = |review: &Review| ReviewChange::Ask(review.clone());
    let question = review(link_id(1));
    engine.must(|changes| changes.reviews.push(ask(&question))).await;
    engine.refused(|changes| changes.reviews.push(ask(&question))).await;
    let mut pair = question.clone();
    pair.key.unit = None;
    let mut later = question.clone();
    later.key.sync_version = 1;
    engine.must(|changes| changes.reviews.extend([ask(&pair), ask(&later)])).await;
    let asked = all(ledger).await;
    assert_eq!(asked.len(), 3);
    assert!(asked.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(asked[0], Review { id: asked[0].id, ..question.clone() });
    assert_eq!(ledger.review(asked[1].id).await.unwrap(), Some(asked[1].clone()));
    assert_eq!(ledger.review(asked[2].id + 1).await.unwrap(), None);
    // One that is closed is asked again on the same base: the same number, a new revision.
    let close = ReviewChange::Close {
        key: question.key,
        read_revision: 1,
        read_status: ReviewStatus::Open,
    };
    engine.must(|changes| changes.reviews.push(close)).await;
    engine.must(|changes| changes.reviews.push(ask(&question))).await;
    let again = ledger.review(asked[0].id).await.unwrap().unwrap();
    assert_eq!(again, Review { revision: 2, ..asked[0].clone() });
}

pub(super) async fn shown_anew_and_closed_as_read<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let question = review(link_id(1));
    engine.must(|changes| changes.reviews.push(ReviewChange::Ask(question.clone()))).await;
    let newer = Review { revision: 2, shown: Sides::default(), ..question.clone() };
    let show = |read_revision, read_status| ReviewChange::Show {
        review: newer.clone(),
        read_revision,
        read_status,
    };
    let close = |read_revision, read_status| ReviewChange::Close {
        key: question.key,
        read_revision,
        read_status,
    };
    engine.refused(|changes| changes.reviews.push(show(2, ReviewStatus::Open))).await;
    engine.refused(|changes| changes.reviews.push(show(1, ReviewStatus::Answered))).await;
    engine.must(|changes| changes.reviews.push(show(1, ReviewStatus::Open))).await;
    let shown = all(ledger).await;
    assert_eq!(shown, [Review { id: shown[0].id, ..newer.clone() }]);
    engine.refused(|changes| changes.reviews.push(close(1, ReviewStatus::Open))).await;
    engine.must(|changes| changes.reviews.push(close(2, ReviewStatus::Open))).await;
    engine.refused(|changes| changes.reviews.push(close(2, ReviewStatus::Open))).await;
    assert!(all(ledger).await.is_empty());
    let query =
        ReviewQuery { status: Some(ReviewStatus::Closed), max: 9, ..ReviewQuery::default() };
    assert_eq!(ledger.reviews(&query).await.unwrap().len(), 1);
    assert!(ledger.reviews(&ReviewQuery { after: shown[0].id, ..query }).await.unwrap().is_empty());
}

pub(super) async fn an_answer_is_for_what_was_seen<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let question = review(link_id(1));
    engine.must(|changes| changes.reviews.push(ReviewChange::Ask(question.clone()))).await;
    let asked = all(ledger).await.remove(0);
    let newer = Review { revision: 2, ..asked.clone() };
    engine
        .must(|changes| {
            changes.reviews.push(ReviewChange::Show {
                review: newer.clone(),
                read_revision: 1,
                read_status: ReviewStatus::Open,
            });
        })
        .await;
    let unknown = NewAnswer { id: asked.id + 1, ..answer(&asked, 1) };
    assert_eq!(ledger.answer(&unknown).await.unwrap(), Answered::Unknown);
    let late = ledger.answer(&answer(&asked, 1)).await.unwrap();
    assert_eq!(late, Answered::Moved(Box::new(newer.clone())));
    assert!(ledger.hints(&"crm".into(), at(0), 9).await.unwrap().is_empty());
    assert_eq!(ledger.answer(&answer(&asked, 2)).await.unwrap(), Answered::Taken);
    assert_eq!(ledger.hints(&"crm".into(), at(0), 9).await.unwrap().len(), 1);
    // The second of two accepted answers would be lost: it is not accepted.
    let given = Answer { choice: Choice::Take(Side::Left), by: "jane".into(), at: at(800) };
    let taken = Review { status: ReviewStatus::Answered, answer: Some(given), ..newer.clone() };
    let second = ledger.answer(&answer(&asked, 2)).await.unwrap();
    assert_eq!(second, Answered::Moved(Box::new(taken.clone())));
    assert_eq!(ledger.answers(9).await.unwrap(), [taken]);
    // The engine opens it again with what both sides show now; the answer is gone from the row.
    let reopened = Review { revision: 3, ..newer };
    engine
        .must(|changes| {
            changes.reviews.push(ReviewChange::Show {
                review: reopened.clone(),
                read_revision: 2,
                read_status: ReviewStatus::Answered,
            });
        })
        .await;
    assert_eq!(all(ledger).await, [reopened]);
    assert!(ledger.answers(9).await.unwrap().is_empty());
}

pub(super) async fn the_engine_finds_answers_and_questions<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let held = |number| Link { state: LinkState::Held, ..link(number) };
    engine
        .must(|changes| {
            for number in 1..=4 {
                changes.links.push(LinkChange::Insert(held(number)));
                changes.reviews.push(ReviewChange::Ask(review(link_id(number))));
            }
        })
        .await;
    let mut asked = all(ledger).await;
    asked.sort_by_key(|review| review.key);
    for (place, when) in [(2, 300), (0, 500), (1, 100)] {
        let given = NewAnswer { at: at(when), ..answer(&asked[place], 1) };
        assert_eq!(ledger.answer(&given).await.unwrap(), Answered::Taken);
    }
    let links = |reviews: Vec<Review>| -> Vec<_> {
        reviews.into_iter().map(|review| review.key.link).collect()
    };
    let answered = ledger.answers(2).await.unwrap();
    assert_eq!(links(answered.clone()), [link_id(2), link_id(3)]);
    let close = ReviewChange::Close {
        key: asked[0].key,
        read_revision: 1,
        read_status: ReviewStatus::Answered,
    };
    engine.must(|changes| changes.reviews.push(close)).await;
    let query = LinkQuery {
        mapping: MAPPING,
        links: vec![link_id(1), link_id(2), link_id(4)],
        ..LinkQuery::default()
    };
    let mut loaded = engine.load(query).await.reviews;
    loaded.sort_by_key(|review| review.key);
    assert_eq!(loaded, [answered[0].clone(), asked[3].clone()]);
}
