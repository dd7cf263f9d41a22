//! What people and programs ask of a ledger, and answer: the one place from which both the command
//! line and the JSON API tell it, in words and as JSON.

pub mod account;
pub mod answering;
pub mod asked;
pub mod candidate;
pub mod clock;
pub mod desk;
pub mod entry;
pub mod feasible;
pub mod link;
pub mod masking;
pub mod observed;
pub mod offer;
pub mod pair;
pub mod question;
pub mod questions;
pub mod reference;
pub mod removed;
pub mod report;
mod typed;
mod verdict;
pub mod words;
