//! The checks in their order, and the runs of them.

use super::{
    Check, Fixture, Report, Session, Stop, changes, deletes, feed, order, reads, receipts, schema,
    settlement, values, writes,
};

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
