//! `syncline reference`: the page of all commands, and manual pages, made of their own help.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use serde_json::Map;

use super::{Cli, Exit, Output, Stop};

const BEGINNING: &str = "\
# Commands

Made by `syncline reference` of what `--help` says; `syncline completions` makes completions for
bash, zsh and fish, and `syncline reference --man /usr/local/share/man/man1` manual pages of all
commands (`man syncline`, `man syncline-run`).

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

const EXAMPLES: &str = "\
Examples:
  syncline reference > docs/commands.md
  syncline reference --man | man -l -
  syncline reference --man /usr/local/share/man/man1     then `man syncline`, `man syncline-run`";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Make manual pages instead: of every command in this folder; that of `syncline` itself on
    /// standard output where none is named.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1)]
    man: Option<Option<PathBuf>>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Stop> {
    match &arguments.man {
        None => {}
        Some(None) => {
            let page = manual()?;
            output.line(page.trim_end());
            output.answer("reference", Map::from_iter([("manual".to_owned(), page.into())]));
            return Ok(Exit::Well);
        }
        Some(Some(folder)) => {
            let made = manuals(folder)?;
            let (count, folder) = (made.len(), folder.display());
            output.line(&format!("{count} manual pages are in {folder}; read `man syncline`"));
            output.answer("reference", Map::from_iter([("manuals".to_owned(), made.into())]));
            return Ok(Exit::Well);
        }
    }
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

/// The command line as manual pages tell it.
fn command() -> Command {
    Cli::command().disable_help_subcommand(true)
}

/// The manual page of `syncline` itself.
fn manual() -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command()).render(&mut page).context("the manual page")?;
    String::from_utf8(page).context("the manual page")
}

/// Makes the manual pages of all commands in a folder; gives the names of the files.
fn manuals(folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let mut root = command();
    root.build();
    let mut made = Vec::new();
    page_of(&root, "syncline", folder, &mut made)?;
    Ok(made)
}

fn page_of(
    command: &Command,
    name: &str,
    folder: &Path,
    made: &mut Vec<String>,
) -> anyhow::Result<()> {
    let file = format!("{name}.1");
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).context("a manual page")?;
    let path = folder.join(&file);
    std::fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))?;
    made.push(file);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        page_of(below, &format!("{name}-{}", below.get_name()), folder, made)?;
    }
    Ok(())
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
    fn every_command_has_a_manual_page() {
        let folder = std::env::temp_dir().join(format!("syncline-man-{}", std::process::id()));
        let made = super::manuals(&folder).unwrap();
        for page in ["syncline.1", "syncline-run.1", "syncline-conflicts-resolve.1"] {
            assert!(made.iter().any(|name| name == page), "{made:?}");
        }
        let page = std::fs::read_to_string(folder.join("syncline-report.1")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(page.contains("\\-\\-since") && page.contains(".SH"), "{page}");
        assert!(super::manual().unwrap().contains("syncline\\-run(1)"));
    }

    #[test]
    fn the_page_in_the_docs_is_as_the_commands_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == super::page(), "run `syncline reference > docs/commands.md`");
    }
}
