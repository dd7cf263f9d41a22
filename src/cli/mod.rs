//! The command line: one file a command.

mod asked;
mod bound;
mod check;
mod clock;
mod command_line;
pub(crate) mod conflicts;
mod demo;
pub(crate) mod desk;
mod doctor;
mod exit;
pub(crate) mod explain;
mod grants;
mod health;
mod installation;
pub mod logging;
mod login;
mod migrate;
mod output;
mod plan;
mod replay;
mod run;
pub mod signals;
mod simulate;
pub(crate) mod status;
mod sweep;
mod tokens;
mod webhooks;
pub(crate) mod words;

use bound::with_ledger;
pub use bound::{Bound, Reach, bind_all, reach};
pub use command_line::Cli;
pub use exit::{Exit, Stop};
pub use installation::Installation;
pub(crate) use installation::described;
pub(crate) use output::told;
pub use output::{Colour, Output};
