//! The simulator, called over HTTP as a client calls the service.

mod sim;
mod trees;

mod auth;
mod bin;
mod bulk;
mod collections;
mod composite;
mod conditional;
mod control;
mod discovery;
mod external;
mod faults;
mod features;
mod forms;
mod locks;
mod login_flows;
mod outbound;
mod packed;
mod query;
mod replication;
mod rows;
mod save_rules;
mod schema_drift;
mod soap;
mod tracking;
