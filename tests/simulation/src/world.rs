//! A run: two systems, a ledger, processes that come and go, people, and the scheduler that
//! decides who goes on and what breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::machine::{Limits, Mappings};
use syncline_core::mapping::Mode;
use syncline_core::{Side, Sides};
use syncline_engine::{Engine, Ids, Intake, Parts};
use syncline_ledger::memory::{Gate as LedgerGate, Memory};
use syncline_sdk::{Connector, FeedKind, Instant, LinkId, ReceiptKind, SystemName};
use syncline_testkit::{MemoryConnector, MemorySystem};

use crate::answers::Answers;
use crate::choices::Choices;
use crate::desk::{Desk, ProcessId};
use crate::executor::Executor;
use crate::gates::ProcessGate;
use crate::job::{Job, run_job};
use crate::people::People;
use crate::plan::{ACTIONS, Action, Plan};
use crate::process::{News, Process};
use crate::setup::{BEGIN, mappings, system, system_name};
use crate::trace::Trace;
use crate::waiting::DeskClock;

/// Steps of one run before everything is healed.
pub(crate) const STEPS_MAX: u32 = 600;

/// How the logs of both systems stood after each step in which one grew: what happened before
/// what across systems.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// For each log line of a side, the step in which it appeared.
    pub steps: Sides<Vec<u32>>,
    /// For each log line of a side, its place among the lines of both.
    pub places: Sides<Vec<u64>>,
    last: u64,
}

impl Order {
    /// Notes which lines appeared.
    fn note(&mut self, step: u32, systems: &Sides<MemorySystem>) {
        for side in Side::BOTH {
            let lines = systems[side].view_history(<[_]>::len);
            if lines > self.places[side].len() {
                self.last += 1;
                self.steps[side].resize(lines, step);
                self.places[side].resize(lines, self.last);
            }
        }
    }
}

/// A run under way.
pub struct World {
    /// Its plan.
    pub plan: Plan,
    /// The desk.
    pub desk: Desk,
    /// The two systems.
    pub systems: Sides<MemorySystem>,
    /// The ledger.
    pub ledger: Memory,
    /// The mappings.
    pub mappings: Mappings,
    /// The people in the systems.
    pub people: People,
    /// The people at the queue.
    pub answers: Answers,
    /// What happened before what.
    pub order: Order,
    /// Which side's stream was lost, and when, microseconds.
    pub lost_streams: Vec<(Side, i64)>,
    /// When each process started, microseconds.
    started: Vec<(ProcessId, i64)>,
    executor: Executor,
    pub(crate) alive: Vec<(ProcessId, Intake<Memory>)>,
    last_process: u32,
    operations: u32,
}

struct NumberedIds {
    process: u32,
    last: u64,
}

impl Ids for NumberedIds {
    fn link(&mut self, _now: Instant) -> LinkId {
        self.last += 1;
        let number = (u128::from(self.process) << 64) | u128::from(self.last);
        LinkId(uuid::Uuid::from_u128((0x7 << 100) | number))
    }
}

impl World {
    /// A world at its beginning.
    #[must_use]
    pub fn new(plan: Plan, choices: Choices, traced: bool) -> Self {
        let desk = Desk::new(choices, plan.rates, Trace::new(traced), BEGIN);
        let systems = Sides::from_fn(|side| system(&plan, side));
        let mappings = mappings(&plan, &systems);
        let people = People::new(&plan, &desk, &systems);
        Self {
            people,
            answers: Answers::default(),
            order: Order::default(),
            lost_streams: Vec::new(),
            started: Vec::new(),
            executor: Executor::default(),
            alive: Vec::new(),
            last_process: 0,
            operations: plan.operations,
            plan,
            desk,
            systems,
            ledger: Memory::default(),
            mappings,
        }
    }

    /// Plays the run up to the quiet at its end, or says why it does not become quiet.
    ///
    /// # Errors
    /// A defect that a process met, or what keeps the world from becoming quiet.
    pub fn play(&mut self) -> Result<(), (&'static str, String)> {
        self.people.seed();
        self.start();
        let mut step = 0;
        while step < STEPS_MAX && self.desk.lock().choices.step() {
            step += 1;
            self.desk.lock().step = step;
            self.act();
            self.settle_down();
            self.defect()?;
            let idle = self.operations == 0 && self.people.open.is_empty();
            if idle && step > 60 && self.desk.lock().choices.chance(30) {
                break;
            }
        }
        self.heal();
        self.become_quiet()
    }

    pub(crate) fn defect(&self) -> Result<(), (&'static str, String)> {
        self.desk.lock().defect.take().map_or(Ok(()), Err)
    }

