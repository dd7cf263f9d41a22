//! Records that move between two mappings of the same entities.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use syncline_sdk::{
    Cas, Comparison, FieldName, Filter, Instant, Key, LinkId, SystemName, Value, Version,
    VersionOrder,
};

use super::builder::{MAPPING, mapping, seen, version};
use crate::machine::{
    Clock, Limits, Mappings, Observation, OutBatch, Round, SettleInput, Settling, Source, Want,
    Workset,
};
use crate::mapping::{Direction, LeaveRule, Mapping, MappingId, Pair, Unit};
use crate::model::{
    Changeset, Fence, IntentKind, Link, LinkChange, LinkState, Verdict, WrittenField,
};
use crate::{Side, Sides};

const PARTNERS: MappingId = MappingId(2);
const KINDS: [&str; 3] = ["customer", "partner", "none"];

/// One mapping for customers, one for partners, by the first of two fields.
fn of_kind(id: MappingId, kind: &str, leave: LeaveRule) -> Mapping {
    let mut of = mapping(Cas::ExactField);
    of.id = id;
    of.name = kind.into();
    of.leave = leave;
    of.units = vec![Unit::of("kind", Pair::plain(0, 0)), Unit::of("name", Pair::plain(1, 1))];
    for side in Side::BOTH {
        let place = &mut of.sides[side];
        let mut selection = (*place.selection).clone();
        selection.fields = Arc::from([FieldName::from("kind"), FieldName::from("name")]);
        selection.filter = Some(Filter::Compare {
            field: FieldName::from("kind"),
            comparison: Comparison::Equal,
            value: Value::from(kind),
        });
        place.selection = Arc::new(selection);
        let mut name = place.fields[0].clone();
        place.fields[0].name = FieldName::from("kind");
        name.name = FieldName::from("name");
        place.fields.push(name);
        place.image_len = 2;
    }
    of
}

/// What a side's record holds, and how new it is.
#[derive(Clone, Debug)]
struct Record {
    kind: &'static str,
    name: String,
    version: u8,
}

struct World {
    mappings: Mappings,
    links: BTreeMap<(MappingId, LinkId), Link>,
    records: Sides<Record>,
    commit: i64,
    ids: u128,
    flying: Vec<OutBatch>,
    verdicts: Vec<Verdict>,
}

fn key(side: Side) -> Key {
    if side == Side::Left { "l".into() } else { "r".into() }
}

impl World {
    /// A pair of customers that agrees.
    fn new(leave: LeaveRule) -> Self {
        let all = [(MAPPING, "customer"), (PARTNERS, "partner")];
        let mappings =
            all.map(|(id, kind)| (id, Arc::new(of_kind(id, kind, leave)))).into_iter().collect();
        let record = || Record { kind: "customer", name: "a".into(), version: 1 };
        let mut world = Self {
            mappings,
            links: BTreeMap::new(),
            records: Sides::from_fn(|_| record()),
            commit: 1,
            ids: 6,
            flying: Vec::new(),
            verdicts: Vec::new(),
        };
        let mut scene = super::builder::Scene::agreed(Cas::ExactField).link;
        for side in Side::BOTH {
            scene.base[side].as_mut().unwrap().image =
                vec![Value::from("customer"), Value::from("a")];
        }
        scene.origins = vec![None, None];
        world.links.insert((MAPPING, scene.id), scene);
        world
    }

    fn shown(&self, side: Side) -> Observation {
        let record = &self.records[side];
        let values = vec![Value::from(record.kind), Value::from(record.name.as_str())];
        Observation { content: Ok(values), ..seen(side, "", record.version) }
    }

    fn edit(&mut self, side: Side, change: impl FnOnce(&mut Record)) {
        let record = &mut self.records[side];
        change(record);
        record.version += 1;
    }

