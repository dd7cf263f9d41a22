//! The engine: its state, and the round.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use syncline_core::machine::{
    Carried, Clock as RoundClock, Limits, Mappings, OutBatch, Round, Step, Workset,
};
use syncline_core::mapping::{MappingId, Mode, Priority};
use syncline_core::model::{BatchChange, Changeset, Fence, IntentKind};
use syncline_ledger::{Committed, Ledger, LedgerError, Ownership};
use syncline_sdk::{BatchId, Connector, Instant, Purpose, SystemName, Version, VersionOrder};
use tracing::Instrument as _;

use crate::away::Away;
use crate::calendar::Window;
use crate::chronicle;
use crate::clock::{Clock, Ids, micros};
use crate::commit::Unresolved;
use crate::crowding::{Crowding, Load};
use crate::departed::Departed;
use crate::error::{EngineError, Result};
use crate::flight::{Flight, Flights};
use crate::limits;
use crate::reader::Intake;
use crate::send::Sending;
use crate::system::System;
use crate::tallies::tallies;
use crate::work::{Account, Work};

/// What an engine is made of.
pub struct Parts<L> {
    /// The ledger.
    pub ledger: Arc<L>,
    /// The installation's id, part of every marker.
    pub install: Arc<str>,
    /// A name for this process, unlike that of every other.
    pub owner: String,
    /// The mappings in force.
    pub mappings: Mappings,
    /// The connectors, by the names of their systems.
    pub connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    /// The systems among them that are waited for.
    pub away: BTreeMap<SystemName, Away>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Box<dyn Ids>,
    /// The machine's bounds.
    pub limits: Limits,
}

/// The engine. Its rounds are plain async functions without tasks, timers or selects: a driver
/// runs them on tokio, a simulator polls the very same ones.
pub struct Engine<L> {
    pub(crate) intake: Intake<L>,
    pub(crate) flights: Flights,
    ids: Box<dyn Ids>,
    owner: String,
    fence: Option<Fence>,
    commits: Range<i64>,
    limits: Limits,
    pub(crate) unresolved: Option<Unresolved>,
    /// What a commit that was found to have happened has to send.
    ready: Vec<Sending>,
    /// Batches that such a commit closed: work given again closes them no second time.
    pub(crate) closed: BTreeSet<BatchId>,
    departed: Departed,
    pub(crate) crowding: Crowding,
    pub(crate) quiet: BTreeMap<SystemName, Window>,
    /// The mappings with sensitive fields.
    sensitive: BTreeSet<MappingId>,
}

