//! Which link a record belongs to (protocol O2', 1.4.2).

use syncline_sdk::{Cas, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::Side;
use crate::machine::{Missing, Observation, Source, Want};
use crate::model::{Changeset, Choice, IntentKind, LinkChange, LinkState, ReviewKind};

#[test]
fn the_partner_of_a_merged_record_does_not_bring_its_link_to_life() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    scene.link.state = LinkState::Merged(scene.link.id);
    scene.link.keys.right = None;
    let done = scene.page(Side::Left, "b", 2);
    assert!(done.sends.is_empty());
    assert!(matches!(scene.link.state, LinkState::Merged(_)));
    assert_eq!(scene.shown(Side::Left), &Value::from("b"), "its edit is recorded");
}

#[test]
fn a_record_that_its_link_left_behind_is_one_of_its_own() {
    let page = left_behind(Source::Page);
    assert_eq!(inserted(&page), 0, "the page may be of before it was left");
    let [hint] = page.hints.as_slice() else { panic!("{:?}", page.hints) };
    assert_eq!(hint.key.as_str(), "old", "so the record is read again");
    assert_eq!(inserted(&left_behind(Source::Feed)), 1);
}

/// What one sight of a record makes that was its link's before the link got another.
fn left_behind(source: Source) -> Changeset {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let link = scene.link.id;
    let former = Observation { key: "old".into(), source, ..seen(Side::Left, "z", 9) };
    let done = scene.round(|workset| {
        let alias = crate::model::Alias {
            mapping: MAPPING,
            side: Side::Left,
            key: "old".into(),
            link,
            reason: "re-created".into(),
        };
        workset.take(Vec::new(), vec![alias], Vec::new(), Vec::new());
        workset.observe(MAPPING, Side::Left, &former);
    });
    assert_eq!(scene.shown(Side::Left), &Value::from("a"), "it was taken for the link's record");
    done.changeset
}

fn inserted(changeset: &Changeset) -> usize {
    changeset.links.iter().filter(|change| matches!(change, LinkChange::Insert(_))).count()
}

#[test]
fn not_to_find_a_record_is_no_deletion_on_a_side_with_a_feed() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let missing =
        |source| Observation { content: Err(Missing::Deleted), source, ..seen(Side::Left, "a", 2) };
    let read = missing(Source::Read);
    assert!(scene.round(|workset| workset.observe(MAPPING, Side::Left, &read)).sends.is_empty());
    let told = missing(Source::Feed);
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &told));
    assert_eq!(done.sends.len(), 1, "the feed's own event is");
}

#[test]
fn a_suspected_deletion_stays_suspected_when_an_edit_against_it_is_taken_back() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let gone = Observation { content: Err(Missing::Suspected), ..seen(Side::Right, "a", 2) };
    let edit = seen(Side::Left, "b", 2);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &gone);
        workset.observe(MAPPING, Side::Left, &edit);
    });
    assert_eq!(scene.reviews[0].kind, ReviewKind::DeleteUpdate(Side::Right));
    assert!(scene.page(Side::Left, "a", 3).sends.is_empty());
    assert_eq!(scene.reviews[0].kind, ReviewKind::SuspectedDelete(Side::Right));
}

#[test]
fn a_winner_that_is_gone_itself_proves_no_deletion() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let gone = |key: &str, missing| Observation {
        key: key.into(),
        content: Err(missing),
        ..seen(Side::Left, "a", 2)
    };
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &gone("l", Missing::MergedInto("w".into())));
        // It lost in its turn: that one is looked for then.
        workset.observe(MAPPING, Side::Left, &gone("w", Missing::MergedInto("v".into())));
        let wanted = |want: &Want| matches!(want, Want::Fresh { key, .. } if key.as_str() == "v");
        assert!(workset.wants().iter().any(wanted));
        workset.observe(MAPPING, Side::Left, &gone("v", Missing::Deleted));
    });
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews[0].kind, ReviewKind::SuspectedDelete(Side::Left));
}

