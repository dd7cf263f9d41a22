//! The settings of an installation: `syncline.yaml`.
//!
//! The file is parsed first and values are inserted into it afterwards, so that a variable can
//! never change the structure of the file. This module alone reads the environment. Secrets are
//! held as [`secrecy::SecretString`], and every message shows the file with its secrets blotted
//! out.

mod deserializer;
mod environment;
mod file;
mod http;
mod insertion;
mod ledger_url;
mod log;
mod mappings;
mod schedules;
mod secrets;
mod setting_error;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_docs;
#[cfg(test)]
mod tests_of_examples;
#[cfg(test)]
mod tests_of_http;
#[cfg(test)]
mod tests_of_schedules;

pub use deserializer::NodeDeserializer;
pub use environment::{Environment, ProcessEnvironment};
pub use file::{LedgerSettings, Settings, SystemSettings, load};
pub use http::{HttpSettings, WebhookSettings};
pub use log::{LogFormat, LogSettings};
pub use mappings::{load_mappings, without_mappings};
pub use schedules::ScheduleSettings;
pub use setting_error::SettingError;
