//! The commands and options that every command has.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use super::{
    Colour, Exit, Output, Stop, accept, check, completions, conflicts, demo, describe, doctor,
    explain, grants, health, init, login, migrate, observed, plan, reference, replay, report, run,
    simulate, status, sweep, tokens, webhooks,
};

const AFTER_HELP: &str = "\
Exit codes:
  0  all is well
  1  the command failed; the message says what, where and what to do
  2  the command line is wrong, a check found something, an answer was not taken, or a plan is
     not empty

Examples:
  syncline check                      check settings and mappings, without any account
  syncline check --live               check them against both systems
  syncline plan                       what a run would write, with nothing written
  syncline doctor --config prod.yaml  look at the systems of another installation
  syncline check --json | jq .findings
  syncline grants                     what to set up on each system, exactly
  syncline status                     how everything stands
  syncline report --since 7d          what was done in a week
  syncline conflicts list             what waits for a person
  syncline simulate salesforce        a Salesforce org on this machine, to try things with";

/// Keeps records in two systems in agreement, both ways, field by field.
#[derive(Debug, Parser)]
#[command(name = "syncline", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Cli {
    /// The settings of the installation.
    #[arg(long, global = true, value_name = "FILE", default_value = "syncline.yaml")]
    config: PathBuf,

    /// Answer with one JSON object on standard output: {"syncline":1, "command":"...", ...}.
    #[arg(long, global = true)]
    json: bool,

    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep both systems in agreement, until stopped.
    Run(run::Arguments),
    /// Propose a mapping from what two systems describe and hold.
    Init(init::Arguments),
    /// List the entities of a system, or the fields of one; reads no record.
    Describe(describe::Arguments),
    /// Check settings and mappings; changes nothing.
    Check(check::Arguments),
    /// Ask the running engine to compare all records now.
    Sweep(sweep::Arguments),
    /// Tell what a run would write, ask and cost; writes nothing anywhere.
    Plan(plan::Arguments),
    /// Compare what observing mappings would have written with what came of it.
    Observed(observed::Arguments),
    /// Look at both systems, what they have and what they lack; changes nothing.
    Doctor(doctor::Arguments),
    /// List what to set up on each system: rights, statements, and what each piece buys.
    Grants(grants::Arguments),
    /// Log in to a system with a browser, once; the ledger keeps the login.
    Login(login::Arguments),
    /// Tell how everything stands, from the ledger: works while the engine is down.
    Status(status::Arguments),
    /// Tell what was done in a period: carried, refused, asked, and how far objectives were met.
    Report(report::Arguments),
    /// The review queue: what only a person can decide.
    Conflicts(conflicts::Arguments),
    /// Tell why a value is what it is: the journal of one pair of records.
    Explain(explain::Arguments),
    /// Take a field that changed in its system as it is now, and write it again.
    Accept(accept::Arguments),
    /// Try again what a system refused and was set aside.
    Replay(replay::Arguments),
    /// Print where systems send their webhooks, how to set that up, and what came last.
    Webhooks(webhooks::Arguments),
    /// Make, list and revoke the tokens of the JSON API.
    Tokens(tokens::Arguments),
    /// Bring the tables of the ledger to this release.
    Migrate(migrate::Arguments),
    /// Ask the running process whether it is ready; for health checks.
    Health(health::Arguments),
    /// Watch the main job: a CRM and a database kept in agreement while the engine is killed.
    Demo(demo::Arguments),
    /// Run a simulated system on this machine.
    Simulate(simulate::Arguments),
    /// Print a script that completes commands and options in a shell.
    Completions(completions::Arguments),
    /// Print the page of all commands, for the docs.
    #[command(hide = true)]
    Reference(reference::Arguments),
}

impl Cli {
    /// Runs the command, reports, and gives the exit code of the process.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let output = Output::new(self.json, self.color);
        let exit = match self.dispatch(&output) {
            Ok(exit) => exit,
            Err(stop) => output.stop(stop),
        };
        exit.into()
    }

    fn dispatch(self, output: &Output) -> Result<Exit, Stop> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the threads of the process could not be started")?;
        let config = &self.config;
        runtime.block_on(async {
            match self.command {
                Command::Run(arguments) => run::run(config, arguments, output).await,
                Command::Init(arguments) => init::run(config, arguments, output).await,
                Command::Describe(arguments) => describe::run(config, arguments, output).await,
                Command::Check(arguments) => check::run(config, arguments, output).await,
                Command::Sweep(arguments) => sweep::run(config, arguments, output).await,
                Command::Plan(arguments) => plan::run(config, arguments, output).await,
                Command::Observed(arguments) => observed::run(config, arguments, output).await,
                Command::Doctor(arguments) => doctor::run(config, arguments, output).await,
                Command::Grants(arguments) => grants::run(config, arguments, output).await,
                Command::Login(arguments) => login::run(config, arguments, output).await,
                Command::Status(arguments) => status::run(config, arguments, output).await,
                Command::Report(arguments) => report::run(config, arguments, output).await,
                Command::Conflicts(arguments) => conflicts::run(config, arguments, output).await,
                Command::Explain(arguments) => explain::run(config, arguments, output).await,
                Command::Accept(arguments) => accept::run(config, arguments, output).await,
                Command::Replay(arguments) => replay::run(config, arguments, output).await,
                Command::Webhooks(arguments) => webhooks::run(config, arguments, output).await,
                Command::Tokens(arguments) => tokens::run(config, arguments, output).await,
                Command::Migrate(arguments) => migrate::run(config, arguments, output).await,
                Command::Health(arguments) => health::run(config, arguments, output).await,
                Command::Demo(arguments) => demo::run(arguments, output).await,
                Command::Simulate(arguments) => simulate::run(arguments, output).await,
                Command::Completions(arguments) => completions::run(&arguments, output),
                Command::Reference(arguments) => reference::run(&arguments, output),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
