//! The demo: a simulated CRM and a Postgres database kept in agreement while people edit both
//! and the engine is killed.
//!
//! [`run`] sets the stage (a private Postgres for the ledger, another for `ops`, the simulated
//! org and the engine as processes of their own), seeds both systems, plays the edits of people,
//! kills the engine with signal 9 amid them, waits until all is quiet, and judges what came of it
//! from the histories that both systems kept themselves and from the review queue.
//!
//! | Module | Holds |
//! |---|---|
//! | `stage`, `folder`, `removal`, `process`, `engine` | what runs, where, and how it is ended |
//! | `world`, `crm`, `ops` | the records, and the two systems as people use them |
//! | `seeds`, `plan`, `player`, `latency` | what people do |
//! | `recovery` | kills |
//! | `evidence`, `judge` | the histories, and the verdict |
//! | `quiet`, `gauges` | waiting, and the ledger's figures |
//! | `view`, `report`, `farewell` | what is shown |

mod crm;
mod engine;
mod evidence;
mod farewell;
mod folder;
mod gauges;
mod judge;
mod latency;
mod ops;
mod plan;
mod player;
mod process;
mod quiet;
mod recovery;
mod removal;
mod report;
mod run;
mod seeds;
mod stage;
mod time;
mod view;
mod world;

pub use run::{DemoOptions, Played, run};
