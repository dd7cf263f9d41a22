//! Where changes come in: feeds, polls, hints, first loads, verifying passes, sweeps, answers. Each
//! turns what it read into [`crate::Work`]; none decides anything.

mod answers;
mod audit;
mod canary;
mod feed;
mod forget;
mod hints;
mod load;
mod poll;
mod retry;
mod rules;
mod sweep;
mod verify;

pub use feed::feed_stream;
pub(crate) use feed::stream_position;
pub use load::{LOADED, frozen_stream, load_stream, revision_stream};
pub use poll::poll_stream;
pub use rules::{rules_place, rules_stream};
pub use sweep::{NoPlace, SweepPlace, SweepStep, sweep_stream};
pub use verify::{verify_from_start, verify_stream};
