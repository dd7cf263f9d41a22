//! The rules, applied to the stories.

use syncline_core::{Side, Sides};

use super::event::{Author, Evidence, Op, Question, Text};
use super::story::{Record, Story, Write, stories};
use super::verdict::{Rule, Verdict, Violation};
use crate::demo::world::Pair;

/// Judges what happened.
pub(in crate::demo) fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict {
        conflicts_open: u64::try_from(evidence.questions.len()).unwrap_or(u64::MAX),
        ..Verdict::default()
    };
    for (side, event) in evidence.all() {
        match event.author {
            _ if event.seq <= evidence.seeded[side] => {}
            Author::Person => verdict.human_edits += 1,
            Author::Sync => verdict.sync_writes += 1,
        }
    }
    for (pair, story) in &stories(evidence) {
        let questions = evidence.questions.iter().filter(|question| question.pair == *pair);
        let mut bench =
            Bench { pair, story, questions: questions.collect(), found: &mut verdict.violations };
        bench.convergence();
        bench.loss();
        bench.lost_deletion();
        bench.invention();
        bench.duplicates();
        bench.writes();
        verdict.blind_overwrites += story.blind;
    }
    late_writes(evidence, &mut verdict.violations);
    verdict.violations.sort();
    verdict
}

/// One pair before the judge.
struct Bench<'a> {
    pair: &'a Pair,
    story: &'a Story,
    questions: Vec<&'a Question>,
    found: &'a mut Vec<Violation>,
}

impl<'a> Bench<'a> {
    fn find(&mut self, rule: Rule, what: String) {
        self.found.push(Violation { rule, pair: self.pair.clone(), what });
    }

    /// Whether a person is asked about the pair as a whole.
    fn is_asked(&self) -> bool {
        self.questions.iter().any(|question| question.field.is_none())
    }

    /// Whether a person is asked about a field, or about all of it.
    fn is_asked_about(&self, field: usize) -> bool {
        self.questions.iter().any(|question| question.field.is_none_or(|asked| asked == field))
    }

    /// Whether the queue shows the value.
    fn is_shown(&self, field: usize, value: &Text) -> bool {
        let Some(value) = value else {
            return self.is_asked_about(field);
        };
        self.questions.iter().any(|question| {
            question.field.is_none_or(|asked| asked == field) && question.values.contains(value)
        })
    }

    fn field_name(&self, field: usize) -> &'static str {
        self.pair.kind.fields().get(field).map_or("?", |field| field.ops)
    }

    /// The records of both sides that stand for the pair.
    fn both(&self) -> Sides<Option<&'a Record>> {
        let story = self.story;
        Sides::from_fn(|side| story.live(side).next())
    }

    fn convergence(&mut self) {
        if self.is_asked() {
            return;
        }
        let both = self.both();
        let (left, right) = match (both.left, both.right) {
            (Some(left), Some(right)) => (left, right),
            (None, None) => return,
            (Some(_), None) => return self.find(Rule::V1, "is only left".to_owned()),
            (None, Some(_)) => return self.find(Rule::V1, "is only right".to_owned()),
        };
        for field in 0..self.story.fields.len() {
            let (one, other) = (&left.values[field], &right.values[field]);
            if one != other && !self.is_asked_about(field) {
                let name = self.field_name(field);
                self.find(
                    Rule::V1,
                    format!("{name} is {} left and {} right", shown(one), shown(other)),
                );
            }
        }
    }

    fn loss(&mut self) {
        let (whole, both) = (self.story, self.both());
        for (field, story) in whole.fields.iter().enumerate() {
            for value in &story.written {
                let is_final = Side::BOTH
                    .into_iter()
                    .all(|side| both[side].is_some_and(|record| record.values[field] == *value));
                let is_kept = is_final || story.is_superseded(value) || self.is_shown(field, value);
                if !is_kept {
                    let now = Side::BOTH.map(|side| {
                        both[side]
                            .map_or("no record".to_owned(), |record| shown(&record.values[field]))
                    });
                    let name = self.field_name(field);
                    let [left, right] = now;
                    let what = format!("{name}: the edit {} is lost", shown(value));
                    self.find(Rule::V2, format!("{what}: now {left} left and {right} right"));
                }
            }
        }
    }

    fn lost_deletion(&mut self) {
        let is_live = Side::BOTH.into_iter().any(|side| self.story.live(side).next().is_some());
        if self.story.deletes > 0 && is_live && !self.is_asked() {
            self.find(Rule::V2, "a person deleted it, and it is there".to_owned());
        }
    }

    fn invention(&mut self) {
        let whole = self.story;
        for Write { side, op, changes, .. } in &whole.writes {
            for (field, old, new) in changes {
                let story = &whole.fields[*field];
                let name = self.field_name(*field);
                if !story.written.contains(new) {
                    let what = format!("{name}: nobody wrote {}, the sync did", shown(new));
                    self.find(Rule::V3, format!("{what} on the {side}"));
                } else if *op != Op::Create && story.goes_back(old, new) {
                    let what = format!("{name}: {} came back", shown(new));
                    self.find(Rule::V3, format!("{what} over {} on the {side}", shown(old)));
                }
            }
        }
    }

    fn duplicates(&mut self) {
        for side in Side::BOTH {
            let live = u64::try_from(self.story.live(side).count()).unwrap_or(u64::MAX);
            let made = self.story.creates[side].max(1);
            if live > made && !self.is_asked() {
                self.find(Rule::V5, format!("{live} records on the {side}, people made {made}"));
            }
        }
    }

    /// At most one write an edit, and besides: per record one that gives it the link id, per
    /// guarded delete one that fences it, per record we made one that sets a reference that had
    /// to wait. (The demo has no normaliser to learn, and nobody resolves its conflicts.)
    fn writes(&mut self) {
        let (mut plain, mut bare) = (0_u64, 0_u64);
        let mut deletions = 0_u64;
        let mut deferred: Vec<&str> = Vec::new();
        for write in &self.story.writes {
            deletions += u64::from(write.op == Op::Delete);
            if write.op == Op::Update && write.changes.is_empty() {
                bare += 1;
            } else if self.is_deferred(write) && !deferred.contains(&write.record.as_str()) {
                deferred.push(&write.record);
            } else {
                plain += 1;
            }
        }
        let keys = self.story.records.left.len() + self.story.records.right.len();
        let allowed = u64::try_from(keys).unwrap_or(u64::MAX) + deletions.max(self.story.deletes);
        if plain > self.story.edits || bare > allowed {
            let edits = self.story.edits;
            let what = format!("{plain} writes for {edits} edits, and {bare} of keys and markers");
            self.find(Rule::V6, what);
        }
    }

    fn is_deferred(&self, write: &Write) -> bool {
        let made = self.story.records[write.side].get(&write.record);
        let reference = self.pair.kind.reference();
        write.op == Op::Update
            && made.is_some_and(|record| record.by_sync)
            && write
                .changes
                .iter()
                .all(|(field, old, _)| Some(*field) == reference && old.is_none())
            && !write.changes.is_empty()
    }
}

/// Nothing is written once all has gone quiet.
fn late_writes(evidence: &Evidence, found: &mut Vec<Violation>) {
    for (side, event) in evidence.all() {
        if event.author == Author::Sync && event.seq > evidence.quiet[side] {
            let pair = Pair { kind: event.kind, key: event.record.clone() };
            let what = format!("written on the {side} after all had gone quiet");
            found.push(Violation { rule: Rule::V6, pair, what });
        }
    }
}

fn shown(value: &Text) -> String {
    value.as_ref().map_or("nothing".to_owned(), |value| format!("`{value}`"))
}
