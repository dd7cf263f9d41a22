//! Mappings against the live systems.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use syncline_core::mapping::language::{
    Checked, Diagnostic, Diagnostics, MappingRef, MappingSpec, bind,
};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::trial::try_records;
use syncline_core::{Side, Sides};
use syncline_sdk::{
    Connector, Context, EntityName, EntitySchema, Health, Need, Piece, Purpose, ScanRequest,
    SystemName,
};

use super::kept::KeptOfOne;
use super::{Installation, Kept, Stop, clock};
use crate::installation::{at_system, described};
use crate::service::{attach, bound_to, drifted, find_ledger, left_alone};
use crate::stop::chain;

/// How long a system may take to answer one question of a check.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many records of each side a check looks at: one page, which costs one call.
const SAMPLE_ROWS: usize = 200;

/// What was found when the systems of an installation were called.
#[derive(Debug, Default)]
pub struct Reach {
    /// What each system that answered says of itself.
    pub health: BTreeMap<SystemName, Health>,
    /// Why the others did not, at their places in the settings.
    pub found: Diagnostics,
}

/// One mapping against both its systems.
#[derive(Debug)]
pub struct Bound {
    /// Its name.
    pub name: Arc<str>,
    /// The mapping, or what is wrong with it.
    pub mapping: Result<Checked<Mapping>, Diagnostics>,
}

/// What a call of a check is given.
pub(super) fn context(installation: &Installation) -> Context {
    let install = installation.install.clone();
    Context { install, now: clock::now(), timeout: TIMEOUT, purpose: Purpose::Sync }
}

/// Gives an installation what its ledger keeps for it, where a sync has run before. A ledger
/// that does not answer is a finding, and the systems are called without it.
pub(super) async fn with_ledger(installation: &mut Installation) -> Diagnostics {
    match attach(installation).await {
        Ok(()) => Diagnostics::new(),
        Err(Stop::Found(found)) => found,
        Err(Stop::Failed(error)) => silent(&error),
    }
}

/// The systems of an installation as its runs look at them, whatever its mappings are.
///
/// # Errors
/// All findings of the settings; that the ledger does not answer.
pub(super) async fn open_systems(config: &Path) -> Result<Installation, Stop> {
    let mut installation = Installation::of_systems(config)?;
    let found = with_ledger(&mut installation).await;
    match found.has_errors() {
        true => Err(found.into()),
        false => Ok(installation),
    }
}

/// The same as [`with_ledger`], and what the ledger keeps of the mappings.
pub(super) async fn with_kept(installation: &mut Installation) -> (Kept, Diagnostics) {
    let mut found = with_ledger(installation).await;
    if found.has_errors() {
        return (Kept::default(), found);
    }
    match kept_by_ledger(installation).await {
        Ok(kept) => (kept, found),
        Err(error) => {
            found.extend(silent(&error));
            (Kept::default(), found)
        }
    }
}

async fn kept_by_ledger(installation: &Installation) -> anyhow::Result<Kept> {
    let ledger = find_ledger(&installation.settings).await?;
    Ok(Kept::of(ledger.as_ref(), &installation.specs).await?)
}

/// That the ledger gives no answer.
fn silent(error: &anyhow::Error) -> Diagnostics {
    let why = chain(error.chain());
    let told = Diagnostic::error(format!("the ledger does not answer: {why}"));
    Diagnostics::from(told.help(
        "see `ledger` in the settings; without it the logins and names that it keeps are not known",
    ))
}

/// Calls every system once. Changes nothing anywhere.
pub async fn reach(installation: &Installation) -> Reach {
    let mut reach = Reach::default();
    for system in &installation.settings.systems {
        let Some(connector) = installation.connectors.get(&system.name) else {
            continue;
        };
        let selections = installation.selections(&system.name);
        let selections: Vec<_> = selections.iter().collect();
        match connector.check(&context(installation), &selections).await {
            Ok(mut health) => {
                health.pieces = each_once(health.pieces);
                serving(installation, &system.name, connector.as_ref(), &mut health.pieces);
                reach.health.insert(system.name.clone(), health);
            }
            Err(error) => reach.found.push(at_system(&installation.settings, system, &error)),
        }
    }
    reach
}

/// Takes out what is not there and would serve writes alone, of entities that nothing writes.
fn serving(
    installation: &Installation,
    system: &SystemName,
    connector: &dyn Connector,
    pieces: &mut Vec<Piece>,
) {
    let needs = installation.needs(system);
    let names = |needs: &[Need]| -> BTreeSet<String> {
        let grants = connector.grants(&installation.install, needs);
        grants.into_iter().map(|grant| grant.piece).collect()
    };
    let writing = needs.iter().cloned().map(|need| Need { creates: true, ..need });
    let writing = names(&writing.collect::<Vec<_>>());
    let needed = names(&needs);
    let serves = |name: &String| needed.contains(name) || !writing.contains(name);
    pieces.retain(|piece| piece.present || piece.required || serves(&piece.name));
}

