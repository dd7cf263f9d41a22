//! The service: what `syncline run` runs, from settings to a driver.

mod ledger;
mod probe;
mod running;
mod tokens;

pub use ledger::{LedgerHandle, find_ledger, open_ledger, reach_ledger};
pub use running::{Service, ServiceError, attach};
