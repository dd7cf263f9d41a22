//! Measurements printed beside their targets. Never a timed test: what is measured depends on
//! the machine and on what else it does.

mod ledger;
mod process;
pub mod report;

use std::future::Future;
use std::pin::Pin;

use report::Measured;

/// What every measurement is given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A superuser's address on a cluster of this machine.
    pub postgres: String,
    /// Whether a tenth of the work will do.
    pub quick: bool,
}

/// What a measurement gives.
pub type Run<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Vec<Measured>>> + 'a>>;

/// One measurement.
#[derive(Clone, Copy)]
pub struct Bench {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Settings) -> Run<'_>,
}

/// All measurements, in the order in which they run.
pub const BENCHES: &[Bench] =
    &[Bench { name: "ledger", run: |settings| Box::pin(ledger::run(settings)) }];
