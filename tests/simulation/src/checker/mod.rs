//! The checker: judges a run from outside, by the systems' own histories, the requests that
//! reached them, the review queue and the journal (protocol section 2). It never looks at what
//! the engine believes but to learn which two records were meant to be one.

mod agreement;
mod allowances;
mod chains;
mod deletes;
mod evidence;
mod filters;
mod intents;
mod judgement;
mod merges;
mod overwritten;
mod twins;
mod writes;

pub use evidence::Violation;
pub use judgement::judge;
