//! Shrinking: a smaller run with the same violation.

use crate::choices::Steps;
use crate::run::{Outcome, Wanted, run};

/// The most runs that shrinking may take.
const RUNS_MAX: u32 = 3_000;

/// Leaves out steps, then lowers numbers, as long as the same invariant is violated.
#[must_use]
pub fn shrink(wanted: &Wanted, failed: &Outcome) -> (Wanted, Outcome) {
    let Some(invariant) = failed.violations.first().map(|found| found.invariant) else {
        return (wanted.clone(), run(wanted));
    };
    let mut best = failed.steps.clone();
    let mut runs = 0;
    let mut fails = |steps: &Steps| {
        runs += 1;
        let tried = Wanted { steps: Some(steps.clone()), traced: false, ..wanted.clone() };

        runs <= RUNS_MAX
            && run(&tried).violations.first().is_some_and(|found| found.invariant == invariant)
    };
    let mut size = (best.len() / 2).max(1);
    loop {
        let mut at = best.len();
        let mut shorter = false;
        while at > 1 {
            let from = at.saturating_sub(size).max(1);
            let mut tried = best.clone();
            tried.drain(from..at);
            if fails(&tried) {
                best = tried;
                shorter = true;
            }
            at = from;
        }
        if size == 1 && !shorter {
            break;
        }
        size = (size / 2).max(1);
    }
    for step in 0..best.len() {
        for place in 0..best[step].len() {
            if best[step][place] == 0 {
                continue;
            }
            let mut tried = best.clone();
            tried[step][place] = 0;
            if fails(&tried) {
                best = tried;
            }
        }
    }
    let smallest = Wanted { steps: Some(best), traced: true, ..wanted.clone() };
    let outcome = run(&smallest);
    (smallest, outcome)
}
