//! One conformance suite for every ledger: what the engine may rely on.

mod access;
mod batches;
mod broken;
mod cases;
mod commits;
mod crash;
mod database;
mod deliveries;
mod fixture;
mod guards;
mod hints;
mod lost;
mod names;
mod owners;
mod people;
mod reviews;
mod schedules;
mod sensitive;
mod sensitive_life;
mod setup;
mod subject;
mod takeover;

pub(crate) use subject::Subject;
