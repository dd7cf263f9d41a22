//! The control API under `/__sim`: what a test does to the org from outside. JSON in and out,
//! no authentication. The crate documentation lists the routes.

mod edits;
mod outbound;
mod route;
mod schema;
mod world;

use route::{Answered, Refusal, parameter, read};
pub(crate) use route::{answer, full_record};
