//! The plan of a run: which systems, which mapping, what people do and what breaks, all drawn
//! from the seed. Each run enables some of the faults only, each at a rate of its own.

use syncline_core::Side;
use syncline_core::mapping::{DeleteRule, Direction, ForeignEdits, Initial, LeaveRule, Policy};
use syncline_sdk::Normalizer;
use syncline_testkit::{Profile, Save};

use crate::choices::Choices;

/// How often what breaks, in a thousand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// A call waits for the scheduler.
    pub hold: u32,
    /// A push does not reach the system.
    pub push_lost: u32,
    /// A push reaches the system later, or never.
    pub push_late: u32,
    /// A push reaches the system twice.
    pub push_twice: u32,
    /// A call is refused.
    pub refused: u32,
    /// The answer to a push is lost.
    pub answer_lost: u32,
    /// A read gets no answer.
    pub read_lost: u32,
    /// A commit's connection breaks.
    pub commit_lost: u32,
    /// A commit arrives later, or never.
    pub commit_late: u32,
    /// The ledger refuses a call.
    pub ledger_refuses: u32,
}

/// What may happen in a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// A held call goes on.
    Release,
    /// A process takes its turn.
    Turn,
    /// A process begins a job.
    Job,
    /// A process settles what is unknown.
    Settle,
    /// Time passes.
    Time,
    /// Somebody does something.
    People,
    /// Somebody answers a question.
    Answer,
    /// A copy under way arrives, or is lost.
    Copy,
    /// A delayed commit lands.
    Commit,
    /// A process dies and another starts.
    Crash,
    /// A second process starts beside the first.
    Second,
    /// A process renews its lease.
    Renew,
    /// A standing trouble begins or ends.
    Trouble,
    /// A transaction of a person ends.
    EndTransaction,
    /// A feed is cut.
    Cut,
    /// A stream is lost.
    LoseStream,
    /// An entity is truncated.
    Truncate,
}

/// All actions, the harmless first.
pub const ACTIONS: [Action; 17] = [
    Action::Release,
    Action::Turn,
    Action::Job,
    Action::Settle,
    Action::Time,
    Action::People,
    Action::Answer,
    Action::Copy,
    Action::Commit,
    Action::Crash,
    Action::Second,
    Action::Renew,
    Action::Trouble,
    Action::EndTransaction,
    Action::Cut,
    Action::LoseStream,
    Action::Truncate,
];

/// How people work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Habits {
    /// One field of a record.
    pub edit: u32,
    /// Several fields at once.
    pub form: u32,
    /// An earlier value again.
    pub restore: u32,
    /// An empty field.
    pub clear: u32,
    /// The same field of both records of a pair, in one moment.
    pub both: u32,
    /// A new record.
    pub create: u32,
    /// A record of one business key on both sides, in one moment.
    pub create_both: u32,
    /// A record is deleted.
    pub delete: u32,
    /// A deleted record comes back.
    pub undelete: u32,
    /// A record is merged into another.
    pub merge: u32,
    /// A record is locked for a while.
    pub lock: u32,
    /// An edit in a transaction that commits later.
    pub begin: u32,
    /// A child is given another parent.
    pub adopt: u32,
    /// A record leaves the filter of the mapping, or comes back into it.
    pub leave: u32,
}

/// A field of the mapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldPlan {
    /// Which way edits travel.
    pub direction: Direction,
    /// What decides conflicts.
    pub conflict: Policy,
    /// What becomes of edits on the side that does not lead it.
    pub foreign: ForeignEdits,
    /// What each side does on save.
    pub saves: [Option<Save>; 2],
}

/// An automation of a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AutomationPlan {
    /// The side.
    pub side: Side,
    /// Whether it changes the very field that set it off.
    pub same_field: bool,
    /// Whether it comes after the transaction, by a person's edit of the first field.
    pub later: bool,
}

