//! Links and journal entries of a former revision, as the present one has them.

use syncline_sdk::Value;

use super::{Entry, FieldState, Half, Link, UnitState, UnitStatus};
use crate::Side;
use crate::mapping::{Former, Mapping};

/// Values by their fields, at their present places; those of fields that are not mapped any more
/// are left out.
fn placed(former: &Former, side: Side, values: &mut Vec<(u16, Value)>) {
    let old = std::mem::take(values);
    *values = old
        .into_iter()
        .filter_map(|(field, value)| Some((former.field(side, field)?, value)))
        .collect();
    values.sort_by_key(|(field, _)| *field);
}

fn units_placed(former: &Former, units: &mut Vec<u16>) {
    let mut now: Vec<u16> = units.iter().filter_map(|unit| former.unit(*unit)).collect();
    now.sort_unstable();
    *units = now;
}

impl Link {
    /// Lays the link out as the present revision of its mapping has it. What was agreed upon
    /// stays with its fields; units that another rule joins by now are marked, to be agreed anew;
    /// units that are elsewhere lose their question, which named them by their place.
    ///
    /// # Errors
    /// The revision, when nothing is known of it.
    pub fn relay(&mut self, mapping: &Mapping) -> Result<(), i32> {
        if self.mapping_rev == mapping.revision {
            return Ok(());
        }
        let former = mapping.former.get(&self.mapping_rev).ok_or(self.mapping_rev)?;
        self.mapping_rev = mapping.revision;
        if former.is_same() {
            return Ok(());
        }
        for side in Side::BOTH {
            if let Some(base) = &mut self.base[side] {
                let old = std::mem::take(&mut base.image);
                base.image = vec![Value::Absent; former.image_len[side]];
                for (at, value) in old.into_iter().enumerate() {
                    let place = u16::try_from(at).ok().and_then(|at| former.field(side, at));
                    if let Some(place) = place.map(usize::from)
                        && let Some(field) = base.image.get_mut(place)
                    {
                        *field = value;
                    }
                }
            }
            placed(former, side, &mut self.pending[side].values);
        }
        if !self.origins.is_empty() {
            // A unit that is put together anew was agreed upon wherever its fields were: it has
            // an origin, so that it is not taken for one that was never agreed.
            let any = self.origins.iter().flatten().next().copied();
            let mut origins = vec![None; former.units_len];
            for (at, origin) in self.origins.drain(..).enumerate() {
                let place = u16::try_from(at).ok().and_then(|at| former.unit(at));
                if let Some(place) = place.and_then(|at| origins.get_mut(usize::from(at))) {
                    *place = origin;
                }
            }
            for unit in &former.changed {
                if let Some(place) = origins.get_mut(usize::from(*unit)) {
                    *place = place.or(any);
                }
            }
            self.origins = origins;
        }
        self.field_state.relay(former);
        Ok(())
    }
}

impl FieldState {
    fn relay(&mut self, former: &Former) {
        let old = std::mem::take(&mut self.units);
        for (unit, state) in old {
            let Some(now) = former.unit(unit) else { continue };
            let status = match state.status {
                UnitStatus::Held | UnitStatus::Frozen if now != unit => UnitStatus::Free,
                status => status,
            };
            self.set_unit(usize::from(now), UnitState { status, ..state });
        }
        self.watched.retain_mut(|watched| match watched.unit {
            None => true,
            Some(unit) => {
                watched.unit = former.unit(unit).filter(|now| !former.changed.contains(now));
                watched.unit.is_some()
            }
        });
        self.watched.sort_by_key(|watched| watched.unit);
        for unit in &former.changed {
            let changed = UnitState { status: UnitStatus::Changed, ..UnitState::default() };
            self.set_unit(usize::from(*unit), changed);
        }
        for side in Side::BOTH {
            if let Some(evidence) = &mut self.evidence[side] {
                placed(former, side, evidence);
            }
            placed(former, side, &mut self.given_up[side]);
        }
        if let Some(both) = &mut self.both {
            units_placed(former, &mut both.units);
            for side in Side::BOTH {
                placed(former, side, &mut both.seen[side]);
                if let Half::Applied(image) = &mut both.halves[side] {
                    placed(former, side, image);
                }
            }
        }
    }
}

impl Entry {
    /// Tells of fields and units by their present places. What is said of fields that are not
    /// mapped any more is left out; who reads the journal to people reads it as it was written.
    ///
    /// # Errors
    /// The revision, when nothing is known of it.
    pub fn relay(&mut self, mapping: &Mapping) -> Result<(), i32> {
        // Entries of the first releases do not tell.
        if self.revision == mapping.revision || self.revision == 0 {
            return Ok(());
        }
        let former = mapping.former.get(&self.revision).ok_or(self.revision)?;
        self.revision = mapping.revision;
        if former.is_same() {
            return Ok(());
        }
        for seen in &mut self.observed {
            let old = std::mem::take(&mut seen.values);
            let place = |(field, was, now)| Some((former.field(seen.side, field)?, was, now));
            seen.values = old.into_iter().filter_map(place).collect();
            seen.values.sort_by_key(|(field, _, _)| *field);
        }
        self.decided.retain_mut(|decided| match decided.unit {
            None => true,
            Some(unit) => {
                decided.unit = former.unit(unit);
                decided.unit.is_some()
            }
        });
        if let Some(intent) = &mut self.intent {
            units_placed(former, &mut intent.units);
            intent.fields.retain_mut(|written| match former.field(intent.side, written.field) {
                Some(now) => {
                    written.field = now;
                    true
                }
                None => false,
            });
            placed(former, intent.side.other(), &mut intent.source);
        }
        Ok(())
    }
}

/// What has become of the unit of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is where it was, under the same rule.
    There,
    /// It is here by now, under the same rule.
    Elsewhere(u16),
    /// It is not there any more, or under another rule.
    Not,
}

/// What has become of a former unit, for the questions about it.
#[must_use]
pub fn keeps_question(mapping: &Mapping, revision: i32, unit: Option<u16>) -> Kept {
    let Some(unit) = unit.filter(|_| revision != mapping.revision) else { return Kept::There };
    let Some(former) = mapping.former.get(&revision) else { return Kept::Not };
    match former.unit(unit).filter(|now| !former.changed.contains(now)) {
        Some(now) if now == unit => Kept::There,
        Some(now) => Kept::Elsewhere(now),
        None => Kept::Not,
    }
}
