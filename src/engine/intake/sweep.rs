//! Sweeps: slow full comparisons that find what events missed (protocol O10).
//!
//! A pass scans both sides and then looks up both records of every link, through the same planner
//! as everything else: a scan shows neither what is gone nor what a filter hides. One begins each
//! `sweep_every` for as long as the engine runs, so that a lost event costs time only.

use std::fmt;
use std::str::FromStr;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Hint, HintReason, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::{Cursor, FetchBy, FetchRequest, Fetched, Key, LinkId, Purpose, ScanRequest};

use super::canary::unseen;
use super::poll::fold_page;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::wants::observations;
use crate::work::Work;

/// The name of the sweeps of a mapping among the streams.
#[must_use]
pub fn sweep_stream(mapping: &str) -> String {
    format!("sweep:{mapping}")
}

/// Where a sweep stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepPlace {
    /// When the pass began, microseconds UTC.
    pub began: i64,
    /// How many sweeps people had asked for by then: the pass answers them.
    pub asked: i64,
    /// What comes next.
    pub next: SweepStep,
}

/// What comes next in a sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SweepStep {
    /// A page of this side, after this cursor.
    Scan(Side, Option<String>),
    /// The records of links after this one.
    Links(Option<LinkId>),
    /// Nothing: the pass is over.
    Done,
}

impl SweepPlace {
    /// The beginning of a pass.
    #[must_use]
    pub fn start(now: i64, asked: i64) -> Self {
        Self { began: now, asked, next: SweepStep::Scan(Side::Left, None) }
    }

    /// Whether the pass is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.next == SweepStep::Done
    }
}

impl fmt::Display for SweepPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.began, self.asked)?;
        match &self.next {
            SweepStep::Scan(side, None) => write!(f, "{side}"),
            SweepStep::Scan(side, Some(cursor)) => write!(f, "{side} {cursor}"),
            SweepStep::Links(None) => f.write_str("links"),
            SweepStep::Links(Some(link)) => write!(f, "links {link}"),
            SweepStep::Done => f.write_str("done"),
        }
    }
}

/// A place that cannot be read: the pass begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoPlace;

impl FromStr for SweepPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> std::result::Result<Self, NoPlace> {
        let (began, rest) = text.split_once(' ').ok_or(NoPlace)?;
        let (asked, rest) = rest.split_once(' ').ok_or(NoPlace)?;
        let (word, place) = match rest.split_once(' ') {
            Some((word, place)) => (word, Some(place)),
            None => (rest, None),
        };
        let scan = |side| SweepStep::Scan(side, place.map(str::to_owned));
        let next = match word {
            "left" => scan(Side::Left),
            "right" => scan(Side::Right),
            "links" => SweepStep::Links(place.map(str::parse).transpose().map_err(|_| NoPlace)?),
            "done" => SweepStep::Done,
            _ => return Err(NoPlace),
        };
        let number = |text: &str| text.parse().map_err(|_| NoPlace);
        Ok(Self { began: number(began)?, asked: number(asked)?, next })
    }
}

impl<L: Ledger> Intake<L> {
    /// One step of a sweep: the next of the pass at `place`, or the first of a new one where that
    /// is over. The work moves the place in the commit that folds what was read. Gives the next
    /// place.
    ///
    /// # Errors
    /// When the ledger or a system gives no answer.
    pub async fn sweep(
        &self,
        id: MappingId,
        place: Option<SweepPlace>,
    ) -> Result<(Work, SweepPlace)> {
        let place = match place.filter(|place| !place.is_over()) {
            Some(place) => place,
            None => {
                let asked = self.ledger.sweeps_asked().await?;
                let asked = asked.iter().find(|(mapping, _)| *mapping == id);
                let asked = asked.map_or(0, |(_, asked)| *asked);
                SweepPlace::start(self.clock.now().micros(), asked)
            }
        };
        let (mut work, next) = match &place.next {
            SweepStep::Scan(side, after) => self.sweep_side(id, *side, after.as_deref()).await?,
            SweepStep::Links(after) => self.sweep_links(id, *after).await?,
            SweepStep::Done => (Work::default(), SweepStep::Done),
        };
        let place = SweepPlace { next, ..place };
        work.positions.push(StreamPosition {
            stream: sweep_stream(&self.mappings[&id].name),
            identity: String::new(),
            place: place.to_string(),
        });
        Ok((work, place))
    }

