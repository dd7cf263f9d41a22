//! What mappings that only observe would have written.

use syncline_server::api::{Answered, Failure, Observed as Told, ObservedQuery, Page};

use super::ServiceBook;
use super::failure::{as_described, stopped};
use crate::queue::desk::KnownMapping;
use crate::queue::observed::Observed;

const DAY: i64 = 86_400_000_000;

impl ServiceBook {
    /// A page of mappings, by number: the one that is named, or all that are not live.
    pub(super) async fn list_observed(&self, query: ObservedQuery) -> Answered<Page<Told>> {
        let desk = self.desk().await?;
        let mut mappings: Vec<&KnownMapping> = match &query.mapping {
            Some(name) => vec![desk.named(name).map_err(stopped)?],
            None => desk.mappings.iter().filter(|known| known.mode() != Some("live")).collect(),
        };
        if let Some(after) = &query.after {
            let place = mappings.iter().position(|known| known.name == *after);
            let place = place.ok_or_else(|| {
                let why = "`after` is no place of this list: give the `next` of a page";
                Failure::Invalid(why.to_owned())
            })?;
            mappings.drain(..=place);
        }
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        mappings.truncate(limit.saturating_add(1));
        let page = Page::new(mappings, limit, |last| last.name.clone());
        let since = desk.now.micros() - i64::from(query.days) * DAY;
        let mut items = Vec::new();
        for mapping in page.items {
            let samples = usize::from(query.samples);
            let observed = Observed::read(&desk, mapping, since, samples).await.map_err(stopped)?;
            items.push(as_described(observed.json(mapping))?);
        }
        Ok(Page { items, next: page.next })
    }
}
