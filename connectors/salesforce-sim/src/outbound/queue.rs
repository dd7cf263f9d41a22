//! The queue of notifications.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::envelope::envelope;
use super::{OutboundMessage, OutboundPending, OutboundStatus};
use crate::history::{Event, Op};
use crate::org::clock::instant;
use crate::org::state::State;
use crate::org::{Id, Org, Refused};

/// One message tells of at most so many.
const NOTIFICATIONS_MAX: usize = 100;
/// The longest gap between two attempts.
const GAP_MAX: Duration = Duration::from_secs(2 * 3600);
/// How long a notification is tried.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// A notification in the queue.
#[derive(Debug)]
struct Pending {
    shown: OutboundPending,
    due: Instant,
    until: Instant,
    under_way: bool,
}

/// The outbound messages of an org.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    messages: Vec<(Id, OutboundMessage)>,
    pending: Vec<Pending>,
    delivered: u64,
    given_up: u64,
    sent: u64,
    /// Told when something may be due.
    pub(super) wake: Arc<Notify>,
}

/// A message that is to be sent now.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) url: String,
    pub(super) body: String,
    /// How often the very same message is sent.
    pub(super) copies: u32,
    notifications: Vec<Id>,
}

impl State {
    /// Queues notifications about what a transaction did.
    pub(crate) fn queue_outbound(&mut self, user: Id, events: &[Event]) {
        if self.outbound.messages.is_empty() {
            return;
        }
        let username = self.username(user);
        let now = instant();
        for event in events {
            let tells = |message: &OutboundMessage| {
                let save = match event.op {
                    Op::Create => message.on_create,
                    Op::Update => message.on_update,
                    _ => false,
                };
                let theirs = message.not_by.is_some() && message.not_by == username;
                save && !theirs && message.object.eq_ignore_ascii_case(&event.object)
            };
            let actions: Vec<Id> = self
                .outbound
                .messages
                .iter()
                .filter(|(_, message)| tells(message))
                .map(|(action, _)| *action)
                .collect();
            for action in actions {
                let id = self.new_id("04l");
                let shown =
                    OutboundPending { id, action, record: event.id, attempts: 0, last: None };
                self.outbound.pending.push(Pending {
                    shown,
                    due: now,
                    until: now + LIFE,
                    under_way: false,
                });
            }
        }
        self.outbound.wake.notify_one();
    }

    /// Takes the messages that are due.
    pub(super) fn take_outbound(&mut self) -> Vec<Sending> {
        let now = instant();
        let (shuffle, copies) =
            (self.settings.outbound_shuffle, self.settings.outbound_repeat.saturating_add(1));
        let mut sendings = Vec::new();
        for (action, message) in self.outbound.messages.clone() {
            let mut due: Vec<(Id, Id)> = self
                .outbound
                .pending
                .iter()
                .filter(|one| one.shown.action == action && !one.under_way && one.due <= now)
                .map(|one| (one.shown.id, one.shown.record))
                .collect();
            if shuffle {
                due.reverse();
            }
            for part in due.chunks(NOTIFICATIONS_MAX) {
                let notifications: Vec<Id> = part.iter().map(|(id, _)| *id).collect();
                let Some(body) = envelope(self, action, &message, part) else {
                    self.outbound.pending.retain(|one| !notifications.contains(&one.shown.id));
                    continue;
                };
                for one in &mut self.outbound.pending {
                    if notifications.contains(&one.shown.id) {
                        one.under_way = true;
                        one.shown.attempts += 1;
                    }
                }
                self.outbound.sent += u64::from(copies);
                sendings.push(Sending { url: message.url.clone(), body, copies, notifications });
            }
        }
        sendings
    }

    /// Notes what became of a message.
    pub(super) fn settle_outbound(&mut self, sending: &Sending, answer: Result<(), String>) {
        let now = instant();
        let first = Duration::from_millis(self.settings.outbound_retry_ms.max(1));
        let outbound = &mut self.outbound;
        let ours = |one: &Pending| sending.notifications.contains(&one.shown.id);
        let Err(why) = answer else {
            let before = outbound.pending.len();
            outbound.pending.retain(|one| !ours(one));
            outbound.delivered += (before - outbound.pending.len()) as u64;
            return;
        };
        for one in outbound.pending.iter_mut().filter(|one| ours(one)) {
            let doublings = one.shown.attempts.saturating_sub(1).min(20);
            let gap = first.saturating_mul(1 << doublings).min(GAP_MAX);
            one.due = now + gap;
            one.under_way = false;
            one.shown.last = Some(why.clone());
        }
        let before = outbound.pending.len();
        outbound.pending.retain(|one| one.due <= one.until);
        outbound.given_up += (before - outbound.pending.len()) as u64;
    }

    /// When the next notification is due.
    pub(super) fn next_outbound(&self) -> Option<Instant> {
        let waiting = self.outbound.pending.iter().filter(|one| !one.under_way);
        waiting.map(|one| one.due).min()
    }
}

impl Org {
    /// Adds an outbound message with its flow; gives its id. It is sent while the org is served.
    pub fn add_outbound_message(&self, message: OutboundMessage) -> Result<Id, Refused> {
        let mut state = self.state();
        let Some(table) = state.table_named(&message.object) else {
            return Err(Refused::new("INVALID_TYPE", format!("no object {}", message.object)));
        };
        let known = |name: &String| table.object.live().any(|(_, field)| field.name == *name);
        if let Some(field) = message.fields.iter().find(|name| !known(name)) {
            let what = format!("no field {field} of {}", message.object);
            return Err(Refused::new("INVALID_FIELD", what));
        }
        let id = state.new_id("04k");
        state.outbound.messages.push((id, message));
        Ok(id)
    }

    /// Removes all outbound messages, with what is queued of them.
    pub fn clear_outbound_messages(&self) {
        let mut state = self.state();
        state.outbound.messages.clear();
        state.outbound.pending.clear();
    }

    /// What there is to be sent, and what became of it.
    pub fn outbound(&self) -> OutboundStatus {
        let state = self.state();
        let outbound = &state.outbound;
        OutboundStatus {
            messages: outbound.messages.clone(),
            pending: outbound.pending.iter().map(|one| one.shown.clone()).collect(),
            delivered: outbound.delivered,
            given_up: outbound.given_up,
            sent: outbound.sent,
        }
    }
}
