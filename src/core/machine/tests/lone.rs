//! Records without a partner: creates and business keys (protocol C1, C5).

use std::sync::Arc;

use syncline_sdk::{Cas, Comparison, Error, ErrorKind, Filter, LinkId, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::machine::{Observation, Settling, Source};
use crate::mapping::MatchRule;
use crate::model::{Claim, Link, LinkState, Pending, ReviewKind, Verdict, shard_of};
use crate::{Side, Sides};

/// A record on the left that has no partner.
fn lone() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.link.state = LinkState::Seen(Side::Left);
    scene.link.keys.right = None;
    scene.link.base = Sides::default();
    scene.link.pending.left =
        Pending { exists: Some(true), values: vec![(0, Value::from("a"))], ..Pending::default() };
    scene
}

/// The lone record is read, and nobody matches it.
fn read_alone(scene: &mut Scene, value: &str, at: u8, holder: Option<Link>) -> usize {
    let link = scene.link.id;
    let read = Observation { source: Source::Read, ..seen(Side::Left, value, at) };
    let wanted = Value::from(value);
    let done = scene.round(|workset| {
        let claims = holder.iter().map(|holder| Claim {
            mapping: MAPPING,
            key: format!("0:{wanted}"),
            link: holder.id,
        });
        let claims = claims.collect();
        workset.take(holder.into_iter().collect(), Vec::new(), claims, Vec::new());
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &read);
        workset.found(MAPPING, link, Side::Right, 0, &wanted, &[]);
    });
    done.sends.len()
}

#[test]
fn a_create_that_nobody_can_find_is_not_made_again_by_an_edit() {
    let mut scene = lone();
    let read = Observation { source: Source::Read, ..seen(Side::Left, "a", 2) };
    let sent = scene.round(|workset| workset.observe(MAPPING, Side::Left, &read)).sends;
    assert_eq!(sent.len(), 1);
    let lost = Error::new(ErrorKind::Unsupported, "create", "nothing tells");
    scene.settle(&sent[0], Settling::Unfindable(lost));
    assert!(matches!(&scene.reviews[0].kind, ReviewKind::Ambiguous(keys) if keys.is_empty()));
    assert!(scene.page(Side::Left, "b", 3).sends.is_empty());
    assert_eq!(scene.link.state, LinkState::Held);
}

#[test]
fn a_record_whose_key_another_link_holds_gets_no_partner_made() {
    let mut scene = lone();
    scene.matching();
    let id = LinkId(uuid::Uuid::from_u128(8));
    let holder = Link {
        id,
        shard: shard_of(id),
        keys: Sides { left: Some("l2".into()), right: Some("r2".into()) },
        ..Scene::agreed(Cas::ExactField).link
    };
    assert_eq!(read_alone(&mut scene, "a", 2, Some(holder)), 0);
    assert_eq!(scene.link.state, LinkState::Held);
    assert!(matches!(&scene.reviews[0].kind, ReviewKind::Ambiguous(keys) if keys.len() == 1));
}

#[test]
fn a_record_whose_key_is_free_gets_one() {
    let mut scene = lone();
    scene.matching();
    assert_eq!(read_alone(&mut scene, "a", 2, None), 1);
    assert_eq!(scene.link.state, LinkState::Creating(Side::Right));
}

/// The lone record is read with what it shows of a second field. Gives what is sent, and at how
/// many records is to be looked again.
fn read_showing(scene: &mut Scene, second: Value) -> (usize, usize) {
    let content = Ok(vec![Value::from("a"), second]);
    let read = Observation { source: Source::Read, content, ..seen(Side::Left, "a", 2) };
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &read);
    });
    (done.sends.len(), done.changeset.hints.len())
}

#[test]
fn a_record_that_does_not_show_its_key_gets_no_partner_made() {
    let mut scene = lone();
    let rule = MatchRule { left: 1, right: 0, normalize: Vec::new() };
    scene.map(|mapping| mapping.matches = vec![rule.clone()]);
    // A key that is hidden from us is none that is empty.
    assert_eq!(read_showing(&mut scene, Value::Absent), (0, 1));
    assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
    assert_eq!(read_showing(&mut scene, Value::Null), (1, 0));
}

#[test]
fn a_record_that_does_not_show_what_it_is_filtered_by_gets_no_partner_made() {
    let mut scene = lone();
    scene.map(|mapping| {
        let selection = Arc::make_mut(&mut mapping.sides.left.selection);
        selection.fields = ["f".into(), "kind".into()].into();
        selection.filter = Some(Filter::Compare {
            field: "kind".into(),
            comparison: Comparison::Equal,
            value: "gold".into(),
        });
    });
    assert_eq!(read_showing(&mut scene, Value::Absent), (0, 1));
    assert_eq!(read_showing(&mut scene, "silver".into()), (0, 0));
    // Nor does one that stands outside come in by it.
    assert_eq!(read_showing(&mut scene, Value::Absent), (0, 0));
    assert_eq!(read_showing(&mut scene, "gold".into()), (1, 0));
}

/// It would leave the mapping the moment it is made, and its original with it.
#[test]
fn a_record_that_would_stand_outside_on_the_other_side_is_not_made() {
    let mut scene = lone();
    scene.map(|mapping| {
        let (f, value) = (mapping.sides.right.selection.fields[0].clone(), "gold".into());
        let selection = Arc::make_mut(&mut mapping.sides.right.selection);
        selection.filter = Some(Filter::Compare { field: f, comparison: Comparison::Equal, value });
    });
    for at in [2, 3] {
        let read = Observation { source: Source::Read, ..seen(Side::Left, "silver", at) };
        let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &read));
        assert!(done.sends.is_empty());
        assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
        let verdicts = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
        let told = verdicts.filter(|of| of.verdict == Verdict::Excluded(Side::Right)).count();
        assert_eq!(told, usize::from(at == 2), "it is told once");
    }
    assert_eq!(scene.page(Side::Left, "gold", 4).sends.len(), 1);
    assert_eq!(scene.link.state, LinkState::Creating(Side::Right));
    assert!(!scene.link.field_state.outside.right);
}

/// A system may give a record a type of its own where it is given none.
#[test]
fn a_null_that_its_side_replaces_says_nothing_of_the_filter() {
    for (filled, stored_image, made) in [(true, false, 1), (false, false, 0), (true, true, 0)] {
        let mut scene = lone();
        scene.map(|mapping| {
            let right = &mut mapping.sides.right;
            right.fields[0].filled = filled;
            right.capabilities.stored_image = stored_image;
            let field = right.selection.fields[0].clone();
            let (comparison, value) = (Comparison::Equal, "gold".into());
            let filter = Filter::Compare { field, comparison, value };
            Arc::make_mut(&mut right.selection).filter = Some(filter);
        });
        let content = Ok(vec![Value::Null]);
        let read = Observation { source: Source::Read, content, ..seen(Side::Left, "a", 2) };
        let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &read));
        assert_eq!(done.sends.len(), made, "filled {filled}, told {stored_image}");
    }
}
