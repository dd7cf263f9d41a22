//! What people ask.

use std::collections::BTreeMap;

use async_trait::async_trait;
use syncline_core::Sides;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Answer, Figure, Gap, Hint, Link, Review, ReviewStatus, Tally};
use syncline_sdk::LinkId;

use super::state::State;
use super::{Call, Memory};
use crate::people::state_name;
use crate::{Answered, Awaited, LinkCount, NewAnswer, Owner, People, Result, ReviewQuery, Waiting};

#[async_trait]
impl People for Memory {
    async fn reviews(&self, query: &ReviewQuery) -> Result<Vec<Review>> {
        self.call(Call::People, |state| state.list_reviews(query)).await
    }

    async fn review(&self, id: i64) -> Result<Option<Review>> {
        self.call(Call::People, |state| {
            state.reviews.values().find(|review| review.id == id).cloned()
        })
        .await
    }

    async fn answer(&self, answer: &NewAnswer) -> Result<Answered> {
        self.call(Call::People, |state| state.answer(answer)).await
    }

    async fn hint(&self, hints: &[Hint]) -> Result<()> {
        self.call(Call::People, |state| state.add_hints(hints)).await
    }

    async fn all_gaps(&self, max: usize) -> Result<Vec<Gap>> {
        self.call(Call::People, |state| {
            let mut gaps: Vec<Gap> = state.gaps.values().cloned().collect();
            gaps.sort_by(|a, b| (b.noticed_at, &a.stream).cmp(&(a.noticed_at, &b.stream)));
            gaps.truncate(max);
            gaps
        })
        .await
    }

    async fn figures(&self) -> Result<BTreeMap<Figure, i64>> {
        self.call(Call::People, |state| state.figures.clone()).await
    }

    async fn tallies(&self) -> Result<Vec<(Tally, i64)>> {
        self.call(Call::People, |state| {
            state.tallies.iter().map(|(tally, count)| (tally.clone(), *count)).collect()
        })
        .await
    }

    async fn link_counts(&self) -> Result<Vec<LinkCount>> {
        self.call(Call::People, |state| {
            let mut counts = BTreeMap::new();
            for link in state.links.values() {
                *counts.entry((link.mapping, state_name(link.state))).or_insert(0) += 1;
            }
            counts
                .into_iter()
                .map(|((mapping, state), count)| LinkCount { mapping, state, count })
                .collect()
        })
        .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>> {
        self.call(Call::People, |state| {
            let mut waiting: BTreeMap<_, (i64, i64)> = BTreeMap::new();
            for hint in state.hints.values() {
                let entry = waiting.entry(hint.system.clone()).or_insert((0, hint.due));
                *entry = (entry.0 + 1, entry.1.min(hint.due));
            }
            waiting
                .into_iter()
                .map(|(system, (hints, due))| Waiting { system, hints, due })
                .collect()
        })
        .await
    }

    async fn owner(&self) -> Result<Option<Owner>> {
        self.call(Call::People, |state| state.lease.clone()).await
    }

    async fn awaited(&self) -> Result<Vec<Awaited>> {
        self.call(Call::People, |state| state.awaited.clone()).await
    }

    async fn ask_sweep(&self, mapping: MappingId) -> Result<i64> {
        self.call(Call::People, |state| {
            let asked = state.sweeps.entry(mapping).or_insert(0);
            *asked += 1;
            *asked
        })
        .await
    }

    async fn link(&self, link: LinkId) -> Result<Option<Link>> {
        self.call(Call::People, |state| {
            let named = state.links.values().filter(|known| known.id == link);
            named.min_by_key(|known| known.keys == Sides::default()).cloned()
        })
        .await
    }
}

impl State {
    fn list_reviews(&self, query: &ReviewQuery) -> Vec<Review> {
        let mut reviews: Vec<Review> = self
            .reviews
            .values()
            .filter(|review| review.id > query.after)
            .filter(|review| query.mapping.is_none_or(|mapping| review.key.mapping == mapping))
            .filter(|review| match query.status {
                Some(status) => review.status == status,
                None => review.status != ReviewStatus::Closed,
            })
            .cloned()
            .collect();
        reviews.sort_by_key(|review| review.id);
        reviews.truncate(query.max);
        reviews
    }

    fn answer(&mut self, answer: &NewAnswer) -> Answered {
        let Some(review) = self.reviews.values_mut().find(|review| review.id == answer.id) else {
            return Answered::Unknown;
        };
        if review.revision != answer.revision || review.status != ReviewStatus::Open {
            return Answered::Moved(Box::new(review.clone()));
        }
        review.status = ReviewStatus::Answered;
        review.answer =
            Some(Answer { choice: answer.choice.clone(), by: answer.by.clone(), at: answer.at });
        self.add_hints(&answer.hints);
        Answered::Taken
    }
}
