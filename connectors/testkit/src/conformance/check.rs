//! One promise as a check, and how it ends.

use futures_util::future::BoxFuture;
use syncline_sdk::Capabilities;

use super::Session;

/// Why a check ended early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The promise is broken.
    #[error("{0}")]
    Broken(String),
    /// The fixture cannot play what the check needs.
    #[error("skipped: {0}")]
    Skipped(&'static str),
    /// The connector failed where it may not.
    #[error("the connector failed: {0}")]
    Failed(#[from] syncline_sdk::Error),
}

/// How a check ended.
pub(super) type Outcome = Result<(), Stop>;

/// One promise.
pub struct Check {
    /// Its name, a sentence with underscores.
    pub name: &'static str,
    pub(super) needs: fn(&Capabilities) -> bool,
    pub(super) run: for<'a> fn(&'a Session<'a>) -> BoxFuture<'a, Outcome>,
}

/// Checks of the module it is used in, with what they need.
macro_rules! list {
    ($needs:expr; $($name:ident),+ $(,)?) => {
        vec![$(Check {
            name: stringify!($name),
            needs: $needs,
            run: |session| Box::pin($name(session)),
        }),+]
    };
}

/// Ends a check as broken unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Stop::Broken(format!($($text)+)));
        }
    };
}

pub(super) use {ensure, list};
