//! Both sides made the same entity in the same minute (protocol C6).

use syncline_sdk::{Actor, ActorKind, Cas, Value, WriteOp};

use super::builder::{Done, MAPPING, Scene, create_of, journal_of_create, seen, version};
use crate::Side;
use crate::machine::{Bin, Missing, Observation, OutBatch, Settling, Source, Step, Want, Workset};
use crate::mapping::DeleteRule;
use crate::model::{Claim, DeletePhase, Entry, IntentKind, LinkState, ReviewKind};

/// The left record `l` was created on the right as `r`; both are `a`.
fn created(cas: Cas) -> Scene {
    let mut scene = Scene::agreed(cas);
    scene.matching();
    scene.claims.push(Claim { mapping: MAPPING, key: "0:a".into(), link: scene.link.id });
    scene
}

/// The same where nothing guards a delete but the recycle bin.
fn created_beside_a_bin() -> Scene {
    let mut scene = created(Cas::Coarse { tick: Default::default() });
    scene.map(|mapping| {
        for side in Side::BOTH {
            mapping.sides[side].capabilities.conditional_delete = false;
            mapping.sides[side].capabilities.recycle_bin = Some(Default::default());
        }
    });
    scene
}

/// The journal of that create, decided upon at a time, microseconds.
fn journal(scene: &Scene, at: i64) -> Vec<Entry> {
    journal_of_create(scene.link.id, create_of(None), at)
}

fn read(side: Side, key: &str, value: &str, at: u8) -> Observation {
    Observation { key: key.into(), source: Source::Read, ..seen(side, value, at) }
}

fn gone(side: Side, key: &str) -> Observation {
    Observation { content: Err(Missing::Deleted), ..read(side, key, "a", 9) }
}

/// A round in which the other record of the business key is seen, and read with the one of ours.
fn meet(scene: &mut Scene, ours: &Observation) -> Done {
    let entries = journal(scene, 0);
    meet_with(scene, ours, &entries)
}

fn meet_with(scene: &mut Scene, ours: &Observation, entries: &[Entry]) -> Done {
    let theirs = read(Side::Right, "t", "a", 1);
    let link = scene.link.id;
    scene.round(|workset| {
        workset.observe(
            MAPPING,
            Side::Right,
            &Observation { source: Source::Page, ..theirs.clone() },
        );
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &theirs);
        workset.observe(MAPPING, Side::Right, ours);
        workset.journal(MAPPING, link, entries);
    })
}

fn untouched() -> Observation {
    read(Side::Right, "r", "a", 1)
}

/// What is sent is the delete of our record, or its first step.
fn retraction(done: &Done) -> &OutBatch {
    let [sent] = done.sends.as_slice() else { panic!("{} batches", done.sends.len()) };
    assert_eq!(sent.carried[0].intent.side, Side::Right);
    assert_eq!(sent.write.writes[0].op.key().map(|key| key.as_str().to_owned()), Some("r".into()));
    sent
}

fn applied() -> Settling {
    Settling::Applied { version: Some(version(5)), stored: None, key: None }
}

/// The search of the left record finds what the right side shows.
fn search(scene: &mut Scene, found: &[Observation]) -> Done {
    let ours = read(Side::Left, "l", "a", 1);
    let link = scene.link.id;
    scene.round(|workset: &mut Workset<'_>| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &ours);
        workset.found(MAPPING, link, Side::Right, 0, &Value::from("a"), found);
    })
}

fn is_asked(scene: &Scene) -> bool {
    let ambiguous = ReviewKind::Ambiguous(vec!["l".into()]);
    scene.reviews.iter().any(|review| review.kind == ambiguous)
}

#[test]
fn a_record_of_ours_that_nobody_touched_is_taken_back_and_theirs_is_linked() {
    for cas in [Cas::ExactRecord, Cas::ExactField] {
        let mut scene = created(cas);
        let done = meet(&mut scene, &untouched());
        let sent = retraction(&done).clone();
        assert!(matches!(sent.write.writes[0].op, WriteOp::Delete { .. }));
        assert_eq!(scene.link.state, LinkState::Retracting(Side::Right, DeletePhase::Delete));
        assert!(scene.reviews.is_empty());
        let done = scene.settle(&sent, applied());
        assert!(done.sends.is_empty(), "the left record stays");
        assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
        assert_eq!(done.changeset.aliases[0].key.as_str(), "r");
        search(&mut scene, &[read(Side::Right, "t", "a", 1)]);
        assert_eq!(scene.link.state, LinkState::Linked);
        assert_eq!(scene.link.keys.right, Some("t".into()));
        assert_eq!(scene.others[0].state, LinkState::Merged(scene.link.id));
        assert_eq!(scene.claims[0].link, scene.link.id, "the business key stays with the pair");
        assert!(scene.reviews.is_empty());
    }
}

