//! Edits of a record whose partner was merged away before they could travel (protocol 1.4.2).

use syncline_sdk::{Cas, LinkId, Value};

use super::builder::{Done, MAPPING, Scene, seen};
use crate::machine::{Missing, Observation};
use crate::mapping::Direction;
use crate::model::{Choice, LinkState, Pending, ReviewKind, ReviewStatus, UnitStatus, Verdict};
use crate::{Side, Sides};

fn heir() -> LinkId {
    LinkId(uuid::Uuid::from_u128(8))
}

/// A pair that agreed on `a`, whose right record became `b` while the left system was away, and
/// another pair that agreed on `theirs`; then the left record is merged into that one's.
fn merged(theirs: &str, change: impl Fn(&mut Scene)) -> (Scene, Done) {
    let mut scene = Scene::agreed(Cas::ExactField);
    let mut winner = scene.link.clone();
    winner.id = heir();
    winner.keys = Sides { left: Some("l2".into()), right: Some("r2".into()) };
    for base in [&mut winner.base.left, &mut winner.base.right] {
        base.as_mut().unwrap().image = vec![theirs.into()];
    }
    scene.others.push(winner);
    change(&mut scene);
    scene.away = Some(Side::Left);
    assert!(scene.page(Side::Right, "b", 2).sends.is_empty());
    scene.away = None;
    let gone =
        Observation { content: Err(Missing::MergedInto("l2".into())), ..seen(Side::Left, "a", 2) };
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &gone));
    assert_eq!(scene.link.state, LinkState::Merged(heir()));
    (scene, done)
}

/// The question about the other pair's unit.
fn asked(scene: &Scene) -> Option<usize> {
    scene.reviews.iter().position(|review| review.key.link == heir())
}

/// A person chooses, or what was chosen already is folded.
fn folded(scene: &mut Scene, choice: Option<Choice>) -> Vec<(Side, Value)> {
    let at = asked(scene).unwrap();
    scene.reviews.swap(0, at);
    choice.into_iter().for_each(|choice| scene.answer(choice));
    let done = scene.round(|workset| assert!(workset.answer(MAPPING, heir(), Some(0))));
    let sent = done.sends.iter().flat_map(|sent| {
        let fields = sent.carried.iter().flat_map(|of| &of.intent.fields);
        fields.map(|field| (sent.carried[0].intent.side, field.value.clone()))
    });
    let mut sent: Vec<(Side, Value)> = sent.collect();
    sent.sort_by_key(|(side, _)| *side);
    sent
}

#[test]
fn it_is_a_question_where_the_other_pair_shows_something_else() {
    let (mut scene, done) = merged("c", |_| {});
    let verdicts = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
    assert!(verdicts.into_iter().any(|of| of.verdict == Verdict::Candidate(Side::Right)));
    let review = &scene.reviews[asked(&scene).unwrap()];
    assert_eq!(
        (&review.kind, review.status),
        (&ReviewKind::Candidate(Side::Right, "r".into()), ReviewStatus::Open),
        "it names the record that was edited"
    );
    let right = &review.shown.right;
    assert_eq!((&right.values[0], &right.base[0]), (&"b".into(), &"c".into()));
    assert_eq!(review.shown.left.values[0], "c".into());
    let both = [(Side::Left, "b".into()), (Side::Right, "b".into())];
    assert_eq!(folded(&mut scene, Some(Choice::Take(Side::Right))), both);
    assert_eq!(asked(&scene), None);
}

#[test]
fn what_stands_in_the_other_pair_stays_where_a_person_says_so() {
    let (mut scene, _) = merged("c", |_| {});
    assert_eq!(folded(&mut scene, Some(Choice::Take(Side::Left))), []);
    assert_eq!(asked(&scene), None);
    assert_eq!(scene.others[0].field_state.unit(0).status, UnitStatus::Free);
}

#[test]
fn it_is_carried_out_where_the_other_pair_shows_what_it_was_made_from() {
    let (mut scene, done) = merged("a", |_| {});
    assert!(done.sends.is_empty(), "the records are read afresh first");
    assert_eq!(scene.reviews[asked(&scene).unwrap()].status, ReviewStatus::Answered);
    let both = [(Side::Left, "b".into()), (Side::Right, "b".into())];
    assert_eq!(folded(&mut scene, None), both);
}

#[test]
fn an_edit_of_the_other_pair_is_never_passed_over() {
    let edited = |scene: &mut Scene| {
        let pending = &mut scene.others[0].pending;
        pending.left = Pending { values: vec![(0, "d".into())], ..Pending::default() };
    };
    let (scene, _) = merged("a", edited);
    let review = &scene.reviews[asked(&scene).unwrap()];
    assert_eq!(review.status, ReviewStatus::Open);
    assert_eq!(review.shown.left.values[0], "d".into());
}

#[test]
fn an_edit_read_after_it_was_chosen_is_never_passed_over() {
    let (mut scene, _) = merged("a", |_| {});
    let read = Observation { key: "l2".into(), ..seen(Side::Left, "d", 3) };
    scene.round(|workset| workset.observe(MAPPING, Side::Left, &read));
    let review = &scene.reviews[asked(&scene).unwrap()];
    assert_eq!((review.status, review.kind.edit()), (ReviewStatus::Open, Some(Side::Right)));
}

#[test]
fn what_the_other_pair_shows_already_needs_nobody() {
    let (scene, _) = merged("b", |_| {});
    assert_eq!(asked(&scene), None);
}

#[test]
fn an_edit_that_does_not_travel_stays_where_it_is() {
    let (scene, _) = merged("c", |scene| {
        scene.map(|mapping| mapping.units[0].direction = Direction::ToRight);
    });
    assert_eq!(asked(&scene), None);
}

#[test]
fn an_edit_for_a_unit_that_waits_for_a_person_takes_no_other_ones_place() {
    let (mut scene, _) = merged("c", |_| {});
    let mut third = scene.link.clone();
    third.id = LinkId(uuid::Uuid::from_u128(9));
    third.state = LinkState::Linked;
    third.keys = Sides { left: Some("l3".into()), right: Some("r3".into()) };
    third.pending.right = Pending { values: vec![(0, "z".into())], ..Pending::default() };
    scene.others.push(third);
    let gone = Observation {
        key: "l3".into(),
        content: Err(Missing::MergedInto("l2".into())),
        ..seen(Side::Left, "a", 4)
    };
    scene.round(|workset| workset.observe(MAPPING, Side::Left, &gone));
    assert_eq!(scene.reviews[asked(&scene).unwrap()].shown.right.values[0], "b".into());
    let left = scene.reviews.iter().find(|review| review.key.link.0.as_u128() == 9).unwrap();
    assert_eq!(left.shown.right.values[0], "z".into());
}
