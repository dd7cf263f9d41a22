//! What a command says: lines for people, or one JSON object.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde_json::{Map, Value};
use syncline_core::mapping::language::{Diagnostics, Severity};

use super::{Exit, Stop};
use crate::settings::{Environment, ProcessEnvironment};
use crate::stop::chain;

/// The version of the JSON shape: raised when a field changes its meaning or goes, not when one
/// is added.
const JSON_VERSION: u32 = 1;

/// When colours are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a command says what it has to say. Answers go to standard output, findings and errors
/// to standard error; with `--json` everything is one object on standard output.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    colour: bool,
}

impl Output {
    /// The output that the command line asks for.
    #[must_use]
    pub fn new(json: bool, colour: Colour) -> Self {
        let unwanted =
            || ProcessEnvironment.variable("NO_COLOR").is_some_and(|set| !set.is_empty());
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => io::stderr().is_terminal() && !unwanted(),
        };
        Self { json, colour }
    }

    /// Whether one JSON object is asked for.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people; nothing with `--json`.
    pub fn line(&self, text: &str) {
        if !self.json {
            write(io::stdout().lock(), text);
        }
    }

    /// How far long work has come, in one line that the next one replaces; an empty one ends it.
    /// Only on a terminal, and nothing with `--json`.
    pub fn progress(&self, text: &str) {
        let mut to = io::stderr().lock();
        if !self.json && to.is_terminal() {
            let _ = write!(to, "\r\x1b[K{text}").and_then(|()| to.flush());
        }
    }

    /// Lines for people that take the place of those before: on a terminal the whole of it, else
    /// one after the other; nothing with `--json`.
    pub fn screen(&self, lines: &[String]) {
        if self.json {
            return;
        }
        let mut to = io::stdout().lock();
        let begin = if to.is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        let end = if to.is_terminal() { "" } else { "\n" };
        write(&mut to, &format!("{begin}{}{end}", lines.join("\n")));
    }

    /// What a person must do or know before the answer comes, on standard error; also with
    /// `--json`.
    pub fn notice(&self, text: &str) {
        write(io::stderr().lock(), text);
    }

    /// The answer of a command as JSON; nothing without `--json`.
    pub fn answer(&self, command: &str, fields: Map<String, Value>) {
        if self.json {
            let mut object = Map::new();
            object.insert("syncline".to_owned(), JSON_VERSION.into());
            object.insert("command".to_owned(), command.into());
            object.extend(fields);
            write(io::stdout().lock(), &Value::Object(object).to_string());
        }
    }

    /// What people should know beside the answer, on standard error, an empty line before it;
    /// nothing with `--json`.
    pub fn remarks(&self, lines: &[String]) {
        if !self.json && !lines.is_empty() {
            write(io::stderr().lock(), &format!("\n{}", lines.join("\n")));
        }
    }

    /// Findings for people, drawn as a compiler does; nothing with `--json`.
    pub fn findings(&self, found: &Diagnostics) {
        if !self.json && !found.is_empty() {
            write(io::stderr().lock(), &format!("{}\n", found.render(self.colour)));
        }
    }

    /// Reports why a command stopped.
    pub(super) fn stop(&self, stop: Stop) -> Exit {
        match stop {
            Stop::Found(found) => {
                self.findings(&found);
                if !self.json {
                    write(io::stderr().lock(), &counted(&found));
                }
                self.answer("error", findings_json(&found));
                Exit::Found
            }
            Stop::Failed(error) => {
                let message = chain(error.chain());
                if !self.json {
                    write(io::stderr().lock(), &format!("error: {message}"));
                }
                let mut fields = Map::new();
                fields.insert("error".to_owned(), message.into());
                self.answer("error", fields);
                Exit::Failed
            }
        }
    }
}

/// `findings`, with how many `errors` and `warnings` they are.
pub(super) fn findings_json(found: &Diagnostics) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("errors".to_owned(), found.count(Severity::Error).into());
    fields.insert("warnings".to_owned(), found.count(Severity::Warning).into());
    fields.insert("findings".to_owned(), found.to_json());
    fields
}

/// `2 errors, 1 warning`
pub(super) fn counted(found: &Diagnostics) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    let errors = count(found.count(Severity::Error), "error");
    format!("{errors}, {}", count(found.count(Severity::Warning), "warning"))
}

/// A reader that went away (`syncline ... | head`) is no error of ours.
fn write(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}
