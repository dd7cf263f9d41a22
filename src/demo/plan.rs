//! What people will do: drawn from the seed before anybody does it.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use syncline_core::Side;

use super::seeds::{ACCOUNTS, CONTACTS};
use super::world::Kind;

/// Edits of single records in one act.
const EDITS: usize = 2_000;
/// Edits of one field from both sides at once.
const RACES: usize = 50;
/// Deletions on one side while the other is edited.
const DELETE_RACES: usize = 20;
/// Deletions that nobody is in the way of.
const DELETIONS: usize = 20;
/// Records made, on either side.
const CREATES: usize = 60;
/// Records of one business key made on both sides at once.
const TWINS: usize = 10;
/// Edits taken back at once.
const UNDOS: usize = 20;
/// How often the engine is killed.
const KILLS: u32 = 4;
/// How long an act takes.
pub(super) const ACT: Duration = Duration::from_secs(60);

/// Something that somebody does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// Edits fields of a record, in one save.
    Edit {
        /// Where.
        side: Side,
        /// The record's place among those of its kind.
        at: usize,
        /// The fields.
        fields: Vec<usize>,
    },
    /// Edits a field and takes it back.
    Undo {
        /// Where.
        side: Side,
        /// The record.
        at: usize,
        /// The field.
        field: usize,
    },
    /// Two people edit the same field on both sides, each having read it before the other wrote.
    Race {
        /// The record.
        at: usize,
        /// The field.
        field: usize,
    },
    /// One deletes a record while the other edits it.
    DeleteRace {
        /// Where it is deleted.
        side: Side,
        /// The record.
        at: usize,
        /// The field that is edited on the other side.
        field: usize,
    },
    /// Deletes a record.
    Delete {
        /// Where.
        side: Side,
        /// The record.
        at: usize,
    },
    /// Makes a record, which belongs to an account if it is a contact.
    Create {
        /// Where.
        side: Side,
        /// The number of its business key.
        number: usize,
        /// The account's place.
        parent: usize,
    },
    /// Makes a record of one business key on both sides.
    Twins {
        /// The number of its business key.
        number: usize,
        /// The account's place.
        parent: usize,
    },
}

/// A deed with its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// When, from the beginning of the act.
    pub at: Duration,
    /// What the record is.
    pub kind: Kind,
    /// What is done.
    pub deed: Deed,
}

/// One act.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Plan {
    /// What people do, in order.
    pub steps: Vec<Step>,
    /// When the engine is killed.
    pub kills: Vec<Duration>,
}

impl Plan {
    /// The act of a seed. Acts of one demo differ by their number.
    pub fn draw(seed: u64, act: usize) -> Self {
        let number = u64::try_from(act).unwrap_or_default();
        let mut draw = Draw { rng: StdRng::seed_from_u64(seed.wrapping_add(number << 32)) };
        let mut steps = Vec::new();
        let mut add = |draw: &mut Draw, times: usize, make: &mut dyn FnMut(&mut Draw) -> _| {
            for _ in 0..times {
                let (kind, deed) = make(draw);
                steps.push(Step { at: draw.instant(), kind, deed });
            }
        };
        add(&mut draw, EDITS, &mut Draw::edit);
        add(&mut draw, UNDOS, &mut Draw::undo);
        add(&mut draw, RACES, &mut Draw::race);
        let gone = draw.contacts(DELETE_RACES + DELETIONS);
        let mut gone = gone.into_iter();
        add(&mut draw, DELETE_RACES, &mut |draw: &mut Draw| {
            let (side, at) = (draw.side(), gone.next().unwrap_or_default());
            let field = draw.field(Kind::Contact);
            (Kind::Contact, Deed::DeleteRace { side, at, field })
        });
        add(&mut draw, DELETIONS, &mut |draw: &mut Draw| {
            let (side, at) = (draw.side(), gone.next().unwrap_or_default());
            (Kind::Contact, Deed::Delete { side, at })
        });
        // New business keys begin above those of the seeds and of the acts before.
        let mut number = CONTACTS + act * (CREATES + TWINS);
        add(&mut draw, CREATES, &mut |draw: &mut Draw| {
            number += 1;
            let (kind, side) = (draw.kind(), draw.side());
            (kind, Deed::Create { side, number, parent: draw.account() })
        });
        add(&mut draw, TWINS, &mut |draw: &mut Draw| {
            number += 1;
            (draw.kind(), Deed::Twins { number, parent: draw.account() })
        });
        steps.sort_by_key(|step| step.at);
        Self { steps, kills: draw.kills() }
    }

