//! Whether a mapping writes, and how much it matters.

use std::fmt;

use serde::{Deserialize, Serialize};
use syncline_sdk::{Filter, LinkId};

use crate::Sides;

/// Whether a mapping writes.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Mode {
    /// It writes whatever it decides.
    #[default]
    Live,
    /// It reads, links and decides, and writes to neither side.
    Observe,
    /// It writes the records of the pilot, and observes all others.
    Pilot(Pilot),
}

/// Which records a pilot is about: those that meet every part that is there.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pilot {
    /// What the record of a side must be like, by what is known of it.
    pub conditions: Sides<Option<Filter>>,
    /// How many of all records, chosen by their links.
    pub share: Option<Share>,
}

/// A share of all links. One that is greater holds every link of a lesser one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share(u16);

impl Share {
    /// A share in hundredths of a percent; nothing above 100 % or of 0.
    #[must_use]
    pub fn of_ten_thousand(parts: u16) -> Option<Self> {
        (1..=10_000).contains(&parts).then_some(Self(parts))
    }
    /// Whether a link is in the share: the same for ever.
    #[must_use]
    pub fn holds(self, link: LinkId) -> bool {
        // The end of an id is random, its beginning tells when it was made.
        let [.., a, b] = *link.0.as_bytes();
        u32::from(u16::from_le_bytes([a, b])) * 10_000 < u32::from(self.0) * 65_536
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{rest:02}").trim_end_matches('0')),
        }
    }
}

/// How much the writes of a mapping matter where not all can be made at once.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// They go before all others.
    High,
    /// They go before those that are low.
    #[default]
    Normal,
    /// They take what the others leave.
    Low,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_share_holds_every_link_of_a_lesser_one() {
        let link = |at: u32| LinkId(uuid::Uuid::from_u128(u128::from(at) * 0x9e37_79b9_7f4a));
        let held = |share: Share| (0..10_000).filter(|at| share.holds(link(*at))).count();
        let shares = [100, 1_000, 5_000, 10_000].map(|of| Share::of_ten_thousand(of).unwrap());
        for pair in shares.windows(2) {
            let lost = |at: &u32| pair[0].holds(link(*at)) && !pair[1].holds(link(*at));
            assert!((0..10_000).all(|at| !lost(&at)));
        }
        assert_eq!(held(shares[3]), 10_000);
        assert!((800..1_200).contains(&held(shares[1])), "{}", held(shares[1]));
        assert_eq!(Share::of_ten_thousand(0), None);
        assert_eq!(Share::of_ten_thousand(10_001), None);
        let told = [5, 250, 1_000].map(|of| Share::of_ten_thousand(of).unwrap().to_string());
        assert_eq!(told, ["0.05%", "2.5%", "10%"]);
    }
}
