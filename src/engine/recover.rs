//! After a restart: what was under way is unknown until it is settled (protocol I4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::machine::{Carried, Clock as RoundClock, Limits, Round, Step, Workset};
use syncline_core::mapping::MappingId;
use syncline_core::model::{BatchChange, BatchState, DeletePhase, Link, LinkState};
use syncline_ledger::{Ledger, LinkQuery, OpenBatch};
use syncline_sdk::{BatchId, IntentId, LinkId, SystemName, Version, VersionOrder};

use crate::engine::Engine;
use crate::error::Result;
use crate::flight::Flight;
use crate::gather::Gathered;
use crate::limits;
use crate::next_try::NextTry;
use crate::relaying::{Relaid, relay_entries};
use crate::work::{Account, Work};

impl<L: Ledger> Engine<L> {
    /// Takes in every batch that the ledger knows as sent and not settled. Called once after the
    /// shards were taken over, before any other round. Each of them is unknown from here on:
    /// [`Engine::settle_unknown`] settles it.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn recover(&mut self) -> Result<Account> {
        // A commit that was in doubt when an earlier attempt of this very ownership gave up is kept
        // out by no fence: whether it happened is decided before anything is read.
        self.resolve().await?;
        // What an earlier ownership of this process had under way may be settled by others.
        self.forget_all();
        let mut open = self.intake.ledger.open_batches(limits::OPEN_BATCHES_MAX).await?;
        for open in &mut open {
            relay_entries(&mut open.entries, &self.intake.mappings)?;
        }
        let mut links: BTreeMap<MappingId, Vec<LinkId>> = BTreeMap::new();
        for entry in open.iter().flat_map(|open| &open.entries) {
            links.entry(entry.mapping).or_default().push(entry.link);
        }
        let queries: Vec<LinkQuery> = links
            .into_iter()
            .map(|(mapping, links)| LinkQuery { mapping, links, ..LinkQuery::default() })
            .collect();
        let loaded = self.intake.ledger.load(&queries).await?;
        let loaded = Relaid::of(loaded, &self.intake.mappings)?.loaded;
        let known: BTreeMap<(MappingId, LinkId), &Link> =
            loaded.links.iter().map(|link| ((link.mapping, link.id), link)).collect();
        let mut gathered = Gathered::default();
        gathered.load_parents(&*self.intake.ledger, &self.intake.mappings, &loaded.links).await?;
        let mut work = Work::default();
        // A gap is not closed before what was under way when it was noticed is settled.
        let across_gap = !open.is_empty() && !self.intake.ledger.gaps().await?.is_empty();
        let carriers = carriers(&open);
        for open in open {
            let id = open.batch.id;
            match self.take_up(open, &carriers, &known, &gathered) {
                Some(flight) => self.flights.insert(Flight { across_gap, ..flight }),
                None => work.batches.push(BatchChange::Close {
                    id,
                    state: BatchState::Settled,
                    attempts: None,
                }),
            }
        }
        self.round(&work).await
    }

    /// A batch as a flight, with those of its writes that are not settled; nothing when all are.
    fn take_up(
        &self,
        open: OpenBatch,
        carriers: &BTreeMap<IntentId, BatchId>,
        known: &BTreeMap<(MappingId, LinkId), &Link>,
        gathered: &Gathered,
    ) -> Option<Flight> {
        let carried: Vec<Carried> = open
            .entries
            .iter()
            .filter_map(|entry| {
                let intent = entry.intent.clone()?;
                if carriers.get(&intent.id) != Some(&open.batch.id) {
                    return None;
                }
                let link = known.get(&(entry.mapping, entry.link))?;
                if link.open[intent.side] != Some(intent.id) {
                    return None;
                }
                let step = step_of(link.state, &intent)?;
                let group = entry.group_behind(&intent);
                Some(Carried {
                    mapping: entry.mapping,
                    link: entry.link,
                    intent,
                    step,
                    claim: false,
                    group,
                })
            })
            .collect();
        if carried.is_empty() {
            return None;
        }
        let mut write = self.rebuild(&open, &carried, known, gathered);
        // The ordinals of a receipt are those of the whole batch as it was sent.
        for write in &mut write.writes {
            let place = open.batch.intents.iter().position(|intent| *intent == write.intent);
            write.ordinal = place.and_then(|at| i32::try_from(at).ok()).unwrap_or(i32::MAX);
        }
        Some(Flight {
            intents: open.batch.intents.clone().into(),
            batch: open.batch,
            carried,
            write,
            awaited: false,
            vanished: BTreeSet::new(),
            merged: BTreeMap::new(),
            next_try: NextTry::default(),
            across_gap: false,
        })
    }

    /// What was sent, made again from the journal.
    fn rebuild(
        &self,
        open: &OpenBatch,
        carried: &[Carried],
        known: &BTreeMap<(MappingId, LinkId), &Link>,
        gathered: &Gathered,
    ) -> syncline_sdk::WriteBatch {
        let order = |_: &SystemName, _: &Version, _: &Version| VersionOrder::Unknown;
        let die_after = |_: &SystemName| 0;
        let mut no_id = || LinkId(uuid::Uuid::nil());
        let mut workset = Workset::new(Round {
            mappings: &self.intake.mappings,
            commit: open.batch.id.commit,
            fence: syncline_core::model::Fence::default(),
            clock: RoundClock { now: self.intake.clock.now() },
            limits: Limits::default(),
            die_after: &die_after,
            away: &|_| None,
            crowded: &|_, _| None,
            order: &order,
            new_id: &mut no_id,
        });
        let links = known.values().map(|link| (*link).clone()).collect();
        workset.take(links, Vec::new(), Vec::new(), Vec::new());
        gathered.show(&mut workset);
        workset.write_batch(open.batch.id, carried)
    }
}

/// The batch that carries the present step of each intent: of several, an earlier one carried a
/// step that is settled (the fence of a guarded delete), and stays open for other writes.
fn carriers(open: &[OpenBatch]) -> BTreeMap<IntentId, BatchId> {
    let mut carriers: BTreeMap<IntentId, BatchId> = BTreeMap::new();
    for batch in open.iter().map(|open| &open.batch) {
        for intent in &batch.intents {
            let newest = carriers.entry(*intent).or_insert(batch.id);
            *newest = batch.id.max(*newest);
        }
    }
    carriers
}

/// Which step of its intent a batch was sent for, by where the link stands.
fn step_of(state: LinkState, intent: &syncline_core::model::Intent) -> Option<Step> {
    use syncline_core::model::IntentKind;
    Some(match (state.deleting().map(|(_, phase)| phase), intent.kind) {
        (Some(DeletePhase::Fence), _) => Step::Fence,
        (Some(DeletePhase::Delete), _) => Step::Delete,
        (Some(DeletePhase::Undelete), _) => Step::Undelete,
        // The look is a hint of its own; the delete that it follows is settled.
        (Some(DeletePhase::Look), _) => return None,
        (_, IntentKind::Undelete) => Step::Undelete,
        (_, IntentKind::Delete) => Step::Delete,
        (_, IntentKind::Create | IntentKind::Update) => Step::Write,
    })
}

impl<L: Ledger> Engine<L> {
    /// The owner epoch, while the shards are ours.
    #[must_use]
    pub fn epoch(&self) -> Option<i64> {
        self.fence().map(|fence| fence.epoch)
    }
    /// The installation's id.
    #[must_use]
    pub fn install(&self) -> Arc<str> {
        self.intake.install.clone()
    }
}
