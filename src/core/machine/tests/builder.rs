//! A linked pair of one text field, and rounds over it.

use std::sync::Arc;

use syncline_sdk::{
    Actor, Capabilities, Cas, EntityName, FeedKind, FieldName, FieldType, HistoryKind, Instant,
    IntentId, LinkId, ReceiptKind, Selection, SystemName, Value, Version, VersionOrder,
};

use crate::machine::{
    Clock, Limits, Mappings, Observation, OutBatch, Round, SettleInput, Settling, Source, Workset,
};
use crate::mapping::{
    DeleteRule, Initial, LeaveRule, MappedField, MappedSide, Mapping, MappingId, MatchRule, Mode,
    Pair, Priority, Unit,
};
use crate::model::{
    Base, Changeset, Claim, Entry, Fence, Intent, IntentKind, Link, LinkChange, LinkState, Outcome,
    Review, ReviewChange, ReviewStatus, Settled, WrittenField,
};
use crate::{Side, Sides};

pub(super) const MAPPING: MappingId = MappingId(1);

/// A pair as the ledger keeps it between rounds, and what is read of it.
pub(super) struct Scene {
    mappings: Mappings,
    pub link: Link,
    /// Links of other records, made on the way.
    pub others: Vec<Link>,
    pub claims: Vec<Claim>,
    pub reviews: Vec<Review>,
    /// The side whose system does not answer.
    pub away: Option<Side>,
    /// The priority for which no system has room.
    pub crowded: Option<Priority>,
    commit: i64,
}

/// What a round did.
pub(super) struct Done {
    pub changeset: Changeset,
    pub sends: Vec<OutBatch>,
}

impl Scene {
    /// A pair that agrees on `a`, at version 1 on both sides, each with this guard.
    pub fn agreed(cas: Cas) -> Self {
        let id = LinkId(uuid::Uuid::from_u128(7));
        let base = Some(Base { exists: true, image: vec![Value::from("a")] });
        let link = Link {
            epoch: 1,
            mapping_rev: 1,
            sync_version: 1,
            keys: Sides { left: Some("l".into()), right: Some("r".into()) },
            base: Sides { left: base.clone(), right: base },
            versions: Sides { left: version(1), right: version(1) },
            origins: vec![None],
            ..Link::new(MAPPING, id, LinkState::Linked)
        };
        let mappings = Mappings::from([(MAPPING, Arc::new(mapping(cas)))]);
        let (others, claims, reviews) = (Vec::new(), Vec::new(), Vec::new());
        Self { mappings, link, others, claims, reviews, away: None, crowded: None, commit: 1 }
    }

    /// From here on records find each other by their only field.
    pub fn matching(&mut self) {
        let rule = MatchRule { left: 0, right: 0, normalize: Vec::new() };
        self.map(|mapping| mapping.matches = vec![rule.clone()]);
    }

    /// From here on the mapping is this.
    pub fn map(&mut self, change: impl Fn(&mut Mapping)) {
        for mapping in self.mappings.values_mut() {
            change(Arc::make_mut(mapping));
        }
    }

    /// Another mapping, with a pair of its own: `l2` and `r2`.
    pub fn second(&mut self, change: impl Fn(&mut Mapping)) {
        let mut of = (*self.mappings[&MAPPING]).clone();
        of.id = MappingId(2);
        change(&mut of);
        self.mappings.insert(of.id, Arc::new(of));
        let id = LinkId(uuid::Uuid::from_u128(8));
        let keys = Sides { left: Some("l2".into()), right: Some("r2".into()) };
        self.others.push(Link { mapping: MappingId(2), id, keys, ..self.link.clone() });
    }

