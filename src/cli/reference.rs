//! `syncline reference`: the page of all commands, made of their own help.

use std::fmt::Write as _;

use clap::{Args, Command, CommandFactory as _};
use serde_json::Map;

use super::{Cli, Exit, Output, Stop};

const BEGINNING: &str = "\
# Commands

Made by `syncline reference` of what `--help` says; `syncline completions` makes completions for
bash, zsh and fish.

Every command takes `--config FILE` (`syncline.yaml`), `--json` and `--color WHEN`. With `--json`
standard output is one JSON object, `{\"syncline\": 1, \"command\": \"...\", ...}`; the number is
raised when a field changes its meaning or goes. What a command answers goes to standard output,
findings and errors go to standard error.

| Exit code | Meaning |
|---|---|
| 0 | all is well |
| 1 | the command failed: the message says what, where and what to do |
| 2 | the command line is wrong, a check found something, an answer was not taken, or a plan is \
not empty |
";

/// How wide the help is on the page.
const COLUMNS: usize = 100;

#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(Arguments {}: &Arguments, output: &Output) -> Result<Exit, Stop> {
    let page = page();
    output.line(page.trim_end());
    let mut fields = Map::new();
    fields.insert("reference".to_owned(), page.into());
    output.answer("reference", fields);
    Ok(Exit::Well)
}

/// The page.
fn page() -> String {
    let mut page = BEGINNING.to_owned();
    let mut root = Cli::command().term_width(COLUMNS).disable_help_subcommand(true);
    root.build();
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(&mut page, command, &format!("syncline {}", command.get_name()), 2);
    }
    page
}

/// A command, and those below it.
fn section(page: &mut String, command: &Command, name: &str, depth: usize) {
    let global = ["config", "json", "color", "help"];
    let mut shown = command.clone();
    for argument in global {
        if shown.get_arguments().any(|known| known.get_id() == argument) {
            shown = shown.mut_arg(argument, |argument| argument.hide(true));
        }
    }
    let help = shown.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a text cannot fail.
    let _ = write!(page, "\n{} {name}\n\n```text\n{}\n```\n", "#".repeat(depth), lines.join("\n"));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        section(page, below, &format!("{name} {}", below.get_name()), depth + 1);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_docs_is_as_the_commands_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == super::page(), "run `syncline reference > docs/commands.md`");
    }
}
