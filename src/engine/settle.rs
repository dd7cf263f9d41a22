//! Answers of sends, and the settlement of what stayed unknown (protocol 1.5).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use syncline_core::machine::{Carried, SettleInput, Settling};
use syncline_core::model::{BatchChange, BatchState, IntentKind};
use syncline_ledger::Ledger;
use syncline_sdk::{
    BatchId, Context, Current, Instant, IntentId, Purpose, Settlement, SystemName, UnknownWrite,
    VersionOrder, WriteBatch, WriteOutcome,
};

use crate::beginning::Beginnings;
use crate::chronicle::without_values;
use crate::clock::micros;
use crate::engine::Engine;
use crate::error::Result;
use crate::flight::Flight;
use crate::judged::{Judged, undecided};
use crate::limits;
use crate::proof::{Proof, by_marker, not_sent, proof};
use crate::references::with_links;
use crate::send::{Sending, Sent};
use crate::unversioned::is_unversioned;
use crate::work::{Account, Work};

impl<L: Ledger> Engine<L> {
    /// Folds the answer of a send: settles what it proves; the rest is unknown from now on.
    ///
    /// # Errors
    /// When the ledger gives no answer: the batch counts as unknown then.
    pub async fn sent(&mut self, sent: Sent) -> Result<Account> {
        let Some(work) = self.fold_sent(sent) else {
            return Ok(Account::default());
        };
        self.close_flights(&work).await
    }

    /// The work that an answer makes; the flight keeps what it does not prove.
    pub fn fold_sent(&mut self, sent: Sent) -> Option<Work> {
        let flight = self.flights.get_mut(sent.batch)?;
        flight.awaited = false;
        let sole = flight.batch.attempts == 1;
        let proofs: Vec<Proof> = match sent.result {
            Err(error) => {
                let error_told = without_values(&error);
                tracing::warn!(batch = %sent.batch, error = error_told, "a batch was not sent");
                sent.intents.iter().map(|_| not_sent(&error, sole)).collect()
            }
            Ok(outcomes) => {
                let context = self.intake.context(Purpose::Sync);
                let marked = |outcome: WriteOutcome, intent: &IntentId| {
                    by_marker(outcome, &context.marker(*intent))
                };
                let outcomes = outcomes.into_iter().zip(&sent.intents);
                outcomes.map(|(outcome, intent)| proof(marked(outcome, intent), sole)).collect()
            }
        };
        let mut work = Work::default();
        let mut rests_on_sole = false;
        let mut settled = Vec::new();
        for (intent, proof) in sent.intents.iter().zip(proofs) {
            let Proof::Settled(settling, on_sole) = proof else {
                continue;
            };
            let Some(carried) = flight.carried.iter().find(|c| c.intent.id == *intent) else {
                continue;
            };
            rests_on_sole |= on_sole;
            let mapping = self.intake.mappings.get(&carried.mapping);
            work.hints.extend(mapping.and_then(|of| flight.unwatched(of, carried, &settling)));
            settled.push(*intent);
            work.settled.push(SettleInput { carried: carried.clone(), settling });
        }
        if work.settled.is_empty() {
            return None;
        }
        let all = settled.len() == flight.carried.len();
        work.batches.extend(batch_change(sent.batch, all, rests_on_sole.then_some(1)));
        Some(work)
    }

    /// Commits settlements and forgets what is settled. When the commit fails, everything of
    /// those batches stays unknown.
    pub(crate) async fn close_flights(&mut self, work: &Work) -> Result<Account> {
        let account = self.round(work).await?;
        self.forget_settled(work);
        Ok(account)
    }

    /// Takes settled writes out of their flights, once the commit that settled them is durable.
    pub fn forget_settled(&mut self, work: &Work) {
        if work.settled.is_empty() {
            return;
        }
        let settled: BTreeSet<_> = work
            .settled
            .iter()
            .map(|input| (input.carried.intent.id, input.carried.step))
            .collect();
        self.flights.forget(|carried| settled.contains(&(carried.intent.id, carried.step)));
    }