    /// A round over these observations, with what it wants read.
    fn round(&mut self, fold: impl FnOnce(&mut Workset<'_>)) {
        let order = |_: &SystemName, a: &Version, b: &Version| match a.as_bytes().cmp(b.as_bytes())
        {
            std::cmp::Ordering::Less => VersionOrder::Older,
            std::cmp::Ordering::Equal => VersionOrder::Same,
            std::cmp::Ordering::Greater => VersionOrder::Newer,
        };
        let mut ids = self.ids;
        let mut new_id = || {
            ids += 10;
            LinkId(uuid::Uuid::from_u128(ids))
        };
        self.commit += 1;
        let mappings = self.mappings.clone();
        let mut workset = Workset::new(Round {
            mappings: &mappings,
            commit: self.commit,
            fence: Fence { epoch: 1 },
            clock: Clock { now: Instant::from_micros(1_000_000) },
            limits: Limits::default(),
            die_after: &|_| 0,
            away: &|_| None,
            crowded: &|_, _| None,
            order: &order,
            new_id: &mut new_id,
        });
        let links = self.links.values().cloned().collect();
        workset.take(links, Vec::new(), Vec::new(), Vec::new());
        fold(&mut workset);
        workset.begin_reading();
        for _ in 0..4 {
            for want in workset.wants() {
                if let Want::Fresh { mapping, side, .. } = want {
                    let read = Observation { source: Source::Read, ..self.shown(side) };
                    workset.observe(mapping, side, &read);
                }
            }
        }
        let (changeset, sends) = workset.finish();
        self.ids = ids;
        self.keep(&changeset);
        self.flying.extend(sends);
    }

    fn keep(&mut self, changeset: &Changeset) {
        for change in &changeset.links {
            if let LinkChange::Update { guard, link, .. } = change {
                let known = &self.links[&(link.mapping, link.id)];
                assert_eq!(known.sync_version, guard.sync_version);
                assert!(link.sync_version >= guard.sync_version);
            }
            let link = change.link();
            self.links.insert((link.mapping, link.id), link.clone());
        }
        for side in Side::BOTH {
            for mapping in self.mappings.keys() {
                let holds =
                    |link: &&Link| link.mapping == *mapping && link.keys[side] == Some(key(side));
                assert!(self.links.values().filter(holds).count() <= 1, "a key twice");
            }
        }
        for entry in &changeset.entries {
            self.verdicts.extend(entry.decided.iter().map(|decided| decided.verdict.clone()));
            let kind = entry.intent.as_ref().map(|intent| intent.kind);
            assert!(!matches!(kind, Some(IntentKind::Create)), "a duplicate");
            assert!(!matches!(kind, Some(IntentKind::Delete)) || self.may_delete(), "torn");
        }
    }

    /// Whether a record is in no mapping at all, so that `leave` may take its partner.
    fn may_delete(&self) -> bool {
        Side::BOTH.into_iter().any(|side| self.records[side].kind == "none")
    }

    /// The system applies, or refuses, the oldest write.
    fn deliver(&mut self) {
        if self.flying.is_empty() {
            return;
        }
        let sent = self.flying.remove(0);
        for carried in sent.carried {
            let side = carried.intent.side;
            let record = self.records[side].clone();
            let shows = [Value::from(record.kind), Value::from(record.name.as_str())];
            let written: Vec<&WrittenField> =
                carried.intent.fields.iter().filter(|field| field.is_written()).collect();
            let holds =
                written.iter().all(|field| shows[usize::from(field.field)] == field.expected);
            let settling = if carried.intent.kind == IntentKind::Delete {
                Settling::Cancelled
            } else if holds {
                for field in written {
                    let text = field.value.to_string();
                    self.edit(side, |record| match field.field {
                        0 => record.kind = KINDS.into_iter().find(|kind| *kind == text).unwrap(),
                        _ => record.name = text,
                    });
                }
                let version = Some(version(self.records[side].version));
                Settling::Applied { version, stored: None, key: None }
            } else {
                let current = Observation { source: Source::Read, ..self.shown(side) };
                Settling::Stale(Some(Box::new(current)))
            };
            let input = SettleInput { carried, settling };
            self.round(|workset| workset.settle(&input));
        }
    }

    fn observe(&mut self, mapping: MappingId, seen: &Observation, side: Side) {
        self.round(|workset| workset.observe(mapping, side, seen));
    }

    /// The feed of a side reaches both mappings in one round.
    fn feed(&mut self, side: Side) {
        let shown = Observation { source: Source::Feed, ..self.shown(side) };
        let ids: Vec<MappingId> = self.mappings.keys().copied().collect();
        self.round(|workset| ids.iter().for_each(|id| workset.observe(*id, side, &shown)));
    }

    fn settle(&mut self) {
        for _ in 0..8 {
            while !self.flying.is_empty() {
                self.deliver();
            }
            Side::BOTH.into_iter().for_each(|side| self.feed(side));
        }
    }

    /// The pair, in whichever mapping it is.
    fn pair(&self) -> &Link {
        let whole = |link: &&Link| {
            Side::BOTH.into_iter().all(|side| link.keys[side] == Some(key(side)))
                && matches!(link.state, LinkState::Linked | LinkState::Held)
        };
        let pairs: Vec<&Link> = self.links.values().filter(whole).collect();
        assert_eq!(pairs.len(), 1, "{:#?}", self.links);
        pairs[0]
    }
}

#[test]
fn the_pair_goes_with_its_record() {
    for leave in [LeaveRule::Keep, LeaveRule::Unlink, LeaveRule::Delete, LeaveRule::Review] {
        let mut world = World::new(leave);
        world.edit(Side::Left, |record| record.kind = "partner");
        world.feed(Side::Left);
        assert_eq!(world.pair().mapping, PARTNERS, "{leave:?}");
        assert_eq!(world.flying.len(), 1, "the other record follows");
        world.settle();
        assert_eq!(world.records.right.kind, "partner");
        let pair = world.pair();
        assert_eq!(pair.mapping, PARTNERS);
        assert_eq!(pair.field_state.stays, Sides::default());
        assert_eq!(pair.base_value(Side::Right, 1), &Value::from("a"), "the base came along");
        // And back again, from the other side.
        world.edit(Side::Right, |record| record.kind = "customer");
        world.settle();
        assert_eq!(world.pair().mapping, MAPPING);
        assert_eq!(world.records.left.kind, "customer");
        assert!(world.verdicts.contains(&Verdict::MoveTo(MAPPING)));
    }
}

/// The old mapping hears of it first, by a reading of its own.
#[test]
fn nothing_is_deleted_that_another_mapping_takes() {
    let mut world = World::new(LeaveRule::Delete);
    world.edit(Side::Left, |record| record.kind = "partner");
    let shown = world.shown(Side::Left);
    world.observe(MAPPING, &shown, Side::Left);
    assert_eq!(world.pair().mapping, PARTNERS);
    let mut world = World::new(LeaveRule::Delete);
    world.edit(Side::Left, |record| record.kind = "none");
    let shown = world.shown(Side::Left);
    world.observe(MAPPING, &shown, Side::Left);
    assert!(world.verdicts.contains(&Verdict::Delete(Side::Right)), "nobody takes it");
}

#[test]
fn a_late_copy_moves_nothing_back() {
    let mut world = World::new(LeaveRule::Delete);
    let late = world.shown(Side::Left);
    world.edit(Side::Left, |record| record.kind = "partner");
    world.feed(Side::Left);
    world.settle();
    world.observe(MAPPING, &late, Side::Left);
    assert_eq!(world.pair().mapping, PARTNERS);
}

/// The kind does not travel: the other record stays where it is, and the pair is not torn.
#[test]
fn half_a_pair_may_stay_behind() {
    let mut world = World::new(LeaveRule::Delete);
    for of in world.mappings.values_mut() {
        Arc::make_mut(of).units[0].direction = Direction::ToLeft;
    }
    world.edit(Side::Left, |record| record.kind = "partner");
    world.settle();
    assert_eq!(world.pair().mapping, PARTNERS);
    world.edit(Side::Right, |record| record.name = "b".into());
    world.settle();
    assert_eq!((world.pair().mapping, &*world.records.left.name), (PARTNERS, "b"));
    world.edit(Side::Left, |record| record.name = "c".into());
    world.settle();
    assert_eq!((world.pair().mapping, &*world.records.right.name), (PARTNERS, "c"));
    assert_eq!((world.records.left.kind, world.records.right.kind), ("partner", "customer"));
    // The other one follows by itself.
    world.edit(Side::Right, |record| record.kind = "partner");
    world.settle();
    assert_eq!(world.pair().mapping, PARTNERS);
    assert_eq!(world.pair().field_state.stays, Sides::default());
}

#[derive(Clone, Debug)]
enum Step {
    Kind(bool, usize),
    Name(bool, u8),
    Feed(bool),
    One(bool, bool),
    Late(bool, bool),
    Deliver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<bool>(), 0..3usize).prop_map(|(side, kind)| Step::Kind(side, kind)),
        (any::<bool>(), any::<u8>()).prop_map(|(side, name)| Step::Name(side, name)),
        any::<bool>().prop_map(Step::Feed),
        (any::<bool>(), any::<bool>()).prop_map(|(side, first)| Step::One(side, first)),
        (any::<bool>(), any::<bool>()).prop_map(|(side, first)| Step::Late(side, first)),
        Just(Step::Deliver),
    ]
}

