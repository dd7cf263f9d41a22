//! Partners that people choose (protocol 1.6, P4).

use syncline_sdk::{Cas, FeedKind, LinkId, Version};

use super::builder::{MAPPING, Scene, seen};
use crate::machine::{Missing, Observation, Source};
use crate::model::{Choice, LinkState, ReviewKind, ReviewStatus};
use crate::{Side, Sides};

/// A record of the left that could have one of two partners, the one of which has this link, and
/// the answer that it is that one.
fn chosen(state: LinkState, partner: Option<&str>) -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.matching();
    let mut other = scene.link.clone();
    other.id = LinkId(uuid::Uuid::from_u128(8));
    other.state = state;
    other.keys = Sides { left: partner.map(Into::into), right: Some("r2".into()) };
    scene.others.push(other);
    scene.link.state = LinkState::Seen(Side::Left);
    scene.link.keys.right = None;
    scene.link.base = Sides::default();
    let link = scene.link.id;
    let read = Observation { source: Source::Read, ..seen(Side::Left, "b", 2) };
    let found =
        ["r2", "r3"].map(|key| Observation { key: key.into(), ..seen(Side::Right, "b", 2) });
    scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &read);
        workset.found(MAPPING, link, Side::Right, 0, &"b".into(), &found);
    });
    assert!(matches!(scene.reviews[0].kind, ReviewKind::Ambiguous(_)));
    scene.answer(Choice::Adopt("r2".into()));
    scene.round(|workset| assert!(workset.answer(MAPPING, link, None)));
    scene
}

#[test]
fn one_that_looks_for_a_partner_itself_or_waits_for_an_answer_is_taken() {
    for state in [LinkState::Seen(Side::Right), LinkState::Held] {
        let scene = chosen(state, None);
        assert_eq!((scene.link.state, scene.reviews.len()), (LinkState::Linked, 0));
        assert_eq!(scene.link.keys.right, Some("r2".into()));
        assert_eq!(scene.others[0].state, LinkState::Merged(scene.link.id));
    }
}

/// Of one whose link was ended it is not known whether it is still there.
#[test]
fn one_that_has_a_partner_or_went_its_own_way_is_not() {
    for state in [LinkState::Linked, LinkState::Ended] {
        let scene = chosen(state, Some("l2"));
        assert_eq!((scene.link.state, &scene.link.keys.right), (LinkState::Held, &None));
        assert_eq!(scene.reviews[0].status, ReviewStatus::Open);
        assert_eq!(scene.others[0].keys.right, Some("r2".into()));
    }
}

/// Nobody looked after it, so its deletion went by unheard: what a look at it tells is the truth.
#[test]
fn one_that_no_link_knew_and_that_is_gone_leaves_the_record_alone() {
    let mut scene = chosen(LinkState::Seen(Side::Right), None);
    scene.link.keys.right = Some("r3".into());
    scene.link.base.right = None;
    scene.link.versions.right = Version::default();
    let gone = Observation {
        source: Source::Read,
        key: "r3".into(),
        version: Version::default(),
        content: Err(Missing::Deleted),
        ..seen(Side::Right, "b", 3)
    };
    scene.map(|mapping| mapping.sides.right.capabilities.feed = FeedKind::Images);
    scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &gone);
    });
    assert_eq!(scene.link.state, LinkState::Seen(Side::Left));
    assert_eq!(scene.link.keys.right, None);
}
