//! A question in words and as JSON.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use syncline_core::Side;
use syncline_core::model::{Choice, Link, LinkState, Review, ReviewKind, ReviewStatus};
use syncline_sdk::{Instant, Key, Value};

use super::asked::asked;
use super::candidate::Candidate;
use super::desk::{Desk, KnownMapping};
use super::feasible::Feasible;
use super::offer::offers;
use super::reference::Seen;
use super::words::{actor, actor_json, age, plain, time_and_age, time_json, value_json, values};

/// A question with the names of what it is about.
pub struct Question {
    pub review: Review,
    pub mapping: KnownMapping,
    /// The link, which the ledger keeps for ever.
    pub link: Option<Link>,
    /// The records that could be the partner, where that is what is asked.
    pub candidates: Vec<Candidate>,
    /// Why the last answer was not carried out, where it is known that one was not.
    pub undone: Option<String>,
    /// What can be carried out at all, where that is known.
    pub feasible: Option<Arc<Feasible>>,
}

impl Question {
    pub fn new(desk: &Desk, review: Review, link: Option<Link>) -> Self {
        let mapping = desk.mapping(review.key.mapping);
        let (candidates, undone, feasible) = (Vec::new(), None, None);
        Self { mapping, review, link, candidates, undone, feasible }
    }

    /// The keys of the records that could be the partner, all on the other side.
    pub fn candidate_keys(&self) -> &[Key] {
        match &self.review.kind {
            ReviewKind::Ambiguous(candidates) => candidates,
            ReviewKind::Merged(_, partner) => partner.as_slice(),
            _ => &[],
        }
    }

    /// The question in the revision that it has.
    pub fn seen(&self) -> Seen {
        Seen { id: self.review.id, revision: self.review.revision }
    }

    /// The side whose record has no partner yet, where one of them has none.
    pub fn alone(&self) -> Option<Side> {
        match self.link.as_ref()?.state {
            LinkState::Seen(side) => Some(side),
            _ => None,
        }
    }

    /// What it is about within the pair.
    pub fn unit(&self) -> String {
        let unit = self.review.key.unit;
        unit.map_or_else(|| "the pair".to_owned(), |unit| self.mapping.unit(unit))
    }

    /// The key of a side's record.
    pub fn key(&self, side: Side) -> Option<&Key> {
        self.link.as_ref()?.keys[side].as_ref()
    }

    /// The names of the fields that a side shows.
    pub fn fields(&self, side: Side) -> Vec<String> {
        let shown = self.review.shown[side].values.len();
        let places = match self.review.key.unit {
            Some(unit) => self.mapping.places(side, unit),
            None => (0..shown).collect(),
        };
        let name = |at: usize| match places.get(at) {
            Some(place) => self.mapping.field(side, *place),
            None => format!("field {at}"),
        };
        (0..shown).map(name).collect()
    }

    /// What is asked.
    pub fn what(&self) -> String {
        let system = |side: Side| self.mapping.system(side).to_string();
        let kind = self.mapping.kind(self.review.key.unit, &self.review.kind);
        asked(&kind, self.other_side(), &system)
    }

    /// The side that candidates stand on: the one without a record.
    pub fn other_side(&self) -> Side {
        let has = |side: Side| match &self.link {
            Some(link) => link.keys[side].is_some(),
            None => self.review.shown[side].exists,
        };
        if has(Side::Left) { Side::Right } else { Side::Left }
    }

    /// The side of those records.
    pub fn candidate_side(&self) -> Side {
        match self.review.kind {
            ReviewKind::Merged(side, _) => side.other(),
            _ => self.other_side(),
        }
    }

    /// Where it stands.
    pub fn status(&self) -> String {
        let choice = |chosen| self.mapping.choice(self.review.key.unit, chosen);
        match (self.review.status, &self.review.answer) {
            (ReviewStatus::Open, _) => "open".to_owned(),
            (ReviewStatus::Answered, Some(answer)) => format!(
                "answered by {} with `{}`, not folded by the engine yet",
                plain(&answer.by),
                choice(&answer.choice)
            ),
            (ReviewStatus::Answered, None) => "answered, not folded yet".to_owned(),
            (ReviewStatus::Closed, Some(answer)) => {
                format!("closed; {} answered with `{}`", plain(&answer.by), choice(&answer.choice))
            }
            (ReviewStatus::Closed, None) => "closed".to_owned(),
        }
    }

    /// Whether an answer to it would be taken.
    pub fn is_answerable(&self) -> bool {
        self.review.status == ReviewStatus::Open && self.rests().is_none()
    }

    /// Why nobody would act on an answer, and what to do.
    pub fn rests(&self) -> Option<String> {
        let rests = self.mapping.removed && self.review.status != ReviewStatus::Closed;
        rests.then(|| {
            format!(
                "mapping {} is in no file, so that nobody acts on an answer: put the file back to \
                 answer; the values that it shows are kept until then",
                plain(&self.mapping.name)
            )
        })
    }

