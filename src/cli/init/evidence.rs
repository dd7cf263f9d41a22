//! What other fields tell of a key: whether the records that it brings together are the same.

use std::collections::BTreeMap;

use syncline_core::Sides;

use super::likeness::share;
use super::proposal::SHOWN_MIN;
use super::sample::Sample;

/// A field agrees where so many of the records have one value in it,
const AGREES_MIN: f64 = 0.5;
/// and where these are so many times as many as would by chance.
const CHANCE_TIMES: f64 = 2.0;
/// A field of which more agree by chance tells nothing.
const CHANCE_MAX: f64 = 0.4;

/// What the other fields of the records that a key brings together say.
pub(super) struct Evidence {
    /// How many fields tell.
    telling: usize,
    /// In how many of them the records agree.
    agreeing: usize,
    /// How many records agree in the best of them, 0 to 1.
    pub best: f64,
}

impl Evidence {
    /// Whether most fields that tell agree; nothing where none tells.
    pub fn holds(&self) -> Option<bool> {
        (self.telling > 0).then_some(self.agreeing * 2 > self.telling)
    }
}

/// Looks at fields of like names in the records that a key brings together.
pub(super) fn evidence(
    left: &Sample,
    right: &Sample,
    partners: &[(usize, usize)],
    key: &Sides<usize>,
    alike: &[Sides<usize>],
) -> Evidence {
    let mut evidence = Evidence { telling: 0, agreeing: 0, best: 0.0 };
    for other in alike.iter().filter(|other| other.left != key.left && other.right != key.right) {
        let (l, r) = (&left.columns[other.left], &right.columns[other.right]);
        // Sides that write the same in words of their own tell nothing by not being equal.
        if l.distinct.is_disjoint(&r.distinct) {
            continue;
        }
        let values =
            |(a, b): &(usize, usize)| Some((l.values[*a].as_deref()?, r.values[*b].as_deref()?));
        let shown: Vec<(&str, &str)> = partners.iter().filter_map(values).collect();
        let chance = chance(&shown);
        if shown.len() < SHOWN_MIN || chance > CHANCE_MAX {
            continue;
        }
        let agree = share(shown.iter().filter(|(a, b)| a == b).count(), shown.len());
        evidence.telling += 1;
        evidence.agreeing += usize::from(agree >= AGREES_MIN && agree >= CHANCE_TIMES * chance);
        evidence.best = evidence.best.max(agree);
    }
    evidence
}

/// The share of pairs that would be equal, were the values of one side dealt out anew.
fn chance(shown: &[(&str, &str)]) -> f64 {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (left, right) in shown {
        counts.entry(left).or_default().0 += 1;
        counts.entry(right).or_default().1 += 1;
    }
    let all = shown.len();
    counts.values().map(|(left, right)| share(*left, all) * share(*right, all)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agrees_by_chance_is_known() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(chance(&[("a", "b"), ("b", "c"), ("c", "a")]), 1.0 / 3.0));
        assert!(close(chance(&[("a", "a"), ("a", "a")]), 1.0));
        assert!(close(chance(&[("a", "b"), ("a", "b")]), 0.0));
    }
}
