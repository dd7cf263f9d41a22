//! What is known of references in the middle of a round.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::machine::{Carried, Mappings, Observation, SettleInput, Settling, Step};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Intent, IntentKind};
use syncline_sdk::{Actor, IntentId, LinkId, Record, Value, Version};

use crate::fixture::mapping;
use crate::gather::Gathered;
use crate::observation::of_record;

const PARENTS: MappingId = MappingId(1);
const CHILDREN: MappingId = MappingId(2);
const PARENT: LinkId = LinkId(uuid::Uuid::from_u128(7));

fn mappings() -> Mappings {
    BTreeMap::from([
        (PARENTS, mapping(PARENTS, None)),
        (CHILDREN, mapping(CHILDREN, Some(PARENTS))),
    ])
}

fn settled(settling: Settling) -> SettleInput {
    let intent = Intent {
        id: IntentId { commit: 1, ordinal: 0 },
        side: Side::Right,
        kind: IntentKind::Create,
        key: None,
        units: vec![0],
        fields: Vec::new(),
        version: Version::default(),
        source: Vec::new(),
        half: false,
        actor: Actor::default(),
        edited_at: None,
    };
    let link = LinkId(uuid::Uuid::from_u128(8));
    let step = Step::Write;
    let carried = Carried { mapping: CHILDREN, link, intent, step, claim: false, group: None };
    SettleInput { carried, settling }
}

fn gathered() -> Gathered {
    let mut gathered = Gathered::default();
    gathered.learn(PARENTS, Side::Right, "31".into(), PARENT);
    gathered
}

fn seen(values: Vec<Value>) -> Box<Observation> {
    let record = Record {
        key: "9".into(),
        version: Version::new([1]),
        values,
        external_id: None,
        marker: None,
        actor: Actor::default(),
        changed_at: None,
        closed: true,
    };
    Box::new(of_record(record, syncline_core::machine::Source::Read, None))
}

#[test]
fn the_reply_of_a_write_refers_to_links() {
    let stored = Some(vec![Value::Int(31)]);
    let input = settled(Settling::Applied { version: None, stored, key: None });
    let prepared = gathered().prepare_settled(&mappings(), &input).unwrap();
    let Settling::Applied { stored: Some(stored), .. } = prepared.settling else { panic!() };
    assert_eq!(stored, [Value::Link(PARENT)]);
}

#[test]
fn what_a_refused_write_found_refers_to_links() {
    let input = settled(Settling::Stale(Some(seen(vec![Value::Int(31)]))));
    let prepared = gathered().prepare_settled(&mappings(), &input).unwrap();
    let Settling::Stale(Some(seen)) = prepared.settling else { panic!() };
    assert_eq!(seen.content, Ok(vec![Value::Link(PARENT)]));
}

#[test]
fn a_parent_that_no_link_knows_stays_a_native_id() {
    let stored = Some(vec![Value::Int(32)]);
    let input = settled(Settling::Applied { version: None, stored, key: None });
    let prepared = gathered().prepare_settled(&mappings(), &input).unwrap();
    let Settling::Applied { stored: Some(stored), .. } = prepared.settling else { panic!() };
    assert_eq!(stored, [Value::text("32")]);
}

#[test]
fn what_a_refused_write_found_by_a_former_name_stays_as_it_is_shown() {
    // A name that no record of a link has any more cannot be told from the link.
    let input = settled(Settling::Stale(Some(seen(vec![Value::Int(32)]))));
    assert!(gathered().prepare_settled(&mappings(), &input).is_none());
}