    /// Runs everything that can go on, and notes what appeared.
    pub(crate) fn settle_down(&mut self) {
        let step = self.desk.lock().step;
        self.order.note(step, &self.systems);
        let note = || self.order.note(step, &self.systems);
        if !self.executor.run(&self.desk, note) {
            let what = "one step of the scheduler does not end: it never stops reading or writing";
            self.desk.break_off("QUIET", what.to_owned());
        }
    }

    pub(crate) fn start(&mut self) {
        self.last_process += 1;
        let id = ProcessId(self.last_process);
        let now = self.desk.lock().now;
        self.started.push((id, now));
        let by_session =
            |side: &Side| self.systems[*side].profile().capabilities.receipt == ReceiptKind::Stream;
        let sessions: BTreeSet<SystemName> =
            Side::BOTH.into_iter().filter(by_session).map(system_name).collect();
        let gate =
            || ProcessGate { desk: self.desk.clone(), process: id, sessions: sessions.clone() };
        let connectors: BTreeMap<SystemName, Arc<dyn Connector>> = Side::BOTH
            .into_iter()
            .map(|side| {
                let connector = MemoryConnector::gated(&self.systems[side], Arc::new(gate()));
                (system_name(side), Arc::new(connector) as Arc<dyn Connector>)
            })
            .collect();
        let ledger_gate: Arc<dyn LedgerGate> = Arc::new(gate());
        let engine = Engine::new(Parts {
            ledger: Arc::new(self.ledger.behind(ledger_gate)),
            install: "sim".into(),
            owner: format!("process-{}", id.0),
            mappings: self.mappings_of(id),
            connectors,
            away: BTreeMap::new(),
            clock: Arc::new(DeskClock(self.desk.clone())),
            ids: Box::new(NumberedIds { process: id.0, last: 0 }),
            limits: Limits::default(),
        });
        self.alive.push((id, engine.intake()));
        let process = Process::new(engine, self.desk.clone(), id, &self.plan);
        self.desk.tell(|| format!("{id:?} starts"));
        self.desk.spawn(id, false, Box::pin(process.live()));
    }

    /// Whether a process writes nothing.
    /// Whether the newest process of a time only observed: it takes nothing back, and asks.
    pub(crate) fn observed_at(&self, at: i64) -> bool {
        let ends = self.started.iter().skip(1).map(|(_, at)| *at).chain([i64::MAX]);
        let mut lives = self.started.iter().zip(ends);
        lives.any(|((id, from), until)| self.observes(*id) && (*from..=until).contains(&at))
    }

    pub(crate) fn observes(&self, id: ProcessId) -> bool {
        self.plan.modes && id.0.is_multiple_of(2)
    }

    /// The mappings as the files of a process say them.
    fn mappings_of(&self, id: ProcessId) -> Mappings {
        let mut mappings = self.mappings.clone();
        if self.observes(id) {
            for mapping in mappings.values_mut() {
                Arc::make_mut(mapping).mode = Mode::Observe;
            }
        }
        mappings
    }

    pub(crate) fn kill(&mut self, at: usize) {
        let (id, _) = self.alive.remove(at);
        self.desk.tell(|| format!("{id:?} dies"));
        self.desk.forget(id);
        self.executor.kill(id);
        self.desk.forget(id);
    }

    /// One step of the scheduler.
    fn act(&mut self) {
        let mut weights = self.plan.weights;
        if self.operations == 0 {
            weights[5] = 0;
        }
        if self.desk.lock().held.is_empty() {
            weights[0] = 1;
        }
        let at = self.desk.lock().choices.weighted(&weights);
        match ACTIONS[at] {
            Action::Release => self.release(),
            Action::Turn => self.turn(),
            Action::Job => self.job(),
            Action::Settle => self.news(|| News::Settle),
            Action::Time => self.time(),
            Action::People => {
                self.operations -= 1;
                self.people.act();
            }
            Action::Answer => self.answers.act(&self.plan, &self.desk, &self.ledger),
            Action::Copy => self.copy(),
            Action::Commit => self.commit(),
            Action::Crash => self.crash(),
            Action::Second => {
                if self.alive.len() < 2 {
                    self.desk.hit("fault: second engine");
                    self.start();
                }
            }
            Action::Renew => self.news(|| News::Renew),
            Action::Trouble => self.trouble(),
            Action::EndTransaction => self.end_transaction(),
            Action::Cut => {
                let side = self.side();
                self.systems[side].cut_connections();
                self.desk.hit("fault: feed cut");
            }
            Action::LoseStream => {
                let side = self.side();
                self.systems[side].lose_stream();
                let now = self.desk.lock().now;
                self.lost_streams.push((side, now));
                self.desk.hit("fault: stream lost");
                self.desk.tell(|| format!("{side}: the stream is lost"));
            }
            Action::Truncate => {
                let side = self.side();
                if self.systems[side].profile().capabilities.feed != FeedKind::Images {
                    // There a mass deletion leaves as many deletions.
                    return;
                }
                let entity = crate::setup::entity_of(crate::setup::ITEMS);
                self.systems[side].person("tru").truncate(&entity);
                self.desk.hit("fault: truncate");
                self.desk.tell(|| format!("{side}: truncated"));
            }
        }
    }

