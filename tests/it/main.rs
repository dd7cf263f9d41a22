//! The integration tests of the whole, one binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do its helpers")]

mod cli;
mod embedded;
mod examples;
mod queue;
mod scripts;
mod sync;
mod tidy;
