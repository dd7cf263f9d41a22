//! Two systems kept in agreement: real databases, simulated orgs, the service as `syncline run`
//! runs it.

mod api;
mod bin;
mod deeds;
mod drift;
mod gaps;
mod gate;
mod hooks;
mod logins;
mod logs;
mod modes;
mod moves;
mod orgs;
mod parents;
mod plans;
mod proposals;
mod queue;
mod quotas;
mod record_types;
mod rehearsed;
mod revisions;
mod samples;
mod schedules;
mod sensitive;
mod silence;
mod starts;
mod sweeps;
mod tables;
mod trouble;
mod twins;
mod world;