#[test]
fn a_merge_heard_of_during_a_write_is_not_read_again_and_again() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    assert_eq!(sent.len(), 1);
    let merged = Observation {
        content: Err(Missing::MergedInto("w".into())),
        source: Source::Read,
        ..seen(Side::Left, "b", 3)
    };
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &merged));
    assert_eq!(scene.link.state, LinkState::Linked);
    let now = 1_000_000;
    let due: Vec<i64> = done.changeset.hints.iter().map(|hint| hint.due - now).collect();
    assert_eq!(due, [crate::machine::Limits::default().retry_max]);
}

#[test]
fn what_was_read_of_a_winner_stays_when_the_loser_is_read_again() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let gone = |key: &str, missing| Observation {
        key: key.into(),
        content: Err(missing),
        ..seen(Side::Left, "a", 2)
    };
    let done = scene.round(|workset| {
        let lost = gone("l", Missing::MergedInto("w".into()));
        workset.observe(MAPPING, Side::Left, &lost);
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &gone("w", Missing::Deleted));
        workset.observe(MAPPING, Side::Left, &lost);
    });
    assert!(done.changeset.hints.is_empty(), "it is looked for again: {:?}", done.changeset.hints);
    assert_eq!(scene.reviews[0].kind, ReviewKind::SuspectedDelete(Side::Left));
}

/// Two pairs whose records on the left were merged into one, and a person's answer.
fn answered(choice: Choice) -> (Scene, Vec<IntentKind>) {
    let mut scene = Scene::agreed(Cas::ExactField);
    let mut winner = scene.link.clone();
    winner.id = syncline_sdk::LinkId(uuid::Uuid::from_u128(8));
    winner.keys = crate::Sides { left: Some("l2".into()), right: Some("r2".into()) };
    scene.others.push(winner);
    let merged =
        Observation { content: Err(Missing::MergedInto("l2".into())), ..seen(Side::Left, "a", 2) };
    scene.round(|workset| workset.observe(MAPPING, Side::Left, &merged));
    assert_eq!(scene.reviews[0].kind, ReviewKind::Merged(Side::Left, Some("r2".into())));
    scene.answer(choice);
    let link = scene.link.id;
    let done = scene.round(|workset| assert!(workset.answer(MAPPING, link, None)));
    let mut kinds: Vec<IntentKind> = Vec::new();
    kinds.extend(done.sends.iter().map(|sent| sent.carried[0].intent.kind));
    (scene, kinds)
}

#[test]
fn the_partner_that_a_merge_left_goes_its_own_way_where_a_person_says_so() {
    let (scene, sent) = answered(Choice::Adopt("r2".into()));
    assert_eq!((scene.link.state, sent.len()), (LinkState::Ended, 0));
    assert!(scene.reviews.is_empty());
}

#[test]
fn the_partner_that_a_merge_left_gets_a_record_of_its_own_where_a_person_says_so() {
    let (scene, sent) = answered(Choice::Separate);
    assert_eq!(
        (scene.link.state, sent),
        (LinkState::Creating(Side::Left), vec![IntentKind::Create])
    );
    assert!(scene.reviews.is_empty());
}

#[test]
fn the_partner_that_a_merge_left_is_deleted_where_a_person_says_so() {
    let (scene, sent) = answered(Choice::Take(Side::Left));
    assert_eq!(
        (scene.link.state.deleting().map(|of| of.0), sent),
        (Some(Side::Right), vec![IntentKind::Delete])
    );
    assert!(scene.reviews.is_empty());
}

#[test]
fn what_a_question_about_merged_records_does_not_offer_changes_nothing() {
    for choice in [Choice::Adopt("r".into()), Choice::Retry, Choice::Take(Side::Right)] {
        let (scene, sent) = answered(choice);
        assert!(matches!(scene.link.state, LinkState::Merged(_)));
        assert_eq!((scene.reviews[0].revision, sent.len()), (2, 0));
    }
}
