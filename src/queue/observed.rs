//! What mappings that observe would have done, against what became of it: read from the journal.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use syncline_core::model::{Came, Decided, Entry, Link, Verdict, Would};
use syncline_core::{Side, Sides};
use syncline_ledger::{Access as _, LinkQuery};
use syncline_sdk::{Instant, LinkId, Value};

use super::desk::{Desk, KnownMapping};
use super::words::time_json;
use crate::stop::Stop;

/// Entries that are read at a time.
const PAGE: usize = 1_000;

/// The most ages of one row that are kept for its median: the latest.
const AGES_MAX: usize = 10_000;

/// What would have been done: to a unit, or to the pair as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    Created,
    Deleted,
    BroughtBack,
    Unit(u16),
    /// A person would have been asked about the pair.
    PairAsked,
    /// A person would have been asked about a unit.
    Asked(u16),
}

/// One thing that would have been done.
#[derive(Clone, Debug)]
pub struct Sample {
    pub link: LinkId,
    /// The records; known once the report is complete.
    pub keys: Sides<Option<String>>,
    /// When it would have been done.
    pub at: i64,
    /// What the side would have been given.
    pub would: Vec<Value>,
    /// What it came to show instead; nothing while it shows nothing new.
    pub shows: Option<Vec<Value>>,
}

/// How often something would have been done to a side, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The sides came to hold the same without Syncline.
    pub same: u64,
    /// The side came to show another value.
    pub other: u64,
    /// The side still shows nothing new.
    pub missing: u64,
    /// It was taken back, replaced by something newer, or done once the mapping was live.
    pub past: u64,
    /// How long it took the others to do the same, microseconds.
    pub after: Vec<i64>,
    /// When the oldest of the missing would have been done.
    pub oldest: Option<i64>,
    pub others: Vec<Sample>,
    pub missed: Vec<Sample>,
}

impl Row {
    /// The median and the longest time until the sides were the same, microseconds.
    pub fn times(&self) -> Option<(i64, i64)> {
        let mut sorted = self.after.clone();
        sorted.sort_unstable();
        Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
    }
}

/// What one mapping would have done.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// By what, and to which side; to none where that is both, or a person.
    pub rows: BTreeMap<(What, Option<Side>), Row>,
}

impl Observed {
    /// Reads the journal of a mapping back to a time; with so many samples a row.
    pub async fn read(
        desk: &Desk,
        mapping: &KnownMapping,
        since: i64,
        samples: usize,
    ) -> Result<Self, Stop> {
        let mut reading = Reading { samples, ..Reading::default() };
        let mut before = None;
        // What was said by former rules is told by the present ones.
        let now = |revision: i32, unit: u16| mapping.unit_named(&mapping.by(revision).unit(unit));
        loop {
            let page = desk.ledger.journal(Some(mapping.id), before, PAGE).await;
            let page = page.context("the ledger")?;
            before = page.last().map(|entry| entry.id);
            let young = page.iter().take_while(|entry| entry.at.micros() >= since);
            let read = young.map(|entry| reading.entry(entry, now)).count();
            if read < PAGE {
                break;
            }
        }
        let mut observed = reading.found;
        observed.name_records(desk, mapping).await?;
        Ok(observed)
    }

    /// Whether anything came otherwise or did not come.
    pub fn differs(&self) -> bool {
        self.rows.values().any(|row| row.other + row.missing > 0)
    }

    async fn name_records(&mut self, desk: &Desk, mapping: &KnownMapping) -> Result<(), Stop> {
        let samples = || self.rows.values().flat_map(|row| row.others.iter().chain(&row.missed));
        let links: BTreeSet<LinkId> = samples().map(|sample| sample.link).collect();
        let links = links.into_iter().collect();
        let query = LinkQuery { mapping: mapping.id, links, ..LinkQuery::default() };
        let loaded = desk.load(&[query]).await?.links;
        let keys: BTreeMap<LinkId, &Link> = loaded.iter().map(|link| (link.id, link)).collect();
        for row in self.rows.values_mut() {
            for sample in row.others.iter_mut().chain(&mut row.missed) {
                let Some(link) = keys.get(&sample.link) else { continue };
                sample.keys =
                    Sides::from_fn(|side| link.keys[side].as_ref().map(|k| k.to_string()));
            }
        }
        Ok(())
    }

