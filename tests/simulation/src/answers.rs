//! People at the review queue.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::model::{Choice, Review, ReviewKind, ReviewStatus};
use syncline_ledger::memory::Memory;
use syncline_ledger::{Answered, NewAnswer, People as _};
use syncline_sdk::{Instant, Value};
use syncline_testkit::complete;

use crate::desk::Desk;
use crate::plan::Plan;

/// Tokens of typed answers begin here.
pub const TYPED: u32 = 900;

/// The people at the queue, and what they did.
#[derive(Default)]
pub struct Answers {
    /// Who answered what: the name used, with the question.
    pub given: Vec<(String, Review, Choice)>,
    seen: BTreeMap<i64, Review>,
    last: u32,
}

impl Answers {
    /// Somebody answers a question, as it is or as it was when they looked.
    pub fn act(&mut self, plan: &Plan, desk: &Desk, ledger: &Memory) {
        let open = open(ledger);
        let Some(now) = desk.lock().choices.one_of(&open).cloned() else { return };
        let stale = desk.lock().choices.chance(250);
        let looked = self.seen.insert(now.id, now.clone());
        let shown = looked.filter(|_| stale).unwrap_or(now);
        self.answer(plan, desk, ledger, &shown);
        if desk.lock().choices.chance(200) {
            // A second person answers what both of them saw.
            self.answer(plan, desk, ledger, &shown);
        }
    }

    /// The first open question is answered by taking a side.
    pub fn answer_one(&mut self, plan: &Plan, desk: &Desk, ledger: &Memory) {
        if let Some(review) = open(ledger).into_iter().next() {
            self.answer(plan, desk, ledger, &review);
        }
    }

    fn answer(&mut self, _plan: &Plan, desk: &Desk, ledger: &Memory, shown: &Review) {
        let choice = self.choose(desk, shown);
        self.last += 1;
        let by = format!("p{}", self.last);
        let answer = NewAnswer {
            id: shown.id,
            revision: shown.revision,
            choice: choice.clone(),
            by: by.clone(),
            at: Instant::from_micros(desk.lock().now),
            hints: Vec::new(),
        };
        let answered = complete(ledger.answer(&answer));
        desk.tell(|| {
            let (id, revision) = (shown.id, shown.revision);
            format!("{by} answers {id}@{revision} {:?}: {choice:?} -> {answered:?}", shown.kind)
        });
        match answered {
            Ok(Answered::Taken) => {
                desk.hit(match choice {
                    Choice::Take(_) => "answer: take",
                    Choice::Typed(_) => "answer: typed",
                    _ => "answer: other",
                });
                self.given.push((by, shown.clone(), choice));
            }
            Ok(Answered::Moved(now)) if now.revision == shown.revision => {
                desk.hit("answer: second refused");
            }
            _ => desk.hit("answer: stale revision refused"),
        }
    }

    fn choose(&mut self, desk: &Desk, review: &Review) -> Choice {
        let mut inner = desk.lock();
        let side = if inner.choices.below(2) == 1 { Side::Right } else { Side::Left };
        match &review.kind {
            ReviewKind::Conflict | ReviewKind::Initial | ReviewKind::Anew
                if review.shown.left.values.len() == 1 =>
            {
                match inner.choices.below(6) {
                    4 => {
                        self.last += 1;
                        Choice::Typed(vec![Value::from(format!("e{}", TYPED + self.last))])
                    }
                    // The old base again, or one side's value by hand.
                    5 => {
                        let values = match inner.choices.below(3) {
                            0 => &review.shown.left.base,
                            1 => &review.shown.left.values,
                            _ => &review.shown.right.values,
                        };
                        let values: Vec<Value> =
                            values.iter().filter(|value| value.is_present()).cloned().collect();
                        if values.len() == 1 { Choice::Typed(values) } else { Choice::Take(side) }
                    }
                    _ => Choice::Take(side),
                }
            }
            ReviewKind::Ambiguous(keys) => match keys.first() {
                Some(key) if inner.choices.chance(400) => Choice::Adopt(key.clone()),
                _ => Choice::Separate,
            },
            ReviewKind::Merged(_, key) => match key {
                Some(key) if inner.choices.chance(400) => Choice::Adopt(key.clone()),
                _ => Choice::Separate,
            },
            ReviewKind::Leave(_) if inner.choices.chance(500) => Choice::Separate,
            ReviewKind::NoImage(..) | ReviewKind::Oscillation => Choice::Retry,
            _ => Choice::Take(side),
        }
    }
}

fn open(ledger: &Memory) -> Vec<Review> {
    let reviews = ledger.all_reviews().into_iter();
    reviews.filter(|review| review.status == ReviewStatus::Open).collect()
}
