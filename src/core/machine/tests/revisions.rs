//! Links of a former revision of their mapping (protocol 1.10).

use syncline_sdk::{Cas, FieldName, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::mapping::{Former, MappedField, Pair, Unit};
use crate::model::{Origin, Pending, UnitState, UnitStatus};
use crate::{Side, Sides};

/// Revision 2 puts a new field before the one that was there.
pub(super) fn behind_another(scene: &mut Scene) {
    scene.map(|mapping| {
        mapping.revision = 2;
        for side in Side::BOTH {
            let mapped = &mut mapping.sides[side];
            let new = MappedField { name: FieldName::from("new"), ..mapped.fields[0].clone() };
            mapped.fields.insert(0, new);
            mapped.image_len = 2;
        }
        mapping.units = vec![Unit::of("new", Pair::plain(0, 0)), Unit::of("f", Pair::plain(1, 1))];
        let former = Former {
            fields: Sides { left: vec![Some(1)], right: vec![Some(1)] },
            units: vec![Some(1)],
            image_len: Sides { left: 2, right: 2 },
            units_len: 2,
            widened: true,
            ..Former::default()
        };
        mapping.former.insert(1, former);
    });
}

/// Revision 2 has another rule for the only field.
fn another_rule(scene: &mut Scene) {
    scene.map(|mapping| {
        mapping.revision = 2;
        let former = Former {
            fields: Sides { left: vec![Some(0)], right: vec![Some(0)] },
            units: vec![Some(0)],
            changed: vec![0],
            image_len: Sides { left: 1, right: 1 },
            units_len: 1,
            ..Former::default()
        };
        mapping.former.insert(1, former);
    });
}

pub(super) fn relay(scene: &mut Scene) {
    let mut mapping = None;
    scene.map(|known| known.revision = 2);
    scene.round(|workset| mapping = workset.mapping(MAPPING));
    scene.link.relay(&mapping.unwrap()).unwrap();
}

#[test]
fn what_was_agreed_upon_goes_with_its_field() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.link.pending.left = Pending { values: vec![(0, "b".into())], ..Pending::default() };
    scene
        .link
        .field_state
        .set_unit(0, UnitState { status: UnitStatus::Parked, bounces: 2, replaced: 9 });
    behind_another(&mut scene);
    relay(&mut scene);
    let link = &scene.link;
    assert_eq!(link.mapping_rev, 2);
    for side in Side::BOTH {
        assert_eq!(*link.base_value(side, 0), Value::Absent);
        assert_eq!(*link.base_value(side, 1), "a".into());
    }
    assert_eq!(link.pending.left.values, [(1, "b".into())]);
    assert_eq!(link.field_state.unit(1).status, UnitStatus::Parked);
    assert_eq!(link.field_state.unit(0), UnitState::default());
}

#[test]
fn a_new_field_is_a_first_match_and_the_others_rest() {
    let mut scene = Scene::agreed(Cas::ExactField);
    behind_another(&mut scene);
    relay(&mut scene);
    let two = |side: Side, new: &str| {
        let mut seen = seen(side, "a", 2);
        seen.content = Ok(vec![new.into(), "a".into()]);
        seen
    };
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &two(Side::Left, "x"));
        workset.observe(MAPPING, Side::Right, &two(Side::Right, "x"));
    });
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
    assert_eq!(*scene.link.base_value(Side::Right, 0), "x".into());
}

#[test]
fn what_still_agrees_under_another_rule_is_agreed_anew() {
    let mut scene = Scene::agreed(Cas::ExactField);
    another_rule(&mut scene);
    relay(&mut scene);
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Changed);
    let link = scene.link.id;
    let done = scene.round(|workset| workset.touch(MAPPING, link));
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
    assert_eq!(scene.link.field_state.unit(0), UnitState::default());
    assert_eq!(*scene.link.base_value(Side::Left, 0), "a".into());
}

#[test]
fn what_differs_under_another_rule_is_asked_about_and_never_overwritten() {
    let mut scene = Scene::agreed(Cas::ExactField);
    another_rule(&mut scene);
    // The policies would take the left side's value.
    scene.map(|mapping| {
        mapping.initial = crate::mapping::Initial::Wins(Side::Left);
        mapping.units[0].conflict = crate::mapping::Policy::Wins(Side::Left);
    });
    scene.link.base.right.as_mut().unwrap().image[0] = "A".into();
    let origin = Origin {
        side: Side::Left,
        actor: syncline_sdk::ActorKind::Unknown,
        entry: syncline_sdk::IntentId { commit: 1, ordinal: 0 },
        at: 0,
    };
    scene.link.origins = vec![Some(origin)];
    relay(&mut scene);
    let link = scene.link.id;
    let done = scene.round(|workset| workset.touch(MAPPING, link));
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews.len(), 1);
    assert_eq!(scene.reviews[0].kind, crate::model::ReviewKind::Anew);
    let shown = &scene.reviews[0].shown;
    assert_eq!((&shown.left.values[0], &shown.right.values[0]), (&"a".into(), &"A".into()));
}

#[test]
fn a_question_about_a_unit_that_moved_is_asked_anew() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MAPPING, Side::Right, &seen(Side::Right, "c", 2));
    });
    let before = scene.reviews[0].key;
    let outdated: Vec<_> =
        std::mem::take(&mut scene.reviews).into_iter().map(|review| (review, Some(1))).collect();
    behind_another(&mut scene);
    relay(&mut scene);
    let link = scene.link.id;
    let done = scene.round(|workset| workset.relaid(vec![(MAPPING, link)], outdated));
    assert!(done.sends.is_empty());
    let closed = crate::model::ReviewChange::Close {
        key: before,
        read_revision: 1,
        read_status: crate::model::ReviewStatus::Open,
    };
    assert!(done.changeset.reviews.contains(&closed), "{:?}", done.changeset.reviews);
    let now = scene.reviews[0].key;
    assert_eq!(now.unit, Some(1));
    assert_ne!(now.sync_version, before.sync_version, "it is a question of its own");
}

#[test]
fn nothing_is_guessed_about_a_revision_that_is_not_known() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.link.mapping_rev = 7;
    scene.map(|mapping| mapping.revision = 2);
    let mut mapping = None;
    scene.round(|workset| mapping = workset.mapping(MAPPING));
    assert_eq!(scene.link.relay(&mapping.unwrap()), Err(7));
}
