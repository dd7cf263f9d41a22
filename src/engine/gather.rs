//! Loading what a round concerns, and resolving references to links (protocol 1.7).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use syncline_core::machine::{Mappings, Missing, Observation, Settling, Workset};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Link, LinkState};
use syncline_core::{Side, Sides};
use syncline_ledger::{Ledger, LinkQuery};
use syncline_sdk::{Key, LinkId, Value};

use crate::error::Result;
use crate::flight::Flights;
use crate::references::{ask_for_parents, shown};
use crate::relaying::Relaid;
use crate::work::Work;

/// The records of a link.
type Keys = Sides<Option<Key>>;

/// What was loaded for a round so far.
#[derive(Default)]
pub struct Gathered {
    loaded: Vec<Relaid>,
    links: HashMap<(MappingId, Side), HashMap<Key, LinkId>>,
    /// Names that records had before: behind one stands a record of its own, perhaps.
    former: BTreeSet<(MappingId, Side, Key)>,
    claims: BTreeSet<(MappingId, String)>,
    /// Links whose record may get a partner made.
    lone: BTreeSet<(MappingId, LinkId)>,
    /// Where several mappings join two entities: the records of the links found.
    pairs: Option<HashMap<(MappingId, LinkId), Keys>>,
}

/// Queries being put together, one a mapping, each name once.
#[derive(Default)]
pub(crate) struct Queries(BTreeMap<MappingId, Names>);

/// The names by which links of one mapping are asked for.
#[derive(Default)]
struct Names {
    links: BTreeSet<LinkId>,
    keys: Sides<BTreeSet<Key>>,
    claims: BTreeSet<String>,
}

impl Queries {
    fn link(&mut self, mapping: MappingId, link: LinkId) {
        self.0.entry(mapping).or_default().links.insert(link);
    }
    pub(crate) fn key(&mut self, mapping: MappingId, side: Side, key: &Key) {
        let keys = &mut self.0.entry(mapping).or_default().keys[side];
        if !keys.contains(key) {
            keys.insert(key.clone());
        }
    }
    fn claim(&mut self, mapping: MappingId, claim: String) {
        self.0.entry(mapping).or_default().claims.insert(claim);
    }
    fn finish(self) -> Vec<LinkQuery> {
        self.0
            .into_iter()
            .map(|(mapping, Names { links, keys, claims })| LinkQuery {
                mapping,
                links: links.into_iter().collect(),
                keys: Sides {
                    left: keys.left.into_iter().collect(),
                    right: keys.right.into_iter().collect(),
                },
                claims: claims.into_iter().collect(),
            })
            .collect()
    }
}

impl Gathered {
    /// Loads the links that the work names: by key, by id, by external id, by reference; then,
    /// for records without a partner, by business key.
    pub async fn load<L: Ledger>(ledger: &L, mappings: &Mappings, work: &Work) -> Result<Self> {
        let mut queries = Queries::default();
        for (mapping, side, seen) in &work.observed {
            ask_for(&mut queries, mappings, *mapping, *side, seen);
        }
        for input in &work.settled {
            queries.link(input.carried.mapping, input.carried.link);
            let (mapping, side) = (input.carried.mapping, input.carried.intent.side);
            match &input.settling {
                Settling::Stale(Some(seen)) => {
                    ask_for(&mut queries, mappings, mapping, side, seen);
                }
                Settling::Applied { stored: Some(stored), .. } => {
                    ask_for_parents(&mut queries, mappings, mapping, side, stored);
                }
                _ => {}
            }
        }
        for (mapping, link) in work.touched.iter().chain(&work.retried) {
            queries.link(*mapping, *link);
        }
        for (mapping, link, ..) in &work.returned {
            queries.link(*mapping, *link);
        }
        for (mapping, link, ..) in &work.overwritten {
            queries.link(*mapping, *link);
        }
        for (mapping, side, key) in &work.named {
            queries.key(*mapping, *side, key);
        }
        for key in &work.answered {
            queries.link(key.mapping, key.link);
        }
        let sharing = mappings.values().any(|one| siblings(mappings, one.id).next().is_some());
        let mut gathered = Self { pairs: sharing.then(HashMap::new), ..Self::default() };
        gathered.fetch(ledger, mappings, queries).await?;
        let observed = work.observed.iter().map(|(mapping, side, seen)| (*mapping, *side, seen));
        gathered.load_elsewhere(ledger, mappings, observed.clone()).await?;
        gathered.load_claims(ledger, mappings, observed).await?;
        Ok(gathered)
    }

