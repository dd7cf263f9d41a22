//! Removing folders with many files.

use std::path::{Path, PathBuf};
use std::thread;

/// How many files are removed at a time. A disk that frees blocks as files go answers each removal
/// after some milliseconds, and a cluster has a thousand files; it takes many at once.
const AT_ONCE: usize = 16;

/// Removes a folder with all that is in it. Links are removed, not followed.
///
/// # Errors
/// When something in it cannot be removed; the rest is gone.
pub(super) fn remove(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    list(folder, &mut files);
    let share = files.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        for files in files.chunks(share) {
            // What cannot be removed here is tried again, and told of, below.
            scope.spawn(move || {
                for file in files {
                    let _ = std::fs::remove_file(file);
                }
            });
        }
    });
    std::fs::remove_dir_all(folder)
}

/// Lists what is no folder, below a folder. What cannot be read is left out.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = folder.read_dir() else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), files),
            Ok(_) => files.push(entry.path()),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_all_that_is_in_it_and_nothing_else() {
        let name = format!("syncline-removal-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let (outside, folder) = (root.join("outside"), root.join("folder"));
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("kept"), "").unwrap();
        for number in 0..100 {
            std::fs::write(folder.join(format!("a/b/{number}")), "").unwrap();
        }
        std::os::unix::fs::symlink(&outside, folder.join("a/link")).unwrap();
        remove(&folder).unwrap();
        assert!(!folder.exists() && outside.join("kept").is_file());
        assert!(remove(&folder).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
