//! The connector over HTTP: against a server that plays back answers written by hand, and
//! against a simulated org.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected shall stop there")]

mod conformance;
mod drift;
mod graphs;
mod login;
mod login_flows;
mod lookups;
mod losing;
mod org_faults;
mod org_groups;
mod org_history;
mod org_locks;
mod org_reading;
mod org_record_types;
mod org_values;
mod org_writing;
mod reading;
mod script;
mod world;
mod writing;
