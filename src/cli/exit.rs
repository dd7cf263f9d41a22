//! How a command ends.

use std::process::ExitCode;

use syncline_core::mapping::language::{Diagnostic, Diagnostics};

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All is well: code 0.
    Well,
    /// The command failed: code 1.
    Failed,
    /// A check found something: code 2, as for a wrong command line.
    Found,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Well => 0,
            Exit::Failed => 1,
            Exit::Found => 2,
        })
    }
}

/// Why a command did not get to its end.
#[derive(Debug)]
pub enum Stop {
    /// Its files are wrong.
    Found(Diagnostics),
    /// Something failed.
    Failed(anyhow::Error),
}

impl Stop {
    /// One finding without a place, with what to do.
    pub fn found(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Found(Diagnostic::error(message.into()).help(help.into()).into())
    }
}

impl From<Diagnostics> for Stop {
    fn from(found: Diagnostics) -> Self {
        Self::Found(found)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