/// Pieces without those that are there already: two mappings of one entity ask for the same.
fn each_once(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::new();
    for piece in pieces {
        if !kept.contains(&piece) {
            kept.push(piece);
        }
    }
    kept
}

/// Binds every mapping whose systems both answered, as a run would: a field that is not what the
/// ledger keeps as agreed is left alone, with a warning.
pub async fn bind_all(installation: &Installation, reached: &Reach, kept: &Kept) -> Vec<Bound> {
    let specs = &installation.specs;
    let ids: Vec<(MappingId, i32)> =
        specs.iter().enumerate().map(|(at, spec)| kept.number(at, spec)).collect();
    let outlines: Vec<MappingRef> =
        specs.iter().zip(&ids).map(|(spec, (id, _))| spec.outline(*id)).collect();
    let mut schemas = Schemas { installation, known: BTreeMap::new() };
    let mut bound = Vec::new();
    for (spec, (id, revision)) in specs.iter().zip(ids) {
        let answered = |system: &SystemName| reached.health.contains_key(system);
        if !spec.sides.iter().all(|(_, side)| answered(&side.system)) {
            continue;
        }
        let mapping = schemas.bind(spec, (id, revision), kept.of_one(id), &outlines).await;
        bound.push(Bound { name: Arc::clone(&spec.name), mapping });
    }
    bound
}

/// The schemas described so far: each entity is asked for once.
struct Schemas<'a> {
    installation: &'a Installation,
    known: BTreeMap<(SystemName, EntityName), EntitySchema>,
}

impl Schemas<'_> {
    async fn bind(
        &mut self,
        spec: &MappingSpec,
        (id, revision): (MappingId, i32),
        kept: Option<&KeptOfOne>,
        mappings: &[MappingRef],
    ) -> Result<Checked<Mapping>, Diagnostics> {
        let mut found = Diagnostics::new();
        for (_, side) in spec.sides.iter() {
            let key = (side.system.value.clone(), side.entity.value.clone());
            if self.known.contains_key(&key) {
                continue;
            }
            let Some(connector) = self.installation.connectors.get(&key.0) else {
                continue;
            };
            match connector.describe(&context(self.installation), &key.1).await {
                Ok(schema) => {
                    self.known.insert(key, schema);
                }
                Err(error) => {
                    let about = format!("{} of {}", key.1, key.0);
                    found.push(described(&error, &about).at(&spec.source, side.entity.span));
                }
            }
        }
        let mut drift = Sides::default();
        let mut schema = |side| {
            let side_spec = &spec.sides[side];
            let key = (side_spec.system.value.clone(), side_spec.entity.value.clone());
            let now = self.known.get(&key)?;
            let Some(agreed) = kept.and_then(|kept| kept.agreed[side].as_ref()) else {
                return Some(now.clone());
            };
            drift[side] = drifted(spec, side, agreed, now);
            Some(bound_to(now, agreed, &drift[side]))
        };
        let (Some(left), Some(right)) = (schema(Side::Left), schema(Side::Right)) else {
            return Err(found);
        };
        let capabilities = |side| {
            let connector = self.installation.connectors.get(&*spec.sides[side].system)?;
            Some(connector.effective(&spec.draft_selection(side)))
        };
        let (Some(left_can), Some(right_can)) =
            (capabilities(Side::Left), capabilities(Side::Right))
        else {
            return Err(found);
        };
        let schemas = Sides { left: &left, right: &right };
        let capabilities = Sides { left: left_can, right: right_can };
        let mut bound = bind(spec, id, revision, schemas, capabilities, mappings)?;
        bound.warnings.extend(left_alone(spec, &drift));
        bound.value.freeze(drift);
        bound.value.former = kept.map(|kept| kept.former.clone()).unwrap_or_default();
        Ok(bound)
    }
}

/// Tries a bound mapping on the first records that both its systems show. Reads only.
pub(super) async fn sampled(
    installation: &Installation,
    name: &str,
    mapping: &Mapping,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some(spec) = installation.specs.iter().find(|spec| **spec.name == *name) else {
        return found;
    };
    for side in Side::BOTH {
        let place = &mapping.sides[side];
        let Some(connector) = installation.connectors.get(&place.system) else { continue };
        let request = ScanRequest {
            selection: Arc::clone(&place.selection),
            after: None,
            page_rows_max: SAMPLE_ROWS,
        };
        match connector.scan(&context(installation), request).await {
            Ok(page) => {
                let records: Vec<_> =
                    page.records.into_iter().map(|record| record.values).collect();
                found.extend(try_records(spec, mapping, side, &records));
            }
            Err(error) => {
                let entity = &spec.sides[side].entity;
                let told = format!("no records of {} could be looked at: {error}", **entity);
                found.push(Diagnostic::warning(told).at(&spec.source, entity.span));
            }
        }
    }
    found
}
