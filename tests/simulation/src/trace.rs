//! The trace of a run: what happened, in words, step by step.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What happened, in words. Kept only where somebody asked for it.
#[derive(Default)]
pub struct Trace {
    kept: bool,
    lines: Vec<String>,
}

impl Trace {
    /// A trace that is kept, or one that is not.
    #[must_use]
    pub fn new(kept: bool) -> Self {
        Self { kept, lines: Vec::new() }
    }
    /// Whether it is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept
    }
    /// Writes a line.
    pub fn tell(&mut self, step: u32, line: impl FnOnce() -> String) {
        if self.kept {
            self.lines.push(format!("{step:4} {}", line()));
        }
    }
    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
    /// A number that two equal traces share.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.lines.hash(&mut hasher);
        hasher.finish()
    }
}