proptest! {
    /// However edits, readings of either mapping, late copies and writes follow one another, the
    /// pair stays one pair and nothing is made or deleted that a mapping has.
    #[test]
    fn the_pair_stays_a_pair(
        steps in proptest::collection::vec(step(), 0..40),
        which in 0..2usize,
    ) {
        let leave = [LeaveRule::Keep, LeaveRule::Review][which];
        let mut world = World::new(leave);
        let mut late: Vec<(Side, Observation)> = Vec::new();
        let side = |left: bool| if left { Side::Left } else { Side::Right };
        let id = |first: bool| if first { MAPPING } else { PARTNERS };
        for step in steps {
            for at in Side::BOTH {
                late.push((at, world.shown(at)));
            }
            match step {
                Step::Kind(left, kind) => world.edit(side(left), |it| it.kind = KINDS[kind]),
                Step::Name(left, name) => world.edit(side(left), |it| it.name = name.to_string()),
                Step::Feed(left) => world.feed(side(left)),
                Step::One(left, first) => {
                    let shown = world.shown(side(left));
                    world.observe(id(first), &shown, side(left));
                }
                Step::Late(left, first) => {
                    let found = late.iter().find(|(at, _)| *at == side(left)).cloned();
                    if let Some((at, shown)) = found {
                        world.observe(id(first), &shown, at);
                    }
                }
                Step::Deliver => world.deliver(),
            }
            world.pair();
        }
        world.settle();
        let (left, right) = (&world.records.left, &world.records.right);
        let pair = world.pair();
        let waits = !pair.field_state.units.is_empty() || pair.state == LinkState::Held;
        let outside = left.kind == "none" || right.kind == "none";
        prop_assert!(
            waits || outside || (left.kind, &left.name) == (right.kind, &right.name),
            "{left:?} {right:?} {pair:#?}"
        );
    }
}
