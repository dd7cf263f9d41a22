//! Why something is not answered.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use syncline_ledger::LedgerError;
use syncline_server::api::{Answered, Failure};

use crate::cli::{Stop, told};

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
            let ledger = |cause: &(dyn std::error::Error + 'static)| {
                cause.is::<LedgerError>() || cause.is::<sqlx::Error>()
            };
            if error.chain().any(ledger) {
                tracing::error!(error = told(&*error), "the API gave no answer");
                return unavailable();
            }
            Failure::NotFound(error.to_string())
        }
    }
}

/// The ledger failed.
pub(super) fn failed(error: LedgerError) -> Failure {
    tracing::error!(error = told(&error), "the API gave no answer");
    match error {
        LedgerError::Unavailable { .. } => unavailable(),
        other => Failure::Internal(other.to_string()),
    }
}

fn unavailable() -> Failure {
    Failure::Unavailable("try again in a moment; `syncline status` tells more".to_owned())
}

/// What the command line tells, as the API describes it.
pub(super) fn as_described<T: DeserializeOwned>(told: Json) -> Answered<T> {
    serde_json::from_value(told).map_err(|error| {
        tracing::error!(%error, "an answer is not as the API describes it");
        Failure::Internal("an answer is not as the API describes it".to_owned())
    })
}