    /// The report as JSON.
    pub fn json(&self, mapping: &KnownMapping) -> Json {
        let told = |what: What, samples: &[Sample]| {
            samples.iter().map(|sample| sample_json(mapping, what, sample)).collect::<Json>()
        };
        let rows = self.rows.iter().map(|((what, to), row)| {
            let times = row.times();
            json!({
                "what": what.word(),
                "unit": what.unit().map(|unit| mapping.unit(unit)),
                "side": to,
                "would": row.same + row.other + row.missing + row.past,
                "same": row.same,
                "other": row.other,
                "missing": row.missing,
                "past": row.past,
                "same_after_seconds": times.map(|(median, most)| json!({
                    "median": seconds(median), "max": seconds(most),
                })),
                "oldest_missing_at": row.oldest.map(time_json),
                "other_samples": told(*what, &row.others),
                "missing_samples": told(*what, &row.missed),
            })
        });
        json!({
            "mapping": mapping.name,
            "mode": mapping.mode(),
            "rows": rows.collect::<Json>(),
        })
    }
}

impl What {
    fn of(would: Would, unit: Option<u16>) -> Self {
        match (would, unit) {
            (Would::Create(_), _) => Self::Created,
            (Would::Delete(_), _) => Self::Deleted,
            (Would::Undelete(_), _) => Self::BroughtBack,
            (Would::Ask, Some(unit)) => Self::Asked(unit),
            (_, Some(unit)) => Self::Unit(unit),
            (_, None) => Self::PairAsked,
        }
    }

    /// Whether a person would have been asked.
    pub fn is_asked(self) -> bool {
        matches!(self, Self::PairAsked | Self::Asked(_))
    }

    /// The unit that it is about.
    pub fn unit(self) -> Option<u16> {
        match self {
            Self::Unit(unit) | Self::Asked(unit) => Some(unit),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Created => "create",
            Self::Deleted => "delete",
            Self::BroughtBack => "undelete",
            Self::Unit(_) => "write",
            Self::PairAsked | Self::Asked(_) => "ask",
        }
    }
}

fn sample_json(mapping: &KnownMapping, what: What, sample: &Sample) -> Json {
    let values = |values: &[Value]| mapping.sample_json(what.unit(), values);
    json!({
        "link": sample.link,
        "keys": { "left": sample.keys.left, "right": sample.keys.right },
        "at": time_json(sample.at),
        "would": values(&sample.would),
        "shows": sample.shows.as_deref().map(values),
    })
}

fn seconds(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let seconds = micros as f64 / 1e6;
    seconds
}

/// What is known of what happened to a unit or pair after the entry that is read.
#[derive(Clone, Debug)]
enum After {
    Came(Came, i64, Decided),
    /// Something newer would have been done.
    Newer,
    /// The mapping wrote by then.
    Live,
}

/// A journal that is read back, newest entry first.
#[derive(Debug, Default)]
struct Reading {
    samples: usize,
    found: Observed,
    after: BTreeMap<(LinkId, Option<u16>), After>,
    /// Links that are over.
    over: BTreeSet<LinkId>,
}

impl Reading {
    fn entry(&mut self, entry: &Entry, now: impl Fn(i32, u16) -> Option<u16>) {
        for decided in entry.decided.iter().rev() {
            let unit = decided.unit.map(|unit| now(entry.revision, unit));
            let Some(unit) = unit.map_or(Some(None), |unit| unit.map(Some)) else { continue };
            let place = (entry.link, unit);
            match &decided.verdict {
                Verdict::Would(would) => {
                    self.would(*would, place, decided, entry.at);
                    self.after.insert(place, After::Newer);
                }
                Verdict::Came(came) => {
                    let came = || After::Came(*came, entry.at.micros(), decided.clone());
                    let known = self.after.entry(place).or_insert_with(came);
                    if matches!(known, After::Newer) {
                        *known = came();
                    }
                }
                Verdict::End | Verdict::MergeInto(_) | Verdict::BothGone => {
                    self.over.insert(entry.link);
                }
                Verdict::Write(_)
                | Verdict::Agree
                | Verdict::PolicyTook(_)
                | Verdict::Merged
                | Verdict::Reverted(_)
                | Verdict::Hold
                | Verdict::NoImage(..)
                | Verdict::Create(_)
                | Verdict::Delete(_)
                | Verdict::Undelete(_)
                | Verdict::DeleteUpdate(_) => {
                    self.after.entry(place).or_insert(After::Live);
                }
                _ => {}
            }
        }
    }

