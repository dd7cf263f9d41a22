//! The client's side of a push.

use std::sync::atomic::Ordering;

use syncline_sdk::{BatchId, Context, Error, ErrorKind, Result, WriteBatch, WriteOutcome};

use super::MemoryConnector;
use crate::history::{CopyId, Told};
use crate::{Operation, Point, Step, Verdict};

/// How the sending of a batch ended.
enum End {
    Answered(Vec<WriteOutcome>),
    Unknown(Option<Error>),
}

impl MemoryConnector {
    pub(super) async fn push_batch(
        &self,
        cx: &Context,
        batch: WriteBatch,
    ) -> Result<Vec<WriteOutcome>> {
        if batch.writes.is_empty() {
            return Ok(Vec::new());
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let writes = batch.writes.len();
        let id = batch.batch;
        let sent = self.system.with(|world| world.send(cx, batch))?;
        let point = |step| self.push_point(sent.request, id, sent.copy, step);
        let end = self.carry(sent.copy, sent.arrive, sent.lose_answer, point).await;
        let told = match &end {
            Ok(End::Answered(_)) => Told::Answer,
            Ok(End::Unknown(_)) => Told::Unknown,
            Err(_) => Told::Error,
        };
        self.system.with(|world| world.told(sent.request, told));
        Ok(match end? {
            End::Answered(outcomes) => outcomes,
            End::Unknown(error) => {
                let mut error = error;
                let unknown =
                    |_| WriteOutcome::Unknown(error.take().unwrap_or_else(|| self.silence()));
                (0..writes).map(unknown).collect()
            }
        })
    }

    fn push_point(&self, request: u64, batch: BatchId, copy: CopyId, step: Step) -> Point {
        Point {
            system: self.system.name(),
            request,
            operation: Operation::Push,
            step,
            batch: Some(batch),
            copy: Some(copy),
        }
    }

    /// Carries a copy to the system and the answer back. The copy stays under way whenever this
    /// ends, or is dropped, before it has arrived.
    async fn carry(
        &self,
        copy: CopyId,
        scripted: Verdict,
        lose_answer: bool,
        point: impl Fn(Step) -> Point,
    ) -> Result<End> {
        let verdict = match (self.gate.pass(point(Step::Arrive)).await, scripted) {
            (Verdict::Go, scripted) => scripted,
            (verdict, _) => verdict,
        };
        match verdict {
            Verdict::Go => {}
            Verdict::Duplicate => {
                self.system.with(|world| world.double(copy));
            }
            Verdict::Delay => return Ok(End::Unknown(None)),
            Verdict::Lose => {
                self.system.with(|world| world.take(copy));
                return Ok(End::Unknown(None));
            }
            Verdict::Refuse(error) => {
                self.system.with(|world| world.take(copy));
                return Err(error);
            }
        }
        loop {
            match self.system.with(|world| world.arrive(copy)) {
                // It arrived by another way, or died: nobody can tell us what became of it.
                None => return Ok(End::Unknown(None)),
                Some(true) => break,
                Some(false) => match self.gate.pass(point(Step::Within)).await {
                    Verdict::Go | Verdict::Duplicate => {}
                    Verdict::Refuse(error) => return Ok(End::Unknown(Some(error))),
                    Verdict::Lose | Verdict::Delay => return Ok(End::Unknown(None)),
                },
            }
        }
        let outcomes = self.system.with(|world| world.take(copy)).unwrap_or_default();
        match self.gate.pass(point(Step::Answer)).await {
            Verdict::Go | Verdict::Duplicate if !lose_answer => Ok(End::Answered(outcomes)),
            Verdict::Refuse(error) => Ok(End::Unknown(Some(error))),
            _ => Ok(End::Unknown(None)),
        }
    }

    fn silence(&self) -> Error {
        let text = format!("no answer from {} to a request that was sent", self.system.name());
        Error::new(ErrorKind::Unavailable, Operation::Push.as_str(), text)
            .advise("the receipt decides whether it was applied")
    }
}
