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
    /// answers. Those about records of a system that gives no answer wait, the others do not.
    ///
    /// # Errors
    /// When the ledger gives no answer, or no system that was asked does.
    pub async fn read_answers(&self) -> Result<Work> {
        let answered = self.ledger.answers(limits::ANSWERS_MAX).await?;
        let mut work = Work::default();
        let mut silent = None;
        for review in answered {
            let mut read = Work::default();
            match self.read_answered(&review, &mut read).await {
                Ok(()) => {}
                Err(error @ EngineError::System { .. }) => {
                    silent = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            }
            read.touched.push((review.key.mapping, review.key.link));
            read.answered.push(review.key);
            work.append(read);
        }
        match silent {
            Some(error) if work.is_empty() => Err(error),
            _ => Ok(work),
        }
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
            if system.silent(self.clock.now()).is_some() {
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
