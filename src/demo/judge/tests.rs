//! Histories made by hand: each breach is found, each allowance is granted.

use syncline_core::{Side, Sides};

use super::{Author, Event, Evidence, Op, Question, Read, Rule, Verdict, judge};
use crate::demo::world::{Kind, Pair};

use Author::{Person, Sync};
use Side::{Left, Right};

const NAME: usize = 1;
const PHONE: usize = 2;

/// A history of one account, which has the id `l` on the left and `r` on the right.
#[derive(Default)]
struct Told {
    evidence: Evidence,
}

fn account() -> Pair {
    Pair { kind: Kind::Account, key: "A-1".to_owned() }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

impl Told {
    fn event(mut self, side: Side, author: Author, op: Op, changes: &[(usize, &str)]) -> Self {
        let record = if side == Left { "l" } else { "r" };
        self.push(side, author, op, record, changes);
        self
    }

    fn push(&mut self, side: Side, author: Author, op: Op, id: &str, changes: &[(usize, &str)]) {
        let events = &mut self.evidence.events[side];
        let value = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        events.push(Event {
            seq: u64::try_from(events.len()).unwrap() + 1,
            author,
            op,
            kind: Kind::Account,
            record: id.to_owned(),
            changes: changes.iter().map(|(field, text)| (*field, value(text))).collect(),
        });
    }

    /// Somebody makes the record with the name `v0`.
    fn made(self, side: Side, author: Author) -> Self {
        self.event(side, author, Op::Create, &[(0, "A-1"), (NAME, "v0")])
    }

    /// A pair that a person made on the left and Syncline on the right.
    fn pair() -> Self {
        Self::default().made(Left, Person).made(Right, Sync)
    }

    fn name(self, side: Side, author: Author, value: &str) -> Self {
        self.event(side, author, Op::Update, &[(NAME, value)])
    }

    fn delete(self, side: Side, author: Author) -> Self {
        self.event(side, author, Op::Delete, &[])
    }

    fn marker(self) -> Self {
        self.event(Left, Sync, Op::Update, &[])
    }

    fn read(mut self, wrote: &str, saw: &str) -> Self {
        let (wrote, saw) = (some(wrote), some(saw));
        self.evidence.reads.push(Read { pair: account(), field: NAME, wrote, saw });
        self
    }

    fn asked(mut self, field: Option<usize>, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.evidence.questions.push(Question { pair: account(), field, values });
        self
    }

    fn judge(mut self) -> Verdict {
        self.evidence.quiet = Sides { left: u64::MAX, right: u64::MAX };
        judge(&self.evidence)
    }

    fn broken(self) -> Vec<Rule> {
        let mut rules: Vec<Rule> =
            self.judge().violations.iter().map(|violation| violation.rule).collect();
        rules.dedup();
        rules
    }
}

#[test]
fn an_edit_that_arrives_is_well() {
    let told = Told::pair().name(Left, Person, "e1").name(Right, Sync, "e1");
    let verdict = told.judge();
    assert_eq!(verdict.violations, []);
    assert_eq!((verdict.human_edits, verdict.sync_writes), (2, 2));
}

#[test]
fn v1_sides_that_differ() {
    let differ = || Told::pair().event(Right, Person, Op::Update, &[(PHONE, "")]);
    assert_eq!(differ().broken(), []);
    let told = Told::pair().name(Left, Person, "e1");
    assert_eq!(told.broken(), [Rule::V1, Rule::V2]);
}

#[test]
fn v1_a_record_on_one_side_only() {
    assert_eq!(Told::default().made(Left, Person).broken(), [Rule::V1, Rule::V2]);
    let asked = Told::default().made(Left, Person).asked(None, &["A-1", "v0"]);
    assert_eq!(asked.broken(), []);
}

#[test]
fn v1_what_is_in_the_queue_may_differ() {
    let race = || Told::pair().name(Left, Person, "e1").name(Right, Person, "e2");
    assert_eq!(race().broken(), [Rule::V1, Rule::V2]);
    assert_eq!(race().asked(Some(NAME), &["e1", "e2"]).broken(), []);
    // A question about another field excuses nothing.
    assert_eq!(race().asked(Some(PHONE), &["e1", "e2"]).broken(), [Rule::V1, Rule::V2]);
}

#[test]
fn v2_an_edit_overwritten_by_one_that_had_not_seen_it() {
    // Both edit; the sync takes the right side's word and nobody is told.
    let told =
        Told::pair().name(Left, Person, "e1").name(Right, Person, "e2").name(Left, Sync, "e2");
    assert_eq!(told.broken(), [Rule::V2]);
}

#[test]
fn v2_an_edit_superseded_through_the_other_side() {
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1")
        .name(Right, Person, "e2")
        .name(Left, Sync, "e2");
    assert_eq!(told.broken(), []);
}

#[test]
fn v2_an_edit_that_had_been_read_is_superseded() {
    // Read on the right before it was replaced there by the sync; saved afterwards.
    let told = Told::pair()
        .name(Right, Person, "e1")
        .name(Right, Sync, "v0")
        .name(Right, Person, "e2")
        .read("e2", "e1")
        .name(Left, Sync, "e2");
    let verdict = told.judge();
    assert_eq!(verdict.count(Rule::V2), 0);
    // It had not read what it replaced: told apart, not hidden.
    assert_eq!(verdict.blind_overwrites, 1);
}

#[test]
fn v2_a_question_must_name_the_value() {
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Person, "e2")
        .asked(Some(NAME), &["v0", "e2"]);
    assert_eq!(told.broken(), [Rule::V2]);
}