    async fn sweep_side(
        &self,
        id: MappingId,
        side: Side,
        after: Option<&str>,
    ) -> Result<(Work, SweepStep)> {
        let place = &self.mappings[&id].sides[side];
        let system = &self.systems[&place.system];
        let request = ScanRequest {
            selection: place.selection.clone(),
            after: after.map(|after| Cursor(after.into())),
            page_rows_max: limits::PAGE_ROWS_MAX,
        };
        let context = self.context(Purpose::Sweep);
        let scan = system.connector.scan(&context, request);
        let page = system.ask(&*self.clock, scan).await.map_err(Self::at(&place.system))?;
        let next = match (&page.next, side) {
            (Some(next), _) => SweepStep::Scan(side, Some(next.0.to_string())),
            (None, Side::Left) => SweepStep::Scan(Side::Right, None),
            (None, Side::Right) => SweepStep::Links(None),
        };
        Ok((fold_page(id, side, page), next))
    }

    /// Both records of a page of links. One that is gone is looked at again later: until then its
    /// deletion may be told as what it is. Only then it is suspected, and a person is asked.
    async fn sweep_links(&self, id: MappingId, after: Option<LinkId>) -> Result<(Work, SweepStep)> {
        let mapping = self.mappings[&id].clone();
        let links = self.ledger.page(id, after, limits::VERIFY_LINKS_MAX).await?;
        let Some(last) = links.last().map(|link| link.id) else {
            return Ok((Work::default(), SweepStep::Done));
        };
        let mut work = Work::default();
        for side in Side::BOTH {
            let known = links.iter().filter(|link| link.exists(side));
            let keys: Vec<Key> = known.filter_map(|link| link.keys[side].clone()).collect();
            if keys.is_empty() {
                continue;
            }
            let place = &mapping.sides[side];
            let system = &self.systems[&place.system];
            let request =
                FetchRequest { selection: place.selection.clone(), by: FetchBy::Keys(keys) };
            let context = self.context(Purpose::Sweep);
            let fetch = system.connector.fetch(&context, request);
            let fetched = system.ask(&*self.clock, fetch).await.map_err(Self::at(&place.system))?;
            let due = self.clock.now().micros().saturating_add(limits::SWEEP_DOUBT);
            let unseen = unseen(&fetched);
            // What no record of its kind is shown beside may be hidden, all of it at once.
            let shows = unseen.is_empty()
                || self
                    .shows_any(system, &mapping, side, &fetched)
                    .await
                    .map_err(Self::at(&place.system))?;
            let gone = fetched.missing.iter().filter(|(key, _)| shows || !unseen.contains(key));
            work.hints.extend(gone.map(|(key, _)| Hint {
                system: place.system.clone(),
                entity: place.selection.entity.clone(),
                key: key.clone(),
                seq: 0,
                due,
                reason: HintReason::Sweep,
                tries: 0,
            }));
            let shown = Fetched { missing: Vec::new(), ..fetched };
            work.observed.extend(observations(shown).into_iter().map(|seen| (id, side, seen)));
        }
        Ok((work, SweepStep::Links(Some(last))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_it_was_written() {
        let link = LinkId(uuid::Uuid::from_u128(7));
        for next in [
            SweepStep::Scan(Side::Left, None),
            SweepStep::Scan(Side::Right, Some("a cursor with: spaces".into())),
            SweepStep::Links(None),
            SweepStep::Links(Some(link)),
            SweepStep::Done,
        ] {
            let place = SweepPlace { began: 17, asked: 2, next };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "done", "x 1 done", "5 done", "5 1 up", "5 1 links seven"] {
            assert_eq!(text.parse::<SweepPlace>(), Err(NoPlace), "{text}");
        }
    }
}