    /// The value of a side in one line, with who made it and when; for a list.
    pub fn cell(&self, side: Side, now: Instant) -> (String, String) {
        let shown = &self.review.shown[side];
        let what = match (self.review.key.unit, shown.exists) {
            (unit @ Some(_), _) => self.mapping.values(side, unit, &shown.values),
            (None, true) => self.mapping.record(side, self.key(side)),
            (None, false) => "(no record)".to_owned(),
        };
        let when = shown.at.map(|at| format!("{} ago", age(now, at.micros())));
        let who = [Some(self.mapping.system(side)), actor(&shown.actor), when];
        let who: Vec<String> = who.into_iter().flatten().collect();
        (what, who.join(", "))
    }

    /// The last agreed values, in one line; one side's where both store the same.
    pub fn base(&self) -> String {
        let shown = &self.review.shown;
        let known = |side: Side| shown[side].base.iter().any(Value::is_present);
        let told = |side: Side| self.mapping.values(side, self.review.key.unit, &shown[side].base);
        match self.review.key.unit {
            None => String::new(),
            Some(_) if !known(Side::Left) && !known(Side::Right) => "(none)".to_owned(),
            Some(_) if shown.left.base == shown.right.base => told(Side::Left),
            Some(_) => format!(
                "{}: {}\n{}: {}",
                self.mapping.system(Side::Left),
                told(Side::Left),
                self.mapping.system(Side::Right),
                told(Side::Right)
            ),
        }
    }

    /// Everything about it, for people.
    pub fn lines(&self, now: Instant) -> Vec<String> {
        let asked = time_and_age(now, self.review.asked_at);
        let mut lines = vec![
            format!("question {}: {}", self.seen(), self.what()),
            format!("  mapping  {}", self.mapping.name),
            format!("  about    {}", self.unit()),
            format!("  link     {}", self.review.key.link),
            format!("  asked    {asked}"),
            format!("  status   {}", self.status()),
        ];
        if let Some(why) = self.rests() {
            lines.push(format!("  rests    {why}"));
        }
        if let Some(why) = &self.undone {
            lines.push(format!("  answer   could not be carried out: {}", plain(why)));
        }
        for side in Side::BOTH {
            lines.push(String::new());
            self.side(now, side, &mut lines);
        }
        let ambiguous = matches!(self.review.kind, ReviewKind::Ambiguous(_));
        if ambiguous && !self.candidates.is_empty() {
            lines.push(String::new());
            lines.push("possible partners:".to_owned());
            for candidate in &self.candidates {
                lines.extend(candidate.lines(&self.mapping, self.other_side()));
            }
        }
        if let ReviewKind::Merged(side, partner) = &self.review.kind {
            lines.push(String::new());
            lines.extend(self.merged(*side, partner.as_ref()));
        }
        lines
    }

    /// Whose partners the records are that a merge left.
    fn merged(&self, side: Side, partner: Option<&Key>) -> Vec<String> {
        let record = |key| self.mapping.record(side.other(), key);
        let left = record(self.key(side.other()));
        let stays = partner.map(|key| format!("  {} of the one that is left", record(Some(key))));
        let lines = stays.into_iter().chain([format!("  {left} of the one that is gone")]);
        std::iter::once("partners:".to_owned()).chain(lines).collect()
    }

    /// Whether a side is shown with an edit that stands in the question alone, and what stands
    /// there now in the place of the base.
    fn shows_edit(&self, side: Side) -> bool {
        self.review.kind.edit() == Some(side)
    }

    fn side(&self, now: Instant, side: Side, lines: &mut Vec<String>) {
        let shown = &self.review.shown[side];
        lines.push(format!("{side}: {}", self.mapping.record(side, self.key(side))));
        if !shown.exists && self.key(side).is_some() {
            lines.push("  the record is gone; its last values:".to_owned());
        }
        let names = self.fields(side);
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(10);
        let unit = self.review.key.unit;
        let value = |at, value: &Value| self.mapping.value_in(side, unit, at, value);
        let has_base = shown.base.iter().any(Value::is_present);
        for (at, name) in names.iter().enumerate() {
            let shows = &shown.values[at];
            let base = shown.base.get(at).unwrap_or(&Value::Absent);
            if !shows.is_present() && !base.is_present() {
                continue;
            }
            let before = match (has_base, base == shows) {
                _ if self.shows_edit(side) => format!("  (there now: {})", value(at, base)),
                (false, _) => "  (nothing agreed yet)".to_owned(),
                (true, true) => "  (as agreed)".to_owned(),
                (true, false) => format!("  (agreed: {})", value(at, base)),
            };
            lines.push(format!("  {name:<width$}  {}{before}", value(at, shows)));
        }
        if shown.values != shown.base || !shown.exists {
            let who = actor(&shown.actor).unwrap_or_else(|| "not told".to_owned());
            let when = shown.at.map(|at| time_and_age(now, at.micros()));
            let when = when.unwrap_or_else(|| "not told".to_owned());
            if self.key(side).is_some() {
                lines.push(format!("  {:<width$}  {who}", "changed by"));
                lines.push(format!("  {:<width$}  {when}", "changed at"));
            }
        }
    }

