//! Records that a lock was met on.
//!
//! Salesforce locks the parents of what is saved (the account of a contact, master-detail, what a
//! roll-up counts for), so two calls that save children of one parent may refuse each other for
//! as long as both are retried side by side. A record that a refusal named is *contended* until
//! a call that touches it passes; calls that touch a contended record go one after the other.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use syncline_sdk::{FieldName, Value, WriteOp};
use tokio::sync::Notify;

use crate::id::id18;
use crate::wire::{Described, Fault, Wire};

/// Contended records that are remembered. Beyond it all are forgotten, which only means that
/// their next calls go side by side again.
const CONTENDED_MAX: usize = 10_000;

/// Who waits for whom, in one org.
#[derive(Debug, Default)]
pub(crate) struct Contention {
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Records that a lock was met on, each with those of ours whose save met it.
    contended: HashMap<String, BTreeSet<String>>,
    /// Contended records that a call touches now.
    held: BTreeSet<String>,
}

/// The contended records of one call; others wait for its end.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    contention: &'a Contention,
    ids: BTreeSet<String>,
}

impl Contention {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other call touches the contended ones among these records, and takes them,
    /// all at once: two calls never wait for each other. Waits no longer than its caller lets
    /// it, and has sent nothing by then.
    pub(super) async fn hold(&self, touched: &BTreeSet<String>) -> Held<'_> {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            if let Some(ids) = self.take(touched) {
                return Held { contention: self, ids };
            }
            released.await;
        }
    }

    fn take(&self, touched: &BTreeSet<String>) -> Option<BTreeSet<String>> {
        let mut state = self.lock();
        let met = state.contended.iter();
        let ids: BTreeSet<String> = met
            .filter(|(id, by)| touched.contains(*id) || !by.is_disjoint(touched))
            .map(|(id, _)| id.clone())
            .collect();
        if !state.held.is_disjoint(&ids) {
            return None;
        }
        state.held.extend(ids.iter().cloned());
        Some(ids)
    }

    /// Notes that a save of a record of ours met locks on others.
    pub(super) fn met(&self, ours: Option<&str>, locked: Vec<String>) {
        let mut state = self.lock();
        if state.contended.len() >= CONTENDED_MAX {
            state.contended.clear();
        }
        for id in locked {
            state.contended.entry(id).or_default().extend(ours.map(str::to_owned));
        }
    }
}

impl Held<'_> {
    /// The call met no lock: what it touched is contended no more.
    pub(super) fn passed(self) {
        let mut state = self.contention.lock();
        for id in &self.ids {
            state.contended.remove(id);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.contention.lock();
        for id in &self.ids {
            state.held.remove(id);
        }
        drop(state);
        self.contention.released.notify_waiters();
    }
}

/// The records that a refusal names as locked: `unable to obtain exclusive access to this record
/// or 1 records: 001…`. Nothing when it was refused for something else.
pub(super) fn locked(faults: &[Fault]) -> Vec<String> {
    let about = |fault: &&Fault| {
        fault.code == "UNABLE_TO_LOCK_ROW" || fault.message.contains("UNABLE_TO_LOCK_ROW")
    };
    let texts = faults.iter().filter(about).map(|fault| fault.message.as_str());
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    let ids = words.filter(|word| word.bytes().any(|byte| byte.is_ascii_digit()));
    ids.filter_map(id18).collect()
}

/// The record that a write is of; nothing for a create.
pub(super) fn own_key(op: &WriteOp) -> Option<String> {
    match op {
        WriteOp::Insert { .. } => None,
        WriteOp::Update { key, .. }
        | WriteOp::Fence { key, .. }
        | WriteOp::Delete { key, .. }
        | WriteOp::Undelete { key } => id18(key.as_str()),
    }
}

/// The records that a write touches: its own, and those that its references point to.
pub(super) fn touched(op: &WriteOp, described: &Described) -> BTreeSet<String> {
    let values: &[(FieldName, Value)] = match op {
        WriteOp::Insert { values } | WriteOp::Update { values, .. } => values,
        WriteOp::Fence { .. } | WriteOp::Delete { .. } | WriteOp::Undelete { .. } => &[],
    };
    let reference = |name: &FieldName| {
        described.field(name.as_str()).is_some_and(|facts| facts.wire == Wire::Id)
    };
    let parents = values
        .iter()
        .filter(|(name, _)| reference(name))
        .filter_map(|(_, value)| id18(value.as_text()?));
    parents.chain(own_key(op)).collect()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const PARENT: &str = "001000000000001AAA";
    const CHILD: &str = "003000000000001AAA";

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_refusal_names_what_is_locked() {
        let fault = |code: &str, message: &str| Fault {
            code: code.into(),
            message: message.into(),
            fields: None,
        };
        let text = "unable to obtain exclusive access to this record or 2 records: \
                    001000000000001,003000000000001AAA";
        assert_eq!(locked(&[fault("UNABLE_TO_LOCK_ROW", text)]), [PARENT, CHILD]);
        assert!(locked(&[fault("STRING_TOO_LONG", text)]).is_empty());
        let wrapped = format!("trigger: first error: UNABLE_TO_LOCK_ROW, {text}");
        assert_eq!(locked(&[fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", &wrapped)]).len(), 2);
    }

    #[test]
    fn only_calls_that_touch_a_contended_record_wait() {
        let contention = Contention::default();
        let one = contention.hold(&set(&[PARENT])).now_or_never().unwrap();
        assert!(contention.hold(&set(&[PARENT])).now_or_never().is_some(), "nothing is contended");
        drop(one);
        contention.met(Some(CHILD), vec![PARENT.to_owned()]);
        let one = contention.hold(&set(&[PARENT])).now_or_never().unwrap();
        assert!(contention.hold(&set(&[PARENT, "x"])).now_or_never().is_none());
        assert!(contention.hold(&set(&[CHILD])).now_or_never().is_none(), "its save met the lock");
        assert!(contention.hold(&set(&["x"])).now_or_never().is_some());
        drop(one);
        let other = contention.hold(&set(&[CHILD])).now_or_never().unwrap();
        other.passed();
        let one = contention.hold(&set(&[PARENT])).now_or_never().unwrap();
        assert!(contention.hold(&set(&[PARENT])).now_or_never().is_some(), "a call has passed");
        drop(one);
    }
}