#[test]
fn what_must_be_read_is_asked_for_before_anything_is_decided() {
    let mut scene = created(Cas::ExactRecord);
    let theirs = seen(Side::Right, "a", 1);
    let done = scene.round(|workset| {
        let theirs = Observation { key: "t".into(), source: Source::Feed, ..theirs };
        workset.observe(MAPPING, Side::Right, &theirs);
        let wants = workset.wants();
        let fresh = |wanted: &str| {
            wants
                .iter()
                .any(|want| matches!(want, Want::Fresh { key, .. } if key.as_str() == wanted))
        };
        assert!(fresh("t") && fresh("r"));
        assert!(wants.iter().any(|want| matches!(want, Want::Journal { .. })));
    });
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
    assert!(done.changeset.hints.iter().any(|hint| hint.key.as_str() == "t"));
}

#[test]
fn a_record_of_ours_that_somebody_touched_is_left_to_people() {
    let mut scene = created(Cas::ExactRecord);
    assert!(
        meet(&mut scene, &read(Side::Right, "r", "b", 2))
            .sends
            .iter()
            .all(|sent| { sent.carried[0].intent.kind != IntentKind::Delete })
    );
    assert!(is_asked(&scene));
    // Also where only its version tells, or who changed it last.
    let mut scene = created(Cas::ExactRecord);
    assert!(meet(&mut scene, &read(Side::Right, "r", "a", 2)).sends.is_empty());
    assert!(is_asked(&scene));
    let ann = Actor { id: Some("ann".into()), kind: ActorKind::Person };
    let mut scene = created(Cas::ExactRecord);
    assert!(meet(&mut scene, &Observation { actor: ann, ..untouched() }).sends.is_empty());
    assert!(is_asked(&scene));
}

#[test]
fn a_record_that_others_made_or_that_is_old_is_left_to_people() {
    let mut scene = created(Cas::ExactRecord);
    assert!(meet_with(&mut scene, &untouched(), &[]).sends.is_empty());
    assert!(is_asked(&scene));
    let mut scene = created(Cas::ExactRecord);
    let long_ago = journal(&scene, -3_600_000_000);
    assert!(meet_with(&mut scene, &untouched(), &long_ago).sends.is_empty());
    assert!(is_asked(&scene));
}

#[test]
fn where_deletions_are_not_carried_over_people_are_asked() {
    for rule in [DeleteRule::Review, DeleteRule::Keep] {
        let mut scene = created(Cas::ExactRecord);
        scene.map(|mapping| mapping.delete.left = rule);
        assert!(meet(&mut scene, &untouched()).sends.is_empty());
        assert!(is_asked(&scene));
    }
}

#[test]
fn somebody_who_touches_our_record_before_the_delete_arrives_is_asked() {
    let mut scene = created(Cas::ExactRecord);
    let sent = retraction(&meet(&mut scene, &untouched())).clone();
    let now = read(Side::Right, "r", "b", 2);
    scene.settle(&sent, Settling::Stale(Some(Box::new(now.clone()))));
    assert_eq!(scene.link.keys.right, Some("r".into()));
    assert!(!matches!(scene.link.state, LinkState::Retracting(..)));
    let theirs = [read(Side::Left, "l", "b", 1)];
    let entries = journal(&scene, 0);
    let (id, link) = (scene.others[0].id, scene.link.id);
    let again = read(Side::Right, "t", "a", 1);
    scene.link.open = crate::Sides::default();
    scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &again);
        workset.found(MAPPING, id, Side::Left, 0, &Value::from("b"), &theirs);
        workset.observe(MAPPING, Side::Right, &now);
        workset.journal(MAPPING, link, &entries);
    });
    assert!(is_asked(&scene));
}

#[test]
fn our_record_that_a_person_deletes_meanwhile_does_not_take_its_partner_along() {
    let mut scene = created(Cas::ExactRecord);
    let sent = retraction(&meet(&mut scene, &untouched())).clone();
    let deleted = gone(Side::Right, "r");
    assert!(
        scene.round(|workset| workset.observe(MAPPING, Side::Right, &deleted)).sends.is_empty()
    );
    for settling in [Settling::Missing(Some(Missing::Deleted)), Settling::Cancelled] {
        let link = scene.link.clone();
        let mut scene = created(Cas::ExactRecord);
        scene.link = link;
        assert!(scene.settle(&sent, settling).sends.is_empty());
        assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
    }
}

#[test]
fn the_record_is_made_anew_where_theirs_vanished_meanwhile() {
    let mut scene = created(Cas::ExactRecord);
    let sent = retraction(&meet(&mut scene, &untouched())).clone();
    scene.settle(&sent, applied());
    let deleted = gone(Side::Right, "t");
    scene.round(|workset| workset.observe(MAPPING, Side::Right, &deleted));
    let done = search(&mut scene, &[]);
    assert_eq!(done.sends[0].carried[0].intent.kind, IntentKind::Create);
    assert_eq!(scene.link.state, LinkState::Creating(Side::Right));
}

