//! The ledger in memory, with crash semantics: for the simulator and for tests of the engine.
//!
//! A commit happens at one instant, all of it; a future that is dropped before that instant
//! leaves nothing, one dropped after it leaves everything. [`Memory`] is a handle: its clones are
//! further processes on the same ledger, which outlives them all. Every call passes a [`Gate`]
//! twice, where a seeded scheduler decides when it goes on and what breaks. Nothing here reads a
//! clock or draws a number, and every order is that of the keys, so that a seed replays a run.

mod commit;
mod deliveries;
mod draft;
mod gate;
mod handle;
mod ledger;
mod lending;
mod people;
mod setup;
mod state;

pub use gate::{Call, Gate, Open, Point, Step, Verdict};
pub use handle::Memory;
