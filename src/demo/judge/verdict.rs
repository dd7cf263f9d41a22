//! What the judge says.

use std::fmt;

use crate::demo::world::Pair;

/// A rule that was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::demo) enum Rule {
    /// Convergence.
    V1,
    /// No silent loss.
    V2,
    /// No invention, and no return of what was superseded.
    V3,
    /// No duplicates.
    V5,
    /// Bounded writes.
    V6,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One breach of a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::demo) struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The record.
    pub pair: Pair,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pair { kind, key } = &self.pair;
        write!(f, "{}: {} {key}: {}", self.rule, kind.mapping(), self.what)
    }
}

/// What came of it all.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::demo) struct Verdict {
    /// Saves of people since the seeds.
    pub human_edits: u64,
    /// Saves of Syncline since the seeds.
    pub sync_writes: u64,
    /// Questions that wait for a person.
    pub conflicts_open: u64,
    /// Values that a person replaced without having read them: lost between two people of one
    /// system, which no sync can see. Counted apart, so that they are not hidden.
    pub blind_overwrites: u64,
    /// Every breach.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// How often a rule was broken.
    pub fn count(&self, rule: Rule) -> u64 {
        let broken = self.violations.iter().filter(|violation| violation.rule == rule);
        u64::try_from(broken.count()).unwrap_or(u64::MAX)
    }
}
