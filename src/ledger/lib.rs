//! The ledger: what Syncline believes, and why.
//!
//! [`Ledger`] is the narrow contract that the engine works on: a few set-based calls, each one
//! round trip or one transaction. [`People`] is what people and their pages ask, [`Setup`] what
//! is kept of the installation, [`Deliveries`] what systems send unasked. All have two real
//! implementations, [`memory`] (with crash semantics, for the simulator) and [`postgres`], held to
//! one conformance suite. [`Access`], what the JSON API asks besides, [`Measures`], what metrics
//! ask, and [`Schedules`], what happens at set times, are Postgres alone: nothing that decides
//! stands on them.

mod access;
mod contract;
mod deliveries;
mod depths;
mod fold;
pub mod memory;
mod overlay;
mod people;
pub mod postgres;
mod schedules;
mod setup;
#[cfg(test)]
mod suite;

pub use access::{
    Access, AccessToken, Begun, Digest, NewRequest, NewToken, ParkedPlace, REQUEST_LIFE,
    REQUESTS_KEPT,
};
pub use contract::{
    Committed, Encrypting, Ledger, LedgerError, LinkQuery, Loaded, OpenBatch, Ownership, Result,
};
pub use deliveries::{
    DELIVERIES_KEPT, Delivered, Deliveries, Delivery, NOTICES_KEPT, NewDelivery, NewNotice, Verdict,
};
pub use depths::{Depth, Depths, Measures};
pub use overlay::{Overlay, Stood};
pub use people::{Answered, LinkCount, NewAnswer, Owner, People, ReviewQuery, Waiting, state_name};
pub use schedules::{
    FinishedRun, KeptFrom, KeptReport, NewReport, Pruned, PrunedPage, Scheduled, Schedules,
};
pub use setup::{Awaited, AwaitedThing, Description, MappingRevision, Setup, Snapshot};
