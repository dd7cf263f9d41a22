//! When what is read, and what becomes of it.

use std::time::Duration;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_ledger::Ledger;
use syncline_sdk::{FeedKind, SystemName};

use super::ending::Ended;
use super::pace::tick;
use super::reads::{Job, Read};
use super::run::{
    ANSWERS_EVERY, ASKED_EVERY, AUDIT_EVERY, Driver, FORGET_EVERY, HINTS_IDLE, RETRY_EVERY,
    SPARING_EVERY, TICK,
};
use crate::crowding::load_priority;
use crate::limits;

impl<L: Ledger> Driver<L> {
    /// Starts the reads that are due.
    pub(super) fn spawn_due(&mut self) {
        let now = tick();
        for (job, place, number) in self.turns.due(now) {
            if let Some(system) = self.over_budget(&job) {
                tracing::info!(%system, "a pass waits: the reserve of the daily quota is reached");
                self.turns.done(&job, now + Duration::from_secs(60));
                continue;
            }
            if self.is_stopped(&job) || self.waits_for_parents(&job) || self.is_too_early(&job) {
                self.turns.done(&job, now + TICK);
                continue;
            }
            let ownership = self.ownership;
            let intake = self.engine.intake();
            let answers = self.reads.0.clone();
            self.tasks.spawn(async move {
                let result = intake.run(&job, place.as_deref()).await;
                let _ = answers.send(Read { ownership, job, number, result }).await;
            });
        }
    }

    /// A scan waits for systems that do not keep up or do not answer: what it reads would only
    /// wait for them elsewhere.
    pub(super) fn is_too_early(&self, job: &Job) -> bool {
        let id = match job {
            Job::Load(id, _) | Job::Verify(id) | Job::Rules(id) => id,
            Job::Retry(id) | Job::Sweep(id) => id,
            _ => return false,
        };
        // What a load or a verifying pass reads need not be read twice.
        let read = |other: &Job| matches!(other, Job::Load(of, _) | Job::Verify(of) if of == id);
        if matches!(job, Job::Sweep(_)) && self.turns.contains(read) {
            return true;
        }
        let now = self.engine.intake.clock.now();
        let sides = &self.engine.intake.mappings[id].sides;
        // Who keeps polls to some hours wants no sweep in the others, unless somebody asks for one.
        let rests = |side: Side| self.settings.poll_rests(&sides[side].system, now);
        let asked = self.swept_for.contains_key(id);
        if matches!(job, Job::Sweep(_)) && !asked && Side::BOTH.into_iter().any(rests) {
            return true;
        }
        let systems = &self.engine.intake.systems;
        let away = |side| systems[&sides[side].system].silent(now).is_some();
        Side::BOTH.into_iter().any(away) || !self.has_room()
    }

    /// A load waits until the poll of its side has a cursor, so that what changes behind the load
    /// is polled; for the loads of the mappings that it refers to; and the right side's for the
    /// left's, so that each finds its partners linked.
    pub(super) fn waits_for_parents(&self, job: &Job) -> bool {
        let Job::Load(id, side) = job else {
            return false;
        };
        if self.turns.is_unplaced(&Job::Poll(*id, *side)) {
            return true;
        }
        let mapping = &self.engine.intake.mappings[id];
        let parents: Vec<MappingId> = mapping
            .units
            .iter()
            .flat_map(|unit| &unit.pairs)
            .filter_map(|pair| pair.reference)
            .filter(|parent| parent != id)
            .collect();
        let ranks = load_priority(&self.engine.intake.mappings);
        let shares = |other: &MappingId| {
            let of = |id: &MappingId| {
                let sides = &self.engine.intake.mappings[id].sides;
                Side::BOTH.map(|side| sides[side].system.clone())
            };
            of(id).iter().any(|system| of(other).contains(system))
        };
        let goes_on = |job: &Job| {
            let waits = self.is_stopped(job) || self.is_too_early(job);
            !waits && self.over_budget(job).is_none()
        };
        self.turns.contains(|job| match job {
            Job::Load(other, _) if parents.contains(other) => true,
            // What matters more is loaded first, where it can be loaded at all.
            Job::Load(other, _) if ranks[other] < ranks[id] => shares(other) && goes_on(job),
            Job::Load(other, Side::Left) => other == id && *side == Side::Right,
            _ => false,
        })
    }

