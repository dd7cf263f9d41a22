//! How a command ends.

use std::process::ExitCode;

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
