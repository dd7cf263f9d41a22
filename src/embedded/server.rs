//! Making and starting the server of one cluster.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::error::EmbeddedError;
use super::owner::Owner;
use super::programs::Programs;
use super::state_folder::{StateFolder, unguessable};
use super::{configuration, limits, log};

/// The superuser of a private cluster.
pub(super) const USER: &str = "syncline";

/// Makes an empty cluster and returns its folder. A data folder appears whole or not at all.
pub(super) async fn create(
    state: &StateFolder,
    name: &str,
    given: Option<&Path>,
) -> Result<PathBuf, EmbeddedError> {
    let programs = Programs::find(given, None).await?;
    let owner = Owner::choose().await?;
    let folder = state.make(name, &owner, &programs.path("postgres")).await?;
    let half_made = folder.join("data.new");
    if half_made.exists() {
        std::fs::remove_dir_all(&half_made).map_err(EmbeddedError::file("remove", &half_made))?;
    }
    write(&owner, &folder, "password", &unguessable())?;
    let output = owner
        .command(&programs.path("initdb"), &folder)
        .args(["--pgdata=data.new", "--username", USER, "--pwfile=password"])
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
        .args(["--data-checksums", "--no-instructions"])
        .output()
        .await
        .map_err(EmbeddedError::file("run initdb in", &folder))?;
    if !output.status.success() {
        return Err(EmbeddedError::Program { program: "initdb", output: said(&output) });
    }
    let data = folder.join("data");
    std::fs::rename(&half_made, &data).map_err(EmbeddedError::file("make", &data))?;
    sync(&folder)?;
    Ok(folder)
}

/// A cluster that exists, running or not.
#[derive(Debug)]
pub(super) struct Server {
    folder: PathBuf,
    data: PathBuf,
    owner: Owner,
    configuration: String,
}

impl Server {
    /// The cluster in `folder`.
    pub(super) fn open(folder: PathBuf, name: &str, logical: bool) -> Result<Self, EmbeddedError> {
        let folder =
            folder.canonicalize().map_err(EmbeddedError::file("find the folder", &folder))?;
        let data = folder.join("data");
        let owner = Owner::of(&data)?;
        Ok(Self { folder, data, owner, configuration: configuration::text(name, logical) })
    }

    /// The folder around the data folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data folder, a canonical path.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The superuser's password.
    pub(super) fn password(&self) -> Result<SecretString, EmbeddedError> {
        let path = self.folder.join("password");
        let text = std::fs::read_to_string(&path).map_err(EmbeddedError::file("read", &path))?;
        Ok(text.trim_end().to_owned().into())
    }

    /// Whether the running server has the settings that are wanted.
    pub(super) fn is_configured(&self) -> bool {
        std::fs::read_to_string(self.data.join("postgresql.conf"))
            .is_ok_and(|text| text == self.configuration)
    }

    /// Removes a `postmaster.pid` whose process is somebody else's, at which Postgres would
    /// refuse to start. Children of a killed server are no concern here: Postgres itself waits
    /// for them by the shared memory they hold.
    pub(super) fn forget_process(&self) -> Result<(), EmbeddedError> {
        let path = self.data.join("postmaster.pid");
        std::fs::remove_file(&path).map_err(EmbeddedError::file("remove", &path))
    }

    /// Starts a server that is down, and waits for it. False: it could not start yet, for a
    /// reason that passes; look again.
    pub(super) async fn start(
        &self,
        given: Option<&Path>,
        taken_ports: &mut Vec<u16>,
    ) -> Result<bool, EmbeddedError> {
        let made_by = self.made_by()?;
        let programs = Programs::find(given, Some(made_by)).await?;
        if programs.major() != made_by {
            let (data, found) = (self.data.clone(), programs.major());
            return Err(EmbeddedError::VersionMismatch { data, made_by, found });
        }
        write(&self.owner, &self.data, "postgresql.conf", &self.configuration)?;
        let port = self.choose_port(taken_ports)?;
        let logged = log::rotate(&self.folder);

        // pg_ctl starts the server in a session of its own, with this process not its parent: it
        // outlives us, and a Ctrl-C at our terminal. It passes the data folder on by PGDATA,
        // hence no path of ours goes through the shell that it uses.
        let output = self
            .owner
            .command(&programs.path("pg_ctl"), &self.folder)
            .env("PGDATA", "data")
            .args(["start", "--silent", "--wait", "--log=server.log"])
            .arg(format!("--timeout={}", limits::READY_LIMIT.as_secs()))
            .arg(format!("--options=-p {port}"))
            .output()
            .await
            .map_err(EmbeddedError::file("run pg_ctl in", &self.folder))?;
        if output.status.success() {
            write(&self.owner, &self.folder, "port", &port.to_string())?;
            return Ok(true);
        }
        let tail = log::since(&self.folder, logged).unwrap_or_else(|| said(&output));
        if tail.contains("could not create any TCP/IP sockets") {
            taken_ports.push(port);
            return Ok(false);
        }
        // The children of a killed server have not all gone, or the server is still recovering.
        let passing =
            ["pre-existing shared memory block", "lock file \"postmaster.pid\" already exists"];
        if passing.iter().any(|text| tail.contains(text)) || self.is_up() {
            return Ok(false);
        }
        Err(EmbeddedError::Start { log: log::path(&self.folder), tail })
    }

    fn is_up(&self) -> bool {
        super::postmaster::Postmaster::look(&self.data).is_ok_and(|state| state.pid().is_some())
    }

    /// The major version that wrote the data.
    fn made_by(&self) -> Result<u32, EmbeddedError> {
        let path = self.data.join("PG_VERSION");
        let read = std::fs::read_to_string(&path).and_then(|text| {
            text.trim()
                .parse()
                .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
        });
        read.map_err(EmbeddedError::file("read", &path))
    }

    /// The port last used, so that addresses stay good over a restart; else one that is free now.
    fn choose_port(&self, taken: &[u16]) -> Result<u16, EmbeddedError> {
        let last = std::fs::read_to_string(self.folder.join("port"))
            .ok()
            .and_then(|text| text.trim().parse::<u16>().ok());
        if let Some(last) = last
            && !taken.contains(&last)
            && TcpListener::bind((Ipv4Addr::LOCALHOST, last)).is_ok()
        {
            return Ok(last);
        }
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .map_err(EmbeddedError::file("find a free port for", &self.data))
    }
}

/// Writes a file for `owner` alone. It appears whole, and no link is followed: as root we write
/// into a folder that somebody else owns.
fn write(owner: &Owner, folder: &Path, name: &str, text: &str) -> Result<(), EmbeddedError> {
    let path = folder.join(name);
    let fresh = folder.join(format!("{name}.new"));
    let written = || -> std::io::Result<File> {
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(file)
    };
    let file = written().map_err(EmbeddedError::file("write", &fresh))?;
    owner.take(&file, &fresh)?;
    std::fs::rename(&fresh, &path).map_err(EmbeddedError::file("write", &path))?;
    sync(folder)
}

/// Makes the entries of a folder durable.
fn sync(folder: &Path) -> Result<(), EmbeddedError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(EmbeddedError::file("sync", folder))
}

/// What a program said before it failed.
fn said(output: &std::process::Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let text =
        if errors.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { errors };
    format!("{} ({})", text.trim(), output.status)
}
