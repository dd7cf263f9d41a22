//! What the cases are made of.

use std::sync::atomic::{AtomicI32, Ordering};

use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Base, Batch, BatchState, Changeset, Decided, Entry, EntryId, Fence, FieldState, Guard, Hint,
    HintReason, Intent, IntentKind, Link, LinkChange, LinkState, Origin, Outcome, Pending, Review,
    ReviewKey, ReviewKind, ReviewStatus, Settled, Shown, UnitState, UnitStatus, Verdict,
    WrittenField,
};
use syncline_core::{Side, Sides};
use syncline_sdk::{Actor, ActorKind, BatchId, Instant, IntentId, Key, LinkId, Value, Version};
use uuid::Uuid;

use super::Subject;
use crate::{Committed, LinkQuery, Loaded, Ownership};

pub(super) const MAPPING: MappingId = MappingId(3);

/// An engine at work: owns the ledger and numbers its commits.
pub(super) struct Engine<'a, L> {
    pub(super) ledger: &'a L,
    pub(super) fence: Fence,
    ordinal: AtomicI32,
}

impl<'a, L: Subject> Engine<'a, L> {
    pub(super) async fn new(ledger: &'a L) -> Self {
        let owned = ledger.own("the engine", at(0), at(1_000)).await.unwrap();
        let Ownership::Owned(fence) = owned else { panic!("{owned:?}") };
        Self { ledger, fence, ordinal: AtomicI32::new(0) }
    }

    /// An empty changeset with a number of its own.
    pub(super) async fn changeset(&self) -> Changeset {
        let commit = self.ledger.reserve(1).await.unwrap().start;
        Changeset { commit, fence: self.fence, at: 77, ..Changeset::default() }
    }

    /// Commits what `fill` puts into a changeset.
    pub(super) async fn commit(&self, fill: impl FnOnce(&mut Changeset)) -> Committed {
        let mut changeset = self.changeset().await;
        fill(&mut changeset);
        self.ledger.commit(&changeset).await.unwrap()
    }

    /// Commits what must go through.
    pub(super) async fn must(&self, fill: impl FnOnce(&mut Changeset)) {
        assert_eq!(self.commit(fill).await, Committed::Committed);
    }

    /// Commits what must be refused by a guard.
    pub(super) async fn refused(&self, fill: impl FnOnce(&mut Changeset)) {
        let answer = self.commit(fill).await;
        assert!(matches!(answer, Committed::Moved(_)), "{answer:?}");
    }

    pub(super) async fn load(&self, query: LinkQuery) -> Loaded {
        self.ledger.load(&[query]).await.unwrap()
    }

    /// The link of that id.
    pub(super) async fn link(&self, link: LinkId) -> Option<Link> {
        let query = LinkQuery { mapping: MAPPING, links: vec![link], ..LinkQuery::default() };
        self.load(query).await.links.pop()
    }

    /// An id within a commit, never the same twice.
    pub(super) fn id(&self, changeset: &Changeset) -> EntryId {
        let ordinal = self.ordinal.fetch_add(1, Ordering::Relaxed);
        EntryId { commit: changeset.commit, ordinal }
    }
}

pub(super) fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

pub(super) fn link_id(number: u128) -> LinkId {
    LinkId(Uuid::from_u128(number))
}

/// A link at rest, with the keys `L<number>` and `R<number>`.
pub(super) fn link(number: u128) -> Link {
    let key = |side: char| Some(Key::from(format!("{side}{number}")));
    let image = vec![Value::from("Acme"), Value::Null, Value::Int(number.try_into().unwrap())];
    let base = Some(Base { exists: true, image });
    Link {
        shard: 7,
        epoch: 1,
        mapping_rev: 2,
        keys: Sides { left: key('L'), right: key('R') },
        base: Sides { left: base.clone(), right: base },
        ..Link::new(MAPPING, link_id(number), LinkState::Linked)
    }
}

