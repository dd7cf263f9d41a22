//! Links, entries and questions of every kind.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use syncline_sdk::{Actor, ActorKind, Instant, IntentId, Key, LinkId, Version};

use super::Origins;
use super::values::{any as value, instant, uuid};
use crate::mapping::{MappingId, NoImage};
use crate::model::{
    Answer, Base, BothHalves, Came, Choice, Decided, Entry, FieldState, Half, Intent, IntentKind,
    Link, LinkState, Observed, Origin, Outcome, Pending, ReviewKind, Settled, Shown, UnitState,
    UnitStatus, Verdict, Watched, Would, WrittenField,
};
use crate::{Side, Sides};

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Left), Just(Side::Right)]
}

fn sides<T: std::fmt::Debug>(
    one: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Sides<T>> {
    (one.clone(), one).prop_map(|(left, right)| Sides { left, right })
}

pub(super) fn id() -> impl Strategy<Value = IntentId> {
    (any::<i64>(), any::<i32>()).prop_map(|(commit, ordinal)| IntentId { commit, ordinal })
}

fn key() -> impl Strategy<Value = Key> {
    ".{0,6}".prop_map(|text: String| Key::from(text))
}

fn version() -> impl Strategy<Value = Version> {
    vec(any::<u8>(), 0..12).prop_map(Version::new)
}

fn actor_kind() -> impl Strategy<Value = ActorKind> {
    prop_oneof![
        Just(ActorKind::Unknown),
        Just(ActorKind::Person),
        Just(ActorKind::Automation),
        Just(ActorKind::Sync),
    ]
}

fn actor() -> impl Strategy<Value = Actor> {
    (option::of(".{0,5}"), actor_kind())
        .prop_map(|(id, kind)| Actor { id: id.map(Into::into), kind })
}

fn indexed() -> impl Strategy<Value = Vec<(u16, syncline_sdk::Value)>> {
    vec((any::<u16>(), value()), 0..4)
}

pub(super) fn base() -> impl Strategy<Value = Base> {
    (any::<bool>(), vec(value(), 0..9)).prop_map(|(exists, image)| Base { exists, image })
}

pub(super) fn pending() -> impl Strategy<Value = Pending> {
    (
        option::of(any::<bool>()),
        indexed(),
        actor(),
        option::of(instant()),
        any::<bool>(),
        any::<bool>(),
        option::of(id()),
    )
        .prop_map(|(exists, values, actor, at, foreign, closed, entry)| Pending {
            exists,
            values,
            actor,
            at,
            foreign,
            closed,
            entry,
        })
}

fn unit_state() -> impl Strategy<Value = UnitState> {
    let status = prop_oneof![
        Just(UnitStatus::Free),
        Just(UnitStatus::Held),
        Just(UnitStatus::Parked),
        Just(UnitStatus::Frozen),
        any::<u8>().prop_map(UnitStatus::Awaiting),
        Just(UnitStatus::Changed),
        Just(UnitStatus::Returned),
        Just(UnitStatus::LeftOut),
    ];
    (status, any::<u8>(), any::<u32>()).prop_map(|(status, bounces, replaced)| UnitState {
        status,
        bounces,
        replaced,
    })
}

fn both() -> impl Strategy<Value = BothHalves> {
    let half =
        || prop_oneof![Just(Half::Open), indexed().prop_map(Half::Applied), Just(Half::Refused)];
    let seen = (indexed(), indexed()).prop_map(|(left, right)| Sides { left, right });
    let halves = (half(), half()).prop_map(|(left, right)| Sides { left, right });
    (vec(any::<u16>(), 0..3), seen, halves).prop_map(|(units, seen, halves)| BothHalves {
        units,
        seen,
        halves,
    })
}

fn would() -> impl Strategy<Value = Would> {
    prop_oneof![
        side().prop_map(Would::Write),
        Just(Would::WriteBoth),
        Just(Would::Ask),
        side().prop_map(Would::Create),
        side().prop_map(Would::Delete),
        side().prop_map(Would::Undelete),
    ]
}

fn came() -> impl Strategy<Value = Came> {
    prop_oneof![Just(Came::Same), side().prop_map(Came::Other), Just(Came::Withdrawn)]
}

fn watched() -> impl Strategy<Value = Watched> {
    (option::of(any::<u16>()), would(), any::<u32>(), any::<u32>())
        .prop_map(|(unit, would, values, shown)| Watched { unit, would, values, shown })
}

pub(super) fn field_state() -> impl Strategy<Value = FieldState> {
    (
        vec((any::<u16>(), unit_state()), 0..4),
        (sides(any::<bool>()), sides(any::<bool>())),
        option::of(both()),
        ((option::of(indexed()), option::of(indexed())), (indexed(), indexed())),
        any::<u8>(),
        vec(watched(), 0..3),
    )
        .prop_map(
            |(units, (outside, overtaken), both, (evidence, given_up), refusals, watched)| {
                let evidence = Sides { left: evidence.0, right: evidence.1 };
                let given_up = Sides { left: given_up.0, right: given_up.1 };
                let suspected = Sides { left: outside.right, right: overtaken.left };
                FieldState {
                    units,
                    outside,
                    overtaken,
                    both,
                    evidence,
                    suspected,
                    given_up,
                    refusals,
                    watched,
                    stays: Sides { left: None, right: Some(MappingId(7)) },
                }
            },
        )
}

pub(super) fn origins() -> impl Strategy<Value = Origins> {
    let origin = (side(), actor_kind(), id(), any::<i64>())
        .prop_map(|(side, actor, entry, at)| Origin { side, actor, entry, at });
    // Few distinct ones, as in life.
    vec(option::of(origin), 1..4).prop_flat_map(|known| {
        vec(0..known.len(), 0..9)
            .prop_map(move |places| Origins(places.into_iter().map(|at| known[at]).collect()))
    })
}

fn no_image() -> impl Strategy<Value = NoImage> {
    let text = || ".{0,5}";
    prop_oneof![
        Just(NoImage::Absent),
        Just(NoImage::NotNullable),
        text().prop_map(NoImage::NotInTable),
        text().prop_map(NoImage::NotInList),
        (any::<u32>(), any::<u32>())
            .prop_map(|(chars, chars_max)| NoImage::TooLong { chars, chars_max }),
        text().prop_map(NoImage::OutOfRange),
        text().prop_map(NoImage::WouldLose),
        text().prop_map(NoImage::Expression),
        (text(), text()).prop_map(|(from, to)| NoImage::WrongType { from, to }),
        text().prop_map(NoImage::NoParent),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        side().prop_map(Verdict::Write),
        side().prop_map(Verdict::PolicyTook),
        Just(Verdict::Hold),
        (side(), no_image()).prop_map(|(side, reason)| Verdict::NoImage(side, reason)),
        side().prop_map(Verdict::DeleteUpdate),
        side().prop_map(Verdict::Retract),
        Just(Verdict::Merged),
        side().prop_map(Verdict::Reverted),
        uuid().prop_map(|id| Verdict::MergeInto(LinkId(id))),
        ".{0,5}".prop_map(Verdict::AnswerNotApplied),
        Just(Verdict::HalfWritten),
        side().prop_map(Verdict::Overwritten),
        side().prop_map(Verdict::Candidate),
        side().prop_map(Verdict::Excluded),
        ".{0,5}".prop_map(Verdict::Released),
        would().prop_map(Verdict::Would),
        came().prop_map(Verdict::Came),
        any::<i32>().prop_map(|id| Verdict::MoveTo(MappingId(id))),
        any::<i32>().prop_map(|id| Verdict::MoveFrom(MappingId(id))),
    ]
}

fn observed() -> impl Strategy<Value = Observed> {
    (
        (side(), key(), option::of(any::<bool>())),
        vec((any::<u16>(), value(), value()), 0..3),
        (version(), any::<bool>(), actor()),
        (option::of(instant()), option::of(instant())),
        (option::of(any::<u64>()), option::of(".{0,5}")),
    )
        .prop_map(|(record, values, newness, times, transaction)| Observed {
            side: record.0,
            key: record.1,
            exists: record.2,
            values,
            version: newness.0,
            closed: newness.1,
            actor: newness.2,
            at: times.0,
            server_time: times.1,
            group: transaction.0,
            marker: transaction.1,
        })
}

fn decided() -> impl Strategy<Value = Decided> {
    (option::of(any::<u16>()), verdict(), vec(value(), 0..3), vec(value(), 0..3))
        .prop_map(|(unit, verdict, left, right)| Decided { unit, verdict, left, right })
}

fn written() -> impl Strategy<Value = WrittenField> {
    // What is sent is mostly what is stored.
    (any::<u16>(), value(), option::of(value()), option::of(value())).prop_map(
        |(field, value, image, expected)| WrittenField {
            field,
            image: image.unwrap_or_else(|| value.clone()),
            expected: expected.unwrap_or_else(|| value.clone()),
            value,
        },
    )
}

fn intent() -> impl Strategy<Value = Intent> {
    let kind = prop_oneof![
        Just(IntentKind::Create),
        Just(IntentKind::Update),
        Just(IntentKind::Delete),
        Just(IntentKind::Undelete),
    ];
    (
        (id(), side(), kind, option::of(key())),
        (vec(any::<u16>(), 0..3), vec(written(), 0..4), version()),
        (indexed(), any::<bool>(), actor(), option::of(instant())),
    )
        .prop_map(|(what, content, source)| Intent {
            id: what.0,
            side: what.1,
            kind: what.2,
            key: what.3,
            units: content.0,
            fields: content.1,
            version: content.2,
            source: source.0,
            half: source.1,
            actor: source.2,
            edited_at: source.3,
        })
}

fn settled() -> impl Strategy<Value = Settled> {
    let outcome = prop_oneof![
        Just(Outcome::Applied),
        Just(Outcome::Stale),
        Just(Outcome::Missing),
        Just(Outcome::Busy),
        (".{0,5}", ".{0,5}").prop_map(|(kind, message)| Outcome::Refused(kind, message)),
        Just(Outcome::Cancelled),
    ];
    (id(), side(), outcome).prop_map(|(intent, side, outcome)| Settled { intent, side, outcome })
}

pub(super) fn entry() -> impl Strategy<Value = Entry> {
    (
        (id(), uuid(), option::of(id()), any::<i64>(), any::<i32>()),
        vec(observed(), 0..3),
        vec(decided(), 0..3),
        option::of(intent()),
        vec(settled(), 0..3),
    )
        .prop_map(|(head, observed, decided, intent, settled)| Entry {
            id: head.0,
            mapping: MappingId(1),
            link: LinkId(head.1),
            previous: head.2,
            at: Instant::from_micros(head.3),
            revision: head.4,
            observed,
            decided,
            intent,
            settled,
        })
}

pub(super) fn review_kind() -> impl Strategy<Value = ReviewKind> {
    prop_oneof![
        Just(ReviewKind::Conflict),
        Just(ReviewKind::Initial),
        Just(ReviewKind::Anew),
        side().prop_map(ReviewKind::DeleteUpdate),
        side().prop_map(ReviewKind::Delete),
        side().prop_map(ReviewKind::Leave),
        vec(key(), 0..3).prop_map(ReviewKind::Ambiguous),
        (side(), option::of(key())).prop_map(|(side, key)| ReviewKind::Merged(side, key)),
        (side(), no_image()).prop_map(|(side, reason)| ReviewKind::NoImage(side, reason)),
        Just(ReviewKind::Oscillation),
        side().prop_map(ReviewKind::SuspectedDelete),
        side().prop_map(ReviewKind::Overwritten),
        (side(), key()).prop_map(|(side, key)| ReviewKind::Candidate(side, key)),
    ]
}

pub(super) fn shown() -> impl Strategy<Value = Shown> {
    (any::<bool>(), vec(value(), 0..3), vec(value(), 0..3), actor(), option::of(instant()))
        .prop_map(|(exists, values, base, actor, at)| Shown { exists, values, base, actor, at })
}

pub(super) fn answer() -> impl Strategy<Value = Answer> {
    let choice = prop_oneof![
        side().prop_map(Choice::Take),
        vec(value(), 0..3).prop_map(Choice::Typed),
        key().prop_map(Choice::Adopt),
        Just(Choice::Separate),
        Just(Choice::Retry),
    ];
    (choice, ".{0,5}", instant()).prop_map(|(choice, by, at)| Answer { choice, by, at })
}

/// A link about which nothing is known.
pub(super) fn blank() -> Link {
    Link { epoch: 1, ..Link::new(MappingId(1), LinkId(uuid::Uuid::nil()), LinkState::Linked) }
}

pub(super) fn link() -> impl Strategy<Value = Link> {
    let state =
        prop_oneof![Just(LinkState::Linked), uuid().prop_map(|id| LinkState::Merged(LinkId(id))),];
    (
        (state, any::<i32>(), vec(any::<u8>(), 0..5)),
        (option::of(base()), option::of(base())),
        (pending(), prop_oneof![Just(Pending::default()), pending()]),
        prop_oneof![Just(FieldState::default()), field_state()],
        (version(), version()),
        origins(),
    )
        .prop_map(|(head, bases, pendings, field_state, versions, origins)| Link {
            state: head.0,
            mapping_rev: head.1,
            complement: head.2,
            base: Sides { left: bases.0, right: bases.1 },
            pending: Sides { left: pendings.0, right: pendings.1 },
            field_state,
            versions: Sides { left: versions.0, right: versions.1 },
            origins: origins.0,
            ..blank()
        })
}
