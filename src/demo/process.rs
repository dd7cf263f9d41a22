//! Processes of the demo: each is ended by its own id, also when the demo fails.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long a process may take to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(15);

/// A process of our own program. It is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts our own program with other arguments. What it says goes to the file `log`.
    pub fn start(name: &'static str, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("where this program is")?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("the log {} cannot be opened", log.display()))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C at the terminal is for the demo, which ends its processes in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("the {name} could not be started"))?;
        Ok(Self { child, name })
    }

    /// The JSON line that it answers with.
    pub async fn answer(&mut self, limit: Duration) -> anyhow::Result<Value> {
        let name = self.name;
        let stdout = self.child.stdout.take().context("its answer was read before")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(limit, lines.next_line())
            .await
            .with_context(|| format!("the {name} did not answer"))??;
        let line = line.with_context(|| format!("the {name} ended without an answer"))?;
        serde_json::from_str(&line).with_context(|| format!("the {name} answered {line}"))
    }

    /// Its id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it with signal 9, and waits until it has gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("the {} was not killed", self.name))
    }

    /// Asks it to end, and kills it when it does not.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(rustix::process::Pid::from_raw) {
            // It may have ended a moment ago; the wait tells.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            if tokio::time::timeout(END_LIMIT, self.child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        self.kill().await
    }
}
