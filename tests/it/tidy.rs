//! What must be absent, where neither a crate boundary nor a clippy ban can see to it.
//!
//! Each test reads the tree and names every offence as `file:line`. The rules are constants on
//! top of each file; the readers that they rest on have tests of their own, in `reader`.

mod absences;
mod arrows;
mod machinery;
mod reader;
mod shape;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders that are not ours to judge, at any depth.
const SKIPPED: [&str; 5] = ["target", ".git", ".syncline", "node_modules", ".sqlx"];

/// One file of the tree.
struct Source {
    /// The path from the root, with `/`.
    path: String,
    text: String,
}

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` (from the root) with one of these endings, sorted by path.
fn sources(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !path.is_symlink() {
                if !SKIPPED.contains(&name) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(read(path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "nothing found below {folder}: has it moved?");
    found
}

fn read(path: PathBuf) -> Source {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    Source { path, text }
}

/// Whether `path` is that file or lies in that folder; `src/registry` is also `src/registry.rs`.
fn is_within(path: &str, place: &str) -> bool {
    match path.strip_prefix(place) {
        Some(rest) => rest.is_empty() || rest == ".rs" || rest.starts_with('/'),
        None => false,
    }
}

/// Offences against one rule.
#[derive(Default)]
struct Findings(String);

impl Findings {
    fn add(&mut self, path: &str, line: usize, what: &str) {
        writeln!(self.0, "  {path}:{line}: {what}").unwrap();
    }

    /// Fails when there are any; `rule` says what holds instead, and why.
    fn judge(self, rule: &str) {
        assert!(self.0.is_empty(), "{rule}\n{}", self.0);
    }
}
