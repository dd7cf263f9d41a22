//! The pure core: every rule of the product.
//!
//! Nothing here is asynchronous, reads a clock, draws a random number or knows a database: time,
//! ids and randomness are arguments, and collections are ordered, so that the same inputs give
//! the same decision, any number of times (protocol P9).

pub mod audit;
pub mod encoding;
pub mod machine;
pub mod mapping;
pub mod model;
pub mod reconcile;
mod side;
pub mod trial;

pub use side::{Side, Sides};
