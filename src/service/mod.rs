//! The service: what `syncline run` runs, from settings to one driver after another.

mod api;
mod binding;
mod drift;
mod figures;
mod known;
mod ledger;
mod lookout;
mod metrics;
mod probe;
mod progress;
mod reaching;
mod recent;
mod revisions;
mod running;
mod schedules;
mod sessions;
mod tokens;
mod waiting;
mod webhooks;

pub(crate) use drift::{agreed_of, bound_to, drifted, left_alone};
pub use ledger::{
    FoundLedger, LedgerHandle, find_ledger, has_ledger, login_key, open_ledger, reach_ledger,
};
pub(crate) use revisions::{check_same_records, former_revisions, has_begun};
pub use running::{Service, ServiceError, attach};
