//! Two systems kept in agreement: real databases, simulated orgs, the service as `syncline run`
//! runs it.

mod orgs;
mod queue;
mod silence;
mod tables;
mod trouble;
mod wire;
mod world;
