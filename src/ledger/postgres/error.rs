//! What the database's errors mean.

use crate::{LedgerError, Result};

/// An error that says nothing about the data.
pub(super) fn unavailable(what: &'static str, error: sqlx::Error) -> LedgerError {
    LedgerError::Unavailable { what, source: error.into() }
}

/// What an error met while doing something means.
pub(super) fn meaning(what: &'static str, error: sqlx::Error) -> LedgerError {
    let Some(code) = code(&error) else {
        return match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                LedgerError::Refused { what, reason: error.to_string(), source: Some(error.into()) }
            }
            error => unavailable(what, error),
        };
    };
    let comes_back = match code.as_str() {
        // Serialization failures and deadlocks, connections, shutdowns, cancelled statements.
        "53300" | "55P03" => true,
        code => ["40", "08", "57"].iter().any(|class| code.starts_with(class)),
    };
    if comes_back {
        unavailable(what, error)
    } else {
        LedgerError::Refused { what, reason: error.to_string(), source: Some(error.into()) }
    }
}

/// The database's own code for an error, where it answered at all.
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

/// Whether an error means that a row is not as it was loaded: a name that is taken by now, one
/// row named twice, a lock that another holds against us.
pub(super) fn is_moved(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("23505" | "21000" | "40P01" | "40001"))
}

/// Names what is being done for the errors of a statement.
pub(super) trait Meaning<T> {
    /// The result in the ledger's words.
    fn meaning(self, what: &'static str) -> Result<T>;
}

impl<T> Meaning<T> for std::result::Result<T, sqlx::Error> {
    fn meaning(self, what: &'static str) -> Result<T> {
        self.map_err(|error| meaning(what, error))
    }
}

/// A stored row that cannot be read.
pub(super) fn corrupt(
    table: &'static str,
    row: impl ToString,
    reason: impl ToString,
) -> LedgerError {
    LedgerError::Corrupt { table, row: row.to_string(), reason: reason.to_string() }
}