    /// The system whose reserve of the daily quota a load, a sweep or an audit would touch.
    pub(super) fn over_budget(&self, job: &Job) -> Option<SystemName> {
        let names: Vec<SystemName> = match job {
            Job::Load(id, side) => {
                vec![self.engine.intake.mappings[id].sides[*side].system.clone()]
            }
            Job::Audit(system) => vec![system.clone()],
            Job::Verify(id) | Job::Sweep(id) => Side::BOTH
                .into_iter()
                .map(|side| self.engine.intake.mappings[id].sides[side].system.clone())
                .collect(),
            _ => return None,
        };
        names.into_iter().find(|name| self.is_reserve_reached(name))
    }

    /// Whether so much of a system's daily quota is used that the rest is kept for others.
    fn is_reserve_reached(&self, system: &SystemName) -> bool {
        let usage = self.engine.intake.systems[system].connector.usage();
        usage.quota.is_some_and(|quota| {
            #[expect(clippy::cast_precision_loss, reason = "a share of a quota")]
            let share = quota.used as f64 / quota.max.max(1) as f64;
            share >= 1.0 - self.settings.quota_reserve
        })
    }

    /// How long to wait until a system is polled again for a side of a mapping. Polls alone can use
    /// up a daily quota: of its reserve they take one call a minute, all together.
    fn poll_wait(&mut self, system: &SystemName) -> Duration {
        let usual = self.settings.poll_wait(system, self.engine.intake.clock.now());
        if !self.is_reserve_reached(system) {
            if self.spared.remove(system) {
                tracing::info!(%system, "the daily quota has room again: it is polled as ever");
            }
            return usual;
        }
        let mappings = self.engine.intake.mappings.values();
        let sides = mappings.flat_map(|mapping| mapping.sides.iter());
        let polled = sides.filter(|(_, side)| {
            side.system == *system && side.capabilities.feed == FeedKind::Polled
        });
        let sparing = SPARING_EVERY * u32::try_from(polled.count()).unwrap_or(u32::MAX);
        if self.spared.insert(system.clone()) {
            tracing::warn!(%system, "the reserve of the daily quota is reached: it is polled once \
                in {sparing:?} for each of its mappings");
        }
        usual.max(sparing)
    }

    pub(super) fn job_done(&mut self, job: &Job, number: u64, next: Option<String>, more: bool) {
        if !self.turns.is_current(job, number) {
            return;
        }
        let now = tick();
        let again = match job {
            Job::Mend(name) => return self.mended(name),
            Job::Reopen(_) => return self.turns.remove(job),
            Job::Begin(name) => {
                self.turns.remove(job);
                self.ended = Some(Ended::Answers(name.clone()));
                return;
            }
            Job::Load(..) | Job::Verify(_) | Job::Rules(_) if !more => {
                self.turns.remove(job);
                self.note_loads();
                return;
            }
            Job::Retry(_) if more => now + limits::RETRIED_SEEN,
            Job::Retry(_) => now + RETRY_EVERY,
            Job::Sweep(id) => self.sweeps_on(*id, next.as_deref()),
            Job::Asked => now + ASKED_EVERY,
            _ if more => now,
            Job::Poll(id, side) => {
                let system = self.engine.intake.mappings[id].sides[*side].system.clone();
                now + self.poll_wait(&system)
            }
            Job::Hints(_) => now + HINTS_IDLE,
            Job::Answers => now + ANSWERS_EVERY,
            Job::Forget(_) => now + FORGET_EVERY,
            Job::Audit(_) => now + AUDIT_EVERY,
            Job::Load(..) | Job::Verify(_) | Job::Rules(_) => now,
        };
        if let Some(turn) = self.turns.get_mut(job) {
            turn.place = next;
        }
        self.turns.done(job, again);
    }
}
