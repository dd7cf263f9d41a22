//! What came in one transaction stays in one batch (protocol I9).

use std::collections::BTreeMap;

use super::batching::Carried;

/// The batches of one class: each of at most so many writes. Where the side is transactional,
/// what came in one transaction is not torn apart, as long as one batch can hold it.
pub(super) fn parts(carried: Vec<Carried>, rows: usize, transactional: bool) -> Vec<Vec<Carried>> {
    if carried.len() <= rows {
        return vec![carried];
    }
    let mut parts: Vec<Vec<Carried>> = Vec::new();
    for unit in units(carried, transactional) {
        let room = parts.last().map_or(0, |last| rows.saturating_sub(last.len()));
        if unit.len() <= room
            && let Some(last) = parts.last_mut()
        {
            last.extend(unit);
            continue;
        }
        let mut rest = unit;
        while rest.len() > rows {
            let more = rest.split_off(rows);
            parts.push(rest);
            rest = more;
        }
        parts.push(rest);
    }
    parts
}

/// What must not be torn apart, in the order of the first writes.
fn units(carried: Vec<Carried>, transactional: bool) -> Vec<Vec<Carried>> {
    let mut units: Vec<Vec<Carried>> = Vec::new();
    let mut groups: BTreeMap<u64, usize> = BTreeMap::new();
    for carried in carried {
        let Some(group) = carried.group.filter(|_| transactional) else {
            units.push(vec![carried]);
            continue;
        };
        match groups.get(&group) {
            Some(at) => units[*at].push(carried),
            None => {
                groups.insert(group, units.len());
                units.push(vec![carried]);
            }
        }
    }
    units
}