    /// One round: what `fold` does, planned and kept.
    pub fn round(&mut self, fold: impl FnOnce(&mut Workset<'_>)) -> Done {
        let order = |_: &SystemName, a: &Version, b: &Version| match a.as_bytes().cmp(b.as_bytes())
        {
            std::cmp::Ordering::Less => VersionOrder::Older,
            std::cmp::Ordering::Equal => VersionOrder::Same,
            std::cmp::Ordering::Greater => VersionOrder::Newer,
        };
        let die_after = |_: &SystemName| 0;
        let silent = self.away.map(|side| self.mappings[&MAPPING].sides[side].system.clone());
        let away = |system: &SystemName| (silent.as_ref() == Some(system)).then_some(5_000_000);
        let full = self.crowded;
        let crowded = |_: &SystemName, priority| (full == Some(priority)).then_some(1_000_000);
        let mut new_id = || LinkId(uuid::Uuid::from_u128(99));
        self.commit += 1;
        let mut workset = Workset::new(Round {
            mappings: &self.mappings,
            commit: self.commit,
            fence: Fence { epoch: 1 },
            clock: Clock { now: Instant::from_micros(1_000_000) },
            limits: Limits::default(),
            die_after: &die_after,
            away: &away,
            crowded: &crowded,
            order: &order,
            new_id: &mut new_id,
        });
        let links = std::iter::once(&self.link).chain(&self.others).cloned().collect();
        workset.take(links, Vec::new(), self.claims.clone(), self.reviews.clone());
        fold(&mut workset);
        let (changeset, sends) = workset.finish();
        for change in &changeset.links {
            let (LinkChange::Update { link, .. } | LinkChange::Insert(link)) = change;
            if link.id == self.link.id {
                self.link = link.clone();
            } else {
                self.others.retain(|other| other.id != link.id);
                self.others.push(link.clone());
            }
        }
        self.claims.retain(|claim| !changeset.releases.contains(claim));
        self.claims.extend(changeset.claims.iter().cloned());
        for change in &changeset.reviews {
            match change {
                ReviewChange::Ask(review) | ReviewChange::Show { review, .. } => {
                    self.reviews.retain(|known| known.key != review.key);
                    self.reviews.push(review.clone());
                }
                ReviewChange::Close { key, .. } => {
                    self.reviews.retain(|known| known.key != *key);
                }
            }
        }
        Done { changeset, sends }
    }

    /// A round in which a side was read before the round began.
    pub fn page(&mut self, side: Side, value: &str, at: u8) -> Done {
        let seen = seen(side, value, at);
        self.round(|workset| workset.observe(MAPPING, side, &seen))
    }

    /// A round in which a side is read within it, its version closed or not.
    pub fn read(&mut self, side: Side, value: &str, at: u8, closed: bool) -> Done {
        let seen = Observation { source: Source::Read, closed, ..seen(side, value, at) };
        self.round(|workset| {
            workset.begin_reading();
            workset.observe(MAPPING, side, &seen);
        })
    }

    /// A round that settles the only write of a batch.
    pub fn settle(&mut self, sent: &OutBatch, settling: Settling) -> Done {
        let input = SettleInput { carried: sent.carried[0].clone(), settling };
        self.round(|workset| workset.settle(&input))
    }

    /// A person answers the open question.
    pub fn answer(&mut self, choice: crate::model::Choice) {
        let review = &mut self.reviews[0];
        review.status = ReviewStatus::Answered;
        let at = Instant::from_micros(0);
        review.answer = Some(crate::model::Answer { choice, by: "ann".into(), at });
    }

    /// What a side shows.
    pub fn shown(&self, side: Side) -> &Value {
        self.link.observed(side, 0)
    }
}

/// The journal of a create of ours on the right, decided upon at a time, microseconds.
pub(super) fn journal_of_create(link: LinkId, intent: Intent, at: i64) -> Vec<Entry> {
    let settled = Settled { intent: intent.id, side: intent.side, outcome: Outcome::Applied };
    vec![Entry {
        id: intent.id,
        mapping: MAPPING,
        link,
        previous: None,
        at: Instant::from_micros(at),
        revision: 1,
        observed: Vec::new(),
        decided: Vec::new(),
        intent: Some(intent),
        settled: vec![settled],
    }]
}

/// That create, of the only field with this value; without one it carries nothing.
pub(super) fn create_of(value: Option<&str>) -> Intent {
    let value = value.map(Value::from);
    let field = |value: Value| WrittenField {
        field: 0,
        image: value.clone(),
        value,
        expected: Value::Absent,
    };
    Intent {
        id: IntentId { commit: 0, ordinal: 0 },
        side: Side::Right,
        kind: IntentKind::Create,
        key: None,
        units: vec![0],
        fields: value.clone().map(field).into_iter().collect(),
        version: version(0),
        source: value.map(|value| (0, value)).into_iter().collect(),
        half: false,
        actor: Actor::default(),
        edited_at: None,
    }
}

pub(super) fn version(at: u8) -> Version {
    Version::new([at])
}

/// A reading of a side's record.
pub(super) fn seen(side: Side, value: &str, at: u8) -> Observation {
    Observation {
        key: if side == Side::Left { "l".into() } else { "r".into() },
        old_key: None,
        version: version(at),
        content: Ok(vec![Value::from(value)]),
        bin: None,
        external_id: None,
        closed: true,
        actor: Actor::default(),
        at: None,
        server_time: None,
        group: None,
        marker: None,
        marked: Arc::from([]),
        source: Source::Page,
    }
}

pub(super) fn mapping(cas: Cas) -> Mapping {
    let polled = cas != Cas::ExactField;
    let side = |name: &str| MappedSide {
        system: name.into(),
        selection: Arc::new(Selection {
            entity: EntityName::from("e"),
            fields: Arc::from([FieldName::from("f")]),
            external_id: None,
            marker: None,
            actor: None,
            filter: None,
        }),
        fields: vec![MappedField {
            name: FieldName::from("f"),
            kind: FieldType::Text { chars_max: None },
            nullable: true,
            creatable: true,
            updatable: true,
            normalizers: Vec::new(),
            sensitive: false,
            filled: false,
        }],
        image_len: 1,
        capabilities: Capabilities {
            cas,
            receipt: ReceiptKind::MarkerField,
            history: HistoryKind::None,
            feed: if polled { FeedKind::Polled } else { FeedKind::Images },
            unique_external_id: true,
            conditional_delete: true,
            recycle_bin: None,
            transactional: false,
            stored_image: false,
            search_lag: Default::default(),
            request_horizon: Default::default(),
            push_writes_max: 10,
            push_guarded_max: 10,
            fetch_keys_max: 10,
        },
    };
    Mapping {
        id: MAPPING,
        name: "m".into(),
        revision: 1,
        former: Default::default(),
        sides: Sides { left: side("left"), right: side("right") },
        units: vec![Unit::of("f", Pair::plain(0, 0))],
        matches: Vec::new(),
        initial: Initial::Review,
        owners: Sides::default(),
        create: Sides { left: true, right: true },
        delete: Sides { left: DeleteRule::Propagate, right: DeleteRule::Propagate },
        leave: LeaveRule::Keep,
        mode: Mode::Live,
        priority: Priority::Normal,
        objective: None,
        drifted: Sides::default(),
    }
}
