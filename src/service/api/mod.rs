//! What stands behind the JSON API: the same ledger, the same words and the same answers as the
//! command line's.

mod book;
mod callers;
mod desk;
mod failure;
mod lists;
mod observed;
mod reports;

pub(super) use book::ServiceBook;
