//! Mappings whose file somebody puts in another order while no process runs: nothing that was
//! agreed upon may be taken for something else.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::mapping::{Former, Mapping, Pair};
use syncline_core::{Side, Sides};

use crate::choices::Choices;
use crate::setup::ITEMS;
use crate::world::World;

impl World {
    /// The next process finds the fields and units of its mapping in another order.
    pub(crate) fn change_mapping(&mut self) {
        let Some(before) = self.mappings.get(&ITEMS).cloned() else { return };
        let after = {
            let mut inner = self.desk.lock();
            inner.coverage.hit("fault: mapping changed");
            reordered(&before, &mut inner.choices)
        };
        let orders: Vec<&str> = after.units.iter().map(|unit| &*unit.name).collect();
        self.desk.tell(|| format!("the mapping is put in another order: {orders:?}"));
        self.mappings.insert(ITEMS, Arc::new(after));
    }
}

/// The mapping with all but the first field of each side, and all but the first unit, in another
/// order.
fn reordered(before: &Mapping, choices: &mut Choices) -> Mapping {
    let fields = Sides::from_fn(|side| order(before.sides[side].fields.len(), choices));
    let units = order(before.units.len(), choices);
    let mut after = before.clone();
    after.revision += 1;
    for side in Side::BOTH {
        let mapped = &mut after.sides[side];
        mapped.fields = put(&before.sides[side].fields, &fields[side]);
        let selection = Arc::make_mut(&mut mapped.selection);
        selection.fields = put(&selection.fields, &fields[side]).into();
    }
    after.units = put(&before.units, &units);
    for unit in &mut after.units {
        for pair in &mut unit.pairs {
            let (left, right) = (fields.left[pair.left], fields.right[pair.right]);
            *pair = Pair { left, right, ..pair.clone() };
        }
    }
    for rule in &mut after.matches {
        (rule.left, rule.right) = (fields.left[rule.left], fields.right[rule.right]);
    }
    let place = |at: usize| u16::try_from(at).ok();
    let step = Former {
        fields: Sides::from_fn(|side| fields[side].iter().copied().map(place).collect()),
        units: units.into_iter().map(place).collect(),
        changed: Vec::new(),
        image_len: Sides::from_fn(|side| before.sides[side].image_len),
        units_len: before.units.len(),
        widened: false,
        filtered: false,
    };
    let mut former: BTreeMap<i32, Former> = BTreeMap::new();
    for (revision, known) in &before.former {
        let through = |places: &[Option<u16>], next: &[Option<u16>]| {
            places.iter().map(|at| at.and_then(|at| next[usize::from(at)])).collect()
        };
        let fields = Sides::from_fn(|side| through(&known.fields[side], &step.fields[side]));
        let units = through(&known.units, &step.units);
        former.insert(*revision, Former { fields, units, ..step.clone() });
    }
    former.insert(before.revision, step);
    after.former = former;
    after
}

/// The new place of each of so many things; the first stays.
fn order(len: usize, choices: &mut Choices) -> Vec<usize> {
    let mut left: Vec<usize> = (1..len).collect();
    let mut order = vec![0];
    while !left.is_empty() {
        let at = choices.below(u32::try_from(left.len()).unwrap_or(1)) as usize;
        order.push(left.remove(at));
    }
    order.truncate(len);
    order
}

/// Things at their new places.
fn put<T: Clone>(things: &[T], order: &[usize]) -> Vec<T> {
    let mut placed: Vec<(usize, T)> = order.iter().copied().zip(things.iter().cloned()).collect();
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, thing)| thing).collect()
}
