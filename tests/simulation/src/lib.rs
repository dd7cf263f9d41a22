//! The seeded simulator of the engine.
//!
//! A run plays two systems in memory, the ledger in memory and the engine's own rounds on one
//! thread. One number decides everything: which systems, which mapping, what people do, which
//! call waits, what breaks and when a process dies ([`plan`], [`world`]). At the end everything
//! is mended, the world must become quiet, and the [`checker`] judges what happened from the
//! systems' histories, the requests that reached them, the review queue and the journal
//! (protocol sections 2 and 4).

mod additions;
pub mod answers;
pub mod checker;
pub mod choices;
mod counting;
pub mod coverage;
pub mod desk;
mod ending;
pub mod executor;
pub mod gates;
pub mod job;
mod leaving;
mod mishaps;
pub mod people;
pub mod plan;
pub mod process;
mod revisions;
pub mod run;
pub mod setup;
pub mod shrink;
mod streams;
pub mod trace;
pub mod waiting;
pub mod world;

pub use checker::Violation;
pub use coverage::Coverage;
pub use run::{Outcome, Wanted, run};

#[cfg(test)]
mod regressions;
