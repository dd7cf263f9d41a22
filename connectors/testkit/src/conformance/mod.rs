//! The connector conformance suite: the promises of [`syncline_sdk::Connector`] as checks.
//!
//! A connector crate runs it from its tests:
//!
//! 1. Implement [`Fixture`] for one entity of a real (or simulated) system: a connector, the
//!    selection, and the hands of a person who works in that system *not* through the connector.
//!    The entity has at least two free text fields ([`Fixture::texts`]); its external-id and
//!    marker fields stand in the selection where the system has them. The system may already
//!    hold records of other entities; records of this one do no harm.
//! 2. Call [`run`] with it under the crate's own executor and [`Report::expect_held`] on the
//!    result. Every check makes its own records, so one fixture serves the whole suite; call
//!    [`run_only`] to run one check by name.
//!
//! A check runs when the *effective* capabilities of the selection promise what it checks, and
//! is skipped otherwise, or when the fixture cannot play what it needs. The skipped ones are in
//! the report with the reason: a test states how many it expects to hold, so that a suite that
//! skips everything fails.

mod changes;
mod check;
mod deletes;
mod feed;
mod fixture;
mod order;
mod reads;
mod receipts;
mod report;
mod schema;
mod session;
mod settlement;
mod suite;
mod values;
mod writes;

pub use check::{Check, Stop};
use check::{Outcome, ensure, list};
pub use fixture::Fixture;
pub use report::Report;
pub use session::Session;
pub use suite::{checks, run, run_only};
