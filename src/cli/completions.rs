//! `syncline completions`

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};
use serde_json::Map;

use super::{Cli, Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline completions bash > ~/.local/share/bash-completion/completions/syncline
  syncline completions zsh > ~/.zfunc/_syncline        with fpath+=~/.zfunc before compinit
  syncline completions fish > ~/.config/fish/completions/syncline.fish";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Cli::command(), "syncline", &mut script);
    let script = String::from_utf8_lossy(&script);
    output.line(script.trim_end());
    let mut fields = Map::new();
    fields.insert("shell".to_owned(), arguments.shell.to_string().into());
    fields.insert("script".to_owned(), script.into());
    output.answer("completions", fields);
    Ok(Exit::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_a_script_that_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            generate(shell, &mut Cli::command(), "syncline", &mut script);
            let script = String::from_utf8(script).unwrap();
            for word in ["conflicts", "resolve", "watch", "simulate"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