#[test]
fn v2_an_edit_taken_back_withdraws_what_it_had_seen() {
    // Before the sync saw it.
    let told = Told::pair().name(Left, Person, "e1").name(Left, Person, "v0");
    assert_eq!(told.broken(), []);
    // After it had carried it over; and another person's edit then goes both ways.
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1")
        .name(Left, Person, "v0")
        .name(Right, Sync, "v0")
        .name(Right, Person, "e2")
        .name(Left, Sync, "e2");
    assert_eq!(told.broken(), []);
    // On the side that the sync was about to write: its write then replaced the former value.
    let told = Told::pair()
        .name(Left, Person, "e2")
        .name(Right, Person, "h")
        .name(Right, Person, "v0")
        .name(Right, Sync, "e2");
    assert_eq!(told.broken(), []);
}

#[test]
fn v2_equal_values_of_both_sides_are_one_edit() {
    let told = Told::default()
        .made(Left, Person)
        .made(Right, Person)
        .name(Right, Person, "e1")
        .name(Left, Sync, "e1");
    assert_eq!(told.broken(), []);
}

#[test]
fn v2_a_deletion_supersedes_what_was_there() {
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1")
        .delete(Right, Person)
        .delete(Left, Sync);
    assert_eq!(told.broken(), []);
}

#[test]
fn v2_an_edit_deleted_unseen() {
    let race = || Told::pair().name(Left, Person, "e1").delete(Right, Person);
    assert_eq!(race().delete(Left, Sync).broken(), [Rule::V2]);
    assert_eq!(race().asked(None, &["A-1", "e1"]).broken(), []);
}

#[test]
fn v2_a_deletion_that_is_gone() {
    let told = Told::pair().delete(Left, Person).event(Left, Sync, Op::Undelete, &[]);
    assert_eq!(told.broken(), [Rule::V2]);
    let undone = Told::pair().delete(Left, Person).event(Left, Person, Op::Undelete, &[]);
    assert_eq!(undone.broken(), []);
}

#[test]
fn v3_a_value_that_nobody_wrote() {
    let told =
        Told::pair().name(Left, Person, "e1").name(Right, Sync, "e1 cut").name(Right, Sync, "e1");
    assert!(told.broken().contains(&Rule::V3));
}