/// A link with something in every column.
pub(super) fn full_link(number: u128) -> Link {
    let entry = IntentId { commit: 5, ordinal: 2 };
    let pending = Pending {
        exists: Some(false),
        values: vec![(1, Value::from("new"))],
        actor: Actor { id: Some("jane".into()), kind: ActorKind::Person },
        at: Some(at(99)),
        foreign: true,
        closed: true,
        entry: Some(entry),
    };
    let mut field_state = FieldState { refusals: 1, ..FieldState::default() };
    field_state
        .set_unit(2, UnitState { status: UnitStatus::Held, bounces: 3, replaced: 4_000_000_001 });
    let origin = Origin { side: Side::Right, actor: ActorKind::Automation, entry, at: 1_234_567 };
    Link {
        state: LinkState::Merged(link_id(9)),
        sync_version: 12,
        pending: Sides { left: pending.clone(), right: pending },
        open: Sides { left: Some(entry), right: Some(IntentId { commit: 6, ordinal: 0 }) },
        complement: vec![1, 2, 3],
        field_state,
        versions: Sides { left: Version::new([1, 2]), right: Version::new([3]) },
        origins: vec![Some(origin), None, Some(origin)],
        last_entry: Some(IntentId { commit: 6, ordinal: 1 }),
        ..link(number)
    }
}

/// What a link must still be like, as it is given.
pub(super) fn guard(link: &Link) -> Guard {
    Guard { sync_version: link.sync_version, open: link.open, last_entry: link.last_entry }
}

/// The change from what was read to what becomes.
pub(super) fn update(read: &Link, link: Link) -> LinkChange {
    let keys_changed = read.keys != link.keys;
    LinkChange::Update { guard: guard(read), link, keys_changed }
}

/// An entry that says a little of everything.
pub(super) fn entry(id: EntryId, link: LinkId, previous: Option<EntryId>) -> Entry {
    let intent = Intent {
        id,
        side: Side::Right,
        kind: IntentKind::Update,
        key: Some(Key::from("R1")),
        units: vec![0],
        fields: vec![WrittenField {
            field: 0,
            value: Value::from(" Acme"),
            image: Value::from("Acme"),
            expected: Value::Null,
        }],
        version: Version::new([7]),
        source: vec![(0, Value::from(" Acme"))],
        half: false,
        actor: Actor::default(),
        edited_at: Some(at(5)),
    };
    Entry {
        id,
        mapping: MAPPING,
        link,
        previous,
        at: at(77),
        revision: 3,
        observed: Vec::new(),
        decided: vec![Decided {
            unit: Some(0),
            verdict: Verdict::Write(Side::Right),
            left: vec![Value::from(" Acme")],
            right: vec![Value::Null],
        }],
        intent: Some(intent),
        settled: vec![Settled { intent: id, side: Side::Right, outcome: Outcome::Applied }],
    }
}

pub(super) fn batch(id: BatchId, intents: Vec<IntentId>) -> Batch {
    Batch {
        id,
        system: "ops".into(),
        intents,
        epoch: 1,
        state: BatchState::Sent,
        first_sent: 100,
        last_sent: 100,
        die_after: 200,
        attempts: 1,
    }
}

pub(super) fn hint(key: &str, due: i64) -> Hint {
    Hint {
        system: "crm".into(),
        entity: "Account".into(),
        key: key.into(),
        seq: 0,
        due,
        reason: HintReason::Changed,
        tries: 0,
    }
}

/// A question on a link's first unit and base 0.
pub(super) fn review(link: LinkId) -> Review {
    let shown = Shown { exists: true, values: vec![Value::from("a")], ..Shown::default() };
    Review {
        key: ReviewKey { mapping: MAPPING, link, unit: Some(0), sync_version: 0 },
        id: 0,
        revision: 1,
        kind: ReviewKind::Conflict,
        shown: Sides { left: shown, right: Shown::default() },
        status: ReviewStatus::Open,
        answer: None,
        entry: Some(IntentId { commit: 1, ordinal: 1 }),
        asked_at: 50,
    }
}
