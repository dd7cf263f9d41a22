//! Records set aside because a set-up was wrong: a few are tried again, to see whether it was
//! mended.

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_ledger::Ledger;
use syncline_sdk::{ErrorKind, LinkId};

use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::work::Work;

/// What somebody mends without touching the record: a column, a permission, a setting. A refused
/// value is not of this kind: its record is tried again when it changes.
const MENDED_ELSEWHERE: [ErrorKind; 4] =
    [ErrorKind::Schema, ErrorKind::Forbidden, ErrorKind::Config, ErrorKind::Unsupported];

impl<L: Ledger> Intake<L> {
    /// Work that tries again what was set aside longest ago. `probe` is what this gave the last
    /// time: as long as that is set aside again, only one record is tried; once it went through,
    /// many are. Gives the work, the next probe and whether more wait.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn retry_parked(
        &self,
        id: MappingId,
        probe: Option<LinkId>,
    ) -> Result<(Work, Option<LinkId>, bool)> {
        let parked = self.ledger.parked(Some(id), limits::RETRIES_MAX).await?;
        let waiting = parked
            .iter()
            .rev()
            .filter(|parked| MENDED_ELSEWHERE.iter().any(|kind| kind.as_str() == parked.kind));
        let refused = parked.iter().any(|parked| Some(parked.link) == probe);
        let max = if probe.is_none() || refused { 1 } else { limits::RETRIES_MAX };
        let mut retried: Vec<_> = waiting.take(max).map(|parked| (id, parked.link)).collect();
        let next = retried.last().map(|(_, link)| *link);
        let more = next.is_some() && !refused;
        // What a person asks for is tried whatever it was set aside for. Set aside once more it
        // is younger than the question.
        let asked = parked.iter().filter(|parked| parked.asked_again);
        let asked: Vec<_> = asked.map(|parked| (id, parked.link)).collect();
        // Those that were asked for come first: where they fill the page there may be more.
        let more = more || (asked.len() >= limits::RETRIES_MAX && self.both_answer(id));
        retried.extend(asked.into_iter().filter(|one| !retried.contains(one)).collect::<Vec<_>>());
        Ok((Work { retried, ..Work::default() }, next, more))
    }

    /// Whether both systems of a mapping can be asked: else what is tried again waits, and nothing
    /// is gained by trying it soon.
    fn both_answer(&self, id: MappingId) -> bool {
        let now = self.clock.now();
        let silent = |side: Side| {
            let system = self.mappings.get(&id).map(|mapping| &mapping.sides[side].system);
            system.and_then(|name| self.system(name)).and_then(|system| system.silent(now))
        };
        Side::BOTH.into_iter().all(|side| silent(side).is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use futures_util::FutureExt;
    use syncline_core::machine::Mappings;
    use syncline_core::model::{Changeset, Parked};
    use syncline_ledger::memory::Memory;
    use syncline_ledger::{Committed, Ownership};
    use syncline_sdk::Instant;

    use super::*;
    use crate::clock::Clock;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Instant {
            Instant::from_micros(1_000_000)
        }
    }

    /// Whether more are tried again soon, where people asked for so many.
    fn more(asked: usize) -> bool {
        let ledger = Memory::default();
        let (now, until) = (Instant::from_micros(1), Instant::from_micros(i64::MAX));
        let Ownership::Owned(fence) =
            ledger.own("one", now, until).now_or_never().unwrap().unwrap()
        else {
            panic!("nobody else owns it")
        };
        let commit = ledger.reserve(1).now_or_never().unwrap().unwrap().start;
        let parked = |at: usize| Parked {
            asked_again: true,
            mapping: MappingId(1),
            link: LinkId(uuid::Uuid::from_u128(at as u128 + 1)),
            side: Side::Left,
            kind: ErrorKind::Invalid.as_str().to_owned(),
            message: "no".to_owned(),
            advice: String::new(),
            entry: None,
            at: 1,
        };
        let parked = (0..asked).map(parked).collect();
        let changes = Changeset { commit, fence, parked, ..Changeset::default() };
        let committed = ledger.commit(&changes).now_or_never().unwrap().unwrap();
        assert_eq!(committed, Committed::Committed);
        let intake = Intake {
            ledger: Arc::new(ledger),
            install: "install".into(),
            mappings: Arc::new(Mappings::new()),
            systems: Arc::new(BTreeMap::new()),
            clock: Arc::new(Still),
        };
        let tried = intake.retry_parked(MappingId(1), None).now_or_never().unwrap().unwrap();
        assert_eq!(tried.0.retried.len(), asked.min(limits::RETRIES_MAX));
        tried.2
    }

    #[test]
    fn pages_of_asked_records_follow_one_another() {
        assert!(!more(3));
        assert!(more(limits::RETRIES_MAX + 1));
    }
}
