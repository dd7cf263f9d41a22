//! Why something is not answered.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use syncline_ledger::LedgerError;
use syncline_server::api::{Answered, Failure};

use crate::queue::questions::Missing;
use crate::stop::{Stop, told};

/// What a command would have stopped for.
pub(super) fn stopped(stop: Stop) -> Failure {
    match stop {
        Stop::Found(found) => {
            let one = |one: &syncline_core::mapping::language::Diagnostic| match &one.help {
                Some(help) => format!("{}; {help}", one.message),
                None => one.message.clone(),
            };
            Failure::Invalid(found.iter().map(one).collect::<Vec<_>>().join("; "))
        }
        Stop::Failed(error) => {
            if let Some(missing) = error.downcast_ref::<Missing>() {
                return Failure::NotFound(format!("there is no question {}", missing.id));
            }
            tracing::error!(error = told(&*error), "the API gave no answer");
            if let Some(ledger) = error.chain().find_map(|cause| cause.downcast_ref()) {
                return ledger_failed(ledger);
            }
            match error.chain().any(|cause| cause.is::<sqlx::Error>()) {
                true => unavailable(),
                false => Failure::Internal("the log tells more".to_owned()),
            }
        }
    }
}

/// The ledger failed.
pub(super) fn failed(error: LedgerError) -> Failure {
    tracing::error!(error = told(&error), "the API gave no answer");
    ledger_failed(&error)
}

fn ledger_failed(error: &LedgerError) -> Failure {
    match error {
        LedgerError::Unavailable { .. } => unavailable(),
        other => Failure::Internal(other.to_string()),
    }
}

/// It passes.
pub(super) fn unavailable() -> Failure {
    Failure::Unavailable("try again in a moment; `syncline status` tells more".to_owned())
}

/// What the command line tells, as the API describes it.
pub(super) fn as_described<T: DeserializeOwned>(told: Json) -> Answered<T> {
    serde_json::from_value(told).map_err(|error| {
        tracing::error!(%error, "an answer is not as the API describes it");
        Failure::Internal("an answer is not as the API describes it".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    fn of(error: anyhow::Error) -> Failure {
        stopped(Stop::Failed(error))
    }

    #[test]
    fn what_passes_is_told_from_what_is_broken_and_from_what_is_not_there() {
        let ledger = |error: LedgerError| anyhow::Error::new(error).context("the ledger");
        let timeout = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let passes = LedgerError::Unavailable { what: "x", source: timeout.into() };
        assert!(matches!(of(ledger(passes)), Failure::Unavailable(_)));
        let broken = LedgerError::Corrupt {
            table: "review",
            row: "7".to_owned(),
            reason: "body".to_owned(),
        };
        assert!(matches!(of(ledger(broken)), Failure::Internal(_)));
        let read: Result<(), _> = Err(sqlx::Error::PoolTimedOut).context("the ledger");
        assert!(matches!(of(read.unwrap_err()), Failure::Unavailable(_)));
        let missing = Missing { id: 7, list: "syncline conflicts list --config x".to_owned() };
        let told = Failure::NotFound("there is no question 7".to_owned());
        assert_eq!(of(missing.into()), told);
        assert!(matches!(of(anyhow!("anything else")), Failure::Internal(_)));
    }
}