    pub(crate) fn side(&self) -> Side {
        if self.desk.lock().choices.below(2) == 1 { Side::Right } else { Side::Left }
    }

    /// A held call goes on, mostly as if nothing were.
    fn release(&self) {
        let mut inner = self.desk.lock();
        let waiting = inner.waiting();
        let Some(number) = inner.choices.one_of(&waiting).copied() else { return };
        let place = inner.held[&number].place;
        let say = inner.say(place, true);
        inner.release(number, say);
    }

    pub(crate) fn some_process(&self) -> Option<ProcessId> {
        let ids: Vec<ProcessId> = self.alive.iter().map(|(id, _)| *id).collect();
        self.desk.lock().choices.one_of(&ids).copied()
    }

    fn turn(&self) {
        let Some(process) = self.some_process() else { return };
        let mut inner = self.desk.lock();
        let news = 1 + inner.choices.below(4) as usize;
        inner.grant(process, news);
    }

    pub(crate) fn news(&self, news: impl Fn() -> News) {
        let Some(process) = self.some_process() else { return };
        self.desk.post(process, news());
        self.desk.lock().grant(process, 8);
    }

    fn job(&self) {
        let Some(process) = self.some_process() else { return };
        let at = {
            let mut inner = self.desk.lock();
            let count = inner.jobs.get(&process).map_or(0, Vec::len);
            inner.choices.below(u32::try_from(count).unwrap_or(0)) as usize
        };
        self.begin_job(process, at);
    }

    /// Begins a job, if it may begin. True when it did.
    pub(crate) fn begin_job(&self, process: ProcessId, at: usize) -> bool {
        let Some((_, intake)) = self.alive.iter().find(|(id, _)| *id == process) else {
            return false;
        };
        let (job, number, place) = {
            let mut inner = self.desk.lock();
            let Some(jobs) = inner.jobs.get_mut(&process) else { return false };
            let of = jobs.get(at).map(|slot| slot.job.clone());
            let first_left = jobs.iter().any(|slot| {
                let Some(Job::Load(mapping, _)) = of else { return false };
                !slot.over && slot.job == Job::Load(mapping, Side::Left)
            });
            let loading = jobs.iter().any(|slot| !slot.over && matches!(slot.job, Job::Load(..)));
            let loading_items = jobs
                .iter()
                .any(|slot| !slot.over && matches!(slot.job, Job::Load(crate::setup::ITEMS, _)));
            let unplaced = jobs.iter().any(|slot| match (&of, &slot.job) {
                (Some(Job::Load(mapping, side)), Job::Poll(other, at)) => {
                    (mapping, side) == (other, at) && slot.place.is_none()
                }
                _ => false,
            });
            let Some(slot) = jobs.get_mut(at) else { return false };
            let waits = match slot.job {
                Job::Load(..) if unplaced => true,
                Job::Load(crate::setup::CHILDREN, Side::Left) => loading_items,
                Job::Load(_, Side::Right) => first_left,
                Job::Verify(_) | Job::Sweep(_) | Job::Rules(_) => loading,
                _ => false,
            };
            if slot.running || slot.over || waits {
                return false;
            }
            slot.running = true;
            (slot.job.clone(), slot.number, slot.place.clone())
        };
        let (desk, intake) = (self.desk.clone(), intake.clone());
        let life = desk.life(process);
        let task = async move {
            let found = run_job(&intake, &job, place).await;
            desk.post_in(process, life, News::Read(job, number, found));
        };
        self.desk.spawn(process, false, Box::pin(task));
        true
    }

    fn time(&mut self) {
        let to = {
            let mut inner = self.desk.lock();
            let micros = match inner.choices.below(12) {
                0..=4 => 1_000 * i64::from(1 + inner.choices.below(200)),
                5..=8 => 1_000_000 * i64::from(1 + inner.choices.below(3)),
                9 | 10 => 20_000_000 * i64::from(1 + inner.choices.below(4)),
                _ => 60_000_000 * i64::from(1 + inner.choices.below(12)),
            };
            inner.now + micros
        };
        self.pass_time(to);
    }

    pub(crate) fn pass_time(&mut self, to: i64) {
        self.end_old_transactions(to);
        for side in Side::BOTH {
            self.systems[side].advance(Instant::from_micros(to));
        }
        self.desk.advance(to);
    }
}
