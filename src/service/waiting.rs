//! What a service waits for, and telling it.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_engine::Clock as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Awaited, AwaitedThing, Setup as _};
use syncline_sdk::Instant;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::drift::FrozenFields;

/// Which mappings wait.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Waits {
    /// Whether the systems were asked, so that the rest says something.
    pub asked: bool,
    /// Whether anything is kept in agreement.
    pub syncs: bool,
    /// The mappings that wait, with why.
    pub mappings: BTreeMap<Arc<str>, String>,
    /// The mappings that go on although they do not fit their systems any more, with why.
    pub misfits: BTreeMap<Arc<str>, String>,
    /// The fields that are observed and not written, with why.
    pub fields: FrozenFields,
}

/// What is waited for, by what it is.
fn awaited(status: &Status, waits: &Waits) -> BTreeMap<AwaitedThing, String> {
    let systems =
        status.systems.iter().filter(|(_, system)| system.awaited).map(|(name, system)| {
            let why = system.trouble.clone().unwrap_or_else(|| "it answers by now".to_owned());
            (AwaitedThing::System(name.clone()), why)
        });
    let mappings = waits.mappings.iter();
    let mappings =
        mappings.map(|(name, why)| (AwaitedThing::Mapping(name.to_string()), why.clone()));
    let misfits = waits.misfits.iter().map(|(name, why)| {
        let why =
            format!("it does not fit its systems any more, and what still can goes on: {why}");
        (AwaitedThing::Mapping(name.to_string()), why)
    });
    let unread = status.unread.iter().map(|((name, what), why)| {
        (AwaitedThing::Mapping(name.to_string()), format!("{what}: {why}"))
    });
    let fields = waits.fields.iter();
    let fields = fields.map(|(name, why)| (AwaitedThing::Field(name.to_string()), why.clone()));
    systems.chain(mappings).chain(unread).chain(misfits).chain(fields).collect()
}

/// Keeps what is waited for in the ledger, for those who look there, until it is stopped. A
/// process that does not own the shards says nothing: it would speak for another.
pub(super) async fn tell(
    ledger: Arc<Postgres>,
    mut status: watch::Receiver<Status>,
    mut waits: watch::Receiver<Waits>,
    stop: CancellationToken,
) {
    let mut since: BTreeMap<AwaitedThing, Instant> = BTreeMap::new();
    let mut kept: Option<BTreeMap<AwaitedThing, String>> = None;
    loop {
        let (now, speaks) = {
            let (status, waits) = (status.borrow_and_update(), waits.borrow_and_update());
            (awaited(&status, &waits), waits.asked && (status.owner || !waits.syncs))
        };
        if speaks && kept.as_ref() != Some(&now) {
            since.retain(|thing, _| now.contains_key(thing));
            let list: Vec<Awaited> = now
                .iter()
                .map(|(thing, reason)| Awaited {
                    thing: thing.clone(),
                    reason: reason.clone(),
                    since: *since.entry(thing.clone()).or_insert_with(|| SystemClock.now()),
                })
                .collect();
            match ledger.keep_awaited(&list).await {
                Ok(()) => kept = Some(now),
                // It is told with the next change; it is no more than news.
                Err(error) => tracing::warn!(%error, "what is waited for was not kept"),
            }
        }
        let changed = tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => changed,
            changed = waits.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}