    fn would(
        &mut self,
        would: Would,
        place: (LinkId, Option<u16>),
        decided: &Decided,
        at: Instant,
    ) {
        let to = would.to();
        let row = self.found.rows.entry((What::of(would, place.1), to)).or_default();
        let of = |decided: &Decided| match to {
            Some(Side::Left) => decided.left.clone(),
            Some(Side::Right) => decided.right.clone(),
            None => [decided.left.clone(), decided.right.clone()].concat(),
        };
        let sample = |shows: Option<Vec<Value>>| Sample {
            link: place.0,
            keys: Sides::default(),
            at: at.micros(),
            would: of(decided),
            shows,
        };
        match self.after.get(&place) {
            Some(After::Came(Came::Same, then, _)) => {
                row.same += 1;
                if row.after.len() < AGES_MAX {
                    row.after.push(then.saturating_sub(at.micros()));
                }
            }
            Some(After::Came(Came::Other(_), _, shown)) => {
                row.other += 1;
                if row.others.len() < self.samples {
                    row.others.push(sample(Some(of(shown))));
                }
            }
            Some(After::Came(Came::Withdrawn, ..) | After::Newer | After::Live) => row.past += 1,
            None if self.over.contains(&place.0) => row.past += 1,
            None => {
                row.missing += 1;
                row.oldest = Some(at.micros());
                // The oldest are told: what is young may still come.
                row.missed.push(sample(None));
                if row.missed.len() > self.samples {
                    row.missed.remove(0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use syncline_core::mapping::MappingId;
    use syncline_sdk::IntentId;

    use super::*;

    fn entry(at: i64, link: u128, decided: &[(Option<u16>, Verdict)]) -> Entry {
        let decided = decided.iter().map(|(unit, verdict)| Decided {
            unit: *unit,
            verdict: verdict.clone(),
            left: vec![Value::from("l")],
            right: vec![Value::from(format!("r{at}").as_str())],
        });
        Entry {
            id: IntentId { commit: at, ordinal: 0 },
            mapping: MappingId(1),
            link: LinkId(uuid::Uuid::from_u128(link)),
            previous: None,
            at: Instant::from_micros(at),
            revision: 0,
            observed: Vec::new(),
            decided: decided.collect(),
            intent: None,
            settled: Vec::new(),
        }
    }

    fn read(oldest_first: &[Entry]) -> Observed {
        let mut reading = Reading { samples: 2, ..Reading::default() };
        oldest_first.iter().rev().for_each(|entry| reading.entry(entry, |_, unit| Some(unit)));
        reading.found
    }

    const WRITE: (Option<u16>, Verdict) = (Some(0), Verdict::Would(Would::Write(Side::Right)));
    const SAME: (Option<u16>, Verdict) = (Some(0), Verdict::Came(Came::Same));
    const OTHER: (Option<u16>, Verdict) = (Some(0), Verdict::Came(Came::Other(Side::Right)));

    #[test]
    fn each_write_is_told_by_what_came_of_it() {
        let found = read(&[
            entry(1, 1, &[WRITE]),
            entry(2, 2, &[WRITE]),
            entry(3, 3, &[WRITE]),
            entry(4, 1, &[SAME]),
            entry(5, 2, &[OTHER, (Some(0), Verdict::Would(Would::Ask))]),
            entry(6, 4, &[WRITE]),
            entry(7, 4, &[WRITE]),
            entry(8, 4, &[(Some(0), Verdict::Write(Side::Right))]),
            entry(9, 5, &[WRITE]),
            entry(10, 5, &[(None, Verdict::End)]),
        ]);
        let row = &found.rows[&(What::Unit(0), Some(Side::Right))];
        assert_eq!((row.same, row.other, row.missing, row.past), (1, 1, 1, 3));
        assert_eq!(row.times(), Some((3, 3)));
        assert_eq!(row.others[0].would, [Value::from("r2")]);
        assert_eq!(row.others[0].shows, Some(vec![Value::from("r5")]));
        assert_eq!((row.missed[0].at, row.oldest), (3, Some(3)));
        assert_eq!(found.rows[&(What::Asked(0), None)].missing, 1);
        assert!(found.differs());
    }

    #[test]
    fn a_value_that_came_otherwise_and_then_alike_came_alike() {
        let found = read(&[entry(1, 1, &[WRITE]), entry(2, 1, &[OTHER]), entry(9, 1, &[SAME])]);
        let row = &found.rows[&(What::Unit(0), Some(Side::Right))];
        assert_eq!((row.same, row.other), (1, 0));
        assert!(!found.differs());
    }
}
