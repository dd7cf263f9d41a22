//! Asking the systems: which of them answer, and how they describe what the mappings use.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use syncline_core::mapping::language::Diagnostic;
use syncline_engine::{Away, Clock as _, driver::SystemClock};
use syncline_sdk::{Context, EntityName, EntitySchema, Purpose, Selection, SystemName};

use crate::installation::{Installation, described};
use crate::stop::told;

/// How long a system may take to answer one question before the others go on without it. Longer
/// than an answer across the world takes; short, because the others wait as long.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same for a system that has just answered after it was waited for: a slow one is not left
/// out again.
const PATIENCE_AGAIN: Duration = Duration::from_secs(30);

/// How the entities of the systems that answered are described; why one cannot be used.
pub(super) type Schemas = BTreeMap<(SystemName, EntityName), Result<EntitySchema, Diagnostic>>;

/// What was found when the systems were asked.
#[derive(Default)]
pub(super) struct Reached {
    /// The systems that gave no answer.
    pub away: BTreeMap<SystemName, Away>,
    /// What the others described.
    pub schemas: Schemas,
}

/// Asks all systems at once, but for those that are waited for already. Changes nothing on them.
pub(super) async fn reach(
    installation: &Installation,
    away: &BTreeMap<SystemName, Away>,
    answers: Option<&SystemName>,
) -> Reached {
    let names = installation.connectors.keys().filter(|name| !away.contains_key(*name));
    let asked = names.map(|name| async move {
        let patience = if answers == Some(name) { PATIENCE_AGAIN } else { PATIENCE };
        (name, ask(installation, name, patience).await)
    });
    let mut reached = Reached::default();
    for (name, answer) in join_all(asked).await {
        match answer {
            Ok(schemas) => reached.schemas.extend(schemas),
            Err(error) => {
                let away = Away { kind: error.kind, why: told(&error), wait: Duration::default() };
                reached.away.insert(name.clone(), away);
            }
        }
    }
    reached
}

/// Asks one system whether it answers, and how it describes what the mappings use of it.
async fn ask(
    installation: &Installation,
    name: &SystemName,
    patience: Duration,
) -> syncline_sdk::Result<Schemas> {
    let connector = &installation.connectors[name];
    let context = || Context {
        install: installation.install.clone(),
        now: SystemClock.now(),
        timeout: patience,
        purpose: Purpose::Sync,
    };
    let selections = installation.selections(name);
    let selections: Vec<&Selection> = selections.iter().collect();
    connector.check(&context(), &selections).await?;
    let mut schemas = Schemas::new();
    let entities: BTreeSet<&EntityName> =
        selections.iter().map(|selection| &selection.entity).collect();
    for entity in entities {
        let schema = match connector.describe(&context(), entity).await {
            Ok(schema) => Ok(schema),
            Err(error) if error.kind.is_outage() => return Err(error),
            Err(error) => Err(described(&error, &format!("{entity} of {name}"))),
        };
        schemas.insert((name.clone(), entity.clone()), schema);
    }
    Ok(schemas)
}
