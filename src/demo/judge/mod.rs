//! The judge: what became of every edit, told from the histories of both systems and the review
//! queue alone.
//!
//! It knows nothing of the engine. Records of the two sides are the same thing when they have the
//! same business key; an edit is known by the value it wrote, which nobody else writes to that
//! field; who had seen what is told by the order in which values replaced one another on each
//! side, and by what the players say they had read.
//!
//! The rules are those of a black-box checker of a sync (protocol 2):
//!
//! | Rule | Says |
//! |---|---|
//! | V1 | both sides are equal, but for what is in the queue |
//! | V2 | each edit is final on both sides, superseded by one that had seen it, or in the queue |
//! | V3 | the sync wrote only values of people, and never an older one over a newer one |
//! | V5 | no more records of one business key on a side than people made there |
//! | V6 | no more writes than edits, pair by pair, but for those that the rules allow |

mod event;
mod rules;
mod story;
#[cfg(test)]
mod tests;
mod verdict;

pub(super) use event::{Author, Event, Evidence, Op, Question, Read};
pub(super) use rules::judge;
pub(super) use verdict::{Rule, Verdict};
