//! Versions: the second of a record's stamp.
//!
//! Salesforce keeps date-times to the second and gives the stamp before the commit, so equal
//! stamps say nothing about equal contents: such readings are `Same`, and whoever compares them
//! compares the contents (protocol O3).
//!
//! An update answers without the stamp that it gave. But it was guarded by the stamp of a closed
//! second, so its own is later: its version is "after that second", which puts readings from
//! before the write behind it (protocol E2').

use syncline_sdk::{Instant, Precision, Version, VersionOrder};

/// The stamp of a record: whole seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Stamp(pub(crate) i64);

/// Ends the version of a record that was written after the stamp.
const AFTER: char = '+';

impl Stamp {
    /// The stamp that a record was read with; nothing for a version that only says after which.
    pub(crate) fn of(version: &Version) -> Option<Self> {
        std::str::from_utf8(version.as_bytes()).ok()?.parse().ok().map(Self)
    }
    /// The version of a record with this stamp.
    pub(crate) fn version(self) -> Version {
        Version::new(self.0.to_string().into_bytes())
    }
    /// The version of a record after a write of ours that this stamp guarded: newer than it, and
    /// older than every later stamp. It guards nothing itself: see [`Stamp::of`].
    pub(crate) fn version_after(self) -> Version {
        Version::new(format!("{}{AFTER}", self.0).into_bytes())
    }
    /// As an instant.
    pub(crate) fn instant(self) -> Instant {
        Instant::new(self.0.saturating_mul(1_000_000), Precision::Second)
    }
    /// The whole second of an instant.
    pub(crate) fn from_instant(instant: Instant) -> Self {
        Self(instant.micros().div_euclid(1_000_000))
    }
    /// As a SOQL literal.
    pub(crate) fn soql(self) -> String {
        match jiff::Timestamp::from_second(self.0) {
            Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Err(_) => "1970-01-01T00:00:00Z".to_owned(),
        }
    }
    /// As the date of an HTTP header.
    pub(crate) fn http_date(self) -> Option<String> {
        let seconds = u64::try_from(self.0).ok()?;
        let time = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))?;
        Some(httpdate::fmt_http_date(time))
    }
    /// From the date of an HTTP header.
    pub(crate) fn from_http_date(text: &str) -> Option<Self> {
        let time = httpdate::parse_http_date(text).ok()?;
        let seconds = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        i64::try_from(seconds).ok().map(Self)
    }
}

/// Compares two versions of one record.
pub(crate) fn order(a: &Version, b: &Version) -> VersionOrder {
    match (a.is_none(), b.is_none()) {
        (true, true) => return VersionOrder::Same,
        (true, false) => return VersionOrder::Older,
        (false, true) => return VersionOrder::Newer,
        (false, false) => {}
    }
    match (place(a), place(b)) {
        (Some(a), Some(b)) if a < b => VersionOrder::Older,
        (Some(a), Some(b)) if a > b => VersionOrder::Newer,
        (Some(_), Some(_)) => VersionOrder::Same,
        _ => VersionOrder::Unknown,
    }
}

/// The stamp of a version, and whether it is after it.
fn place(version: &Version) -> Option<(Stamp, bool)> {
    let text = std::str::from_utf8(version.as_bytes()).ok()?;
    let stamp = text.strip_suffix(AFTER);
    let seconds = stamp.unwrap_or(text).parse().ok()?;
    Some((Stamp(seconds), stamp.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_second() {
        let at = |second| Stamp(second).version();
        assert_eq!(order(&at(9), &at(10)), VersionOrder::Older);
        assert_eq!(order(&at(11), &at(10)), VersionOrder::Newer);
        assert_eq!(order(&at(10), &at(10)), VersionOrder::Same);
        assert_eq!(order(&Version::default(), &at(1)), VersionOrder::Older);
        assert_eq!(order(&Version::new(*b"x"), &at(1)), VersionOrder::Unknown);
    }

    #[test]
    fn a_write_is_after_the_stamp_that_guarded_it() {
        let (at, after) = (|second| Stamp(second).version(), Stamp(10).version_after());
        assert_eq!(order(&at(10), &after), VersionOrder::Older);
        assert_eq!(order(&at(11), &after), VersionOrder::Newer);
        assert_eq!(order(&after, &at(11)), VersionOrder::Older);
        assert_eq!(order(&after, &after), VersionOrder::Same);
        assert_eq!(Stamp::of(&after), None, "it guards nothing");
    }

    #[test]
    fn a_stamp_reads_back_from_every_form() {
        let stamp = Stamp(1_795_248_000);
        assert_eq!(stamp.soql(), "2026-11-21T08:00:00Z");
        let date = stamp.http_date().unwrap();
        assert_eq!(date, "Sat, 21 Nov 2026 08:00:00 GMT");
        assert_eq!(Stamp::from_http_date(&date), Some(stamp));
        assert_eq!(Stamp::of(&stamp.version()), Some(stamp));
        assert_eq!(Stamp::from_instant(stamp.instant()), stamp);
    }
}
