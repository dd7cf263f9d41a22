//! Versions: what a reading has seen, compared by transaction visibility.
//!
//! Log order and visibility order differ in Postgres (a commit is logged before it becomes
//! visible), so a reading cannot be placed in the log. It carries its snapshot instead, and an
//! event its transaction: the event is contained in the reading exactly when its transaction is
//! visible in the snapshot.

use syncline_sdk::{Version, VersionOrder};

const EVENT: u8 = b'E';
const SNAPSHOT: u8 = b'S';

/// A snapshot as the server states it: `xmin:xmax:list`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Snapshot {
    /// Every transaction below is visible.
    pub xmin: u64,
    /// No transaction from here on is visible.
    pub xmax: u64,
    /// Transactions between the two that are not visible, in order.
    pub running: Vec<u64>,
}

impl Snapshot {
    /// Reads the server's own text form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let list = parts.next()?;
        let running = if list.is_empty() {
            Vec::new()
        } else {
            list.split(',').map(str::parse).collect::<Result<_, _>>().ok()?
        };
        Some(Self { xmin, xmax, running })
    }

    /// The version of a reading under this snapshot.
    pub(crate) fn read(&self) -> Version {
        self.encode(0)
    }

    /// The version of a row that the transaction `own` wrote and that took this snapshot while
    /// it held the row: everything visible, and its own write (protocol E2').
    pub(crate) fn written(&self, own: u64) -> Version {
        self.encode(own)
    }

    /// The version of a row that the transaction `own` held, but did not write: what `own` does
    /// to it elsewhere (a trigger) counts as newer.
    pub(crate) fn held(&self, own: u64) -> Version {
        if own >= self.xmax || own < self.xmin {
            return self.encode(0);
        }
        let mut running = self.running.clone();
        if let Err(at) = running.binary_search(&own) {
            running.insert(at, own);
        }
        Self { running, ..*self }.encode(0)
    }

    fn encode(&self, own: u64) -> Version {
        let mut bytes = Vec::with_capacity(25 + 8 * self.running.len());
        bytes.push(SNAPSHOT);
        for number in [own, self.xmin, self.xmax].iter().chain(&self.running) {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        Version::new(bytes)
    }
}

/// The version of a change in the stream.
pub(crate) fn event(xid: u64, commit_lsn: u64, ordinal: u32) -> Version {
    let mut bytes = [0_u8; 21];
    bytes[0] = EVENT;
    bytes[1..9].copy_from_slice(&xid.to_be_bytes());
    bytes[9..17].copy_from_slice(&commit_lsn.to_be_bytes());
    bytes[17..].copy_from_slice(&ordinal.to_be_bytes());
    Version::new(&bytes[..])
}

/// Gives a 32-bit transaction id its epoch: the one that brings it nearest to `near`, a full
/// id of about the same time. Two live ids are never further apart than 2^31.
pub(crate) fn full_xid(near: u64, xid: u32) -> u64 {
    let low = u32::try_from(near & 0xffff_ffff).unwrap_or(0);
    let distance = i64::from(xid.wrapping_sub(low).cast_signed());
    near.checked_add_signed(distance).unwrap_or_else(|| u64::from(xid))
}

enum Parsed<'a> {
    Event { xid: u64, place: &'a [u8] },
    Snapshot { own: u64, xmin: u64, xmax: u64, running: &'a [u8] },
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
    match *bytes.first()? {
        EVENT if bytes.len() == 21 => {
            Some(Parsed::Event { xid: number(bytes, 1)?, place: &bytes[9..] })
        }
        SNAPSHOT if bytes.len() % 8 == 1 => Some(Parsed::Snapshot {
            own: number(bytes, 1)?,
            xmin: number(bytes, 9)?,
            xmax: number(bytes, 17)?,
            running: bytes.get(25..)?,
        }),
        _ => None,
    }
}

/// The ids in an encoded list.
fn ids(list: &[u8]) -> impl Iterator<Item = u64> + '_ {
    list.chunks_exact(8).filter_map(|chunk| Some(u64::from_be_bytes(chunk.try_into().ok()?)))
}

