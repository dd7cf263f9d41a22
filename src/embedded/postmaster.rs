//! What `postmaster.pid` says of a server, and whether it is true.

use std::io::ErrorKind;
use std::path::Path;

use rustix::process::{Pid, Signal};

use super::error::EmbeddedError;

/// The state of the server of one data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Postmaster {
    /// There is no server, though a file left by a crash may say so.
    Down,
    /// The file names a living process that is not our server: its number was given away again,
    /// as happens after the machine, or the container, started anew.
    Stranger,
    /// The server runs, but takes no connections: it starts, recovers or stops.
    Busy { pid: i32 },
    /// The server takes connections.
    Ready { pid: i32, port: u16 },
}

impl Postmaster {
    /// Looks at the server of `data`, a canonical path.
    pub(super) fn look(data: &Path) -> Result<Self, EmbeddedError> {
        let path = data.join("postmaster.pid");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Down),
            Err(error) => return Err(EmbeddedError::file("read", &path)(error)),
        };
        let said = Self::parse(&text);
        let Some(pid) = said.pid() else {
            return Ok(said);
        };
        Ok(match identity(pid, data) {
            Identity::Ours => said,
            Identity::Stranger => Self::Stranger,
            Identity::Gone => Self::Down,
        })
    }

    /// The server's process id, while there is a server.
    pub(super) fn pid(self) -> Option<i32> {
        match self {
            Self::Busy { pid } | Self::Ready { pid, .. } => Some(pid),
            Self::Down | Self::Stranger => None,
        }
    }

    /// Reads the file: the pid on line 1, the port on line 4, the state on line 8 (PostgreSQL,
    /// `miscadmin.h`, contents of the data folder's lock file). Lines not yet written, or not
    /// understood, mean that the server is not ready.
    fn parse(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        // A negative number is a single-user process: nothing to connect to.
        let Some(pid) = lines.first().and_then(|line| line.parse::<i32>().ok()).map(i32::abs)
        else {
            return Self::Down;
        };
        if pid == 0 {
            return Self::Down;
        }
        let port = lines.get(3).and_then(|line| line.parse().ok());
        match (port, lines.get(7)) {
            (Some(port), Some(&"ready")) => Self::Ready { pid, port },
            _ => Self::Busy { pid },
        }
    }

    /// Whether that process still runs and is the server of `data`, a canonical path.
    pub(super) fn is_running(pid: i32, data: &Path) -> bool {
        matches!(identity(pid, data), Identity::Ours)
    }

    /// Asks a server to end: rolls back what is open, or, `at_once`, leaves that to recovery.
    pub(super) fn signal_stop(pid: i32, at_once: bool) {
        let signal = if at_once { Signal::QUIT } else { Signal::INT };
        if let Some(pid) = Pid::from_raw(pid) {
            // The only failure that matters is that it has ended already, which is the aim.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

enum Identity {
    Ours,
    Stranger,
    Gone,
}

/// A Postgres server works in its data folder, which tells it from every other process.
fn identity(pid: i32, data: &Path) -> Identity {
    let Some(raw) = Pid::from_raw(pid) else {
        return Identity::Gone;
    };
    if rustix::process::test_kill_process(raw) == Err(rustix::io::Errno::SRCH) {
        return Identity::Gone;
    }
    if !Path::new("/proc/self/cwd").exists() {
        // Without /proc the connection that follows has the last word.
        return Identity::Ours;
    }
    match std::fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(folder) if folder == data => Identity::Ours,
        // It ended meanwhile, or only its exit code is left.
        Err(error) if error.kind() == ErrorKind::NotFound => Identity::Gone,
        // A process of another user cannot be ours.
        Ok(_) | Err(_) => Identity::Stranger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/data\n1700000000\n40123\n\n127.0.0.1\n  123 4\nready   \n";

    #[test]
    fn a_whole_file_names_process_and_port() {
        assert_eq!(Postmaster::parse(READY), Postmaster::Ready { pid: 4711, port: 40123 });
    }

    #[test]
    fn every_cut_of_the_file_is_read_as_not_ready() {
        for end in 0..READY.find("ready").unwrap() {
            let state = Postmaster::parse(&READY[..end]);
            assert!(!matches!(state, Postmaster::Ready { .. }), "{end}: {state:?}");
        }
    }

    #[test]
    fn other_states_and_rubbish_are_not_ready() {
        let starting = READY.replace("ready   ", "starting");
        assert_eq!(Postmaster::parse(&starting), Postmaster::Busy { pid: 4711 });
        let port = READY.replace("40123", "99999");
        assert_eq!(Postmaster::parse(&port), Postmaster::Busy { pid: 4711 });
        for rubbish in ["", "\n\n", "zero", "0\n", "99999999999999\n"] {
            assert_eq!(Postmaster::parse(rubbish), Postmaster::Down, "{rubbish:?}");
        }
    }
}