    /// Loads what records read in the middle of a round concern.
    pub async fn load_more<'a, L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        seen: impl Iterator<Item = (MappingId, Side, &'a Observation)> + Clone,
    ) -> Result<()> {
        let mut queries = Queries::default();
        for (mapping, side, seen) in seen.clone() {
            ask_for(&mut queries, mappings, mapping, side, seen);
        }
        self.fetch(ledger, mappings, queries).await?;
        self.load_elsewhere(ledger, mappings, seen.clone()).await?;
        self.load_claims(ledger, mappings, seen).await
    }

    /// Loads the links that links refer to.
    pub async fn load_parents<L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        links: &[Link],
    ) -> Result<()> {
        let mut parents = BTreeSet::new();
        for link in links {
            let Some(mapping) = mappings.get(&link.mapping) else {
                continue;
            };
            for pair in mapping.units.iter().flat_map(|unit| &unit.pairs) {
                let Some(of) = pair.reference else { continue };
                for side in Side::BOTH {
                    if let Value::Link(parent) = link.observed(side, pair.on(side)) {
                        parents.insert((of, *parent));
                        parents.extend(siblings(mappings, of).map(|other| (other, *parent)));
                    }
                }
            }
        }
        let parents: Vec<_> = parents.into_iter().collect();
        self.load_links(ledger, mappings, &parents).await
    }

    /// Shows what was loaded to a machine without giving it away.
    pub fn show(&self, workset: &mut Workset<'_>) {
        for relaid in &self.loaded {
            workset.take(relaid.loaded.links.clone(), Vec::new(), Vec::new(), Vec::new());
        }
    }

    /// Loads links by id.
    pub async fn load_links<L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        links: &[(MappingId, LinkId)],
    ) -> Result<()> {
        let mut queries = Queries::default();
        for (mapping, link) in links {
            queries.link(*mapping, *link);
        }
        self.fetch(ledger, mappings, queries).await
    }

    /// Loads what stands in the way of pairs that move to the mapping that observes a record of
    /// theirs.
    async fn load_elsewhere<'a, L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        seen: impl Iterator<Item = (MappingId, Side, &'a Observation)>,
    ) -> Result<()> {
        let Some(pairs) = &self.pairs else { return Ok(()) };
        let mut queries = Queries::default();
        for (id, side, seen) in seen {
            if self.knows(id, side, &seen.key) {
                continue;
            }
            for other in siblings(mappings, id) {
                let Some(link) = self.link(other, side, &seen.key) else { continue };
                queries.link(id, link);
                let Some(keys) = pairs.get(&(other, link)) else { continue };
                for (at, key) in keys.iter() {
                    key.iter().for_each(|key| queries.key(id, at, key));
                }
            }
        }
        self.fetch(ledger, mappings, queries).await
    }

    async fn load_claims<'a, L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        seen: impl Iterator<Item = (MappingId, Side, &'a Observation)>,
    ) -> Result<()> {
        let mut queries = Queries::default();
        for (id, side, seen) in seen {
            let (Some(mapping), Ok(values)) = (mappings.get(&id), &seen.content) else {
                continue;
            };
            let former = self.former.contains(&(id, side, seen.key.clone()));
            let link = self.link(id, side, &seen.key);
            if link.is_some_and(|link| !former && !self.lone.contains(&(id, link))) {
                continue;
            }
            for claim in mapping.claims(side, values) {
                if self.claims.insert((id, claim.clone())) {
                    queries.claim(id, claim);
                }
            }
        }
        self.fetch(ledger, mappings, queries).await
    }

    pub(crate) async fn fetch<L: Ledger>(
        &mut self,
        ledger: &L,
        mappings: &Mappings,
        queries: Queries,
    ) -> Result<()> {
        let queries = queries.finish();
        if queries.is_empty() {
            return Ok(());
        }
        let relaid = Relaid::of(ledger.load(&queries).await?, mappings)?;
        let loaded = &relaid.loaded;
        for link in &loaded.links {
            if matches!(
                link.state,
                LinkState::Seen(_) | LinkState::Creating(_) | LinkState::Tombstone
            ) {
                self.lone.insert((link.mapping, link.id));
            }
            if let Some(pairs) = &mut self.pairs {
                pairs.insert((link.mapping, link.id), link.keys.clone());
            }
            for side in Side::BOTH {
                if let Some(key) = &link.keys[side] {
                    self.learn(link.mapping, side, key.clone(), link.id);
                }
            }
        }
        for alias in &loaded.aliases {
            self.former.insert((alias.mapping, alias.side, alias.key.clone()));
            let links = self.links.entry((alias.mapping, alias.side)).or_default();
            links.entry(alias.key.clone()).or_insert(alias.link);
        }
        self.loaded.push(relaid);
        Ok(())
    }

    /// Notes which link a record is of.
    pub(crate) fn learn(&mut self, mapping: MappingId, side: Side, key: Key, link: LinkId) {
        self.links.entry((mapping, side)).or_default().insert(key, link);
    }

    /// Hands what was loaded since the last time to the machine.
    pub fn enter(&mut self, workset: &mut Workset<'_>) {
        for Relaid { loaded, former, outdated } in self.loaded.drain(..) {
            workset.take(loaded.links, loaded.aliases, loaded.claims, loaded.reviews);
            workset.relaid(former, outdated);
        }
    }

    /// Whether a link knows a record by its present name.
    pub fn knows(&self, mapping: MappingId, side: Side, key: &Key) -> bool {
        let former = self.former.contains(&(mapping, side, key.clone()));
        !former && self.link(mapping, side, key).is_some()
    }

    pub(crate) fn link(&self, mapping: MappingId, side: Side, key: &Key) -> Option<LinkId> {
        self.links.get(&(mapping, side))?.get(key).copied()
    }

    /// An observation as the machine takes it: with its references as links, and, of a record
    /// that no link knows, with the creates of ours that may have made it.
    pub fn prepare<'a>(
        &self,
        mappings: &Mappings,
        flights: &Flights,
        mapping: MappingId,
        side: Side,
        seen: &'a Observation,
    ) -> Cow<'a, Observation> {
        let prepared = self.resolve(mappings, mapping, side, seen);
        let known = self.knows(mapping, side, &seen.key);
        let Some(of) = mappings.get(&mapping).filter(|_| !known && seen.marked.is_empty()) else {
            return prepared;
        };
        let marked = flights.making(of, side, seen);
        if marked.is_empty() {
            return prepared;
        }
        Cow::Owned(Observation { marked, ..prepared.into_owned() })
    }
}

/// The other mappings of the same two entities.
pub(crate) fn siblings(mappings: &Mappings, id: MappingId) -> impl Iterator<Item = MappingId> + '_ {
    let own = mappings.get(&id);
    let others =
        mappings.values().filter(move |other| own.is_some_and(|own| own.shares_entities(other)));
    others.map(|other| other.id)
}

fn ask_for(
    queries: &mut Queries,
    mappings: &Mappings,
    id: MappingId,
    side: Side,
    seen: &Observation,
) {
    queries.key(id, side, &seen.key);
    // Its pair may be of another mapping of the same entities.
    siblings(mappings, id).for_each(|other| queries.key(other, side, &seen.key));
    if let Some(old) = &seen.old_key {
        queries.key(id, side, old);
    }
    if let Some(link) = seen.external_id {
        queries.link(id, link);
    }
    if let Err(Missing::MergedInto(winner)) = &seen.content {
        queries.key(id, side, winner);
    }
    ask_for_parents(queries, mappings, id, side, shown(seen));
}
