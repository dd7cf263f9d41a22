//! What comes in from feeds, reads and sends, taken into the next round.

use syncline_core::model::Gap;
use syncline_ledger::Ledger;
use syncline_sdk::{FeedBatch, Instant, Position, Scope, SystemName, WriteOutcome};
use tokio_util::sync::CancellationToken;

use super::feeds::FeedNews;
use super::pace::tick;
use super::reads::{Job, Read};
use super::run::{Driver, IDLE_EVERY, Intaken};
use super::telling::chain;
use crate::error::EngineError;
use crate::intake::{feed_stream, poll_stream, stream_position};
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
            self.heard(&system, error);
        }
        if let Some(work) = self.engine.fold_sent(sent) {
            taken.work.append(work);
        }
    }

    pub(super) fn take_read(&mut self, read: Read, taken: &mut Intaken) {
        // Another process may have written since: what was read before is older than it looks.
        // So it is with a pass that was begun anew meanwhile: what a gap hid must be read after it.
        if read.ownership != self.ownership || !self.turns.is_current(&read.job, read.number) {
            return;
        }
        match read.result {
            Ok(found) => {
                if let Some(turn) = self.turns.get_mut(&read.job) {
                    turn.failures.reset();
                }
                if let Some(system) = self.system_of(&read.job) {
                    self.reachable(&system);
                }
                self.note_read(&read.job, None);
                self.note_poll_lag(&read.job, &found.work, found.more);
                taken.work.append(found.work);
                self.sweeps_asked(&found.asked);
                if let (Job::Reopen(name), Some(reopened)) = (&read.job, found.reopened) {
                    taken.reopened.push((name.clone(), reopened));
                }
                taken.jobs.push((read.job, read.number, found.next, found.more));
            }
            Err(error) => {
                if let EngineError::System { system, source } = &error {
                    self.note_read(&read.job, Some(source));
                    match &read.job {
                        Job::Begin(_) => self.trouble(system, source),
                        _ => self.heard(system, source),
                    }
                } else {
                    tracing::error!(error = %chain(&error), "a read gave no answer");
                }
                if let Job::Mend(name) = &read.job {
                    self.not_mended(name, &error);
                }
                let wait = self.turns.failed(&read.job);
                self.turns.done(&read.job, tick() + wait);
            }
        }
    }

    pub(super) fn take_news(
        &mut self,
        (feed, news): (CancellationToken, FeedNews),
        taken: &mut Intaken,
    ) {
        // What a feed said before it was given up is read again by its successor.
        if feed.is_cancelled() {
            return;
        }
        match news {
            FeedNews::Batch(name, batch) => self.take_batch(&name, &batch, taken),
            FeedNews::Open(name) => self.reachable(&name),
            FeedNews::Trouble(name, error) => {
                self.trouble(&name, &error);
                if error.kind.scope() == Scope::Entity {
                    self.suspect(&name);
                }
            }
            FeedNews::Lost(name, reason) => self.feed_lost(&name, reason),
        }
    }

    pub(super) fn take_batch(&mut self, name: &SystemName, batch: &FeedBatch, taken: &mut Intaken) {
        if batch.idle {
            self.take_idle(name, batch, taken);
            return;
        }
        let newest = batch.changes.iter().filter_map(|change| change.at).map(Instant::micros).max();
        self.note_lag(feed_stream(name), newest);
        let mut work = self.engine.fold_feed(name, batch);
        if !work.gaps.is_empty() {
            self.verify_gaps(&work.gaps);
        }
        if let Some(position) = &batch.position {
            work.positions.retain(|known| known.stream != feed_stream(name));
            taken.work.append(work);
            self.take_position(name, position, taken);
        } else {
            taken.work.append(work);
        }
    }

    /// Notes how far behind a stream is that told of changes up to a time.
    fn note_lag(&self, stream: String, newest: Option<i64>) {
        let Some(newest) = newest else { return };
        let now = self.engine.intake.clock.now().micros();
        self.status.send_if_modified(|status| {
            status.note_lag(stream, newest, now);
            // It is told when somebody asks.
            false
        });
    }

    fn note_poll_lag(&self, job: &Job, work: &Work, more: bool) {
        let Job::Poll(id, side) = job else { return };
        let newest =
            work.observed.iter().filter_map(|(_, _, seen)| seen.at).map(Instant::micros).max();
        let Some(mapping) = self.engine.intake.mappings.get(id) else { return };
        let stream = poll_stream(&mapping.name, *side);
        let known = self.status.borrow().lags.get(&stream).map_or(0, |lag| lag.newest);
        match newest {
            Some(newest) if newest > known => self.note_lag(stream, Some(newest)),
            _ if !more => self.note_caught_up(&stream),
            _ => {}
        }
    }

    fn note_caught_up(&self, stream: &str) {
        self.status.send_if_modified(|status| {
            status.caught_up(stream);
            false
        });
    }

    /// Stores how far a feed was read, and acknowledges it once that is durable.
    fn take_position(&mut self, name: &SystemName, position: &Position, taken: &mut Intaken) {
        let Some(store) = self.holdings.store(&self.engine.flights, name, position) else {
            return;
        };
        taken.work.positions.retain(|known| known.stream != feed_stream(name));
        taken.work.positions.push(stream_position(name, &store));
        taken.durable.retain(|(known, _)| known != name);
        taken.durable.push((name.clone(), store));
    }

    /// The stream moved on without a change of ours. Its position is acknowledged only after it
    /// was stored, so that a slot ahead of the ledger always means a stranger; and it is stored
    /// seldom, since a ledger in the same cluster would feed itself.
    pub(super) fn take_idle(&mut self, name: &SystemName, batch: &FeedBatch, taken: &mut Intaken) {
        self.note_caught_up(&feed_stream(name));
        let now = tick();
        let due = self.idle_stored.get(name).is_none_or(|at| now >= *at + IDLE_EVERY);
        let Some(position) = batch.position.as_ref().filter(|_| due) else {
            return;
        };
        self.idle_stored.insert(name.clone(), now);
        self.take_position(name, position, taken);
    }

    pub(super) fn verify_gaps(&mut self, gaps: &[Gap]) {
        self.turns.read_anew(tick());
        let mappings = self.engine.intake.mappings.clone();
        for mapping in mappings.values() {
            if gaps.iter().any(|gap| gap.stream == format!("mapping:{}", mapping.id)) {
                self.turns.add(Job::Verify(mapping.id), None, tick());
            }
        }
    }
}
