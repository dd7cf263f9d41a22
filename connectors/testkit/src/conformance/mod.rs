//! The connector conformance suite: the promises of [`syncline_sdk::Connector`] as checks.
//!
//! A connector crate runs it from its tests:
//!
//! 1. Implement [`Fixture`] for one entity of a real (or simulated) system: a connector, the
//!    selection, and the hands of a person who works in that system *not* through the connector.
//!    The entity has at least two free text fields ([`Fixture::texts`]); its external-id and
//!    marker fields stand in the selection where the system has them. The system may already
//!    hold records of other entities; records of this one do no harm.
//! 2. Call [`run`] with it under the crate's own executor and [`Report::expect_held`] on the
//!    result. Every check makes its own records, so one fixture serves the whole suite; call
//!    [`run_only`] to run one check by name.
//!
//! A check runs when the *effective* capabilities of the selection promise what it checks, and
//! is skipped otherwise, or when the fixture cannot play what it needs. The skipped ones are in
//! the report with the reason: a test states how many it expects to hold, so that a suite that
//! skips everything fails.

mod changes;
mod deletes;
mod feed;
mod fixture;
mod order;
mod reads;
mod receipts;
mod schema;
mod session;
mod settlement;
mod values;
mod writes;

use futures_util::future::BoxFuture;
use syncline_sdk::Capabilities;

pub use fixture::Fixture;
pub use session::Session;

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

type Outcome = Result<(), Stop>;

/// One promise.
pub struct Check {
    /// Its name, a sentence with underscores.
    pub name: &'static str,
    needs: fn(&Capabilities) -> bool,
    run: for<'a> fn(&'a Session<'a>) -> BoxFuture<'a, Outcome>,
}

/// What a run of the suite found.
#[derive(Debug, Default)]
pub struct Report {
    /// The checks that held.
    pub held: Vec<&'static str>,
    /// The checks that did not apply, with the reason.
    pub skipped: Vec<(&'static str, &'static str)>,
    /// The checks that did not hold, with what was found.
    pub broken: Vec<(&'static str, String)>,
}

impl Report {
    /// Fails the test unless every check held or did not apply, and at least so many held.
    ///
    /// # Panics
    /// With all that was found broken.
    pub fn expect_held(&self, least: usize) {
        let broken: Vec<String> =
            self.broken.iter().map(|(name, found)| format!("  {name}: {found}")).collect();
        assert!(
            broken.is_empty(),
            "promises of the connector contract are broken:\n{}",
            broken.join("\n")
        );
        assert!(
            self.held.len() >= least,
            "only {} checks held, {least} expected; skipped: {:?}",
            self.held.len(),
            self.skipped
        );
    }
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

/// All checks, in the order in which they run.
#[must_use]
pub fn checks() -> Vec<Check> {
    let lists = [
        schema::checks(),
        reads::checks(),
        values::checks(),
        writes::checks(),
        receipts::checks(),
        settlement::checks(),
        deletes::checks(),
        order::checks(),
        changes::checks(),
        feed::checks(),
    ];
    lists.into_iter().flatten().collect()
}

/// Runs all checks one after the other.
pub async fn run(fixture: &dyn Fixture) -> Report {
    run_where(fixture, |_| true).await
}

/// Runs the checks of this name.
pub async fn run_only(fixture: &dyn Fixture, name: &str) -> Report {
    run_where(fixture, |check| check.name == name).await
}

async fn run_where(fixture: &dyn Fixture, wanted: impl Fn(&Check) -> bool) -> Report {
    let session = Session::new(fixture);
    let effective = session.effective();
    let mut report = Report::default();
    for check in checks().iter().filter(|check| wanted(check)) {
        if !(check.needs)(&effective) {
            report.skipped.push((check.name, "the capabilities do not promise it"));
            continue;
        }
        match (check.run)(&session).await {
            Ok(()) => report.held.push(check.name),
            Err(Stop::Skipped(why)) => report.skipped.push((check.name, why)),
            Err(found) => report.broken.push((check.name, found.to_string())),
        }
    }
    report
}

/// Ends a check as broken unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Stop::Broken(format!($($text)+)));
        }
    };
}

pub(crate) use {ensure, list};
