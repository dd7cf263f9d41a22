//! The lists of the book.

use serde_json::Value as Json;
use syncline_core::Side;
use syncline_core::model::{Entry, ReviewStatus};
use syncline_ledger::{Access as _, Ledger as _, LinkQuery as Wanted, People as _, ReviewQuery};
use syncline_sdk::Key;
use syncline_server::api::{
    Answered, Conflict, ConflictQuery, Failure, JournalEntry, JournalQuery, Link, LinkQuery,
    LinksIn, Mapping, MappingSide, Page, ParkedQuery, ParkedRecord, WantedStatus,
};

use super::ServiceBook;
use super::desk::{entry_place, link, link_place, number, parked_place};
use super::failure::{as_described, failed, stopped, unavailable};
use crate::queue::desk::{Desk, KnownMapping};
use crate::queue::pair::Pair;
use crate::queue::questions::with_links;
use crate::queue::report;
use crate::queue::words::time;
use crate::queue::{entry, link as told};

/// The limit of a list, as a number of rows.
fn rows(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The mapping that a list is about, where it is about one.
fn about(desk: &Desk, name: Option<&String>) -> Answered<Option<KnownMapping>> {
    name.map(|name| desk.named(name).cloned().map_err(stopped)).transpose()
}

impl ServiceBook {
    pub(super) async fn list_mappings(&self) -> Answered<Vec<Mapping>> {
        let desk = self.desk().await?;
        let counts = self.probe.counts().await.ok_or_else(unavailable)?;
        let told = desk.mappings.iter().map(|mapping| {
            let side = |side: Side| {
                mapping.spec.as_ref().map(|spec| MappingSide {
                    system: spec.sides[side].system.to_string(),
                    entity: spec.sides[side].entity.to_string(),
                })
            };
            let of = counts.iter().filter(|count| count.mapping == mapping.id);
            let links =
                of.map(|count| LinksIn { state: count.state.to_owned(), count: count.count });
            Mapping {
                mapping: mapping.name.clone(),
                left: side(Side::Left),
                right: side(Side::Right),
                mode: mapping.mode().map(str::to_owned),
                units: (0..mapping.units()).map(|unit| mapping.unit(unit)).collect(),
                waits: self.waits(&mapping.name),
                links: links.collect(),
            }
        });
        Ok(told.collect())
    }

    pub(super) async fn list_links(&self, query: LinkQuery) -> Answered<Page<Link>> {
        let desk = self.desk().await?;
        let mapping = desk.named(&query.mapping).map_err(stopped)?.clone();
        let limit = rows(query.limit);
        let wanted = match (&query.left, &query.right, &query.after) {
            (None, None, _) => None,
            (Some(key), None, None) => Some((Side::Left, key)),
            (None, Some(key), None) => Some((Side::Right, key)),
            _ => {
                let why = "give one of `left` and `right`, without `after`: a key names one link";
                return Err(Failure::Invalid(why.to_owned()));
            }
        };
        let Some((side, key)) = wanted else {
            let after = link_place(query.after.as_deref())?;
            let links = self.ledger.page(mapping.id, after, limit + 1).await.map_err(failed)?;
            let page = Page::new(links, limit, |link| link.id.to_string());
            let items = self.pairs(&desk, &mapping, page.items).await?;
            return Ok(Page { items, next: page.next });
        };
        let key = Key::from(key.as_str());
        let found = self.ledger.find(mapping.id, side, &key).await.map_err(failed)?;
        let items = self.pairs(&desk, &mapping, found.into_iter().collect()).await?;
        Ok(Page { items, next: None })
    }

    pub(super) async fn one_link(&self, id: &str) -> Answered<Link> {
        let desk = self.desk().await?;
        let found = self.found(id).await?;
        let mapping = desk.mapping(found.mapping);
        let mut told = self.pairs(&desk, &mapping, vec![found]).await?;
        told.pop().ok_or_else(|| Failure::NotFound(format!("there is no link {id}")))
    }

    async fn found(&self, id: &str) -> Answered<syncline_core::model::Link> {
        let found = self.ledger.link(link(id)?).await.map_err(failed)?;
        found.ok_or_else(|| Failure::NotFound(format!("there is no link {id}")))
    }

    /// How pairs of one mapping stand.
    async fn pairs(
        &self,
        desk: &Desk,
        mapping: &KnownMapping,
        links: Vec<syncline_core::model::Link>,
    ) -> Answered<Vec<Link>> {
        let ids = links.iter().map(|link| link.id).collect();
        let wanted = Wanted { mapping: mapping.id, links: ids, ..Wanted::default() };
        let reviews = desk.load(&[wanted]).await.map_err(stopped)?.reviews;
        let names: Vec<_> = links.iter().map(|link| (mapping.id, link.id)).collect();
        let parked = self.ledger.parked_of(&names).await.map_err(failed)?;
        let pair = |link: syncline_core::model::Link| {
            let questions = reviews.iter().filter(|review| review.key.link == link.id);
            let pair = Pair {
                mapping: mapping.by(link.mapping_rev).clone(),
                alias: None,
                questions: questions.cloned().collect(),
                parked: parked.iter().find(|parked| parked.link == link.id).cloned(),
                link,
                unit: None,
            };
            as_described(Json::Object(told::json(&pair)))
        };
        links.into_iter().map(pair).collect()
    }

    pub(super) async fn journal_of_link(
        &self,
        id: &str,
        query: JournalQuery,
    ) -> Answered<Page<JournalEntry>> {
        let desk = self.desk().await?;
        let found = self.found(id).await?;
        let (before, limit) = (entry_place(query.after.as_deref())?, rows(query.limit));
        if about(&desk, query.mapping.as_ref())?.is_some_and(|known| known.id != found.mapping) {
            return Err(Failure::NotFound(format!("that mapping has no link {id}")));
        }
        let entries = self.ledger.journal_of(found.mapping, found.id, before, limit + 1).await;
        entries_told(&desk, entries.map_err(failed)?, limit)
    }

    pub(super) async fn whole_journal(&self, query: JournalQuery) -> Answered<Page<JournalEntry>> {
        let desk = self.desk().await?;
        let mapping = about(&desk, query.mapping.as_ref())?.map(|mapping| mapping.id);
        let (before, limit) = (entry_place(query.after.as_deref())?, rows(query.limit));
        let entries = self.ledger.journal(mapping, before, limit + 1).await.map_err(failed)?;
        entries_told(&desk, entries, limit)
    }

    pub(super) async fn list_conflicts(&self, query: ConflictQuery) -> Answered<Page<Conflict>> {
        let desk = self.desk().await?;
        let limit = rows(query.limit);
        let status = match query.status {
            WantedStatus::Open => ReviewStatus::Open,
            WantedStatus::Answered => ReviewStatus::Answered,
            WantedStatus::Closed => ReviewStatus::Closed,
        };
        let wanted = ReviewQuery {
            mapping: about(&desk, query.mapping.as_ref())?.map(|mapping| mapping.id),
            status: Some(status),
            after: number(query.after.as_deref())?,
            max: limit + 1,
        };
        let reviews = self.ledger.reviews(&wanted).await.map_err(failed)?;
        let page = Page::new(reviews, limit, |review| review.id.to_string());
        let questions = with_links(&desk, page.items).await.map_err(stopped)?;
        let items = questions.iter().map(|question| as_described(question.json()));
        Ok(Page { items: items.collect::<Answered<_>>()?, next: page.next })
    }

    pub(super) async fn list_parked(&self, query: ParkedQuery) -> Answered<Page<ParkedRecord>> {
        let desk = self.desk().await?;
        let limit = rows(query.limit);
        let mapping = about(&desk, query.mapping.as_ref())?.map(|mapping| mapping.id);
        let after = parked_place(query.after.as_deref())?;
        let parked = self.ledger.parked_page(mapping, after, limit + 1).await.map_err(failed)?;
        let page = Page::new(parked, limit, |last| {
            format!("{}_{}_{}", last.at, last.mapping.0, last.link)
        });
        let parked = report::with_links(&desk, page.items).await.map_err(stopped)?;
        let items = parked.into_iter().map(|(parked, link)| {
            let mapping = desk.mapping(parked.mapping);
            let parked = mapping.parked(parked);
            ParkedRecord {
                mapping: mapping.name,
                link: parked.link.to_string(),
                side: parked.side.to_string(),
                key: link.and_then(|link| link.keys[parked.side].as_ref().map(ToString::to_string)),
                kind: parked.kind,
                message: parked.message,
                advice: parked.advice,
                at: time(parked.at),
                asked_again: parked.asked_again,
            }
        });
        Ok(Page { items: items.collect(), next: page.next })
    }
}

fn entries_told(desk: &Desk, entries: Vec<Entry>, limit: usize) -> Answered<Page<JournalEntry>> {
    let page = Page::new(entries, limit, |entry| entry.id.to_string());
    let items = page.items.iter().map(|of| {
        let mapping = desk.mapping(of.mapping);
        let mut told: JournalEntry = as_described(entry::json(&mapping, of))?;
        (told.mapping, told.link) = (mapping.name, of.link.to_string());
        Ok(told)
    });
    Ok(Page { items: items.collect::<Answered<_>>()?, next: page.next })
}
