//! Two systems kept in agreement: real databases, simulated orgs, the service as `syncline run`
//! runs it.

mod gate;
mod orgs;
mod queue;
mod silence;
mod starts;
mod tables;
mod trouble;
mod world;
