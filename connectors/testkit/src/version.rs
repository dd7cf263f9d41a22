//! Versions of the in-memory system and their order.

use std::cmp::Ordering;

use syncline_sdk::{Version, VersionOrder};

/// What a version says, by the kind of system that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// The commit that last changed the row (a polled system with an exact version).
    Row(u64),
    /// The commit that a feed event or a write of ours is.
    Commit(u64),
    /// A snapshot: contains all commits up to this one.
    Snapshot(u64),
    /// A clock stamp in microseconds, cut to the tick.
    Stamp(i64),
}

impl Form {
    pub(crate) fn encode(self) -> Version {
        let text = match self {
            Self::Row(number) => format!("row {number}"),
            Self::Commit(number) => format!("commit {number}"),
            Self::Snapshot(number) => format!("snapshot {number}"),
            Self::Stamp(micros) => format!("stamp {micros}"),
        };
        Version::new(text.into_bytes())
    }
    pub(crate) fn decode(version: &Version) -> Option<Self> {
        let text = std::str::from_utf8(version.as_bytes()).ok()?;
        let (form, number) = text.split_once(' ')?;
        Some(match form {
            "row" => Self::Row(number.parse().ok()?),
            "commit" => Self::Commit(number.parse().ok()?),
            "snapshot" => Self::Snapshot(number.parse().ok()?),
            "stamp" => Self::Stamp(number.parse().ok()?),
            _ => return None,
        })
    }
}

/// Compares two versions. A commit that a snapshot contains is older than the snapshot, which
/// is what lets feed events from before a read or a write drop (protocol E2').
pub(crate) fn order(a: &Version, b: &Version) -> VersionOrder {
    match (a.is_none(), b.is_none()) {
        (true, true) => return VersionOrder::Same,
        (true, false) => return VersionOrder::Older,
        (false, true) => return VersionOrder::Newer,
        (false, false) => {}
    }
    let ordering = match (Form::decode(a), Form::decode(b)) {
        (Some(Form::Row(a)), Some(Form::Row(b))) => a.cmp(&b),
        (Some(Form::Stamp(a)), Some(Form::Stamp(b))) => a.cmp(&b),
        (Some(a), Some(b)) => match (place(a), place(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => return VersionOrder::Unknown,
        },
        _ => return VersionOrder::Unknown,
    };
    match ordering {
        Ordering::Less => VersionOrder::Older,
        Ordering::Equal => VersionOrder::Same,
        Ordering::Greater => VersionOrder::Newer,
    }
}

fn place(form: Form) -> Option<(u64, u8)> {
    match form {
        Form::Commit(number) => Some((number, 0)),
        Form::Snapshot(number) => Some((number, 1)),
        Form::Row(_) | Form::Stamp(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_contains_the_commits_up_to_it() {
        let commit = Form::Commit(5).encode();
        assert_eq!(order(&commit, &Form::Snapshot(5).encode()), VersionOrder::Older);
        assert_eq!(order(&commit, &Form::Snapshot(4).encode()), VersionOrder::Newer);
        assert_eq!(order(&commit, &commit), VersionOrder::Same);
        assert_eq!(order(&commit, &Form::Stamp(5).encode()), VersionOrder::Unknown);
        assert_eq!(order(&Version::default(), &commit), VersionOrder::Older);
    }
}
