//! Records that nobody looks after: deleted, or outside the filter of their mapping.

use std::collections::{BTreeMap, VecDeque};

use syncline_core::Side;
use syncline_core::machine::{Observation, Source};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_sdk::{Instant, Key, Version, VersionOrder};

use crate::limits;

type Name = (MappingId, Side, Key);

/// How a record departed.
#[derive(Clone, Debug)]
enum Departure {
    /// A feed showed its deletion, which it will not tell again.
    Deleted,
    /// A poll showed its deletion, by the side's clock at that time.
    Missed(Option<Instant>),
    /// It stood outside the filter, in this version.
    Left(Version),
}

/// The last records that were seen departing. A page that was read before that and is folded behind
/// it must not bring a record to life that no link knows by its present name: its departure will
/// not be told again. Nothing of it outlives the process, nor does any page that was under way in
/// it.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    names: BTreeMap<Name, Departure>,
    order: VecDeque<Name>,
}

impl Departed {
    /// Notes what is shown of a record. False for a reading of a record that has departed since: it
    /// says nothing any more.
    pub fn admits(
        &mut self,
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        order: impl Fn(&Version, &Version) -> VersionOrder,
    ) -> bool {
        let name = (mapping.id, side, seen.key.clone());
        let Ok(values) = &seen.content else {
            match seen.source {
                Source::Feed => self.note(name, Departure::Deleted),
                Source::Page => self.note(name, Departure::Missed(seen.server_time)),
                Source::Read => {}
            }
            return true;
        };
        let admitted = match self.names.get(&name) {
            None => true,
            Some(Departure::Deleted) => seen.source == Source::Feed,
            // What was brought back within the same second is shown by the same clock.
            Some(Departure::Missed(at)) => {
                seen.source != Source::Page || seen.server_time.is_none() || seen.server_time >= *at
            }
            Some(Departure::Left(version)) => order(&seen.version, version) != VersionOrder::Older,
        };
        if !admitted {
            return false;
        }
        match mapping.in_scope(side, values) {
            true => {
                self.names.remove(&name);
            }
            false => self.note(name, Departure::Left(seen.version.clone())),
        }
        true
    }

    fn note(&mut self, name: Name, departure: Departure) {
        if self.names.insert(name.clone(), departure).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > limits::DEPARTED_MAX {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.names.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use syncline_core::machine::Missing;
    use syncline_sdk::{Actor, Comparison, Filter, Value};

    use super::*;
    use crate::observation::gone;

    fn filtered() -> Mapping {
        let mut mapping = (*crate::fixture::mapping(MappingId(1), None)).clone();
        let selection = Arc::make_mut(&mut mapping.sides.left.selection);
        let (field, value) = ("f".into(), "in".into());
        selection.filter = Some(Filter::Compare { field, comparison: Comparison::Equal, value });
        mapping
    }

    fn clock(second: i64) -> Option<Instant> {
        Some(Instant::from_micros(second * 1_000_000))
    }

    fn shown(source: Source, value: &str, second: u8) -> Observation {
        let version = Version::new(vec![second]);
        let content = Ok(vec![Value::from(value)]);
        let at = clock(i64::from(second));
        let absent = gone("k".into(), Missing::Deleted, Actor::default(), at, None, source, at);
        Observation { version, content, ..absent }
    }

    fn missing(source: Source, second: i64) -> Observation {
        let (actor, at) = (Actor::default(), clock(second));
        gone("k".into(), Missing::Deleted, actor, at, None, source, at)
    }

    /// Which of the observations, in the order in which they are folded, are admitted.
    fn admitted(seen: &[Observation]) -> Vec<bool> {
        let (mut departed, mapping) = (Departed::default(), filtered());
        let order = |a: &Version, b: &Version| match a.as_bytes().cmp(b.as_bytes()) {
            std::cmp::Ordering::Less => VersionOrder::Older,
            std::cmp::Ordering::Equal => VersionOrder::Same,
            std::cmp::Ordering::Greater => VersionOrder::Newer,
        };
        seen.iter().map(|seen| departed.admits(&mapping, Side::Left, seen, order)).collect()
    }

    #[test]
    fn a_page_of_before_a_deletion_says_nothing() {
        let page = |second| shown(Source::Page, "in", second);
        let back = shown(Source::Feed, "in", 4);
        let feed = [missing(Source::Feed, 2), page(1), page(3), back, page(5)];
        assert_eq!(admitted(&feed), [true, false, false, true, true]);
        // A poll tells by the clock of its system.
        assert_eq!(admitted(&[missing(Source::Page, 2), page(1), page(2)]), [true, false, true]);
    }

    #[test]
    fn a_page_of_before_a_record_left_the_filter_says_nothing() {
        for source in [Source::Feed, Source::Page] {
            let left = shown(source, "out", 2);
            let page = |second| shown(Source::Page, "in", second);
            assert_eq!(admitted(&[left, page(1), page(3), page(1)]), [true, false, true, true]);
        }
    }
}
