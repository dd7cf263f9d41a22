//! Answers of people: the polled sides are read afresh before an answer is folded (protocol P4).

use syncline_core::Side;
use syncline_core::model::{Choice, Review, ReviewKind};
use syncline_ledger::{Ledger, LinkQuery};
use syncline_sdk::{Error, ErrorKind, FetchBy, FetchRequest, Purpose};

use crate::error::{EngineError, Result};
use crate::limits;
use crate::reader::Intake;
use crate::wants::observations;
use crate::work::Work;

impl<L: Ledger> Intake<L> {
    /// Reads what answered questions are about, afresh, and gives the work that folds the
    /// answers. One about a system that gives no answer waits; the others are folded.
    ///
    /// # Errors
    /// When the ledger gives no answer; the answers wait.
    pub async fn read_answers(&self) -> Result<Work> {
        let answered = self.ledger.answers(limits::ANSWERS_MAX).await?;
        let mut work = Work::default();
        for review in answered {
            match self.read_answered(&review, &mut work).await {
                Ok(()) => {}
                Err(EngineError::System { system, source }) => {
                    let link = review.key.link;
                    tracing::warn!(%system, %link, error = %source, "a person's answer waits");
                    continue;
                }
                Err(error) => return Err(error),
            }
            work.touched.push((review.key.mapping, review.key.link));
            work.answered.push(review.key);
        }
        Ok(work)
    }

    async fn read_answered(&self, review: &Review, work: &mut Work) -> Result<()> {
        let Some(mapping) = self.mappings.get(&review.key.mapping) else {
            return Ok(());
        };
        let query =
            LinkQuery { mapping: mapping.id, links: vec![review.key.link], ..LinkQuery::default() };
        let loaded = self.ledger.load(&[query]).await?;
        let Some(link) = loaded.links.first() else {
            return Ok(());
        };
        if let Some(Choice::Adopt(key)) = review.answer.as_ref().map(|answer| &answer.choice) {
            // Whether the chosen record belongs to another link by now.
            work.named.extend(Side::BOTH.map(|side| (mapping.id, side, key.clone())));
        }
        for side in Side::BOTH {
            let suspected = matches!(review.kind, ReviewKind::SuspectedDelete(at) if at == side);
            let Some(key) = link.keys[side].clone().filter(|_| !suspected) else {
                continue;
            };
            let place = &mapping.sides[side];
            let system = &self.systems[&place.system];
            if system.breaker.away(self.clock.now()).is_some() {
                let source =
                    Error::new(ErrorKind::Unavailable, "fetch", "it did not answer lately");
                return Err(Self::at(&place.system)(source));
            }
            let request =
                FetchRequest { selection: place.selection.clone(), by: FetchBy::Keys(vec![key]) };
            let context = self.context(Purpose::Sync);
            let fetch = system.connector.fetch(&context, request);
            let fetched = system.ask(&*self.clock, fetch).await.map_err(Self::at(&place.system))?;
            let seen = observations(fetched);
            work.observed.extend(seen.into_iter().map(|seen| (mapping.id, side, seen)));
        }
        Ok(())
    }
}
