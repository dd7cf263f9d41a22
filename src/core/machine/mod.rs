//! The machine: loaded links and events in, one changeset and its sends out.
//!
//! A [`Workset`] is the working memory of one round. The engine loads links into it, hands it
//! observations, outcomes and answers, asks what else must be read ([`Workset::wants`]), and
//! takes the changeset and the batches ([`Workset::finish`]). Every rule of the protocol that
//! needs more than one unit lives here; none needs a clock, an await or a random number.

mod answer;
mod awaits;
mod batching;
mod bounce;
mod candidate;
mod claims;
mod delete;
mod existence;
mod grouping;
mod halves;
mod hints;
mod identity;
mod intent;
mod kept_edit;
mod lone;
mod lone_answer;
mod made;
mod merging;
mod moving;
mod observation;
mod observe;
mod overwritten;
mod pair_answer;
mod parents;
mod plan;
mod question;
mod refusal;
mod remade;
mod retry;
mod round;
mod search;
mod settle;
mod slot;
mod twin;
mod undelete;
mod wanting;
mod watch;
mod winner;
mod workset;

pub use batching::{Carried, OutBatch, Step};
pub use lone::may_be_left_out;
pub use observation::{Bin, Missing, Observation, Source};
pub use retry::is_parked;
pub use round::{Clock, Limits, Mappings, Round};
pub use settle::{SettleInput, Settling};
pub use workset::{Want, Workset};

#[cfg(test)]
mod tests;
