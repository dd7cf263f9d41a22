//! The people: they read, think, and save, all at once and on both sides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value};
use syncline_core::{Side, Sides};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::crm::{Crm, Saved, text};
use super::judge::Read;
use super::latency::Latency;
use super::ops::Ops;
use super::plan::{Deed, Plan, Step};
use super::time::{now, pause, pause_until};
use super::world::{Card, KEY, Kind, joined};

/// People who do something at the same moment, at most.
const AT_ONCE: usize = 32;
/// Every so many edits is followed until the other side shows it.
const FOLLOWED: u64 = 8;
/// How long an edit is followed.
const FOLLOW_LIMIT: Duration = Duration::from_secs(20);
/// How often somebody looks whether the other side shows it.
const LOOK: Duration = Duration::from_millis(5);
const PEOPLE: [&str; 4] = ["ada", "ben", "chi", "dee"];

/// What the players share.
#[derive(Debug)]
pub(super) struct Players {
    crm: Crm,
    ops: Ops,
    /// How long edits took.
    pub latency: Latency,
    tokens: AtomicU64,
    saves: AtomicU64,
    reads: Mutex<Vec<Read>>,
    follows: Semaphore,
}

/// The records that people know of, by kind.
type Cards = [Vec<Card>; 2];

impl Players {
    /// People at both systems.
    pub fn new(crm: Crm, ops: Ops) -> Self {
        Self {
            crm,
            ops,
            latency: Latency::default(),
            tokens: AtomicU64::new(0),
            saves: AtomicU64::new(0),
            reads: Mutex::default(),
            follows: Semaphore::new(AT_ONCE / 2),
        }
    }

    /// Saves made so far.
    pub fn saves(&self) -> u64 {
        self.saves.load(Ordering::Relaxed)
    }

    /// What was read before each save.
    pub fn reads(&self) -> Vec<Read> {
        self.reads.lock().map(|reads| reads.clone()).unwrap_or_default()
    }

    /// Plays an act to its end.
    pub async fn play(self: &Arc<Self>, plan: &Plan) -> anyhow::Result<()> {
        let cards = Arc::new(self.cards().await?);
        let begun = now();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut people = JoinSet::new();
        for step in plan.steps.clone() {
            pause_until(begun + step.at).await;
            while let Some(done) = people.try_join_next() {
                done??;
            }
            let place = places.clone().acquire_owned().await?;
            let (players, cards) = (self.clone(), cards.clone());
            people.spawn(async move { players.act(&cards, step, place).await });
        }
        while let Some(done) = people.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn cards(&self) -> anyhow::Result<Cards> {
        let mut cards = Cards::default();
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            let left = self.crm.keys(kind).await?;
            let right = self.ops.keys(kind).await?;
            cards[place] = joined(kind, Sides { left, right });
        }
        Ok(cards)
    }