    /// Settles batches whose answer never came: by receipt, by fence, by sending the same write
    /// again, or by the end of every copy's life. A system that gives no answer is asked once and
    /// then left alone; one that is slow is asked for a second, and for the rest the next time.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn settle_unknown(&mut self) -> Result<Account> {
        // A commit of ours that is in doubt may have recorded another send of such a batch.
        self.resolve().await?;
        let now = self.intake.clock.now().micros();
        let due = self.due(now);
        if due.is_empty() {
            return Ok(self.account_of_ready());
        }
        let beginnings = self.beginnings().await?;
        let mut account = self.account_of_ready();
        let mut spent: BTreeMap<SystemName, i64> = BTreeMap::new();
        for (system, id) in due {
            let spent = spent.entry(system).or_default();
            if *spent >= micros(limits::PATIENCE_MIN) {
                continue;
            }
            let began = self.intake.clock.now().micros();
            match self.settle_batch(id, now, &beginnings).await {
                Ok(settled) => {
                    account.append(settled);
                    *spent += self.intake.clock.now().micros().saturating_sub(began);
                }
                Err(error) => {
                    // What the others have to send is recorded and goes out with the next round.
                    self.keep_ready(account);
                    return Err(error);
                }
            }
        }
        Ok(account)
    }

    /// The batches that can be settled by now, those first that have waited longest since they
    /// were tried.
    fn due(&self, now: i64) -> Vec<(SystemName, BatchId)> {
        let mut due: Vec<&Flight> = self
            .flights
            .iter()
            .filter(|flight| !flight.awaited && flight.next_try.at <= now)
            // Nobody can say before the system answers again.
            .filter(|flight| !self.is_away(&flight.batch.system))
            .collect();
        due.sort_by_key(|flight| flight.next_try.at);
        due.into_iter().map(|flight| (flight.batch.system.clone(), flight.batch.id)).collect()
    }

    async fn settle_batch(
        &mut self,
        id: BatchId,
        now: i64,
        beginnings: &Beginnings,
    ) -> Result<Account> {
        let Some(flight) = self.flights.get(id).cloned() else {
            return Ok(Account::default());
        };
        let Some(system) = self.intake.system(&flight.batch.system) else {
            return Ok(Account::default());
        };
        if let Some(left) = system.breaker.away(Instant::from_micros(now)) {
            self.postpone(id, now + left.min(limits::PUT_OFF_MAX));
            return Ok(Account::default());
        }
        let may_arrive = now < flight.batch.die_after;
        let unseen = beginnings.is_unseen(&flight.batch.system, id);
        let unknown: Vec<UnknownWrite> = flight
            .carried
            .iter()
            .filter_map(|carried| {
                let same = |write: &&syncline_sdk::Write| write.intent == carried.intent.id;
                let write = flight.write.writes.iter().find(same)?.clone();
                Some(UnknownWrite { batch: id, write, may_arrive, unseen })
            })
            .collect();
        let context =
            Context { timeout: flight.next_try.patience, ..self.intake.context(Purpose::Sync) };
        let asked = system.connector.settle(&context, &unknown);
        let settlements = match system.ask(&*self.intake.clock, asked).await {
            Ok(settlements) => settlements,
            Err(error) => {
                let error = without_values(&error);
                tracing::warn!(batch = %id, error, "a batch could not be settled");
                let ended = self.intake.clock.now().micros();
                let took = u64::try_from(ended.saturating_sub(context.now.micros())).unwrap_or(0);
                if let Some(flight) = self.flights.get_mut(id) {
                    flight.next_try = flight.next_try.after(ended, Duration::from_micros(took));
                }
                return Ok(Account::default());
            }
        };
        let mut work = Work::default();
        let mut resend = Vec::new();
        for (carried, settlement) in flight.carried.iter().zip(settlements) {
            let vanished = flight.vanished.contains(&carried.intent.id);
            match self.judge(carried, settlement, may_arrive, vanished).await? {
                Judged::Settled(settling) => {
                    let mapping = self.intake.mappings.get(&carried.mapping);
                    if let Some(of) = mapping.filter(|of| is_unversioned(of, carried, &settling)) {
                        // It stays unknown until that is known.
                        let Some(seen) = self.shown_now(of, carried).await else { continue };
                        work.observed.push(seen);
                    }
                    let hint = mapping.and_then(|of| flight.unwatched(of, carried, &settling));
                    work.hints.extend(hint);
                    work.settled.push(SettleInput { carried: carried.clone(), settling });
                }
                Judged::Resend => resend.push(carried.intent.id),
                Judged::Wait => {}
            }
        }
        let all = work.settled.len() == flight.carried.len();
        if all {
            work.batches.extend(batch_change(id, true, None));
        }
        let mut account = self.close_flights(&work).await?;
        if !resend.is_empty() {
            match self.resend(id, &resend, now).await {
                Ok(resent) => account.append(resent),
                Err(error) => {
                    self.keep_ready(account);
                    return Err(error);
                }
            }
        } else if !all {
            self.postpone(id, now + 200_000);
        }
        Ok(account)
    }

    fn postpone(&mut self, id: BatchId, until: i64) {
        if let Some(flight) = self.flights.get_mut(id) {
            flight.next_try.at = until;
        }
    }

    /// What a settlement means for one write (protocol I5).
    async fn judge(
        &self,
        carried: &Carried,
        settlement: Settlement,
        may_arrive: bool,
        vanished: bool,
    ) -> Result<Judged> {
        let Some(mapping) = self.intake.mappings.get(&carried.mapping) else {
            return Ok(Judged::Wait);
        };
        Ok(match settlement {
            Settlement::Applied { version, stored, key } => {
                // A create has no link to its record before it is settled, so the feed cannot show
                // its image: the value sent is the base (protocol N3). Nor does it show that of
                // a record which was gone after a gap.
                if stored.is_none()
                    && !vanished
                    && carried.intent.kind != IntentKind::Create
                    && mapping.has_feed(carried.intent.side)
                    && self.feed_is_behind(carried, version.as_ref()).await?
                {
                    // Its image is still to come with the feed (protocol N3).
                    Judged::Wait
                } else {
                    Judged::Settled(Settling::Applied { version, stored, key })
                }
            }
            Settlement::NotApplied => Judged::Settled(Settling::Cancelled),
            Settlement::Awaited => Judged::Wait,
            Settlement::Undecided { current } => {
                let current = self.with_links(carried, current).await?;
                undecided(mapping, carried, current, may_arrive)
            }
        })
    }

    /// What a record shows, with its references as links: so its content can be compared.
    async fn with_links(&self, carried: &Carried, current: Current) -> Result<Current> {
        let Current::Record(mut record) = current else { return Ok(current) };
        let (ledger, mappings) = (&*self.intake.ledger, &self.intake.mappings);
        let (mapping, side) = (carried.mapping, carried.intent.side);
        record.values = with_links(ledger, mappings, mapping, side, record.values).await?;
        Ok(Current::Record(record))
    }

    /// Whether the feed has not shown yet what a write did.
    async fn feed_is_behind(
        &self,
        carried: &Carried,
        version: Option<&syncline_sdk::Version>,
    ) -> Result<bool> {
        let Some(version) = version else {
            return Ok(false);
        };
        let query = syncline_ledger::LinkQuery {
            mapping: carried.mapping,
            links: vec![carried.link],
            ..syncline_ledger::LinkQuery::default()
        };
        let loaded = self.intake.ledger.load(&[query]).await?;
        let Some(link) = loaded.links.first() else {
            return Ok(false);
        };
        let side = carried.intent.side;
        let known = &link.versions[side];
        let Some(mapping) = self.intake.mappings.get(&carried.mapping) else {
            return Ok(false);
        };
        let Some(system) = self.intake.system(&mapping.sides[side].system) else {
            return Ok(false);
        };
        Ok(known.is_none() || system.connector.order(known, version) == VersionOrder::Older)
    }

    /// Sends the same writes again under the same batch: recorded first.
    async fn resend(
        &mut self,
        id: BatchId,
        intents: &[syncline_sdk::IntentId],
        now: i64,
    ) -> Result<Account> {
        let Some(flight) = self.flights.get(id).cloned() else {
            return Ok(Account::default());
        };
        let Some(system) = self.intake.system(&flight.batch.system) else {
            return Ok(Account::default());
        };
        let connector = system.connector.clone();
        let horizon = system.capabilities().request_horizon + limits::CALL_TIMEOUT;
        let die_after = now + micros(horizon);
        let Some(epoch) = self.epoch() else {
            return Ok(Account::default());
        };
        let work = Work {
            batches: vec![BatchChange::Resend {
                id,
                read_attempts: flight.batch.attempts,
                epoch,
                last_sent: now,
                die_after,
            }],
            ..Work::default()
        };
        let mut account = self.round(&work).await?;
        let writes: Vec<_> = flight
            .write
            .writes
            .iter()
            .filter(|write| intents.contains(&write.intent))
            .cloned()
            .collect();
        if let Some(flight) = self.flights.get_mut(id) {
            flight.awaited = true;
        }
        let write = WriteBatch { batch: id, writes };
        account.sends.push(Sending {
            connector,
            context: self.intake.context(Purpose::Sync),
            write,
            recorded: Instant::from_micros(now),
            clock: self.intake.clock.clone(),
            // It was decided on while the mapping wrote; this is how it is settled.
            sealed: false,
        });
        Ok(account)
    }
}

fn batch_change(id: BatchId, all: bool, attempts: Option<i32>) -> Option<BatchChange> {
    if all {
        return Some(BatchChange::Close { id, state: BatchState::Settled, attempts });
    }
    attempts.map(|attempts| BatchChange::Assert { id, attempts })
}

#[cfg(test)]
mod tests;
