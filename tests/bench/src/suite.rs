//! The measurements, and what each is given.

use std::future::Future;
use std::pin::Pin;

use crate::report::Measured;
use crate::{capture, latency, ledger, load, sustained};

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
    /// Under which conditions, in a sentence.
    pub conditions: &'static str,
    /// What it does.
    pub run: fn(&Settings) -> Run<'_>,
}

/// All measurements, in the order in which they run.
pub const BENCHES: &[Bench] = &[
    Bench {
        name: "ledger",
        conditions: "the ledger alone, fsync off: what its commits cost in processor time",
        run: |settings| Box::pin(ledger::run(settings)),
    },
    Bench {
        name: "capture",
        conditions: "the feed of one database alone, fsync off, changes made beforehand",
        run: |settings| Box::pin(capture::run(settings)),
    },
    Bench {
        name: "sustained",
        conditions: "people edit both databases all the time; ledger and databases in three \
                     clusters, fsync on; people's commits do not wait for the disk",
        run: |settings| Box::pin(sustained::run(settings)),
    },
    Bench {
        name: "load",
        conditions: "two databases and the ledger in three clusters, fsync on",
        run: |settings| Box::pin(load::run(settings)),
    },
    Bench {
        name: "latency",
        conditions: "the simulated CRM over HTTP and one database, nothing else to do, fsync on",
        run: |settings| Box::pin(latency::run(settings)),
    },
];
