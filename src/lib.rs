//! Syncline keeps records in two systems in agreement, both ways, field by field.
//!
//! This is the library half of the binary `syncline`, so that tests can reach its parts.

pub mod cli;
pub mod demo;
pub mod embedded;
pub mod registry;
pub mod service;
pub mod settings;
