//! What a plan is added to, each drawn by itself: seeds noted before there was an addition play as
//! they did then without it.

use syncline_core::mapping::{Direction, ForeignEdits, LeaveRule, Policy};
use syncline_sdk::ReceiptKind;
use syncline_testkit::Profile;

use crate::choices::Choices;
use crate::plan::{FilterPlan, Plan};

impl Plan {
    /// The same, where sweeps may run. What else was drawn stays as it was.
    #[must_use]
    pub fn with_sweeps(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x51ee_0000_0000_0000);
        self.sweeps = choices.chance(500);
        self
    }
    /// The same, where people may count and put members into sets. What else was drawn stays as
    /// it was.
    #[must_use]
    pub fn with_merges(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x3e56_0000_0000_0000);
        self.merges = choices.chance(400);
        self
    }
    /// The same, where somebody may change a mapping between two processes. What else was drawn
    /// stays as it was.
    #[must_use]
    pub fn with_changes(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x4e10_0000_0000_0000);
        self.changes = choices.chance(500);
        self
    }
    /// The same, where every second process only observes. What else was drawn stays as it was.
    #[must_use]
    pub fn with_modes(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x0b5e_0000_0000_0000);
        self.modes = choices.chance(300);
        self
    }
    /// The same, where the histories of systems are asked what writes replaced unseen, and some of
    /// them have no conditional writes at all. What else was drawn stays as it was.
    #[must_use]
    pub fn with_histories(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x4157_0000_0000_0000);
        self.histories = choices.chance(500);
        for profile in &mut self.profiles {
            if self.histories && profile.name == "crm" && choices.chance(500) {
                *profile = Profile::unguarded();
            }
        }
        self
    }
    /// The same, where records may be outside the filter of their mapping, leave it and come back.
    /// What else was drawn stays as it was, but that nothing is made on a side whose filter reads
    /// what nobody writes there, and that there are no children of records outside.
    #[must_use]
    pub fn with_filters(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0xf117_0000_0000_0000);
        if !choices.chance(300) {
            return self;
        }
        let sides = [[true, false], [false, true], [true, true]][choices.below(3) as usize];
        let mapped = choices.chance(600);
        let leave = match choices.below(5) {
            0 | 1 => LeaveRule::Keep,
            2 => LeaveRule::Unlink,
            3 => LeaveRule::Delete,
            _ => LeaveRule::Review,
        };
        self.filter = Some(FilterPlan { sides, mapped, leave });
        self.habits.leave = 5 + choices.below(25);
        self.children = false;
        if !mapped {
            self.changes = false;
            for (create, filtered) in self.create.iter_mut().zip(sides) {
                *create &= !filtered;
            }
        }
        self
    }
    /// Whether records have a counter: each side keeps receipts that outlive a lost stream.
    #[must_use]
    pub fn counts(&self) -> bool {
        let lasting = |profile: &Profile| profile.capabilities.receipt != ReceiptKind::Stream;
        self.merges && self.profiles.iter().all(lasting)
    }
    /// The same, where people may make the same record on both sides one after the other. What
    /// else was drawn stays as it was.
    #[must_use]
    pub fn with_twins(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x7135_0000_0000_0000);
        if self.matches && choices.chance(400) {
            self.twins = 200 + choices.below(800);
            self.habits.create_both += 5 + choices.below(20);
        }
        self
    }
}

impl Plan {
    /// The same, where fields may be agreed together, edits on the side that does not lead may be
    /// reverted or asked about, and the newest edit may win. What else was drawn stays as it was.
    #[must_use]
    pub fn with_rules(mut self, seed: u64) -> Self {
        let mut choices = Choices::seeded(seed ^ 0x2b1e_0000_0000_0000);
        if !choices.chance(400) {
            return self;
        }
        for field in &mut self.fields {
            if field.direction != Direction::Both {
                field.foreign = match choices.below(3) {
                    0 => ForeignEdits::Keep,
                    1 => ForeignEdits::Revert,
                    _ => ForeignEdits::Review,
                };
            } else if choices.chance(250) {
                field.conflict = Policy::Newest;
            }
        }
        if let [first, second, ..] = self.fields.as_mut_slice()
            && choices.chance(500)
        {
            second.direction = first.direction;
            second.conflict = first.conflict;
            second.foreign = first.foreign;
            self.grouped = true;
        }
        self
    }
}
