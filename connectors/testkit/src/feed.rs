//! The pushed feed of the in-memory system.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use syncline_sdk::{
    Actor, Change, ChangeKind, Context, EntityName, Error, ErrorKind, Feed, FeedBatch, FieldName,
    Position, Result, Selection, Value,
};

use crate::history::Told as Heard;
use crate::system::{MemorySystem, Told, Watched, World};
use crate::version::Form;
use crate::{Gate, Operation, Point, Step, Verdict};

/// What a feed shows of one entity.
pub(crate) struct Shown {
    fields: Arc<[FieldName]>,
    actor: bool,
}

/// A feed that was opened on a [`crate::MemoryConnector`].
pub(crate) struct MemoryFeed {
    system: MemorySystem,
    gate: Arc<dyn Gate>,
    /// What the client saw of the stream; held only inside the system's own lock.
    watched: Arc<Mutex<Watched>>,
    shown: BTreeMap<EntityName, Shown>,
    generation: u64,
    connection: u64,
    /// The next entry of the stream.
    next: usize,
    /// The last commit that was passed as a whole.
    passed: u64,
}

impl MemoryFeed {
    pub fn open(
        system: &MemorySystem,
        gate: Arc<dyn Gate>,
        watched: Arc<Mutex<Watched>>,
        selections: &[&Selection],
        from: Option<&Position>,
    ) -> Result<Self> {
        let shown = |selection: &&Selection| {
            let shown =
                Shown { fields: selection.fields.clone(), actor: selection.actor.is_some() };
            (selection.entity.clone(), shown)
        };
        let shown = selections.iter().map(shown).collect();
        system.with(|world| {
            let passed = match from {
                None => world.sequence,
                Some(position) => world.stream.place(position).ok_or_else(gap)?,
            };
            Ok(Self {
                system: system.clone(),
                gate,
                watched,
                shown,
                generation: world.stream.generation(),
                connection: world.connections,
                next: world.stream.after(passed),
                passed,
            })
        })
    }

    fn alive(&self, world: &World) -> Result<()> {
        if world.stream.generation() != self.generation {
            return Err(gap());
        }
        if world.connections != self.connection || world.conditions.unavailable {
            let text = format!("the connection to {} is lost", world.name);
            return Err(lost(text));
        }
        Ok(())
    }

    /// Waits for a change, or for the gate to end the wait. True when there is one.
    async fn wait(&self, point: Point) -> Result<bool> {
        let mut idle = pin!(self.gate.pass(Point { step: Step::Idle, ..point }));
        std::future::poll_fn(|task| {
            let ready = self.system.with(|world| {
                self.alive(world)?;
                let there = self.next < world.stream.entries.len();
                if !there && !world.wakers.iter().any(|waker| waker.will_wake(task.waker())) {
                    world.wakers.push(task.waker().clone());
                }
                Ok(there)
            });
            match ready {
                Err(error) => Poll::Ready(Err(error)),
                Ok(true) => Poll::Ready(Ok(true)),
                Ok(false) => idle.as_mut().poll(task).map(|verdict| match verdict {
                    Verdict::Go | Verdict::Duplicate => Ok(false),
                    Verdict::Refuse(error) => Err(error),
                    Verdict::Lose | Verdict::Delay => Err(lost("the connection was cut".into())),
                }),
            }
        })
        .await
    }

    /// The next changes, with the place behind them: entry and last whole commit.
    fn collect(&self, world: &World, rows_max: usize) -> (FeedBatch, usize, u64) {
        let entries = &world.stream.entries;
        let mut batch = FeedBatch::default();
        let mut next = self.next;
        let mut passed = self.passed;
        while let Some(entry) = entries.get(next) {
            let shown = self.shown.get(&entry.entity).filter(|_| entry.told != Told::Message);
            if shown.is_some() && batch.changes.len() >= rows_max.max(1) {
                break;
            }
            if let Some(shown) = shown {
                batch.changes.push(change(world, shown, entry));
            }
            next += 1;
            let whole = entries.get(next).is_none_or(|other| other.sequence != entry.sequence);
            if whole {
                passed = entry.sequence;
                if let Some(marker) = &entry.marker {
                    let version = world.commit_version(entry.sequence, entry.at).encode();
                    batch.markers.push((marker.clone(), version));
                }
            }
        }
        if passed > self.passed || batch.changes.is_empty() {
            batch.position = Some(world.stream.position(passed));
        }
        batch.idle = batch.changes.is_empty() && batch.markers.is_empty();
        (batch, next, passed)
    }
}