    async fn act(
        self: Arc<Self>,
        cards: &Cards,
        step: Step,
        place: OwnedSemaphorePermit,
    ) -> anyhow::Result<()> {
        let kind = step.kind;
        let card = |at: usize| {
            let cards = &cards[kind as usize];
            cards.get(at % cards.len().max(1))
        };
        match step.deed {
            Deed::Edit { side, at, fields } => {
                let Some(card) = card(at) else { return Ok(()) };
                let saved = self.edit(side, card, &fields).await?;
                if let Some((field, token)) = saved {
                    // Who only looks on is in nobody's way.
                    drop(place);
                    self.follow(side, card, field, token).await?;
                }
            }
            Deed::Undo { side, at, field } => {
                let Some(card) = card(at) else { return Ok(()) };
                self.undo(side, card, field).await?;
            }
            Deed::Race { at, field } => {
                let Some(card) = card(at) else { return Ok(()) };
                let fields = &[field];
                let both = tokio::join!(
                    self.read(Side::Left, card, fields),
                    self.read(Side::Right, card, fields)
                );
                let (Some(left), Some(right)) = (both.0?, both.1?) else {
                    return Ok(());
                };
                let both = tokio::join!(
                    self.write(Side::Left, card, fields, left),
                    self.write(Side::Right, card, fields, right)
                );
                both.0?;
                both.1?;
            }
            Deed::DeleteRace { side, at, field } => {
                let Some(card) = card(at) else { return Ok(()) };
                let fields = &[field];
                let Some(saw) = self.read(side.other(), card, fields).await? else {
                    return Ok(());
                };
                let both = tokio::join!(
                    self.delete(side, card),
                    self.write(side.other(), card, fields, saw)
                );
                both.0?;
                both.1?;
            }
            Deed::Delete { side, at } => {
                let Some(card) = card(at) else { return Ok(()) };
                self.delete(side, card).await?;
            }
            Deed::Create { side, number, parent } => {
                self.create(side, cards, kind, number, parent).await?;
            }
            Deed::Twins { number, parent } => {
                let both = tokio::join!(
                    self.create(Side::Left, cards, kind, number, parent),
                    self.create(Side::Right, cards, kind, number, parent)
                );
                both.0?;
                both.1?;
            }
        }
        Ok(())
    }

    fn token(&self) -> (u64, String) {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        (number, format!("Edit {number:07}"))
    }

    fn saved(&self) {
        self.saves.fetch_add(1, Ordering::Relaxed);
    }

    /// What somebody sees; nothing when the record is not there.
    async fn read(
        &self,
        side: Side,
        card: &Card,
        fields: &[usize],
    ) -> anyhow::Result<Option<Vec<Option<String>>>> {
        let (Some(id), kind) = (&card.ids[side], card.pair.kind) else {
            return Ok(None);
        };
        match side {
            Side::Left => Ok(self.crm.record(id).await?.map(|record| {
                fields.iter().map(|at| text(record.get(kind.fields()[*at].crm))).collect()
            })),
            Side::Right => self.ops.values(kind, id, fields).await,
        }
    }

    /// Saves new values after having seen `saw`; gives the last of them.
    async fn write(
        &self,
        side: Side,
        card: &Card,
        fields: &[usize],
        saw: Vec<Option<String>>,
    ) -> anyhow::Result<Option<(usize, u64, String)>> {
        let tokens: Vec<(u64, String)> = fields.iter().map(|_| self.token()).collect();
        let values: Vec<String> = tokens.iter().map(|(_, token)| token.clone()).collect();
        let is_saved = self.put(side, card, fields, &values, saw).await?;
        let last = fields.iter().zip(tokens).next_back();
        Ok(last.filter(|_| is_saved).map(|(field, (number, token))| (*field, number, token)))
    }

    /// Saves values after having seen `saw`; whether it was saved.
    async fn put(
        &self,
        side: Side,
        card: &Card,
        fields: &[usize],
        values: &[String],
        saw: Vec<Option<String>>,
    ) -> anyhow::Result<bool> {
        let (Some(id), kind) = (&card.ids[side], card.pair.kind) else {
            return Ok(false);
        };
        let saw = match side {
            Side::Left => {
                let names = fields.iter().map(|at| kind.fields()[*at].crm.to_owned());
                let body = names.zip(values.iter().cloned().map(Value::from)).collect();
                match self.crm.update(self.somebody(), id, body).await? {
                    Saved::Done(()) => saw,
                    Saved::Refused(_) => return Ok(false),
                }
            }
            Side::Right => {
                let fields: Vec<_> = fields.iter().copied().zip(values.iter().cloned()).collect();
                match self.ops.update(kind, id, &fields, saw).await? {
                    Saved::Done(saw) => saw,
                    Saved::Refused(_) => return Ok(false),
                }
            }
        };
        self.saved();
        let read = fields.iter().zip(values).zip(saw).map(|((field, value), saw)| Read {
            pair: card.pair.clone(),
            field: *field,
            wrote: Some(value.clone()),
            saw,
        });
        if let Ok(mut reads) = self.reads.lock() {
            reads.extend(read);
        }
        Ok(true)
    }

