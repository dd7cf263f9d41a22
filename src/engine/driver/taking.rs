//! What comes in from feeds, reads and sends, taken into the next round.

use syncline_core::Side;
use syncline_core::model::{Gap, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::{FeedBatch, Purpose, SystemName, WriteOutcome};

use super::feeds::FeedNews;
use super::pace::tick;
use super::reads::{Job, Read};
use super::run::{Driver, DriverError, IDLE_EVERY, Intaken};
use super::telling::chain;
use crate::error::EngineError;
use crate::intake::{feed_stream, load_stream, stream_position, verify_from_start};
use crate::reader::Intake;
use crate::send::Sent;
use crate::work::Work;

impl<L: Ledger> Driver<L> {
    pub(super) fn take_sent(&mut self, sent: Sent, taken: &mut Intaken) {
        if let Ok(outcomes) = &sent.result {
            let answered =
                outcomes.iter().any(|outcome| !matches!(outcome, WriteOutcome::Unknown(_)));
            if let Some(flight) = self.engine.flights.get(sent.batch).filter(|_| answered) {
                let system = flight.batch.system.clone();
                self.reachable(&system);
            }
        } else if let Err(error) = &sent.result
            && let Some(flight) = self.engine.flights.get(sent.batch)
        {
            let system = flight.batch.system.clone();
            self.trouble(&system, error);
        }
        if let Some(work) = self.engine.fold_sent(sent) {
            taken.work.append(work);
        }
    }

    pub(super) fn take_read(&mut self, read: Read, taken: &mut Intaken) {
        match read.result {
            Ok(found) => {
                if let Some(turn) = self.turns.get_mut(&read.job) {
                    turn.failures.reset();
                }
                if let Some(system) = self.system_of(&read.job) {
                    self.reachable(&system);
                }
                taken.work.append(found.work);
                taken.jobs.push((read.job, found.next, found.more));
            }
            Err(error) => {
                if let EngineError::System { system, source } = &error {
                    self.trouble(&system.clone(), source);
                } else {
                    tracing::error!(error = %chain(&error), "a read gave no answer");
                }
                let wait = self.turns.failed(&read.job);
                self.turns.done(&read.job, tick() + wait);
            }
        }
    }

    pub(super) async fn take_news(
        &mut self,
        news: FeedNews,
        taken: &mut Intaken,
    ) -> Result<(), DriverError> {
        match news {
            FeedNews::Batch(name, batch) => self.take_batch(&name, &batch, taken),
            FeedNews::Open(name) => self.reachable(&name),
            FeedNews::Trouble(name, error) => self.trouble(&name, &error),
            FeedNews::Lost(name, reason) => self.feed_lost(&name, reason).await?,
        }
        Ok(())
    }

    pub(super) fn take_batch(&mut self, name: &SystemName, batch: &FeedBatch, taken: &mut Intaken) {
        if batch.idle {
            self.take_idle(name, batch, taken);
            return;
        }
        let work = self.engine.fold_feed(name, batch);
        if !work.gaps.is_empty() {
            self.verify_gaps(&work.gaps);
        }
        taken.work.append(work);
        if let Some(position) = &batch.position {
            taken.durable.retain(|(known, _)| known != name);
            taken.durable.push((name.clone(), position.clone()));
        }
    }

    /// The stream moved on without a change of ours. Its position is acknowledged only after it
    /// was stored, so that a slot ahead of the ledger always means a stranger; and it is stored
    /// seldom, since a ledger in the same cluster would feed itself.
    pub(super) fn take_idle(&mut self, name: &SystemName, batch: &FeedBatch, taken: &mut Intaken) {
        let now = tick();
        let due = self.idle_stored.get(name).is_none_or(|at| now >= *at + IDLE_EVERY);
        let Some(position) = batch.position.as_ref().filter(|_| due) else {
            return;
        };
        self.idle_stored.insert(name.clone(), now);
        taken.work.positions.retain(|known| known.stream != feed_stream(name));
        taken.work.positions.push(stream_position(name, position));
        taken.durable.retain(|(known, _)| known != name);
        taken.durable.push((name.clone(), position.clone()));
    }

    /// The stream lost what comes next: that is recorded, a new stream starts, and every mapping
    /// of the system is scanned and verified through the same planner.
    pub(super) async fn feed_lost(
        &mut self,
        name: &SystemName,
        reason: String,
    ) -> Result<(), DriverError> {
        tracing::error!(system = %name, reason, "the change stream was lost; scanning both sides");
        let noticed_at = self.engine.intake.clock.now().micros();
        let mappings = self.engine.intake.mappings.clone();
        let systems = self.engine.intake.systems.clone();
        self.prepare().await?;
        let context = self.engine.intake.context(Purpose::Sync);
        let start = systems[name].connector.feed_start(&context).await;
        let start = start.map_err(Intake::<L>::at(name))?;
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
        work.positions.extend(known.clone());
        self.commit(work).await?;
        self.verify_gaps(&gaps);
        self.note_loads();
        self.start_feed(name, known.as_ref()).await
    }

    pub(super) fn verify_gaps(&mut self, gaps: &[Gap]) {
        let mappings = self.engine.intake.mappings.clone();
        for mapping in mappings.values() {
            if gaps.iter().any(|gap| gap.stream == format!("mapping:{}", mapping.id)) {
                self.turns.add(Job::Verify(mapping.id), None, tick());
            }
        }
    }
}
