//! When sweeps run: one after the other by themselves, at full pace where a person asked.

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use tokio::time::Instant as Tick;

use super::pace::tick;
use super::reads::Job;
use super::run::Driver;
use crate::intake::{SweepPlace, sweep_stream};
use crate::limits;

/// Longer than a process lives: none runs by itself.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How long a pass rests between two steps.
fn between_steps(every: Duration) -> Duration {
    (every / limits::SWEEP_RESTS).min(limits::SWEEP_REST)
}

impl<L: Ledger> Driver<L> {
    /// Begins the sweeps of a mapping where an earlier process left off.
    pub(super) fn start_sweep(
        &mut self,
        mapping: &Mapping,
        known: &BTreeMap<String, StreamPosition>,
    ) {
        let known = known.get(&sweep_stream(&mapping.name));
        let place: Option<SweepPlace> = known.and_then(|known| known.place.parse().ok());
        let due = match self.swept_for.contains_key(&mapping.id) {
            true => tick(),
            false => tick() + self.rest(place.as_ref()),
        };
        self.turns.add(Job::Sweep(mapping.id), place.map(|place| place.to_string()), due);
    }

    /// How long a sweep rests at this place, where nobody waits for it.
    fn rest(&self, place: Option<&SweepPlace>) -> Duration {
        let begun = place.is_some_and(|place| !place.is_over());
        let every = match self.settings.sweep_every {
            Some(every) => every,
            // One that was begun comes to its end.
            None if begun => return Duration::ZERO,
            None => return NEVER,
        };
        match place {
            None => every.min(limits::SWEEP_FIRST),
            Some(place) if !place.is_over() => between_steps(every),
            Some(place) => {
                let now = self.engine.intake.clock.now().micros();
                let passed = u64::try_from(now.saturating_sub(place.began)).unwrap_or(0);
                every.saturating_sub(Duration::from_micros(passed))
            }
        }
    }

    /// Takes note of how many sweeps people asked for.
    pub(super) fn sweeps_asked(&mut self, asked: &[(MappingId, i64)]) {
        for (id, asked) in asked {
            let job = Job::Sweep(*id);
            let Some(turn) = self.turns.get_mut(&job) else { continue };
            let place = turn.place.as_deref().and_then(|place| place.parse::<SweepPlace>().ok());
            if !place.is_some_and(|place| place.is_over() && place.asked >= *asked) {
                self.swept_for.insert(*id, *asked);
                self.turns.hurry(|of| *of == job, tick());
            }
        }
    }

    /// When a sweep goes on that has come to this place.
    pub(super) fn sweeps_on(&mut self, id: MappingId, place: Option<&str>) -> Tick {
        let place: Option<SweepPlace> = place.and_then(|place| place.parse().ok());
        let over = place.as_ref().filter(|place| place.is_over());
        if let (Some(place), Some(asked)) = (over, self.swept_for.get(&id))
            && place.asked >= *asked
        {
            self.swept_for.remove(&id);
        }
        match self.swept_for.contains_key(&id) {
            true => tick(),
            false => tick() + self.rest(place.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_links_are_swept_before_the_next_sweep_is_due() {
        let links = 1_000_000_usize;
        let steps = 2 * links.div_ceil(limits::PAGE_ROWS_MAX) + links / limits::VERIFY_LINKS_MAX;
        let steps = u32::try_from(steps).unwrap();
        for hours in [1, 24, 7 * 24] {
            let every = Duration::from_secs(hours * 3_600);
            assert!(between_steps(every) * steps < every, "{hours} h");
        }
    }
}