/// A filter of the records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilterPlan {
    /// Which sides have it.
    pub sides: [bool; 2],
    /// Whether the field that it reads is one of those that are kept in agreement.
    pub mapped: bool,
    /// What becomes of a pair of which a record leaves it.
    pub leave: LeaveRule,
}

/// The plan of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The two systems.
    pub profiles: [Profile; 2],
    /// Whether each keeps the link id.
    pub external_id: [bool; 2],
    /// Whether each keeps the business key unique.
    pub unique_code: [bool; 2],
    /// The fields beside the business key.
    pub fields: Vec<FieldPlan>,
    /// Whether the first two fields are agreed together.
    pub grouped: bool,
    /// Whether records find each other by their business key.
    pub matches: bool,
    /// Whether both sides get missing records.
    pub create: [bool; 2],
    /// What a deletion on each side does.
    pub delete: [DeleteRule; 2],
    /// What becomes of pairs that differ at first.
    pub initial: Initial,
    /// Whether there are children that refer to the records.
    pub children: bool,
    /// Records that are there before the engine starts, per side.
    pub seeded: [u32; 2],
    /// What an automation does.
    pub automation: Option<AutomationPlan>,
    /// What people do.
    pub habits: Habits,
    /// How many things people do.
    pub operations: u32,
    /// How often each action is taken.
    pub weights: [u32; ACTIONS.len()],
    /// What breaks.
    pub rates: Rates,
    /// Whether every question is answered before the end.
    pub answered_at_the_end: bool,
    /// How often, in a thousand, the second record of a business key is made later than the first,
    /// by somebody who does not see one on that side yet.
    pub twins: u32,
    /// Whether sweeps run.
    pub sweeps: bool,
    /// Whether records have a set, and a counter where they can ([`Plan::counts`]), of which both
    /// sides' changes are kept.
    pub merges: bool,
    /// Whether a mapping may be changed between two processes.
    pub changes: bool,
    /// Whether every second process has its mappings observe and write nothing.
    pub modes: bool,
    /// Whether the histories of systems are asked what writes replaced unseen.
    pub histories: bool,
    /// The filter of the records, if there is one.
    pub filter: Option<FilterPlan>,
}

/// The names of the profiles that runs may use.
pub const PROFILES: [&str; 4] = ["postgres", "postgres_stream", "versioned", "crm"];

/// The profile of a name.
#[must_use]
pub fn profile(name: &str) -> Option<Profile> {
    Profile::all().into_iter().find(|profile| profile.name == name)
}

impl Plan {
    /// A plan drawn from a seed. `profiles` restricts the systems.
    #[must_use]
    pub fn drawn(seed: u64, profiles: &[String; 2]) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x5eed_0000_0000_0000);
        let profiles = [0, 1].map(|side| {
            let drawn = PROFILES[choices.below(4) as usize];
            let name = if profiles[side].is_empty() { drawn } else { &profiles[side] };
            profile(name).unwrap_or_else(Profile::postgres)
        });
        let polled = [0, 1].map(|side| profiles[side].capabilities.recycle_bin.is_some());
        let external_id = [0, 1].map(|side| polled[side] || choices.chance(400));
        let matches = !choices.chance(200);
        let fields = (0..=choices.below(3)).map(|_| field(&mut choices)).collect();
        let calm = choices.chance(100);
        let some = |choices: &mut Choices, most: u32| {
            if !calm && choices.chance(450) { 1 + choices.below(most) } else { 0 }
        };
        let rates = Rates {
            hold: 50 + choices.below(500),
            push_lost: some(&mut choices, 200),
            push_late: some(&mut choices, 200),
            push_twice: some(&mut choices, 150),
            refused: some(&mut choices, 60),
            answer_lost: some(&mut choices, 250),
            read_lost: some(&mut choices, 60),
            commit_lost: some(&mut choices, 120),
            commit_late: some(&mut choices, 80),
            ledger_refuses: some(&mut choices, 40),
        };
        let habits = habits(&mut choices, &polled);
        let weights = weights(&mut choices, calm);
        let rule = |choices: &mut Choices| match choices.below(6) {
            4 => DeleteRule::Review,
            5 => DeleteRule::Keep,
            _ => DeleteRule::Propagate,
        };
        Self {
            profiles,
            external_id,
            unique_code: [0, 1].map(|_| matches && choices.chance(250)),
            fields,
            grouped: false,
            matches,
            create: if choices.chance(150) { [choices.chance(500), true] } else { [true, true] },
            delete: [rule(&mut choices), rule(&mut choices)],
            initial: match choices.below(6) {
                3 => Initial::Wins(Side::Left),
                4 => Initial::Fill,
                5 => Initial::Newest,
                _ => Initial::Review,
            },
            children: choices.chance(250),
            seeded: [choices.below(3), choices.below(3)],
            automation: choices.chance(200).then(|| AutomationPlan {
                side: if choices.chance(500) { Side::Right } else { Side::Left },
                same_field: choices.chance(300),
                later: choices.chance(400),
            }),
            habits,
            operations: 5 + choices.below(26),
            weights,
            rates,
            answered_at_the_end: choices.chance(400),
            twins: 0,
            sweeps: false,
            merges: false,
            changes: false,
            modes: false,
            histories: false,
            filter: None,
        }
    }
}

