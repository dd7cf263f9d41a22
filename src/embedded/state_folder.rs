//! Where the clusters of one state folder live.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use super::limits;
use super::owner::Owner;

/// The name of the state folder where none is given.
const LOCAL: &str = ".syncline";
/// The file in it that names another folder.
const POINTER: &str = "cluster";
/// The system's folders for state, in order of preference.
const ELSEWHERE: [&str; 2] = ["/var/lib/syncline", "/var/tmp"];

/// `.syncline/`, locked: nobody else makes, starts or adopts a cluster of it meanwhile.
#[derive(Debug)]
pub(super) struct StateFolder {
    local: PathBuf,
    /// Unlocked when dropped.
    _lock: File,
}

impl StateFolder {
    /// Makes the state folder where it is missing (the folder above it must be there), and locks
    /// it.
    pub(super) async fn open(state_dir: &Path) -> Result<Self, EmbeddedError> {
        let above = match state_dir.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        let above = above.canonicalize().map_err(EmbeddedError::file("find the folder", above))?;
        let local = above.join(state_dir.file_name().unwrap_or(LOCAL.as_ref()));
        // As root, the server's user must be able to pass through.
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        make(&local, mode)?;
        let path = local.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(EmbeddedError::file("open", &path))?;
        let held = async {
            loop {
                match lock.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(std::fs::TryLockError::WouldBlock) => pause().await,
                    Err(std::fs::TryLockError::Error(error)) => {
                        return Err(EmbeddedError::file("lock", &path)(error));
                    }
                }
            }
        };
        match tokio::time::timeout(limits::LOCK_LIMIT, held).await {
            Ok(result) => result?,
            Err(_) => return Err(EmbeddedError::Locked { lock: path }),
        }
        Ok(Self { local, _lock: lock })
    }

    /// The folder of an existing cluster, if there is one.
    pub(super) fn existing(&self, name: &str) -> Result<Option<PathBuf>, EmbeddedError> {
        let root = self.pointed_to()?.unwrap_or_else(|| self.local.clone());
        let folder = root.join(name);
        Ok(folder.join("data").is_dir().then_some(folder))
    }

    /// Makes the folder of a new cluster where `owner` can enter it. `probe` is a program that
    /// runs anywhere: only a process of that user can tell what it may enter.
    pub(super) async fn make(
        &self,
        name: &str,
        owner: &Owner,
        probe: &Path,
    ) -> Result<PathBuf, EmbeddedError> {
        if let Some(root) = self.pointed_to()? {
            let folder = root.join(name);
            owner.make_folder(&folder)?;
            return Ok(folder);
        }
        let folder = self.local.join(name);
        owner.make_folder(&folder)?;
        if can_enter(owner, &folder, probe).await {
            return Ok(folder);
        }
        std::fs::remove_dir(&folder).map_err(EmbeddedError::file("remove", &folder))?;

        let mut tried = vec![self.local.display().to_string()];
        for base in ELSEWHERE {
            tried.push(base.to_owned());
            // A name nobody can guess: in a folder open to all, nobody has made it before us. A
            // new one each time: whoever removes `.syncline/` wants to start anew.
            let root = Path::new(base).join(format!("syncline-{}", unguessable()));
            if std::fs::create_dir_all(base).is_err() || make(&root, 0o711).is_err() {
                continue;
            }
            let folder = root.join(name);
            owner.make_folder(&folder)?;
            if can_enter(owner, &folder, probe).await {
                self.point_to(&root)?;
                return Ok(folder);
            }
            let _ = std::fs::remove_dir(&folder);
            let _ = std::fs::remove_dir(&root);
        }
        Err(EmbeddedError::NoFolder { user: owner.name().to_owned(), tried: tried.join(", ") })
    }

    /// The folder named by the pointer file, if there is one.
    fn pointed_to(&self) -> Result<Option<PathBuf>, EmbeddedError> {
        let pointer = self.local.join(POINTER);
        let text = match std::fs::read_to_string(&pointer) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EmbeddedError::file("read", &pointer)(error)),
        };
        let target = PathBuf::from(text.trim_end_matches('\n'));
        if !target.is_absolute() || !target.is_dir() {
            return Err(EmbeddedError::LostFolder { pointer, target });
        }
        let uid = target.metadata().map_err(EmbeddedError::file("look at", &target))?.uid();
        if uid != rustix::process::geteuid().as_raw() {
            return Err(EmbeddedError::ForeignFolder { path: target, uid });
        }
        Ok(Some(target))
    }

    fn point_to(&self, root: &Path) -> Result<(), EmbeddedError> {
        let pointer = self.local.join(POINTER);
        let fresh = self.local.join("cluster.new");
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&fresh)?;
            writeln!(file, "{}", root.display())?;
            file.sync_all()?;
            std::fs::rename(&fresh, &pointer)
        };
        written().map_err(EmbeddedError::file("write", &pointer))
    }
}

/// Lets others get on before the next look.
#[expect(clippy::disallowed_methods, reason = "a server of its own gives no signal to wait for")]
pub(super) async fn pause() {
    tokio::time::sleep(limits::LOOK_PAUSE).await;
}

/// Text that nobody can foresee: a password, a folder's name.
#[expect(clippy::disallowed_methods, reason = "a secret must not be replayed from a seed")]
pub(super) fn unguessable() -> String {
    use rand::distr::SampleString as _;
    rand::distr::Alphanumeric.sample_string(&mut rand::rng(), 24)
}

fn make(folder: &Path, mode: u32) -> Result<(), EmbeddedError> {
    match std::fs::DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(EmbeddedError::file("make the folder", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Whether a process of `owner` can have `folder` as its working folder.
async fn can_enter(owner: &Owner, folder: &Path, probe: &Path) -> bool {
    let output = owner.command(probe, folder).arg("--version").output().await;
    output.is_ok_and(|output| output.status.success())
}