    /// How many saves of people it has, if none is refused.
    pub fn saves(&self) -> u64 {
        let saves = self.steps.iter().map(|step| match step.deed {
            Deed::Edit { .. } | Deed::Delete { .. } | Deed::Create { .. } => 1,
            Deed::Undo { .. }
            | Deed::Race { .. }
            | Deed::DeleteRace { .. }
            | Deed::Twins { .. } => 2,
        });
        saves.sum()
    }
}

struct Draw {
    rng: StdRng,
}

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.rng.random_range(0..bound.max(1))
    }

    fn instant(&mut self) -> Duration {
        ACT.mul_f64(self.rng.random_range(0.0..1.0))
    }

    /// One instant in each of as many equal parts, so that the engine gets going in between.
    fn kills(&mut self) -> Vec<Duration> {
        let part = ACT / KILLS;
        (0..KILLS).map(|at| part * at + part.mul_f64(self.rng.random_range(0.1..0.9))).collect()
    }

    fn side(&mut self) -> Side {
        Side::BOTH[self.below(2)]
    }

    fn kind(&mut self) -> Kind {
        if self.below(3) == 0 { Kind::Account } else { Kind::Contact }
    }

    fn account(&mut self) -> usize {
        self.below(ACCOUNTS)
    }

    /// A record; some are more in demand than others.
    fn record(&mut self, kind: Kind) -> usize {
        let count = super::seeds::count(kind);
        if self.below(4) == 0 { self.below(count / 20) } else { self.below(count) }
    }

    fn field(&mut self, kind: Kind) -> usize {
        let fields = kind.edited();
        fields.start + self.below(fields.len())
    }

    fn contacts(&mut self, count: usize) -> Vec<usize> {
        let mut found = std::collections::BTreeSet::new();
        while found.len() < count {
            found.insert(self.below(CONTACTS));
        }
        found.into_iter().collect()
    }

    fn edit(&mut self) -> (Kind, Deed) {
        let (kind, side) = (self.kind(), self.side());
        let mut fields = vec![self.field(kind)];
        let second = self.field(kind);
        if self.below(8) == 0 && second != fields[0] {
            fields.push(second);
        }
        (kind, Deed::Edit { side, at: self.record(kind), fields })
    }

    fn undo(&mut self) -> (Kind, Deed) {
        let (kind, side) = (self.kind(), self.side());
        (kind, Deed::Undo { side, at: self.record(kind), field: self.field(kind) })
    }

    fn race(&mut self) -> (Kind, Deed) {
        let kind = self.kind();
        (kind, Deed::Race { at: self.record(kind), field: self.field(kind) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_plan_again() {
        assert_eq!(Plan::draw(7, 0), Plan::draw(7, 0));
        assert_ne!(Plan::draw(7, 0), Plan::draw(8, 0));
        assert_ne!(Plan::draw(7, 0), Plan::draw(7, 1));
    }

    #[test]
    fn a_plan_has_all_that_a_demo_must_show() {
        let plan = Plan::draw(1, 0);
        let count =
            |fits: fn(&Deed) -> bool| plan.steps.iter().filter(|step| fits(&step.deed)).count();
        assert!(count(|deed| matches!(deed, Deed::Edit { .. })) >= 2_000);
        assert!(count(|deed| matches!(deed, Deed::Race { .. })) >= 50);
        assert!(count(|deed| matches!(deed, Deed::DeleteRace { .. })) >= 20);
        for side in Side::BOTH {
            let created = plan
                .steps
                .iter()
                .filter(|step| matches!(step.deed, Deed::Create { side: at, .. } if at == side));
            assert!(created.count() > 10);
        }
        assert!(plan.kills.len() >= 3);
        assert!(plan.kills.iter().all(|kill| *kill < ACT));
        assert!(plan.steps.is_sorted_by_key(|step| step.at));
    }
}
