//! The way of a batch, from `begin` to `commit`.

use std::sync::Arc;

use syncline_sdk::{Context, Error, ErrorKind, Result, WriteBatch, WriteOutcome};

use super::answer::answers;
use super::apply::{self, PieceError};
use super::careful;
use super::close::{Closed, close};
use super::plan::Plan;
use super::state::State;
use crate::error::{from_sqlx, is_refusal};
use crate::layout::Layout;
use crate::names::literal;
use crate::receipt::{Home, Receipt, session_name};
use crate::session::{Pools, Writer};

/// Sends a batch. `layouts` holds one entry a write: where its selection stands, or why it
/// stands nowhere.
///
/// # Errors
/// Nothing of the batch was or will be applied by this copy.
pub(crate) async fn push(
    pools: &Pools,
    home: &Home,
    cx: &Context,
    batch: &WriteBatch,
    layouts: Vec<Result<Arc<Layout>>>,
) -> Result<Vec<WriteOutcome>> {
    let marker = cx.batch_marker(batch.batch);
    if let Home::Stream(stream) = home {
        stream.sends(&marker);
    }
    let mut states = Vec::with_capacity(batch.writes.len());
    states.resize_with(batch.writes.len(), || State::Open);
    let plan = Plan::of(cx, batch, layouts, &mut states);
    let sending = Sending { pools, home, cx, batch, marker: &marker, plan: &plan };
    let mut closed = sending.attempt(&mut states, false).await?;
    if matches!(closed, Closed::Refused(_)) {
        // A deferred constraint spoke up at the end, for no row in particular.
        plan.reset(&mut states);
        closed = sending.attempt(&mut states, true).await?;
    }
    match closed {
        Closed::Committed { xid, snapshot } => Ok(answers(batch, &plan, states, xid, &snapshot)),
        Closed::Duplicate(receipt) => {
            Ok(batch.writes.iter().map(|write| receipt.outcome(write.ordinal)).collect())
        }
        Closed::Refused(error) => Err(from_sqlx("push", "the end of the batch", error)),
        Closed::Unknown(error) => {
            let text = error.to_string();
            let again = || Error::new(error.kind, "push", format!("no answer to commit: {text}"));
            Ok(batch.writes.iter().map(|_| WriteOutcome::Unknown(again())).collect())
        }
    }
}

/// What one attempt works with.
struct Sending<'a> {
    pools: &'a Pools,
    home: &'a Home,
    cx: &'a Context,
    batch: &'a WriteBatch,
    marker: &'a str,
    plan: &'a Plan<'a>,
}

impl Sending<'_> {
    /// One transaction, from `begin` to `commit`.
    async fn attempt(&self, states: &mut [State], careful: bool) -> Result<Closed> {
        // Until the commit is sent, running out of time means that nothing was done.
        let transaction = self.transaction(states, careful);
        let opened = tokio::time::timeout(self.cx.timeout.mul_f32(0.6), transaction).await;
        let mut writer = match opened {
            Ok(writer) => writer?,
            Err(_) => return Err(late("the statements took too long and were abandoned")),
        };
        let receipt = receipt(self.batch, states);
        let closing = close(&mut writer, self.home, self.marker, &receipt);
        let closed = tokio::time::timeout(self.cx.timeout.mul_f32(0.3), closing).await;
        Ok(closed.unwrap_or_else(|_| Closed::Unknown(late("no answer to the commit in time"))))
    }

    /// Opens the transaction and applies everything, up to but without the receipt.
    async fn transaction(&self, states: &mut [State], careful: bool) -> Result<Writer> {
        let mut writer = self.pools.writer("push").await?;
        self.apply(&mut writer, self.plan, states, careful).await?;
        // What stands for one transaction of the other side passes as one or not at all. The
        // receipt still tells that no copy of the refused ones may pass.
        while self.break_groups(states) {
            writer.roll_back().await;
            let left = self.plan.without_refused(states);
            left.reset(states);
            self.apply(&mut writer, &left, states, careful).await?;
        }
        Ok(writer)
    }

    /// Begins, and applies a plan: at once, or, where the server refuses something, with care.
    async fn apply(
        &self,
        writer: &mut Writer,
        plan: &Plan<'_>,
        states: &mut [State],
        careful: bool,
    ) -> Result<()> {
        if !careful {
            self.begin(writer, "").await?;
            if !self.groups(writer, plan, states).await? {
                return Ok(());
            }
            writer.roll_back().await;
            plan.reset(states);
        }
        self.begin(writer, "set constraints all immediate").await?;
        careful::apply(writer, plan, states).await
    }

    /// Puts off what belongs together with a refused write; true when something was applied
    /// that must not be.
    fn break_groups(&self, states: &mut [State]) -> bool {
        let broken = self.batch.broken_groups(|at| states[at].refusal().is_some());
        let mut any = false;
        for (write, state) in self.batch.writes.iter().zip(states) {
            let torn = write.group.is_some_and(|group| broken.contains(&group));
            if torn && state.refusal().is_none() {
                *state = State::Busy;
                any = true;
            }
        }
        any
    }

    /// Applies a plan, each shape by one statement; true when the server refused one.
    async fn groups(
        &self,
        writer: &mut Writer,
        plan: &Plan<'_>,
        states: &mut [State],
    ) -> Result<bool> {
        for group in &plan.groups {
            let conn = writer.busy()?;
            match apply::piece(conn, group, 0..group.writes.len(), states).await {
                Ok(()) => {}
                Err(PieceError::Sql(error)) if !is_refusal(&error) => {
                    return Err(from_sqlx("push", group.place(), error));
                }
                Err(_) => return Ok(true),
            }
        }
        Ok(false)
    }

    /// `begin`, the marker, and what else is wanted first, in one round trip.
    async fn begin(&self, writer: &mut Writer, more: &str) -> Result<()> {
        let mut text = String::from("begin; ");
        if !self.home.is_table() {
            // Found by it when a lost answer has to be settled without a receipt table.
            text.push_str("set local application_name = ");
            text.push_str(&literal(&session_name(self.marker)));
            text.push_str("; ");
        }
        text.push_str("select pg_catalog.pg_logical_emit_message(true, 'syncline', ");
        text.push_str(&literal(self.marker));
        text.push_str(")::text; ");
        text.push_str(more);
        let conn = writer.busy()?;
        sqlx::Executor::execute(conn, sqlx::raw_sql(sqlx::AssertSqlSafe(text)))
            .await
            .map(|_| ())
            .map_err(|error| from_sqlx("push", "the begin of the batch", error))
    }
}

fn late(what: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, "push", what)
}

fn receipt(batch: &WriteBatch, states: &[State]) -> Receipt {
    let mut receipt = Receipt::default();
    for (write, state) in batch.writes.iter().zip(states) {
        match state {
            State::Applied { key: Some(key), .. } => {
                receipt.keys.insert(write.ordinal, key.clone());
            }
            State::Applied { key: None, .. } => {}
            other => {
                if let Some(refusal) = other.refusal() {
                    receipt.refused.insert(write.ordinal, refusal);
                }
            }
        }
    }
    receipt
}