#[test]
fn v3_a_value_that_came_back() {
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1")
        .name(Left, Person, "e2")
        .name(Right, Sync, "e2")
        .name(Right, Sync, "e1")
        .name(Right, Sync, "e2");
    assert!(told.judge().violations.iter().any(|found| found.what.contains("`e1` came back")));
    // A person wrote it again, knowing the newer one: it may.
    let told = Told::pair()
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1")
        .name(Left, Person, "e2")
        .name(Right, Sync, "e2")
        .name(Left, Person, "e1")
        .name(Right, Sync, "e1");
    assert_eq!(told.broken(), []);
}

#[test]
fn v5_more_records_than_people_made() {
    let mut told = Told::pair();
    told.push(Right, Sync, Op::Create, "r2", &[(0, "A-1"), (NAME, "v0")]);
    assert!(told.broken().contains(&Rule::V5));
    let mut told = Told::pair().asked(None, &["A-1"]);
    told.push(Right, Sync, Op::Create, "r2", &[(0, "A-1"), (NAME, "v0")]);
    assert!(!told.broken().contains(&Rule::V5));
}

#[test]
fn v5_people_may_make_twins() {
    let mut told = Told::default().made(Left, Person);
    told.push(Left, Person, Op::Create, "l2", &[(0, "A-1"), (NAME, "v0")]);
    told.push(Right, Sync, Op::Create, "r", &[(0, "A-1"), (NAME, "v0")]);
    assert!(!told.broken().contains(&Rule::V5));
}

#[test]
fn v6_a_write_too_many() {
    // One edit carried over, and written once more.
    let told = Told::pair().name(Left, Person, "e1").name(Right, Sync, "e1").event(
        Right,
        Sync,
        Op::Update,
        &[(PHONE, "")],
    );
    assert!(told.broken().contains(&Rule::V6));
}

#[test]
fn v6_a_key_a_fence_and_a_reference_that_waited_are_allowed() {
    let keyed = || Told::pair().marker();
    assert_eq!(keyed().broken(), []);
    let fenced = keyed().delete(Right, Person).marker().delete(Left, Sync);
    assert_eq!(fenced.broken(), []);
    let markers = keyed().marker().marker().marker();
    assert_eq!(markers.broken(), [Rule::V6]);

    let mut told = Told::default();
    let contact = |told: &mut Told, side: Side, author, op, changes: &[(usize, &str)]| {
        told.push(side, author, op, "c", changes);
        if let Some(event) = told.evidence.events[side].last_mut() {
            event.kind = Kind::Contact;
        }
    };
    contact(&mut told, Left, Person, Op::Create, &[(0, "c@x"), (NAME, "v0"), (6, "A-9")]);
    contact(&mut told, Right, Sync, Op::Create, &[(0, "c@x"), (NAME, "v0")]);
    contact(&mut told, Right, Sync, Op::Update, &[(6, "A-9")]);
    assert_eq!(told.broken(), []);
}

#[test]
fn v6_a_guarded_deletion_that_met_an_edit() {
    // Fence, deletion, and the undelete that the look asked for: two edits, two writes, one fence.
    let told = Told::pair()
        .delete(Right, Person)
        .marker()
        .name(Left, Person, "e1")
        .delete(Left, Sync)
        .event(Left, Sync, Op::Undelete, &[])
        .asked(None, &["A-1", "e1"]);
    assert_eq!(told.broken(), []);
}

#[test]
fn v6_nothing_is_written_once_all_is_quiet() {
    let mut told = Told::pair().name(Left, Person, "e1").name(Right, Sync, "e1");
    told.evidence.quiet = Sides { left: 2, right: 1 };
    let verdict = judge(&told.evidence);
    assert_eq!(verdict.count(Rule::V6), 1);
}

#[test]
fn seeds_count_for_the_rules_and_not_for_the_figures() {
    let mut told = Told::pair().name(Left, Person, "e1").name(Right, Sync, "e1");
    told.evidence.seeded = Sides { left: 1, right: 0 };
    let verdict = told.judge();
    assert_eq!(verdict.violations, []);
    assert_eq!((verdict.human_edits, verdict.sync_writes), (1, 2));
}
