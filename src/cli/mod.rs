//! The command line: one file a command.

mod accept;
mod bound;
mod check;
mod command_line;
mod completions;
mod conflicts;
mod demo;
mod describe;
mod doctor;
mod exit;
mod explain;
mod grants;
mod health;
mod init;
mod kept;
pub mod logging;
mod login;
mod migrate;
mod observed;
mod opening;
mod output;
mod place;
mod plan;
mod reference;
mod replay;
mod report;
mod run;
pub mod signals;
mod simulate;
mod status;
mod sweep;
mod tokens;
#[cfg(feature = "otlp")]
mod traces;
mod webhooks;

use bound::{Bound, bind_all, reach, with_kept, with_ledger};
pub use command_line::Cli;
pub use exit::Exit;
use kept::Kept;
pub use output::{Colour, Output};

use crate::installation::Installation;
use crate::queue::{asked, clock, desk, words};
pub use crate::stop::Stop;
use crate::stop::told;
