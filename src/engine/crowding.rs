//! Who writes first where not all can be written at once.

use std::collections::BTreeMap;

use syncline_core::machine::Mappings;
use syncline_core::mapping::Priority;
use syncline_sdk::{Quota, SystemName};

use crate::limits;

/// Which mappings leave room to others. Nobody does where all have one priority.
#[derive(Clone, Debug)]
pub(crate) struct Crowding {
    /// The highest priority among the mappings of each system.
    first: BTreeMap<SystemName, Priority>,
    /// The share of a system's daily quota that is kept for what matters, 0 to 1.
    pub reserve: f64,
}

/// How busy a system is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Batches under way.
    pub flights: usize,
    /// Its quota, where it has one.
    pub quota: Option<Quota>,
}

impl Crowding {
    pub fn of(mappings: &Mappings) -> Self {
        let mut first: BTreeMap<SystemName, Priority> = BTreeMap::new();
        for mapping in mappings.values() {
            for (_, side) in mapping.sides.iter() {
                let known = first.entry(side.system.clone()).or_insert(mapping.priority);
                *known = mapping.priority.min(*known);
            }
        }
        Self { first, reserve: 0.0 }
    }

    /// How long what has this priority is put off for a system, microseconds; nothing where there
    /// is room for it, or its turn has come: one round in ten is everybody's.
    pub fn puts_off(
        &self,
        system: &SystemName,
        priority: Priority,
        load: Load,
        commit: i64,
    ) -> Option<i64> {
        let yields = self.first.get(system).is_some_and(|first| priority > *first);
        if !yields || commit % limits::EVERYBODYS_ROUND == 0 {
            return None;
        }
        let (room, kept) = match priority {
            Priority::High => return None,
            Priority::Normal => (limits::FLIGHTS_MAX * 3 / 4, self.reserve / 2.0),
            Priority::Low => (limits::FLIGHTS_MAX / 2, self.reserve),
        };
        #[expect(clippy::cast_precision_loss, reason = "a share of a quota")]
        let used = load.quota.map(|quota| quota.used as f64 / quota.max.max(1) as f64);
        if kept > 0.0 && used.is_some_and(|used| used >= 1.0 - kept) {
            return Some(limits::OVER_BUDGET);
        }
        (load.flights >= room).then_some(limits::NO_ROOM)
    }
}

/// The priority of each mapping's first load: that of the mapping, or of one that refers to it,
/// since that one waits for it.
pub(crate) fn load_priority(
    mappings: &Mappings,
) -> BTreeMap<syncline_core::mapping::MappingId, Priority> {
    let mut ranks: BTreeMap<_, _> =
        mappings.values().map(|mapping| (mapping.id, mapping.priority)).collect();
    // As many passes as a chain of references is long at most.
    for _ in 0..mappings.len() {
        let before = ranks.clone();
        for mapping in mappings.values() {
            let parents = mapping.units.iter().flat_map(|unit| &unit.pairs);
            for parent in parents.filter_map(|pair| pair.reference) {
                let own = ranks[&mapping.id];
                if let Some(rank) = ranks.get_mut(&parent) {
                    *rank = own.min(*rank);
                }
            }
        }
        if before == ranks {
            break;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYBODYS: i64 = limits::EVERYBODYS_ROUND;

    fn crowding(first: Priority) -> (Crowding, SystemName) {
        let system = SystemName::from("crm");
        (Crowding { first: BTreeMap::from([(system.clone(), first)]), reserve: 0.2 }, system)
    }

    #[test]
    fn what_matters_less_leaves_room_and_is_not_starved() {
        let (crowding, crm) = crowding(Priority::High);
        let load = |flights| Load { flights, quota: None };
        let at = |priority, flights, commit| {
            crowding.puts_off(&crm, priority, load(flights), commit).is_some()
        };
        use Priority::{High, Low, Normal};
        assert!(!at(Low, 7, 1) && at(Low, 8, 1));
        assert!(!at(Normal, 11, 1) && at(Normal, 12, 1));
        assert!(!at(High, 16, 1));
        let turns = (1..=100).filter(|commit| !at(Low, 16, *commit)).count();
        assert_eq!(turns, 10, "one round in ten");
        assert!(!at(Low, 16, EVERYBODYS));
    }

    #[test]
    fn a_budget_is_kept_for_what_matters() {
        let (crowding, crm) = crowding(Priority::High);
        let at = |priority, used| {
            let load = Load { flights: 0, quota: Some(Quota { used, max: 100 }) };
            crowding.puts_off(&crm, priority, load, 1)
        };
        assert_eq!(at(Priority::Low, 79), None);
        assert_eq!(at(Priority::Low, 80), Some(limits::OVER_BUDGET));
        assert_eq!(at(Priority::Normal, 89), None);
        assert_eq!(at(Priority::Normal, 90), Some(limits::OVER_BUDGET));
        assert_eq!(at(Priority::High, 100), None);
    }

    #[test]
    fn nobody_yields_to_his_equals() {
        for priority in [Priority::Normal, Priority::Low] {
            let (crowding, crm) = crowding(priority);
            let load = Load { flights: 16, quota: Some(Quota { used: 100, max: 100 }) };
            assert_eq!(crowding.puts_off(&crm, priority, load, 1), None);
        }
    }
}
