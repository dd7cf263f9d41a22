//! One run from a seed to its verdict.

use crate::checker::{Violation, judge};
use crate::choices::{Choices, Steps};
use crate::coverage::Coverage;
use crate::plan::Plan;
use crate::world::World;

/// What is wanted of a run.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The seed.
    pub seed: u64,
    /// The profiles of both systems; empty text leaves it to the seed.
    pub profiles: [String; 2],
    /// Whether the trace is kept.
    pub traced: bool,
    /// Whether people may make the same record on both sides one after the other. Seeds noted
    /// before they could play as they did then without it.
    pub twins: bool,
    /// Whether the rules of fields beyond direction and owner are played. Seeds noted before they
    /// were play as they did then without it.
    pub rules: bool,
    /// Whether sweeps may run. Seeds noted before they could play as they did then without it.
    pub sweeps: bool,
    /// Whether counters and sets may be played. Seeds noted before they could play as they did
    /// then without it.
    pub merges: bool,
    /// Whether a mapping may be changed between two processes. Seeds noted before it could play as
    /// they did then without it.
    pub changes: bool,
    /// Whether processes may only observe. Seeds noted before they could play as they did then
    /// without it.
    pub modes: bool,
    /// Whether histories may be asked, and systems be without conditional writes. Seeds noted
    /// before that could be play as they did then without it.
    pub histories: bool,
    /// Whether mappings may have filters. Seeds noted before that could be play as they did then
    /// without it.
    pub filters: bool,
    /// Steps to be played instead of those of the seed.
    pub steps: Option<Steps>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What was violated, the gravest first; empty when nothing was.
    pub violations: Vec<Violation>,
    /// How often what happened.
    pub coverage: Coverage,
    /// What was chosen.
    pub steps: Steps,
    /// The trace, where it was kept.
    pub trace: Vec<String>,
    /// A number that equal traces share.
    pub hash: u64,
    /// The systems and the mapping, in words.
    pub plan: String,
}

/// Plays a run and judges it.
#[must_use]
pub fn run(wanted: &Wanted) -> Outcome {
    let plan = Plan::drawn(wanted.seed, &wanted.profiles);
    let plan = if wanted.twins { plan.with_twins(wanted.seed) } else { plan };
    let plan = if wanted.rules { plan.with_rules(wanted.seed) } else { plan };
    let plan = if wanted.sweeps { plan.with_sweeps(wanted.seed) } else { plan };
    let plan = if wanted.merges { plan.with_merges(wanted.seed) } else { plan };
    let plan = if wanted.changes { plan.with_changes(wanted.seed) } else { plan };
    let plan = if wanted.modes { plan.with_modes(wanted.seed) } else { plan };
    let plan = if wanted.histories { plan.with_histories(wanted.seed) } else { plan };
    let plan = if wanted.filters { plan.with_filters(wanted.seed) } else { plan };
    let words = words(&plan);
    let choices = match &wanted.steps {
        Some(steps) => Choices::listed(steps.clone()),
        None => Choices::seeded(wanted.seed),
    };
    let mut world = World::new(plan, choices, wanted.traced);
    let violations = match world.play() {
        Ok(()) => judge(&world),
        Err((invariant, what)) => vec![Violation { invariant, what }],
    };
    if wanted.traced {
        tell_end(&world);
    }
    let inner = world.desk.lock();
    Outcome {
        violations,
        coverage: inner.coverage.clone(),
        steps: inner.choices.taken().clone(),
        trace: inner.trace.lines().to_vec(),
        hash: inner.trace.hash(),
        plan: words,
    }
}

fn words(plan: &Plan) -> String {
    format!(
        "{} and {}; link ids {:?}, matches {}, unique {:?}, create {:?}, delete {:?}, initial \
         {:?}, children {}, fields {:?}, grouped {}, automation {:?}, twins {}, sweeps {}, \
         merges {}, changes {}, modes {}, histories {}, filter {:?}",
        plan.profiles[0].name,
        plan.profiles[1].name,
        plan.external_id,
        plan.matches,
        plan.unique_code,
        plan.create,
        plan.delete,
        plan.initial,
        plan.children,
        plan.fields,
        plan.grouped,
        plan.automation,
        plan.twins,
        plan.sweeps,
        plan.merges,
        plan.changes,
        plan.modes,
        plan.histories,
        plan.filter
    )
}

/// The journal and the queue, at the end of a trace.
fn tell_end(world: &World) {
    for entry in world.ledger.entries() {
        world.desk.tell(|| format!("journal {} {entry:?}", entry.id));
    }
    for review in world.ledger.all_reviews() {
        world.desk.tell(|| format!("question {review:?}"));
    }
    for link in world.ledger.links() {
        world.desk.tell(|| format!("link {link:?}"));
    }
    for side in syncline_core::Side::BOTH {
        for (line, step) in world.systems[side].history().iter().zip(&world.order.steps[side]) {
            let (key, event, actor, origin) = (&line.key, &line.event, &line.actor, &line.origin);
            let origin = origin.as_ref().map(|origin| origin.intent.to_string());
            world.desk.tell(|| {
                format!(
                    "{side} history step {step} #{} {key} {event:?} by {:?} {origin:?}",
                    line.sequence, actor.id
                )
            });
        }
        for write in world.systems[side].writes() {
            world.desk.tell(|| {
                format!(
                    "{side} write {} {} {:?} {:?} -> {}",
                    write.intent, write.verb, write.key, write.values, write.effect
                )
            });
        }
    }
}
