//! What the ledger keeps of former revisions of a mapping, as the present one has it.

use syncline_core::machine::Mappings;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Entry, Kept, Link, Review, keeps_question};
use syncline_ledger::{Ledger, Loaded};
use syncline_sdk::LinkId;

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::limits;

/// What was loaded, with the links as the present revision of their mapping has them.
#[derive(Default)]
pub(crate) struct Relaid {
    pub loaded: Loaded,
    /// Links of a former revision.
    pub former: Vec<(MappingId, LinkId)>,
    /// Their questions about units that are elsewhere by now, or under another rule; and where,
    /// under the same rule.
    pub outdated: Vec<(Review, Option<u16>)>,
}

impl Relaid {
    /// Lays out what was loaded.
    ///
    /// # Errors
    /// When nothing is known of a link's revision.
    pub fn of(mut loaded: Loaded, mappings: &Mappings) -> Result<Self> {
        let mut former = Vec::new();
        for link in &mut loaded.links {
            let Some(mapping) = mappings.get(&link.mapping) else { continue };
            if link.mapping_rev == mapping.revision {
                continue;
            }
            former.push((link.mapping, link.id, link.mapping_rev));
            relay_link(link, mapping)?;
        }
        let kept = |review: &Review| {
            let key = (review.key.mapping, review.key.link);
            let revision = former.iter().find(|(mapping, link, _)| (*mapping, *link) == key);
            match (revision, mappings.get(&key.0)) {
                (Some((_, _, revision)), Some(mapping)) => {
                    keeps_question(mapping, *revision, review.key.unit)
                }
                _ => Kept::There,
            }
        };
        let mut outdated = Vec::new();
        for review in std::mem::take(&mut loaded.reviews) {
            match kept(&review) {
                Kept::There => loaded.reviews.push(review),
                Kept::Elsewhere(now) => outdated.push((review, Some(now))),
                Kept::Not => outdated.push((review, None)),
            }
        }
        let former = former.into_iter().map(|(mapping, link, _)| (mapping, link)).collect();
        Ok(Self { loaded, former, outdated })
    }
}

fn unknown(mapping: &Mapping, revision: i32) -> EngineError {
    EngineError::Revision { mapping: mapping.name.clone(), revision, present: mapping.revision }
}

fn relay_link(link: &mut Link, mapping: &Mapping) -> Result<()> {
    link.relay(mapping).map_err(|revision| unknown(mapping, revision))
}

/// Lays out journal entries.
///
/// # Errors
/// When nothing is known of their revision.
pub(crate) fn relay_entries(entries: &mut [Entry], mappings: &Mappings) -> Result<()> {
    for entry in entries {
        if let Some(mapping) = mappings.get(&entry.mapping) {
            entry.relay(mapping).map_err(|revision| unknown(mapping, revision))?;
        }
    }
    Ok(())
}

/// Links by their ids, and the last one looked at, behind which there may be more.
pub type FormerLinks = (Vec<(MappingId, LinkId)>, Option<LinkId>);

impl<L: Ledger> Engine<L> {
    /// The links of a mapping that its present revision lays out otherwise, of so many after one.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn former_links(
        &self,
        mapping: &Mapping,
        after: Option<LinkId>,
    ) -> Result<FormerLinks> {
        let max = limits::VERIFY_LINKS_MAX;
        let links = self.intake.ledger.page(mapping.id, after, max).await?;
        let is_former = |link: &&Link| {
            let known = mapping.former.get(&link.mapping_rev);
            link.mapping_rev != mapping.revision && known.is_none_or(|former| !former.is_same())
        };
        let former = links.iter().filter(is_former).map(|link| (link.mapping, link.id)).collect();
        let last = links.last().filter(|_| links.len() == max).map(|link| link.id);
        Ok((former, last))
    }
}
