//! What is made of a write of which nothing is proved (protocol I5.3 to I5.5, I7).

use syncline_core::machine::{Carried, Settling, Source, Step};
use syncline_core::mapping::Mapping;
use syncline_core::model::IntentKind;
use syncline_sdk::{Cas, Current, Error, ErrorKind, ReceiptKind};

use crate::observation;

pub(crate) enum Judged {
    Settled(Settling),
    Resend,
    Wait,
}

/// A write without receipt (protocol I5.3 to I5.5).
pub(crate) fn undecided(
    mapping: &Mapping,
    carried: &Carried,
    current: Current,
    may_arrive: bool,
) -> Judged {
    let side = carried.intent.side;
    let capabilities = &mapping.sides[side].capabilities;
    if capabilities.receipt == ReceiptKind::Stream {
        return by_stream(mapping, carried, current, may_arrive);
    }
    match (carried.step, carried.intent.kind) {
        (Step::Undelete, _) if !may_arrive => undeleted(current),
        (Step::Delete, _) if !may_arrive => Judged::Settled(Settling::Expired),
        (Step::Undelete | Step::Delete, _) => Judged::Wait,
        (Step::Write, IntentKind::Create) if capabilities.unique_external_id => Judged::Resend,
        (Step::Write, IntentKind::Create) if may_arrive => Judged::Wait,
        (Step::Write, IntentKind::Create) => unfindable(),
        _ if capabilities.cas != Cas::None => Judged::Resend,
        _ if may_arrive => Judged::Wait,
        _ => by_content(carried, current),
    }
}

/// The stream that would have told was lost: the content decides once no copy can arrive.
pub(crate) fn by_stream(
    mapping: &Mapping,
    carried: &Carried,
    current: Current,
    may_arrive: bool,
) -> Judged {
    if may_arrive {
        return Judged::Wait;
    }
    let shown = matches!(current, Current::Record(_));
    match (carried.step, carried.intent.kind) {
        (Step::Write, IntentKind::Create) => match current {
            Current::Record(record) => Judged::Settled(Settling::Applied {
                version: None,
                stored: None,
                key: Some(record.key),
            }),
            Current::Unread
                if mapping.sides[carried.intent.side].capabilities.unique_external_id =>
            {
                Judged::Settled(Settling::Cancelled)
            }
            Current::Unread => unfindable(),
        },
        (Step::Delete, _) if shown => Judged::Settled(Settling::Cancelled),
        (Step::Delete, _) => Judged::Settled(Settling::Expired),
        (Step::Undelete, _) => undeleted(current),
        _ => by_content(carried, current),
    }
}

/// An undelete of which no copy can arrive any more: whether the record is there decides.
fn undeleted(current: Current) -> Judged {
    Judged::Settled(match current {
        Current::Record(record) => {
            Settling::Applied { version: None, stored: None, key: Some(record.key) }
        }
        Current::Unread => Settling::Cancelled,
    })
}

/// A create whose reply was lost on a side where nothing tells which record it made (protocol
/// C5): never sent again blindly.
pub(crate) fn unfindable() -> Judged {
    let what = "the reply of a create was lost and the side keeps no unique external id";
    Judged::Settled(Settling::Unfindable(
        Error::new(ErrorKind::Unsupported, "create", what)
            .advise("look for the record on that side, then answer the question"),
    ))
}

/// Without guard and receipt, once no copy can arrive: the content decides (protocol I5.5).
pub(crate) fn by_content(carried: &Carried, current: Current) -> Judged {
    let Current::Record(record) = current else {
        // It is gone, and nobody will ever know whether it had been written before.
        return Judged::Settled(Settling::Missing(None));
    };
    let shows = carried
        .intent
        .fields
        .iter()
        .filter(|field| field.is_written())
        .all(|field| record.values.get(usize::from(field.field)) == Some(&field.image));
    if shows {
        // The whole record was read with it: what came before is older, and what else it shows
        // is as good as seen.
        let version = Some(record.version).filter(|version| !version.is_none());
        let stored = version.is_some().then_some(record.values);
        Judged::Settled(Settling::Applied { version, stored, key: Some(record.key) })
    } else {
        let seen = observation::of_record(*record, Source::Read, None);
        Judged::Settled(Settling::Stale(Some(Box::new(seen))))
    }
}