fn change(world: &World, shown: &Shown, entry: &crate::system::StreamEntry) -> Change {
    let model = world.table(&entry.entity).map(|table| &table.model);
    let kind = match &entry.told {
        Told::Delete => ChangeKind::Delete,
        Told::Truncate | Told::Message => ChangeKind::Truncate,
        Told::Upsert(image) => {
            let value = |field: &FieldName| {
                let visible = model.is_some_and(|model| model.visible(field).is_some());
                let value = image.get(field).filter(|_| visible);
                value.cloned().unwrap_or(Value::Absent)
            };
            ChangeKind::Upsert(shown.fields.iter().map(value).collect())
        }
    };
    Change {
        entity: entry.entity.clone(),
        key: entry.key.clone(),
        old_key: entry.old_key.clone(),
        kind,
        version: Form::Commit(entry.sequence).encode(),
        marker: entry.marker.clone(),
        group: entry.sequence,
        actor: if shown.actor { entry.actor.clone() } else { Actor::default() },
        at: Some(entry.at),
    }
}

#[async_trait]
impl Feed for MemoryFeed {
    async fn next(&mut self, cx: &Context, rows_max: usize) -> Result<FeedBatch> {
        let request = self.system.with(|world| world.begin(cx, Operation::FeedNext, None))?;
        let point = |system: &MemorySystem| Point {
            system: system.name(),
            request,
            operation: Operation::FeedNext,
            step: Step::Arrive,
            batch: None,
            copy: None,
        };
        pass(&*self.gate, point(&self.system)).await?;
        let there = self.wait(point(&self.system)).await?;
        let (batch, next, passed) = self.system.with(|world| {
            self.alive(world)?;
            Ok(if there {
                self.collect(world, rows_max)
            } else {
                (self.idle(world), self.next, self.passed)
            })
        })?;
        let answer = Point { step: Step::Answer, ..point(&self.system) };
        pass(&*self.gate, answer).await?;
        let given = std::mem::replace(&mut self.next, next)..next;
        self.passed = passed;
        self.system.with(|world| {
            if world.stream.generation() == self.generation {
                let given = world.stream.entries.get(given).unwrap_or_default();
                let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
                watched.see(given, passed);
            }
            world.told(request, Heard::Answer);
        });
        Ok(batch)
    }

    async fn ack(&mut self, position: &Position) -> Result<()> {
        let point = Point {
            system: self.system.name(),
            request: 0,
            operation: Operation::FeedAck,
            step: Step::Arrive,
            batch: None,
            copy: None,
        };
        pass(&*self.gate, point).await?;
        self.system.with(|world| {
            self.alive(world)?;
            let place = world.stream.place(position).ok_or_else(gap)?;
            world.stream.acknowledged = world.stream.acknowledged.max(place);
            Ok(())
        })
    }
}

impl MemoryFeed {
    /// An empty batch. Commits that touched no row at all are behind it.
    fn idle(&self, world: &World) -> FeedBatch {
        FeedBatch {
            position: Some(world.stream.position(self.passed)),
            idle: true,
            ..FeedBatch::default()
        }
    }
}

async fn pass(gate: &dyn Gate, point: Point) -> Result<()> {
    match gate.pass(point).await {
        Verdict::Go | Verdict::Duplicate => Ok(()),
        Verdict::Refuse(error) => Err(error),
        Verdict::Lose | Verdict::Delay => Err(lost("the connection was cut".into())),
    }
}

fn lost(text: String) -> Error {
    Error::new(ErrorKind::Unavailable, Operation::FeedNext.as_str(), text)
        .advise("open the feed again from the last stored position")
}

fn gap() -> Error {
    let text = "the place is not in this stream any more";
    Error::new(ErrorKind::Gap, Operation::FeedNext.as_str(), text)
        .advise("compare both sides in full and begin a new stream")
}
