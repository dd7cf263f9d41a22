//! A record with the link's id turns up where the link's own is gone (protocol C3, W6).

use syncline_sdk::{Cas, Value, WriteOp};

use super::builder::{Done, MAPPING, Scene, create_of, journal_of_create, seen};
use crate::Side;
use crate::machine::{Missing, Observation, Want};
use crate::model::{LinkState, ReviewKind};

/// Our create wrote `a` on the right; the right was edited to `b`, which the left has by now.
fn carried_over() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    for side in Side::BOTH {
        scene.link.base[side].as_mut().unwrap().image = vec![Value::from("b")];
    }
    scene
}

fn gone(side: Side) -> Observation {
    Observation { content: Err(Missing::Deleted), ..seen(side, "b", 2) }
}

/// The right record is deleted and another one with the link's id shows this.
fn remade(scene: &mut Scene, value: &str, of: Option<&str>) -> Done {
    let link = scene.link.id;
    let copy =
        Observation { key: "copy".into(), external_id: Some(link), ..seen(Side::Right, value, 1) };
    let journal = of.map(|of| journal_of_create(link, create_of(Some(of)), 0));
    let left = seen(Side::Left, "b", 1);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &gone(Side::Right));
        workset.observe(MAPPING, Side::Right, &copy);
        let journal_wanted = |want: &Want| matches!(want, Want::Journal { .. });
        assert!(workset.wants().iter().all(journal_wanted), "nothing is decided before");
        workset.begin_reading();
        workset.journal(MAPPING, link, &journal.unwrap_or_default());
        workset.observe(MAPPING, Side::Right, &copy);
        workset.observe(MAPPING, Side::Left, &left);
    })
}

fn updates(done: &Done) -> Vec<(Side, String, String)> {
    let writes = done.sends.iter().flat_map(|sent| {
        let side = sent.carried[0].intent.side;
        sent.write.writes.iter().map(move |write| (side, &write.op))
    });
    writes
        .map(|(side, op)| {
            let WriteOp::Update { key, values, .. } = op else { panic!("{op:?} is no update") };
            (side, key.as_str().to_owned(), values[0].1.to_string())
        })
        .collect()
}

#[test]
fn a_late_copy_of_our_create_takes_no_edit_back() {
    let mut scene = carried_over();
    let done = remade(&mut scene, "a", Some("a"));
    assert_eq!(updates(&done), [(Side::Right, "copy".to_owned(), "b".to_owned())]);
    assert_eq!(scene.link.keys.right, Some("copy".into()));
    assert_eq!(scene.shown(Side::Left), &Value::from("b"));
}

#[test]
fn an_edit_of_the_copy_meets_the_edit_before_it() {
    let mut scene = carried_over();
    assert!(remade(&mut scene, "c", Some("a")).sends.is_empty());
    assert_eq!(scene.reviews[0].kind, ReviewKind::Conflict);
}

#[test]
fn what_somebody_else_made_again_is_an_edit() {
    let mut scene = carried_over();
    let done = remade(&mut scene, "c", None);
    assert_eq!(updates(&done), [(Side::Left, "l".to_owned(), "c".to_owned())]);
}

#[test]
fn of_several_creates_the_one_counts_that_the_copy_shows() {
    let mut scene = carried_over();
    let link = scene.link.id;
    let copy =
        Observation { key: "copy".into(), external_id: Some(link), ..seen(Side::Right, "a", 1) };
    let journal = ["z", "a"].map(|of| journal_of_create(link, create_of(Some(of)), 0)).concat();
    let left = seen(Side::Left, "b", 1);
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &gone(Side::Right));
        workset.observe(MAPPING, Side::Right, &copy);
        workset.begin_reading();
        workset.journal(MAPPING, link, &journal);
        workset.observe(MAPPING, Side::Right, &copy);
        workset.observe(MAPPING, Side::Left, &left);
    });
    assert_eq!(updates(&done), [(Side::Right, "copy".to_owned(), "b".to_owned())]);
}

#[test]
fn a_copy_does_not_bring_a_buried_pair_back() {
    let mut scene = carried_over();
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &gone(Side::Left));
        workset.observe(MAPPING, Side::Right, &gone(Side::Right));
    });
    assert_eq!(scene.link.state, LinkState::Tombstone);
    let link = scene.link.id;
    let copy =
        Observation { key: "copy".into(), external_id: Some(link), ..seen(Side::Right, "a", 3) };
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &copy);
        workset.begin_reading();
        workset.journal(MAPPING, link, &journal_of_create(link, create_of(Some("a")), 0));
        workset.observe(MAPPING, Side::Right, &copy);
    });
    let [sent] = done.sends.as_slice() else { panic!("{} batches", done.sends.len()) };
    assert_eq!(sent.carried[0].intent.side, Side::Right);
    let WriteOp::Delete { key, .. } = &sent.write.writes[0].op else { panic!("no delete") };
    assert_eq!(key.as_str(), "copy");
}

#[test]
fn a_record_whose_journal_was_not_read_waits() {
    let mut scene = carried_over();
    let copy = Observation {
        key: "copy".into(),
        external_id: Some(scene.link.id),
        ..seen(Side::Right, "a", 1)
    };
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &gone(Side::Right));
        workset.observe(MAPPING, Side::Right, &copy);
    });
    assert!(done.sends.is_empty(), "the deletion is not carried over meanwhile");
    assert_eq!(scene.link.keys.right, Some("r".into()));
    assert!(done.changeset.hints.iter().any(|hint| hint.key.as_str() == "copy"));
}
