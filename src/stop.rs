//! Why something did not get to its end, in words for people.

use syncline_core::mapping::language::{Diagnostic, Diagnostics};

/// Why a command did not get to its end.
#[derive(Debug)]
pub enum Stop {
    /// Its files are wrong.
    Found(Diagnostics),
    /// Something failed.
    Failed(anyhow::Error),
}

impl Stop {
    /// One finding without a place, with what to do.
    pub fn found(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Found(Diagnostic::error(message.into()).help(help.into()).into())
    }
}

impl From<Diagnostics> for Stop {
    fn from(found: Diagnostics) -> Self {
        Self::Found(found)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// An error and its causes in one line. Many an error repeats its cause in its own words: what
/// was told is not told again.
pub fn chain<'a>(
    causes: impl IntoIterator<Item = &'a (dyn std::error::Error + 'static)>,
) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in causes {
        let words = cause.to_string();
        if !told.iter().any(|told| told.contains(&words)) {
            told.push(words);
        }
    }
    told.join(": ")
}

/// An error and its causes in one line.
pub fn told(error: &(dyn std::error::Error + 'static)) -> String {
    chain(std::iter::successors(Some(error), |error| error.source()))
}
