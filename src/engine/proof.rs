//! What the answer to a send proves about each write (protocol I3).

use syncline_core::machine::{Missing, Settling, Source};
use syncline_sdk::{Absence, Current, Error, ErrorKind, WriteOutcome};

use crate::chronicle::without_values;
use crate::observation;

/// What an answer proves about one write.
pub(crate) enum Proof {
    /// It is settled; whether that rests on this send being the only one.
    Settled(Settling, bool),
    /// Nothing.
    Unknown,
}

/// The call failed before anything was sent.
pub(crate) fn not_sent(error: &Error, sole: bool) -> Proof {
    if sole {
        let kind = match error.kind {
            ErrorKind::Auth | ErrorKind::Quota | ErrorKind::Throttled => error.kind,
            _ => ErrorKind::Unavailable,
        };
        Proof::Settled(Settling::Refused(Error::new(kind, "push", error.context.clone())), true)
    } else {
        Proof::Unknown
    }
}

/// A write that was refused because the record carries its own marker by now: another copy of
/// the same request was applied (protocol I3, I5.1).
pub(crate) fn by_marker(outcome: WriteOutcome, marker: &str) -> WriteOutcome {
    match outcome {
        WriteOutcome::Stale { current: Current::Record(record), .. }
            if record.marker.as_deref() == Some(marker) =>
        {
            WriteOutcome::Applied { version: None, stored: None, key: Some(record.key) }
        }
        outcome => outcome,
    }
}

/// What an outcome proves. A refusal settles only with a receipt, or when this send is the only
/// one ever recorded, which the commit asserts (protocol I3).
pub(crate) fn proof(outcome: WriteOutcome, sole: bool) -> Proof {
    let (settling, receipted) = match outcome {
        WriteOutcome::Applied { version, stored, key } => {
            return Proof::Settled(Settling::Applied { version, stored, key }, false);
        }
        WriteOutcome::Unknown(error) => {
            let error = without_values(&error);
            tracing::info!(error, "the outcome of a write is not known yet");
            return Proof::Unknown;
        }
        WriteOutcome::Stale { current, receipted } => {
            let seen = match current {
                Current::Record(record) => {
                    Some(Box::new(observation::of_record(*record, Source::Read, None)))
                }
                Current::Unread => None,
            };
            (Settling::Stale(seen), receipted)
        }
        WriteOutcome::Missing { reason, receipted } => {
            let missing = match reason {
                Some(Absence::Deleted { .. }) => Some(Missing::Deleted),
                Some(Absence::MergedInto(winner)) => Some(Missing::MergedInto(winner)),
                Some(Absence::NotVisible) | None => None,
            };
            (Settling::Missing(missing), receipted)
        }
        WriteOutcome::Busy { receipted } => (Settling::Busy, receipted),
        WriteOutcome::Rejected { error, receipted } => (Settling::Refused(error), receipted),
    };
    if receipted || sole { Proof::Settled(settling, !receipted) } else { Proof::Unknown }
}
