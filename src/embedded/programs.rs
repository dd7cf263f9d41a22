//! Finding the machine's Postgres server programs.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::error::EmbeddedError;
use super::limits;

/// Where Debian and its kin keep one folder a major version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// Finds the programs: in `given` when a folder is given, else through `pg_config`, in
    /// Debian's versioned folders (newest first), on the search path.
    ///
    /// With `major`, which is what existing data asks for, programs of that version are
    /// preferred; others are returned when there are none, for the caller to refuse.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::NoPrograms`] and [`EmbeddedError::OldPrograms`].
    pub async fn find(given: Option<&Path>, major: Option<u32>) -> Result<Self, EmbeddedError> {
        let folders = match given {
            Some(folder) => vec![folder.to_owned()],
            None => candidates().await,
        };
        let mut found = Vec::new();
        for folder in &folders {
            if let Some(programs) = Self::in_folder(folder).await {
                found.push(programs);
            }
        }
        let preferred = found.iter().find(|programs| Some(programs.major) == major);
        let Some(programs) = preferred.or_else(|| found.first()) else {
            let looked: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
            let looked = if looked.is_empty() { VERSIONED.to_owned() } else { looked.join(", ") };
            return Err(EmbeddedError::NoPrograms { looked });
        };
        if programs.major < limits::MAJOR_MIN {
            let Programs { folder, major } = programs.clone();
            return Err(EmbeddedError::OldPrograms { folder, major });
        }
        Ok(programs.clone())
    }

    /// The folder that holds the programs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, as 15 of 15.18.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The path of one program.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    async fn in_folder(folder: &Path) -> Option<Self> {
        // Client packages bring pg_config, but neither of these.
        if !folder.join("initdb").is_file() || !folder.join("pg_ctl").is_file() {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().await.ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder: folder.to_owned(), major })
    }
}

/// The folders to look in, most telling first; not all of them hold server programs.
async fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output().await {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !folder.is_empty() {
            folders.push(PathBuf::from(folder));
        }
    }
    folders.extend(versioned(Path::new(VERSIONED)));
    #[expect(
        clippy::disallowed_methods,
        reason = "the search path belongs to the system, it is not a setting of ours"
    )]
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path).filter(|f| f.join("postgres").is_file()));
    }
    folders
}

/// Folders like `/usr/lib/postgresql/15/bin`, newest first.
fn versioned(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut majors: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.iter().map(|major| root.join(major.to_string()).join("bin")).collect()
}

/// The major version out of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_way_of_writing_it() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(major_of("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(major_of("no such thing"), None);
        assert_eq!(major_of(""), None);
    }

    #[tokio::test]
    async fn a_given_folder_without_programs_is_refused_by_name() {
        let error = Programs::find(Some(Path::new("/nowhere/bin")), None).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/bin"), "{error}");
        assert!(error.to_string().contains("package postgresql"), "{error}");
    }
}