    fn somebody(&self) -> &'static str {
        let number = self.tokens.load(Ordering::Relaxed) % 4;
        PEOPLE[usize::try_from(number).unwrap_or_default()]
    }

    /// Reads and saves; gives the field and the value if it is to be followed.
    async fn edit(
        &self,
        side: Side,
        card: &Card,
        fields: &[usize],
    ) -> anyhow::Result<Option<(usize, String)>> {
        let Some(saw) = self.read(side, card, fields).await? else {
            return Ok(None);
        };
        let saved = self.write(side, card, fields, saw).await?;
        let followed = saved.filter(|(_, number, _)| number % FOLLOWED == 0);
        Ok(followed.map(|(field, _, token)| (field, token)))
    }

    /// Saves a value and, a moment later, the one that was there before.
    async fn undo(&self, side: Side, card: &Card, field: usize) -> anyhow::Result<()> {
        let Some(saw) = self.read(side, card, &[field]).await? else {
            return Ok(());
        };
        let Some(before) = saw.first().cloned().flatten() else {
            return Ok(());
        };
        let Some((_, number, token)) = self.write(side, card, &[field], saw).await? else {
            return Ok(());
        };
        pause(Duration::from_millis(number % 4 * 100)).await;
        self.put(side, card, &[field], &[before], vec![Some(token)]).await?;
        Ok(())
    }

    async fn delete(&self, side: Side, card: &Card) -> anyhow::Result<()> {
        let (Some(id), kind) = (&card.ids[side], card.pair.kind) else {
            return Ok(());
        };
        let done = match side {
            Side::Left => self.crm.delete(self.somebody(), id).await?,
            Side::Right => self.ops.delete(kind, id).await?,
        };
        if done == Saved::Done(()) {
            self.saved();
        }
        Ok(())
    }

    async fn create(
        &self,
        side: Side,
        cards: &Cards,
        kind: Kind,
        number: usize,
        parent: usize,
    ) -> anyhow::Result<()> {
        let mut fields = vec![(KEY, kind.key(number))];
        fields.extend(kind.edited().map(|at| (at, self.token().1)));
        if let Some(at) = kind.reference() {
            let account = cards[0].get(parent).and_then(|card| card.ids[side].clone());
            fields.extend(account.map(|id| (at, id)));
        }
        let done = match side {
            Side::Left => {
                let body: Map<String, Value> = fields
                    .into_iter()
                    .map(|(at, value)| (kind.fields()[at].crm.to_owned(), value.into()))
                    .collect();
                self.crm.create(self.somebody(), kind, body).await?
            }
            Side::Right => self.ops.create(kind, &fields).await?,
        };
        if let Saved::Done(_) = done {
            self.saved();
        }
        Ok(())
    }

    /// Measures how long the other side takes to show a value. A value that was replaced before
    /// it could be seen tells nothing.
    async fn follow(
        &self,
        from: Side,
        card: &Card,
        field: usize,
        token: String,
    ) -> anyhow::Result<()> {
        let Ok(_place) = self.follows.try_acquire() else {
            return Ok(());
        };
        let begun = now();
        let token = Some(token);
        let shows = |side: Side| {
            let token = &token;
            async move {
                let values = self.read(side, card, &[field]).await?;
                anyhow::Ok(values.is_some_and(|values| values.first() == Some(token)))
            }
        };
        loop {
            let time = now().duration_since(begun);
            if shows(from.other()).await? {
                self.latency.note(from.other(), time);
                return Ok(());
            }
            if time > FOLLOW_LIMIT {
                if shows(from).await? {
                    self.latency.note_unseen();
                }
                return Ok(());
            }
            pause(LOOK).await;
        }
    }
}
