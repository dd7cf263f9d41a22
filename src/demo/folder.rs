//! The folder of a demo, and the files in it.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::removal::remove;

/// Where a demo keeps all that it makes.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Whether it is removed at the end.
    passing: bool,
}

impl Folder {
    /// A new folder of its own, or the one that was asked for, which is kept at the end.
    pub fn make(asked: Option<&Path>, seed: u64) -> anyhow::Result<Self> {
        let path = match asked {
            Some(path) => path.to_owned(),
            None => {
                let name = format!("syncline-demo-{}-{seed}", std::process::id());
                std::env::temp_dir().join(name)
            }
        };
        let mut builder = std::fs::DirBuilder::new();
        // The user of the private Postgres must be able to pass through.
        builder.recursive(asked.is_some()).mode(0o711);
        builder.create(&path).with_context(|| {
            format!("the folder {} cannot be made; name another with --dir", path.display())
        })?;
        let is_used = path.read_dir().context("the folder of the demo")?.next().is_some();
        if is_used {
            bail!("the folder {} is not empty: name a new one with --dir", path.display());
        }
        let path = path.canonicalize().context("the folder of the demo")?;
        Ok(Self { path, passing: asked.is_none() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays when the demo ends.
    pub fn is_kept(&self) -> bool {
        !self.passing
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file that only we can read.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let what = || format!("the file {} cannot be written", path.display());
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).with_context(what)?;
        }
        let mut options = std::fs::File::options();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = options.open(&path).with_context(what)?;
        file.write_all(text.as_bytes()).with_context(what)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.passing {
            // What cannot be removed is in the folder for passing files, and stays there.
            let _ = remove(&self.path);
        }
    }
}
