//! Streams that were lost are opened anew beside the rounds; an entity that cannot be captured
//! as it is mapped stops alone until somebody mended it.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::model::{Gap, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::{EntityName, Position, Purpose, Scope, Selection, SystemName};

use super::pace::tick;
use super::reads::{Found, Job};
use super::run::{Driver, DriverError, MEND_EVERY};
use super::telling::chain;
use crate::error::{EngineError, Result};
use crate::intake::{load_stream, stream_position, verify_from_start};
use crate::reader::Intake;
use crate::work::Work;

/// Entities that cannot be captured, each with why.
pub(super) type Stopped = BTreeMap<EntityName, String>;

/// A stream that starts anew.
pub(super) struct Reopened {
    /// Where it starts.
    start: Option<Position>,
    /// What it leaves out.
    stopped: Stopped,
}

impl<L: Ledger> Intake<L> {
    /// Makes a system ready for as many of its entities as can be captured, and says where its
    /// new stream starts.
    pub(super) async fn reopen(&self, name: &SystemName) -> Result<Found> {
        let system = &self.systems[name];
        let mut stopped = Stopped::new();
        loop {
            let selections: Vec<&Selection> = system
                .feed
                .iter()
                .map(|selection| &**selection)
                .filter(|selection| !stopped.contains_key(&selection.entity))
                .collect();
            let context = self.context(Purpose::Sync);
            match system.connector.prepare(&context, &selections).await {
                Ok(()) => break,
                Err(error) => {
                    let new = error.entity.clone().filter(|entity| !stopped.contains_key(entity));
                    let Some(entity) = new.filter(|_| error.kind.scope() == Scope::Entity) else {
                        return Err(Self::at(name)(error));
                    };
                    stopped.insert(entity, chain(&error));
                }
            }
        }
        let context = self.context(Purpose::Sync);
        let start = system.connector.feed_start(&context).await.map_err(Self::at(name))?;
        Ok(Found { reopened: Some(Reopened { start, stopped }), ..Found::default() })
    }

    /// Whether everything that the mappings name can be captured.
    pub(super) async fn look_whether_mended(&self, name: &SystemName) -> Result<Found> {
        let system = &self.systems[name];
        let selections: Vec<&Selection> = system.feed.iter().map(|s| &**s).collect();
        let context = self.context(Purpose::Sync);
        system.connector.prepare(&context, &selections).await.map_err(Self::at(name))?;
        Ok(Found::default())
    }
}

impl<L: Ledger> Driver<L> {
    /// The stream lost what comes next: a new one is opened beside the rounds.
    pub(super) fn feed_lost(&mut self, name: &SystemName, reason: String) {
        tracing::error!(system = %name, reason, "the change stream was lost; scanning both sides");
        if let Some(feed) = self.feeds.remove(name) {
            feed.cancel();
        }
        self.lost.insert(name.clone(), reason);
        self.turns.remove(&Job::Mend(name.clone()));
        self.turns.add(Job::Reopen(name.clone()), None, tick());
    }

    /// The feed says that an entity is not what it was: it is looked which, once.
    pub(super) fn suspect(&mut self, name: &SystemName) {
        let job = Job::Mend(name.clone());
        if !self.turns.contains(|known| *known == job) {
            self.turns.add(job, None, tick());
        }
    }

    /// A look whether an entity is mended failed: it is still stopped, or it is one more.
    pub(super) fn not_mended(&mut self, name: &SystemName, error: &EngineError) {
        let EngineError::System { source, .. } = error else { return };
        let Some(entity) = &source.entity else { return };
        let known = self.stopped.get(name).is_some_and(|stopped| stopped.contains_key(entity));
        if !known && source.kind.scope() == Scope::Entity {
            self.feed_lost(name, chain(source));
        }
    }

    /// Everything can be captured: what was left out comes in with a stream that starts anew.
    pub(super) fn mended(&mut self, name: &SystemName) {
        self.turns.remove(&Job::Mend(name.clone()));
        if let Some(stopped) = self.stopped.get(name) {
            let entities: Vec<&str> = stopped.keys().map(EntityName::as_str).collect();
            let reason = format!("{} can be captured again", entities.join(", "));
            self.feed_lost(name, reason);
        }
    }

    /// Whether a job would read what cannot be read.
    pub(super) fn is_stopped(&self, job: &Job) -> bool {
        let (Job::Poll(id, _)
        | Job::Load(id, _)
        | Job::Verify(id)
        | Job::Retry(id)
        | Job::Rules(id)
        | Job::Sweep(id)) = job
        else {
            return false;
        };
        let sides = &self.engine.intake.mappings[id].sides;
        Side::BOTH.into_iter().any(|side| {
            // The cursor of a polled side waits for that side alone.
            let concerned = !matches!(job, Job::Poll(_, at) if *at != side);
            let away = self.engine.intake.systems[&sides[side].system].away.is_some();
            if away && concerned {
                return true;
            }
            let (system, entity) = (&sides[side].system, &sides[side].selection.entity);
            self.lost.contains_key(system)
                || self.stopped.get(system).is_some_and(|stopped| stopped.contains_key(entity))
        })
    }

    /// A new stream starts: the gap is recorded first, and every mapping of the system is
    /// scanned and verified through the same planner.
    pub(super) async fn reopened(
        &mut self,
        name: &SystemName,
        reopened: Reopened,
    ) -> Result<(), DriverError> {
        let Reopened { start, stopped } = reopened;
        let Some(reason) = self.lost.remove(name) else { return Ok(()) };
        let noticed_at = self.engine.intake.clock.now().micros();
        let mappings = self.engine.intake.mappings.clone();
        let mut work = Work::default();
        for mapping in mappings.values().filter(|mapping| mapping.side_of(name).is_some()) {
            work.gaps.push(Gap {
                stream: format!("mapping:{}", mapping.id),
                reason: reason.clone(),
                noticed_at,
                closed_at: None,
            });
            work.positions.push(verify_from_start(&mapping.name));
            for side in Side::BOTH {
                work.positions.push(StreamPosition {
                    stream: load_stream(&mapping.name, side),
                    identity: mapping.sides[side].system.to_string(),
                    place: String::new(),
                });
                self.turns.add(Job::Load(mapping.id, side), None, tick());
            }
        }
        let gaps = work.gaps.clone();
        let known = start.as_ref().map(|start| stream_position(name, start));
        match &start {
            Some(start) => self.commit_beginning(name, start, work).await?,
            None => {
                self.commit(work).await?;
            }
        }
        self.verify_gaps(&gaps);
        self.note_loads();
        for (entity, why) in &stopped {
            tracing::error!(system = %name, %entity, why, "the entity is stopped, alone");
        }
        if stopped.is_empty() {
            self.stopped.remove(name);
            // What was refused meanwhile may go through now.
            self.turns.hurry(|job| matches!(job, Job::Retry(_)), tick());
        } else {
            self.turns.add(Job::Mend(name.clone()), None, tick() + MEND_EVERY);
            self.stopped.insert(name.clone(), stopped);
        }
        self.start_feed(name, known.as_ref(), true).await
    }
}
