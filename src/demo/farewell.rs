//! What to try next: where the queue is, and which commands show it.

use std::path::PathBuf;

use super::folder::Folder;

/// This program, as it may be typed here.
pub(super) fn program() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("syncline"));
    program.display().to_string()
}

/// What may be done with a demo that has ended.
pub(super) fn farewell(folder: &Folder, seed: u64) -> Vec<String> {
    let program = program();
    let mut lines = vec![String::new()];
    if folder.is_kept() {
        lines.extend([
            "All is kept, the questions too. Look at them:".to_owned(),
            format!("  cd {}", folder.path().display()),
            format!("  {program} conflicts list"),
            format!("  {program} conflicts show 1"),
        ]);
    } else {
        lines.extend([
            "All that it started is ended and removed. Next:".to_owned(),
            format!("  {program} demo --dir demo"),
            "      keeps ledger and databases, to look at the questions afterwards".to_owned(),
            format!("  {program} demo --once --seed {seed}"),
            "      plays this one to its end, and judges every edit".to_owned(),
        ]);
    }
    lines
}
