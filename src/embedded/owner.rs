//! The user as which the server runs.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use tokio::process::Command;

use super::error::EmbeddedError;

/// Who runs the server and owns its files: ourselves, or, when we are root, whom Postgres
/// refuses, an unprivileged user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    name: String,
    /// The ids to take on before a program starts; none when we are that user already.
    switch_to: Option<(u32, u32)>,
}

impl Owner {
    /// The user for a new cluster.
    pub(super) async fn choose() -> Result<Self, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { name: "the current one".to_owned(), switch_to: None });
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id("-u", name).await, id("-g", name).await) {
                return Ok(Self { name: name.to_owned(), switch_to: Some((uid, gid)) });
            }
        }
        Err(EmbeddedError::NoUser)
    }

    /// The user of an existing cluster: whoever owns its data.
    pub(super) fn of(data: &Path) -> Result<Self, EmbeddedError> {
        let metadata = data.metadata().map_err(EmbeddedError::file("look at", data))?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        let ours = rustix::process::geteuid();
        if ours.is_root() && uid != 0 {
            return Ok(Self { name: format!("with id {uid}"), switch_to: Some((uid, gid)) });
        }
        if ours.as_raw() == uid {
            return Ok(Self { name: "the current one".to_owned(), switch_to: None });
        }
        Err(EmbeddedError::ForeignFolder { path: data.to_owned(), uid })
    }

    /// The user's name, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run as this user, in `folder`, with a bare environment: neither the
    /// caller's `PG*` variables nor its secrets are the server's business.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir(folder);
        command.stdin(std::process::Stdio::null());
        if let Some((uid, gid)) = self.switch_to {
            // The standard library also drops root's other groups when it changes the user.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes `folder`, unless it is there, as one that only this user enters.
    pub(super) fn make_folder(&self, folder: &Path) -> Result<(), EmbeddedError> {
        match std::fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(EmbeddedError::file("make the folder", folder)(error));
            }
            _ => {}
        }
        let opened = File::open(folder).map_err(EmbeddedError::file("open", folder))?;
        self.take(&opened, folder)
    }

    /// Gives an open file or folder to this user; `path` is its name, for the message.
    pub(super) fn take(&self, file: &File, path: &Path) -> Result<(), EmbeddedError> {
        let Some((uid, gid)) = self.switch_to else {
            return Ok(());
        };
        std::os::unix::fs::fchown(file, Some(uid), Some(gid))
            .map_err(EmbeddedError::file("change the owner of", path))
    }
}

/// One numeric id of a user, from the system's own database of users.
async fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().await.ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
