//! The engine: its state, and the round.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use syncline_core::machine::{Clock as RoundClock, Limits, Mappings, Round, Workset};
use syncline_core::model::{Changeset, Fence};
use syncline_ledger::{Committed, Ledger, Ownership};
use syncline_sdk::{Connector, Instant, Purpose, SystemName, Version, VersionOrder};

use crate::clock::{Clock, Ids};
use crate::error::{EngineError, Result};
use crate::flight::{Flight, Flights};
use crate::limits;
use crate::reader::Intake;
use crate::send::Sending;
use crate::system::System;
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
}

impl<L: Ledger> Engine<L> {
    /// An engine that owns nothing yet: see [`Engine::own`].
    #[must_use]
    pub fn new(parts: Parts<L>) -> Self {
        let systems: BTreeMap<SystemName, System> = parts
            .connectors
            .into_iter()
            .map(|(name, connector)| {
                let system = System::new(&name, connector, &parts.mappings);
                (name, system)
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
        }
    }
    /// Takes or renews the ownership of the shards. True when we own them; a new epoch means
    /// that everything under way is to be recovered.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn own(&mut self) -> Result<bool> {
        let now = self.intake.clock.now();
        let lease = i64::try_from(limits::LEASE.as_micros()).unwrap_or(i64::MAX);
        let until = Instant::from_micros(now.micros().saturating_add(lease));
        match self.intake.ledger.own(&self.owner, now, until).await? {
            Ownership::Owned(fence) => {
                self.fence = Some(fence);
                Ok(true)
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
    async fn next_commit(&mut self) -> Result<i64> {
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
        let mut moved = String::new();
        for _ in 0..limits::MOVED_MAX {
            let (changeset, batches) = self.decide(work).await?;
            if changeset.is_empty() {
                return Ok(Account { observed: work.observed.len(), ..Account::default() });
            }
            match self.commit(&changeset).await? {
                Committed::Committed => {
                    let sends = batches.into_iter().filter_map(|out| self.launch(out)).collect();
                    return Ok(Account {
                        sends,
                        observed: work.observed.len(),
                        hints: changeset.hints.len(),
                        committed: true,
                    });
                }
                Committed::Fenced => {
                    self.fence = None;
                    return Err(EngineError::Fenced);
                }
                Committed::Moved(what) => moved = what,
                Committed::Unknown => unreachable!("commit() resolves it"),
            }
        }
        Err(EngineError::Moved { times: limits::MOVED_MAX, what: moved })
    }

    /// Commits; a lost reply is resolved before anything else is done.
    async fn commit(&self, changeset: &Changeset) -> Result<Committed> {
        match self.intake.ledger.commit(changeset).await? {
            Committed::Unknown => {
                let happened = self.intake.ledger.committed(changeset.commit).await?;
                let lost = || Committed::Moved("a commit that was lost".to_owned());
                Ok(if happened { Committed::Committed } else { lost() })
            }
            answer => Ok(answer),
        }
    }

    /// Loads, folds and decides.
    async fn decide(
        &mut self,
        work: &Work,
    ) -> Result<(Changeset, Vec<syncline_core::machine::OutBatch>)> {
        let commit = self.next_commit().await?;
        let fence = self.fence.ok_or(EngineError::Fenced)?;
        let mut gathered =
            crate::gather::Gathered::load(&*self.intake.ledger, &self.intake.mappings, work)
                .await?;
        let now = self.intake.clock.now();
        let ids = &mut self.ids;
        let mut new_id = || ids.link(now);
        let systems = &self.intake.systems;
        let order = |system: &SystemName, a: &Version, b: &Version| {
            systems.get(system).map_or(VersionOrder::Unknown, |at| at.connector.order(a, b))
        };
        let die_after = |system: &SystemName| {
            let horizon =
                systems.get(system).map(|at| at.capabilities().request_horizon).unwrap_or_default();
            i64::try_from((limits::CALL_TIMEOUT + horizon).as_micros()).unwrap_or(i64::MAX)
        };
        let mut workset = Workset::new(Round {
            mappings: &self.intake.mappings,
            commit,
            fence,
            clock: RoundClock { now },
            limits: self.limits,
            die_after: &die_after,
            order: &order,
            new_id: &mut new_id,
        });
        gathered.enter(&mut workset);
        for input in &work.settled {
            workset.settle(input);
        }
        for (mapping, side, seen) in &work.observed {
            let seen =
                gathered.prepare(&self.intake.mappings, &self.flights, *mapping, *side, seen);
            workset.observe(*mapping, *side, &seen);
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
            now,
        };
        reading.fulfil(&mut workset, &mut gathered).await?;
        workset.out.positions.extend(work.positions.iter().cloned());
        workset.out.hints_done.extend(work.hints_done.iter().cloned());
        workset.out.batches.extend(work.batches.iter().cloned());
        workset.out.gaps.extend(work.gaps.iter().cloned());
        for hint in &work.hints {
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

    /// Registers a batch as under way and readies its send.
    fn launch(&mut self, out: syncline_core::machine::OutBatch) -> Option<Sending> {
        let connector = self.intake.systems.get(&out.batch.system)?.connector.clone();
        let write = out.write.clone();
        self.flights.insert(Flight::new(out));
        Some(Sending { connector, context: self.intake.context(Purpose::Sync), write })
    }
}
