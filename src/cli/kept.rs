//! What the ledger keeps of the mappings: their numbers, and what each was bound to.

use std::collections::BTreeMap;

use syncline_core::Sides;
use syncline_core::mapping::language::MappingSpec;
use syncline_core::mapping::{Former, MappingId};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Description, Ledger as _, MappingRevision, Setup as _};

use super::check::number;
use crate::service::{FoundLedger, agreed_of, former_revisions, has_begun};

/// What the ledger keeps of the mappings of an installation; nothing before the first run.
#[derive(Default)]
pub struct Kept {
    mappings: Vec<MappingRevision>,
    one: BTreeMap<MappingId, KeptOfOne>,
}

/// What the ledger keeps of one mapping.
#[derive(Default)]
pub(super) struct KeptOfOne {
    /// What its sides were last bound to, where it has begun.
    pub(super) agreed: Sides<Option<Description>>,
    /// The revisions that links may still be written in.
    pub(super) former: BTreeMap<i32, Former>,
}

impl Kept {
    /// What there is. One that no sync has run with may have tables of another release, or none.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub(super) async fn of(
        ledger: Option<&FoundLedger>,
        specs: &[MappingSpec],
    ) -> syncline_ledger::Result<Self> {
        match ledger.filter(|found| found.install.is_some()) {
            Some(found) => Self::read(&found.ledger, specs).await,
            None => Ok(Self::default()),
        }
    }

    async fn read(ledger: &Postgres, specs: &[MappingSpec]) -> syncline_ledger::Result<Self> {
        let mut kept = Self { mappings: ledger.mappings().await?, one: BTreeMap::new() };
        let positions = ledger.positions().await?;
        for (at, spec) in specs.iter().enumerate() {
            let (id, revision) = kept.number(at, spec);
            let agreed = match has_begun(ledger, id, &spec.name, &positions).await? {
                true => agreed_of(ledger, spec, id).await?,
                false => Sides::default(),
            };
            let former = former_revisions(ledger, spec, id, revision).await?;
            kept.one.insert(id, KeptOfOne { agreed, former });
        }
        Ok(kept)
    }

    /// The number and the revision of a mapping. A changed file is a new revision; what the
    /// ledger has is older either way.
    pub(super) fn number(&self, at: usize, spec: &MappingSpec) -> (MappingId, i32) {
        match self.mappings.iter().find(|one| one.name == **spec.name) {
            Some(one) => (one.mapping, one.revision.saturating_add(1)),
            None => {
                let most = self.mappings.iter().map(|one| one.mapping.0).max().unwrap_or(0);
                (MappingId(most.saturating_add(number(at).0)), 1)
            }
        }
    }

    /// What it keeps of one mapping.
    pub(super) fn of_one(&self, id: MappingId) -> Option<&KeptOfOne> {
        self.one.get(&id)
    }
}
