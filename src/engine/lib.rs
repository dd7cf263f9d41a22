//! The engine: rounds that read, decide through the core's machine, commit to the ledger and
//! send.
//!
//! The path of one edit: an intake module reads it and makes [`Work`]; [`Engine::round`] loads
//! the links it concerns, lets the machine fold and decide, and commits once (commit A); the
//! account it returns holds the batches to send; [`Sending::run`] sends one, once;
//! [`Engine::sent`] settles what the answer proves (commit C). What stays unknown is settled by
//! [`Engine::settle_unknown`]. The rounds contain no task, timer or select.

mod away;
mod beginning;
mod breaker;
mod calendar;
mod chronicle;
mod clock;
mod commit;
mod crowding;
mod departed;
pub mod driver;
mod engine;
mod error;
#[cfg(test)]
mod fixture;
mod flight;
mod gather;
mod holding;
mod intake;
mod judged;
pub mod limits;
mod next_try;
mod observation;
mod proof;
mod quiet;
mod reader;
mod recover;
mod references;
mod refused;
mod rehearsal;
mod relaying;
mod send;
mod settle;
mod system;
mod tallies;
mod unversioned;
mod wants;
mod work;

pub use away::Away;
pub use beginning::beginning_of;
pub use breaker::Breaker;
pub use calendar::{NoTimes, PollWindow, Times, Window};
pub use clock::{Clock, Ids};
pub use engine::{Engine, Parts};
pub use error::{EngineError, Result};
pub use flight::{Flight, Flights};
pub use holding::Holdings;
pub use intake::{
    LOADED, NoPlace, SweepPlace, SweepStep, feed_stream, frozen_stream, load_stream, poll_stream,
    revision_stream, rules_place, rules_stream, sweep_stream, verify_from_start, verify_stream,
};
pub use reader::Intake;
pub use rehearsal::{Already, Asked, FieldPlan, MappingPlan, Plan, Sample, SystemPlan, rehearse};
pub use send::{Sending, Sent};
pub use system::{Reader, System};
pub use work::{Account, Work};
