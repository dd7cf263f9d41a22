//! Errors of a statement, with the statement quoted and a caret under the place.

use std::borrow::Cow;

/// Why a statement is refused: code and message as the API shows them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryError {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

/// An error at a character of the statement; the statement is added by [`Located::quote`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Located {
    pub(crate) code: &'static str,
    pub(crate) at: usize,
    pub(crate) text: String,
}

impl Located {
    pub(crate) fn new(code: &'static str, at: usize, text: impl Into<String>) -> Self {
        Self { code, at, text: text.into() }
    }

    pub(crate) fn malformed(at: usize, text: impl Into<String>) -> Self {
        Self::new("MALFORMED_QUERY", at, text)
    }

    pub(crate) fn unexpected(at: usize, token: &str) -> Self {
        Self::malformed(at, format!("unexpected token: {token}"))
    }

    /// Recorded form: an empty line, the line of the statement, the caret, the place, the text.
    pub(crate) fn quote(self, statement: &str) -> QueryError {
        let chars: Vec<char> = statement.chars().collect();
        let at = self.at.min(chars.len());
        let before = chars.get(..at).unwrap_or_default();
        let row = before.iter().filter(|c| **c == '\n').count();
        let start = before.iter().rposition(|c| *c == '\n').map_or(0, |newline| newline + 1);
        let column = at - start;
        let line: String = chars.iter().skip(start).take_while(|c| **c != '\n').collect();
        let message = format!(
            "\n{line}\n{}^\nERROR at Row:{}:Column:{}\n{}",
            " ".repeat(column),
            row + 1,
            column + 1,
            self.text
        );
        QueryError { code: Cow::Borrowed(self.code), message }
    }
}