    /// Everything about it, as JSON.
    pub fn json(&self) -> Json {
        let review = &self.review;
        let kind = self.mapping.kind(review.key.unit, &review.kind);
        let (kind, of, reason) = kind_json(&kind);
        let side = self.candidate_side();
        let candidates = self.candidates.iter().map(|of| of.json(&self.mapping, side));
        let answers: Vec<Json> = if self.is_answerable() {
            let told = offers(self).into_iter();
            told.map(|offer| {
                json!({
                    "effect": offer.effect,
                    "choice": offer.answer.json(),
                    "body": offer.answer.body(self.review.revision),
                })
            })
            .collect()
        } else {
            Vec::new()
        };
        json!({
            "question": self.seen().to_string(),
            "id": review.id,
            "revision": review.revision,
            "status": review.status,
            "answer_not_applied": self.undone,
            "rests": self.rests(),
            "mapping": self.mapping.name,
            "link": review.key.link,
            "unit": review.key.unit.map(|unit| self.mapping.unit(unit)),
            "sync_version": review.key.sync_version,
            "kind": kind,
            "kind_side": of,
            "what": self.what(),
            "reason": reason,
            "candidates": candidates.collect::<Json>(),
            "asked_at": time_json(review.asked_at),
            "left": self.side_json(Side::Left),
            "right": self.side_json(Side::Right),
            "answer": review.answer.as_ref().map(|answer| json!({
                "choice": self.mapping.choice_json(review.key.unit, &answer.choice),
                "by": answer.by,
                "at": time_json(answer.at.micros()),
            })),
            "answers": answers,
        })
    }

    fn side_json(&self, side: Side) -> Json {
        let shown = &self.review.shown[side];
        let names = self.fields(side);
        let value =
            |at, value: &Value| self.mapping.value_in_json(side, self.review.key.unit, at, value);
        let fields = names.iter().enumerate().map(|(at, name)| {
            let (shows, before) = (&shown.values[at], shown.base.get(at).unwrap_or(&Value::Absent));
            match self.shows_edit(side) {
                true => json!({
                    "field": name,
                    "now": value(at, before),
                    "agreed": value(at, &Value::Absent),
                    "edit": value(at, shows),
                }),
                false => json!({
                    "field": name,
                    "now": value(at, shows),
                    "agreed": value(at, before),
                    "edit": Json::Null,
                }),
            }
        });
        let spec = self.mapping.spec.as_ref().map(|spec| &spec.sides[side]);
        json!({
            "system": spec.map(|side| side.system.as_str()),
            "entity": spec.map(|side| side.entity.as_str()),
            "key": self.key(side),
            "exists": shown.exists,
            "fields": fields.collect::<Json>(),
            "actor": actor_json(&shown.actor),
            "at": shown.at.map(|at| time_json(at.micros())),
        })
    }
}

fn kind_json(kind: &ReviewKind) -> (&'static str, Option<Side>, Option<String>) {
    match kind {
        ReviewKind::Conflict => ("conflict", None, None),
        ReviewKind::Initial => ("initial", None, None),
        ReviewKind::Anew => ("anew", None, None),
        ReviewKind::DeleteUpdate(side) => ("delete_update", Some(*side), None),
        ReviewKind::Delete(side) => ("delete", Some(*side), None),
        ReviewKind::Leave(side) => ("leave", Some(*side), None),
        ReviewKind::Ambiguous(_) => ("ambiguous", None, None),
        ReviewKind::NoImage(side, reason) => ("no_image", Some(*side), Some(reason.to_string())),
        ReviewKind::Oscillation => ("oscillation", None, None),
        ReviewKind::SuspectedDelete(side) => ("suspected_delete", Some(*side), None),
        ReviewKind::Overwritten(side) => ("overwritten", Some(*side), None),
        ReviewKind::Candidate(side, _) => ("candidate", Some(*side), None),
        ReviewKind::Merged(side, _) => ("merged", Some(*side), None),
    }
}

/// A choice in the words of the command line.
pub fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Take(side) => format!("take {side}"),
        Choice::Typed(typed) if typed.iter().all(Value::is_null) => "null".to_owned(),
        Choice::Typed(typed) => format!("value {}", values(typed)),
        Choice::Adopt(key) => format!("adopt {}", plain(key.as_str())),
        Choice::Separate => "separate".to_owned(),
        Choice::Retry => "retry".to_owned(),
    }
}

/// A choice as JSON.
pub fn choice_json(choice: &Choice) -> Json {
    match choice {
        Choice::Take(side) => json!({ "take": side }),
        Choice::Typed(typed) => {
            json!({ "value": typed.iter().map(value_json).collect::<Json>() })
        }
        Choice::Adopt(key) => json!({ "adopt": key }),
        Choice::Separate => json!("separate"),
        Choice::Retry => json!("retry"),
    }
}