impl<L: Ledger> Engine<L> {
    /// An engine that owns nothing yet: see [`Engine::own`].
    #[must_use]
    pub fn new(parts: Parts<L>) -> Self {
        let crowding = Crowding::of(&parts.mappings);
        let sensitive = parts.mappings.values().filter(|mapping| mapping.is_sensitive());
        let sensitive = sensitive.map(|mapping| mapping.id).collect();
        let systems: BTreeMap<SystemName, System> = parts
            .connectors
            .into_iter()
            .map(|(name, connector)| {
                let system = System::new(&name, connector, &parts.mappings);
                match parts.away.get(&name) {
                    Some(away) => (name, system.away(away.clone())),
                    None => (name, system),
                }
            })
            .collect();
        let intake = Intake {
            ledger: parts.ledger,
            install: parts.install,
            mappings: Arc::new(parts.mappings),
            systems: Arc::new(systems),
            clock: parts.clock,
        };
        Self {
            intake,
            flights: Flights::default(),
            ids: parts.ids,
            owner: parts.owner,
            fence: None,
            commits: 0..0,
            limits: parts.limits,
            unresolved: None,
            ready: Vec::new(),
            closed: BTreeSet::new(),
            departed: Departed::default(),
            crowding,
            quiet: BTreeMap::new(),
            sensitive,
        }
    }
    /// Takes or renews the ownership of the shards. True when we own them. False when another
    /// does, or did since we last asked: then everything under way is to be recovered once this
    /// answers true again.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn own(&mut self) -> Result<bool> {
        let now = self.intake.clock.now();
        let lease = micros(limits::LEASE);
        let until = Instant::from_micros(now.micros().saturating_add(lease));
        match self.intake.ledger.own(&self.owner, now, until).await? {
            Ownership::Owned(fence) => {
                // Another owned them in between: what we hold of them is not true any more.
                let lost = self.fence.is_some_and(|held| held != fence);
                if self.fence != Some(fence) {
                    // What others journalled meanwhile has higher numbers than those kept from
                    // before, and an entry never names a later one.
                    self.commits = 0..0;
                }
                self.fence = (!lost).then_some(fence);
                Ok(!lost)
            }
            Ownership::Taken { .. } => {
                self.fence = None;
                Ok(false)
            }
        }
    }
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.fence
    }
    /// The mappings in force.
    #[must_use]
    pub fn mappings(&self) -> &Mappings {
        &self.intake.mappings
    }
    /// The systems.
    #[must_use]
    pub fn systems(&self) -> &BTreeMap<SystemName, System> {
        &self.intake.systems
    }
    /// The batches under way.
    #[must_use]
    pub fn flights(&self) -> &Flights {
        &self.flights
    }
    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Arc<L> {
        &self.intake.ledger
    }
    /// What reads beside the rounds are made with.
    #[must_use]
    pub fn intake(&self) -> Intake<L> {
        self.intake.clone()
    }
    pub(crate) async fn next_commit(&mut self) -> Result<i64> {
        if self.commits.is_empty() {
            self.commits = self.intake.ledger.reserve(limits::COMMITS_RESERVED).await?;
        }
        let next = self.commits.start;
        self.commits.start += 1;
        Ok(next)
    }

    /// One round: loads what the work concerns, folds it, decides, commits once, and gives what
    /// is to be sent. When rows moved under it, it is decided again from what they became.
    ///
    /// # Errors
    /// When the ledger or a system that had to be read gave no answer; nothing happened then,
    /// and the work may be given again.
    pub async fn round(&mut self, work: &Work) -> Result<Account> {
        if work.is_empty() {
            return Ok(Account::default());
        }
        let span = tracing::info_span!(
            "round",
            observed = work.observed.len(),
            settled = work.settled.len(),
            commit = tracing::field::Empty,
        );
        self.commit_round(work).instrument(span).await
    }

    async fn commit_round(&mut self, work: &Work) -> Result<Account> {
        self.resolve().await?;
        self.flights.note_vanished(&work.observed);
        if work.gaps.iter().any(|gap| gap.closed_at.is_none()) {
            self.flights.note_gap();
        }
        // The row that moved last; nothing where the commit was lost on its way.
        let mut moved = None;
        for _ in 0..limits::MOVED_MAX {
            let (mut changeset, batches) = self.decide(work).await?;
            changeset.tallies = tallies(&changeset, &work.settled, &self.intake.mappings);
            changeset.sensitive.clone_from(&self.sensitive);
            let mut account = Account::of(work, &changeset);
            if changeset.is_empty() {
                account.sends = std::mem::take(&mut self.ready);
                return Ok(account);
            }
            match self.commit(&changeset, batches).await? {
                Committed::Committed => {
                    chronicle::tell(&changeset, &self.intake.mappings);
                    self.closed.clear();
                    account.sends = std::mem::take(&mut self.ready);
                    account.committed = true;
                    return Ok(account);
                }
                Committed::Fenced => {
                    self.fence = None;
                    return Err(EngineError::Fenced);
                }
                Committed::Moved(what) => moved = Some(what),
                Committed::Unknown => moved = None,
            }
        }
        Err(match moved {
            Some(what) => EngineError::Moved { times: limits::MOVED_MAX, what },
            None => EngineError::Ledger(LedgerError::Unavailable {
                what: "commit a round",
                source: "the connection broke each time, and nothing of it happened".into(),
            }),
        })
    }

    /// What is recorded as sent and still to be sent.
    pub(crate) fn account_of_ready(&mut self) -> Account {
        Account { sends: std::mem::take(&mut self.ready), ..Account::default() }
    }

    /// Keeps the sends of an account that nobody will see.
    pub(crate) fn keep_ready(&mut self, account: Account) {
        self.ready.extend(account.sends);
    }

    /// Forgets what an earlier ownership had under way: others may have settled it. Numbers
    /// that it reserved are lower than those of others that committed since.
    pub(crate) fn forget_all(&mut self) {
        self.commits = 0..0;
        self.flights = Flights::default();
        self.unresolved = None;
        self.ready.clear();
        self.closed.clear();
    }

    /// Loads, folds and decides.
    async fn decide(&mut self, work: &Work) -> Result<(Changeset, Vec<OutBatch>)> {
        let commit = self.next_commit().await?;
        tracing::Span::current().record("commit", commit);
        let fence = self.fence.ok_or(EngineError::Fenced)?;
        let mut gathered =
            crate::gather::Gathered::load(&*self.intake.ledger, &self.intake.mappings, work)
                .await?;
        self.flights.note_merged(&self.intake.mappings, &gathered, &work.observed);
        let now = self.intake.clock.now();
        let silent = self.silent(now);
        let ids = &mut self.ids;
        let mut new_id = || ids.link(now);
        let systems = &self.intake.systems;
        let order = |system: &SystemName, a: &Version, b: &Version| {
            systems.get(system).map_or(VersionOrder::Unknown, |at| at.connector.order(a, b))
        };
        let die_after = |system: &SystemName| {
            let horizon =
                systems.get(system).map(|at| at.capabilities().request_horizon).unwrap_or_default();
            micros(limits::CALL_TIMEOUT + horizon)
        };
        let away = |system: &SystemName| silent.get(system).copied();
        let (crowding, flights) = (&self.crowding, self.flights.counts());
        let crowded = |system: &SystemName, priority: Priority| {
            let quota = systems.get(system).and_then(|at| at.connector.usage().quota);
            let load = Load { flights: flights.get(system).copied().unwrap_or(0), quota };
            crowding.puts_off(system, priority, load, commit)
        };
        let mut workset = Workset::new(Round {
            mappings: &self.intake.mappings,
            commit,
            fence,
            clock: RoundClock { now },
            limits: self.limits,
            die_after: &die_after,
            away: &away,
            crowded: &crowded,
            order: &order,
            new_id: &mut new_id,
        });
        gathered.enter(&mut workset);
        let mut merged = Vec::new();
        for input in &work.settled {
            let prepared = gathered.prepare_settled(&self.intake.mappings, input);
            workset.settle(prepared.as_ref().unwrap_or(input));
            merged.extend(self.flights.merged((input.carried.mapping, input.carried.link)));
        }
        for (mapping, side, seen) in &work.observed {
            let Some(of) = self.intake.mappings.get(mapping) else { continue };
            let order = |a: &Version, b: &Version| order(&of.sides[*side].system, a, b);
            let known = gathered.knows(*mapping, *side, &seen.key);
            if !self.departed.admits(of, *side, seen, order) && !known {
                continue;
            }
            let seen =
                gathered.prepare(&self.intake.mappings, &self.flights, *mapping, *side, seen);
            workset.observe(*mapping, *side, &seen);
        }
        for (mapping, link, unit, side) in &work.returned {
            workset.returned(*mapping, *link, *unit, *side);
        }
        for (mapping, link, side, found) in &work.overwritten {
            workset.overwritten(*mapping, *link, *side, found);
        }
        for (mapping, link) in &work.touched {
            workset.touch(*mapping, *link);
        }
        for (mapping, link) in &work.retried {
            workset.retry(*mapping, *link);
        }
        for key in &work.answered {
            workset.answer(key.mapping, key.link, key.unit);
        }
        let mut reading = crate::wants::Reading {
            ledger: &*self.intake.ledger,
            mappings: &self.intake.mappings,
            systems: &self.intake.systems,
            flights: &self.flights,
            install: &self.intake.install,
            clock: &*self.intake.clock,
        };
        workset.begin_reading();
        reading.fulfil(&mut workset, &mut gathered).await?;
        workset.out.positions.extend(work.positions.iter().cloned());
        workset.out.hints_done.extend(work.hints_done.iter().cloned());
        let mut closed = self.closed.clone();
        // Two answers to one batch may come together, and work may be given again after a commit
        // that happened: a batch is closed once.
        let once = work.batches.iter().filter(|change| match change {
            BatchChange::Close { id, .. } => closed.insert(*id),
            BatchChange::Assert { id, .. } => !closed.contains(id),
            BatchChange::Send(_) | BatchChange::Resend { .. } | BatchChange::Audit(_) => true,
        });
        workset.out.batches.extend(once.cloned());
        workset.out.gaps.extend(work.gaps.iter().cloned());
        for hint in work.hints.iter().chain(&merged) {
            workset.hint(
                hint.system.clone(),
                hint.entity.clone(),
                hint.key.clone(),
                hint.due,
                hint.reason,
            );
        }
        Ok(workset.finish())
    }

    /// Registers batches as under way and readies their sends.
    pub(crate) fn launch(&mut self, batches: Vec<OutBatch>) {
        for out in batches {
            let Some(system) = self.intake.systems.get(&out.batch.system) else { continue };
            let connector = system.connector.clone();
            let write = out.write.clone();
            let recorded = Instant::from_micros(out.batch.last_sent);
            let sealed = out.carried.iter().any(|carried| self.is_sealed(carried));
            self.flights.insert(Flight::new(out));
            let context = self.intake.context(Purpose::Sync);
            let clock = self.intake.clock.clone();
            self.ready.push(Sending { connector, context, write, recorded, clock, sealed });
        }
    }

    /// Whether a write must not be sent because its mapping observes: any but the return of a
    /// record that a delete of ours took with an edit.
    fn is_sealed(&self, carried: &Carried) -> bool {
        let mapping = self.intake.mappings.get(&carried.mapping);
        let observes = mapping.is_some_and(|mapping| mapping.mode == Mode::Observe);
        let brings_back =
            carried.step == Step::Undelete && carried.intent.kind == IntentKind::Delete;
        observes && !brings_back
    }
}