fn sees(own: u64, xmin: u64, xmax: u64, running: &[u8], xid: u64) -> bool {
    xid == own || xid < xmin || (xid < xmax && !ids(running).any(|id| id == xid))
}

/// Whether everything that `a` sees is also seen by `b`.
fn within(a: &Parsed<'_>, b: &Parsed<'_>) -> bool {
    let (
        &Parsed::Snapshot { own: a_own, xmin: a_min, xmax: a_max, running: a_running },
        &Parsed::Snapshot { own: b_own, xmin: b_min, xmax: b_max, running: b_running },
    ) = (a, b)
    else {
        return false;
    };
    let a_sees = |xid| sees(a_own, a_min, a_max, a_running, xid);
    let b_sees = |xid| sees(b_own, b_min, b_max, b_running, xid);
    // What b does not see: its list, and everything from its xmax on (but its own).
    let listed = ids(b_running).all(|xid| b_sees(xid) || !a_sees(xid));
    // A transaction that runs sees itself.
    let hides = |xid: &u64| *xid >= b_max && *xid < a_max && *xid != a_own;
    let hidden_above = ids(a_running).filter(hides).count();
    let span = a_max.saturating_sub(b_max);
    let own_above = u64::from(b_own >= b_max && b_own < a_max && a_sees(b_own));
    let hidden_above = u64::try_from(hidden_above).unwrap_or(u64::MAX);
    let above = span.saturating_sub(hidden_above) <= own_above;
    let own = a_own == 0 || b_sees(a_own);
    listed && above && own
}

/// Compares two versions of one row. A version that was not made here is `Unknown`, but for
/// the empty one, which is older than every other.
pub(crate) fn order(a: &Version, b: &Version) -> VersionOrder {
    match (a.is_none(), b.is_none()) {
        (true, true) => return VersionOrder::Same,
        (true, false) => return VersionOrder::Older,
        (false, true) => return VersionOrder::Newer,
        (false, false) => {}
    }
    if a == b {
        return VersionOrder::Same;
    }
    let (Some(a), Some(b)) = (parse(a.as_bytes()), parse(b.as_bytes())) else {
        return VersionOrder::Unknown;
    };
    match (&a, &b) {
        (Parsed::Event { place: a, .. }, Parsed::Event { place: b, .. }) => match a.cmp(b) {
            std::cmp::Ordering::Less => VersionOrder::Older,
            std::cmp::Ordering::Equal => VersionOrder::Same,
            std::cmp::Ordering::Greater => VersionOrder::Newer,
        },
        (Parsed::Event { xid, .. }, Parsed::Snapshot { .. }) => against(*xid, &b),
        (Parsed::Snapshot { .. }, Parsed::Event { xid, .. }) => match against(*xid, &a) {
            VersionOrder::Older => VersionOrder::Newer,
            VersionOrder::Newer => VersionOrder::Older,
            other => other,
        },
        (Parsed::Snapshot { .. }, Parsed::Snapshot { .. }) => {
            match (within(&a, &b), within(&b, &a)) {
                (true, true) => VersionOrder::Same,
                (true, false) => VersionOrder::Older,
                (false, true) => VersionOrder::Newer,
                (false, false) => VersionOrder::Unknown,
            }
        }
    }
}

