//! The driver: the only place with tasks, timers and selects. It runs the rounds on tokio.
//!
//! One task owns the engine and commits; reads and sends run beside it and come back through
//! channels, so that nothing is ever dropped in the middle of a transaction. Whatever is ready
//! when a round starts goes into one commit.

mod committing;
mod ending;
mod feeds;
mod jobs;
mod pace;
mod reads;
mod reopening;
mod revisions;
mod run;
mod settings;
mod start;
mod status;
mod sweeping;
mod system_clock;
mod taking;
mod telling;
mod thawing;

pub use ending::Ended;
pub use run::{Driver, DriverError};
pub use settings::DriverSettings;
pub use status::{Status, StreamLag, SystemStatus};
pub use system_clock::{RandomIds, SystemClock};
