//! The end of a session that is not the end of the process: the systems are looked at again.

use std::sync::Arc;
use std::time::Duration;

use syncline_ledger::Ledger;
use syncline_sdk::{Error, Purpose, Selection, SystemName};

use super::pace::{Pace, pause_until, tick};
use super::reads::Found;
use super::run::{Driver, DriverError, Intaken};
use super::telling::chain;
use crate::away::Away;
use crate::error::EngineError;
use crate::reader::Intake;

/// How long what is under way may take to have its answer when a session ends.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// How a session ended that did not fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// A system that was waited for answers: what it describes is looked at, and its streams
    /// begin with the next session.
    Answers(SystemName),
    /// A system gave no answer before its streams had begun: the next session waits for it.
    Away(SystemName, Away),
    /// A mapping that was left out was begun by another process in the meantime: the feeds must
    /// not go on without it.
    Begun(Arc<str>),
}

impl<L: Ledger> Intake<L> {
    /// Whether a system that is waited for answers: it is made ready for what the mappings use of
    /// it, where they use anything yet.
    pub(super) async fn look_whether_ready(&self, name: &SystemName) -> Result<Found, EngineError> {
        let system = &self.systems[name];
        let selections: Vec<&Selection> = system.feed.iter().map(|s| &**s).collect();
        let context = self.context(Purpose::Sync);
        let answer = if selections.is_empty() {
            system.connector.check(&context, &selections).await.map(|_| ())
        } else {
            system.connector.prepare(&context, &selections).await
        };
        answer.map_err(Self::at(name))?;
        Ok(Found::default())
    }
}

impl<L: Ledger> Driver<L> {
    /// The system gave no answer before its streams had begun: the session ends, and the next one
    /// goes on without it.
    pub(super) fn went_away(&mut self, name: &SystemName, error: &Error) {
        self.trouble(name, error);
        let away = Away { kind: error.kind, why: chain(error), wait: Duration::ZERO };
        self.ended = Some(Ended::Away(name.clone(), away));
    }

    /// Lets what is under way have its answer, so that little is unknown to the next session,
    /// which recovers like a process that starts. A commit in doubt is decided: it must not
    /// happen behind that recovery.
    pub(super) async fn settle_down(&mut self) -> Result<(), DriverError> {
        for feed in self.feeds.values() {
            feed.cancel();
        }
        let until = tick() + SETTLE_MAX;
        while self.engine.flights().iter().any(|flight| flight.awaited)
            && tick() < until
            && !self.stop.is_cancelled()
        {
            let mut taken = Intaken::default();
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = pause_until(until.min(self.renew_at)) => {}
                sent = self.sent.1.recv() => {
                    if let Some(sent) = sent {
                        self.take_sent(sent, &mut taken);
                    }
                }
            }
            if !self.commit(taken.work).await? {
                return Ok(());
            }
            self.renew().await?;
        }
        let mut pace = Pace::default();
        while let Err(error) = self.engine.resolve().await {
            tracing::error!(error = %chain(&error), "the ledger gave no answer");
            if self.stop.is_cancelled() {
                return Ok(());
            }
            pace.pause(&self.stop).await;
        }
        Ok(())
    }
}
