//! `syncline conflicts`: the review queue at the command line.
//!
//! An answer is one transaction on the ledger; the engine folds it after it has read both
//! records afresh, and asks again when one of them moved.

mod list;
mod offer;
mod question;
mod reference;
mod resolve;
mod show;
mod typed;

use std::path::Path;

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::{Exit, Output, Stop};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the questions that wait for a person.
    List(list::Arguments),
    /// Show one question: both values, who wrote them and when, and the possible answers.
    Show(show::Arguments),
    /// Answer a question, in the revision that was seen.
    Resolve(resolve::Arguments),
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?;
    match arguments.command {
        Command::List(arguments) => list::run(&desk, arguments, output).await,
        Command::Show(arguments) => show::run(&desk, &arguments, output).await,
        Command::Resolve(arguments) => resolve::run(&desk, arguments, output).await,
    }
}
