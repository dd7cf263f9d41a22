//! The command and what it can do.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{list, resolve, show};
use crate::cli::desk::Desk;
use crate::cli::{Exit, Output, Stop};
use crate::installation::read_settings;
use crate::queue::removed::Files;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Show the values of sensitive fields too.
    #[arg(long, global = true)]
    reveal: bool,
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

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let files = Files::of(&read_settings(config)?.value);
    let desk = Desk::open(config).await?.revealing(arguments.reveal).knowing(files.as_ref());
    match arguments.command {
        Command::List(arguments) => list::run(&desk, arguments, output).await,
        Command::Show(arguments) => show::run(&desk, &arguments, output).await,
        Command::Resolve(arguments) => resolve::run(&desk, arguments, output).await,
    }
}