fn field(choices: &mut Choices) -> FieldPlan {
    let direction = match choices.below(8) {
        6 => Direction::ToRight,
        7 => Direction::ToLeft,
        _ => Direction::Both,
    };
    let conflict = match choices.below(5) {
        3 => Policy::Wins(Side::Left),
        4 => Policy::Wins(Side::Right),
        _ => Policy::Review,
    };
    let save = |choices: &mut Choices| match choices.below(12) {
        8 => Some(Save::Declared(Normalizer::Trim)),
        9 => Some(Save::Declared(Normalizer::Lowercase)),
        10 => Some(Save::Hidden(Normalizer::Trim)),
        11 => Some(Save::Hidden(Normalizer::Lowercase)),
        _ => None,
    };
    let foreign = ForeignEdits::Keep;
    FieldPlan { direction, conflict, foreign, saves: [save(choices), save(choices)] }
}

fn habits(choices: &mut Choices, polled: &[bool; 2]) -> Habits {
    let mut some = |most: u32, of: u32| {
        if choices.chance(of) { 1 + choices.below(most) } else { 0 }
    };
    let deletes = some(20, 400);
    Habits {
        edit: 30,
        form: some(20, 500),
        restore: some(20, 500),
        clear: some(10, 400),
        both: some(30, 500),
        create: 4,
        create_both: some(20, 400),
        delete: deletes,
        undelete: if deletes > 0 && (polled[0] || polled[1]) { some(20, 700) } else { 0 },
        merge: if polled[0] || polled[1] { some(6, 200) } else { 0 },
        lock: some(6, 300),
        begin: some(10, 300),
        adopt: 6,
        leave: 0,
    }
}

fn weights(choices: &mut Choices, calm: bool) -> [u32; ACTIONS.len()] {
    let mut some = |most: u32, of: u32| {
        if !calm && choices.chance(of) { 1 + choices.below(most) } else { 0 }
    };
    ACTIONS.map(|action| match action {
        Action::Release => 60,
        Action::Turn | Action::Job => 40,
        Action::Settle => 8,
        Action::Time => 20,
        Action::People => 20,
        Action::Answer => 8,
        Action::Copy => 12,
        Action::Commit => 6,
        Action::Crash => some(4, 500),
        Action::Second => some(2, 250),
        Action::Renew => 3,
        Action::Trouble => some(4, 300),
        Action::EndTransaction => 8,
        Action::Cut => some(4, 300),
        Action::LoseStream => some(1, 80),
        Action::Truncate => some(1, 60),
    })
}