#[test]
fn the_left_record_that_is_deleted_meanwhile_leaves_theirs_alone() {
    let mut scene = created(Cas::ExactRecord);
    let sent = retraction(&meet(&mut scene, &untouched())).clone();
    let deleted = gone(Side::Left, "l");
    scene.round(|workset| workset.observe(MAPPING, Side::Left, &deleted));
    assert!(scene.settle(&sent, applied()).sends.is_empty());
    assert_eq!(scene.link.state, LinkState::Tombstone);
    assert_eq!(scene.others[0].state, LinkState::Seen(Side::Right));
}

#[test]
fn a_look_decides_where_the_delete_has_no_condition() {
    let bin = |value: &str| Observation {
        bin: Some(Bin { values: vec![Value::from(value)], ours: true }),
        ..gone(Side::Right, "r")
    };
    let begin = || {
        let mut scene = created_beside_a_bin();
        let done = meet(&mut scene, &untouched());
        assert_eq!(retraction(&done).carried[0].step, Step::Fence);
        let done = scene.settle(retraction(&done), applied());
        assert_eq!(retraction(&done).carried[0].step, Step::Delete);
        scene.settle(retraction(&done), applied());
        assert_eq!(scene.link.state, LinkState::Retracting(Side::Right, DeletePhase::Look));
        scene
    };
    let look = |scene: &mut Scene, seen: Observation| {
        scene.round(|workset| {
            workset.begin_reading();
            workset.observe(MAPPING, Side::Right, &seen);
        })
    };
    let mut scene = begin();
    assert!(look(&mut scene, bin("a")).sends.is_empty());
    assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
    // It took an edit along: that is brought back, and the pair goes on.
    let mut scene = begin();
    let done = look(&mut scene, bin("b"));
    assert_eq!(retraction(&done).carried[0].step, Step::Undelete);
    assert_eq!(scene.link.state, LinkState::Retracting(Side::Right, DeletePhase::Undelete));
    scene.settle(retraction(&done), applied());
    assert_eq!(scene.link.state, LinkState::Linked);
    assert_eq!(scene.shown(Side::Right), &Value::from("b"));
    // Somebody brought it back: it is theirs by that.
    let mut scene = begin();
    look(&mut scene, read(Side::Right, "r", "a", 7));
    assert_eq!(scene.link.state, LinkState::Linked);
}

#[test]
fn what_was_seen_of_our_record_before_it_went_does_not_bring_it_back() {
    let mut scene = created(Cas::ExactRecord);
    let sent = retraction(&meet(&mut scene, &untouched())).clone();
    let aliases = scene.settle(&sent, applied()).changeset.aliases;
    let stale = seen(Side::Right, "a", 1);
    let done = scene.round(|workset| {
        workset.take(Vec::new(), aliases.clone(), Vec::new(), Vec::new());
        workset.observe(MAPPING, Side::Right, &stale);
        let wanted = |want: &Want| matches!(want, Want::Fresh { key, .. } if key.as_str() == "r");
        assert!(workset.wants().iter().any(wanted));
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &gone(Side::Right, "r"));
    });
    assert!(done.sends.is_empty());
    assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
    assert_eq!(scene.link.keys.right, None);
}

#[test]
fn our_own_delete_told_late_is_read_again_before_it_is_believed() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let sync = Actor { id: None, kind: ActorKind::Sync };
    let stale = Observation { actor: sync, source: Source::Page, ..gone(Side::Right, "r") };
    let there = untouched();
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &stale);
        let wanted = |want: &Want| matches!(want, Want::Fresh { side: Side::Right, .. });
        assert!(workset.wants().iter().any(wanted));
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &there);
    });
    assert!(done.sends.is_empty(), "the left record was deleted after it");
    assert_eq!(scene.link.state, LinkState::Linked);
}

/// Whoever is asked about a second record of a business key chooses among all that it could be.
#[test]
fn a_person_chooses_among_all_that_match() {
    let mut scene = created(Cas::ExactRecord);
    let theirs = read(Side::Right, "t", "a", 1);
    let page = Observation { source: Source::Page, ..theirs.clone() };
    let found = ["l", "m"].map(|key| read(Side::Left, key, "a", 1));
    let pair = scene.link.id;
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Right, &page);
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &theirs);
        workset.observe(MAPPING, Side::Right, &read(Side::Right, "r", "b", 2));
        let link = workset.link_of(MAPPING, Side::Right, &"t".into()).unwrap();
        let search = |want: &Want| matches!(want, Want::Match { link: of, .. } if *of == link);
        assert!(workset.wants().iter().any(search), "{:?}", workset.wants());
        workset.found(MAPPING, link, Side::Left, 0, &Value::from("a"), &found);
        assert!(!workset.wants().iter().any(search), "once");
        workset.journal(MAPPING, pair, &[]);
    });
    let kinds: Vec<&ReviewKind> = scene.reviews.iter().map(|review| &review.kind).collect();
    let all = ReviewKind::Ambiguous(vec!["l".into(), "m".into()]);
    assert!(kinds.contains(&&all), "{kinds:?}");
}