/// An event against a snapshot.
fn against(xid: u64, snapshot: &Parsed<'_>) -> VersionOrder {
    match *snapshot {
        Parsed::Snapshot { own, xmin, xmax, running } => {
            if xid == own {
                VersionOrder::Same
            } else if sees(0, xmin, xmax, running, xid) {
                VersionOrder::Older
            } else {
                VersionOrder::Newer
            }
        }
        Parsed::Event { .. } => VersionOrder::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        Snapshot::parse(text).unwrap()
    }

    #[test]
    fn an_event_is_placed_by_visibility_not_by_number() {
        let read = snapshot("100:110:103,107").read();
        for (xid, wanted) in [
            (99, VersionOrder::Older),
            (103, VersionOrder::Newer),
            (104, VersionOrder::Older),
            (107, VersionOrder::Newer),
            (110, VersionOrder::Newer),
        ] {
            assert_eq!(order(&event(xid, 5, 0), &read), wanted, "{xid}");
        }
        // The smaller id that commits later is newer by its place in the log.
        assert_eq!(order(&event(103, 900, 0), &event(107, 800, 3)), VersionOrder::Newer);
        assert_eq!(order(&event(107, 800, 3), &event(107, 800, 2)), VersionOrder::Newer);
    }

    #[test]
    fn our_own_write_is_the_same_and_a_held_row_is_not() {
        let taken = snapshot("100:110:103");
        for own in [104, 115] {
            let written = taken.written(own);
            assert_eq!(order(&event(own, 5, 9), &written), VersionOrder::Same);
            assert_eq!(order(&written, &event(own, 5, 9)), VersionOrder::Same);
            assert_eq!(order(&event(own, 5, 9), &taken.held(own)), VersionOrder::Newer);
            assert_eq!(order(&event(102, 5, 9), &written), VersionOrder::Older);
            assert_eq!(order(&event(103, 5, 9), &written), VersionOrder::Newer);
        }
    }

    #[test]
    fn readings_are_compared_by_what_they_contain() {
        let early = snapshot("100:105:102").read();
        let late = snapshot("106:106:").read();
        let aside = snapshot("101:108:101,106").read();
        assert_eq!(order(&early, &late), VersionOrder::Older);
        assert_eq!(order(&late, &early), VersionOrder::Newer);
        assert_eq!(order(&aside, &late), VersionOrder::Unknown);
        assert_eq!(order(&Version::default(), &early), VersionOrder::Older);
        assert_eq!(order(&Version::new(&b"?"[..]), &early), VersionOrder::Unknown);
        // A write sees what the reading before it saw, and itself.
        let write = snapshot("100:105:102").written(110);
        assert_eq!(order(&early, &write), VersionOrder::Older);
        assert_eq!(order(&snapshot("111:111:").read(), &write), VersionOrder::Newer);
        let (before, after) = (snapshot("3:3:").written(4), snapshot("3:5:4").written(4));
        assert_eq!(order(&before, &after), VersionOrder::Older);
    }

    #[test]
    fn ids_get_their_epoch_across_a_wrap() {
        let near = (7_u64 << 32) | 5;
        assert_eq!(full_xid(near, 3), (7 << 32) | 3);
        assert_eq!(full_xid(near, 0xffff_fff0), (6 << 32) | 0xffff_fff0);
        let before = (6_u64 << 32) | 0xffff_fff0;
        assert_eq!(full_xid(before, 4), (7 << 32) | 4);
        assert_eq!(full_xid(700, 650), 650);
    }

    fn any_snapshot() -> impl Strategy<Value = (Snapshot, u64)> {
        (1_u64..6, 0_u64..6, proptest::collection::btree_set(0_u64..12, 0..4), 0_u64..14).prop_map(
            |(xmin, more, set, own)| {
                let xmax = xmin + more;
                let running = set.into_iter().filter(|id| (xmin..xmax).contains(id)).collect();
                (Snapshot { xmin, xmax, running }, own)
            },
        )
    }

    proptest! {
        #[test]
        fn containment_is_what_counting_says(
            (a, a_own) in any_snapshot(),
            (b, b_own) in any_snapshot(),
        ) {
            let visible = |s: &Snapshot, xid: u64| {
                xid < s.xmin || (xid < s.xmax && !s.running.contains(&xid))
            };
            let seen = |s: &Snapshot, own: u64| -> Vec<u64> {
                (1..20).filter(|xid| *xid == own || visible(s, *xid)).collect()
            };
            let (left, right) = (seen(&a, a_own), seen(&b, b_own));
            let wanted = match (
                left.iter().all(|x| right.contains(x)),
                right.iter().all(|x| left.contains(x)),
            ) {
                (true, true) => VersionOrder::Same,
                (true, false) => VersionOrder::Older,
                (false, true) => VersionOrder::Newer,
                (false, false) => VersionOrder::Unknown,
            };
            prop_assert_eq!(order(&a.written(a_own), &b.written(b_own)), wanted);
        }
    }
}
