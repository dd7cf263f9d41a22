//! `syncline doctor`

use std::path::Path;

use clap::Args;
use serde_json::{Map, json};
use syncline_core::mapping::language::{Diagnostic, Diagnostics};
use syncline_core::mapping::{MappedSide, Mapping};
use syncline_sdk::{FeedKind, Guarantee, Health, Piece, Quota, SystemName};

use super::output::{counted, findings_json};
use super::{Bound, Exit, Installation, Output, Stop, bind_all, reach, with_kept};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

const EXAMPLES: &str = "\
Examples:
  syncline doctor          what both systems have, what they lack, and what each piece buys
  syncline doctor --json   the same for a monitor

Nothing is made. What `syncline run` makes itself is listed as that; a missing piece that Syncline
can work without weakens the guarantee and is only named. A system that does not answer, a piece
that somebody must provide, or a mapping that does not fit gives 2.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) async fn run(
    config: &Path,
    Arguments {}: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let mut installation = Installation::open_early(config)?;
    let (kept, without_ledger) = with_kept(&mut installation).await;
    let reached = reach(&installation).await;
    let bound = bind_all(&installation, &reached, &kept).await;
    let mut systems = Vec::new();
    let mut lacking = false;
    for system in &installation.settings.systems {
        let connector = installation.connectors.get(&system.name);
        let quota = connector.and_then(|connector| connector.usage().quota);
        let health = reached.health.get(&system.name);
        let kind = system.kind.word();
        lacking |= health.is_none_or(|health| health.pieces.iter().any(lacks));
        say_system(output, &system.name, kind, health, quota);
        systems.push(json!({
            "name": system.name.as_str(),
            "kind": kind,
            "health": health,
            "class": health.map(|health| class(health.guarantee)),
            "quota": quota,
        }));
    }
    let mut found = installation.warnings.clone();
    found.extend(without_ledger);
    found.extend(reached.found);
    found.extend(polls(&installation, &bound));
    let mut mappings = Vec::new();
    for Bound { name, mapping } in bound {
        mappings.push(match &mapping {
            Ok(checked) => say_mapping(output, &checked.value),
            Err(_) => {
                output.line(&format!("mapping {name}: does not fit, see below"));
                json!({ "name": &*name, "fits": false })
            }
        });
        found.extend(mapping.map_or_else(|errors| errors, |checked| checked.warnings));
    }
    Ok(report(output, systems, mappings, &found, lacking))
}

/// The systems whose daily quota polls alone would use up.
fn polls(installation: &Installation, bound: &[Bound]) -> Diagnostics {
    let settings = &installation.settings;
    let fitting = || bound.iter().filter_map(|bound| bound.mapping.as_ref().ok());
    let polled = |name: &SystemName| {
        let sides = fitting().flat_map(|checked| checked.value.sides.iter());
        let polled = |side: &MappedSide| side.capabilities.feed == FeedKind::Polled;
        sides.filter(|(_, side)| side.system == *name && polled(side)).count()
    };
    let mut found = Diagnostics::new();
    for system in &settings.systems {
        let connector = installation.connectors.get(&system.name);
        let Some(quota) = connector.and_then(|connector| connector.usage().quota) else { continue };
        let streams = u64::try_from(polled(&system.name)).unwrap_or(u64::MAX);
        let calls = streams.saturating_mul(DAY_S / settings.poll_interval.as_secs().max(1));
        let kept = u64::from(settings.quota_reserve_percent);
        let ours = quota.max.saturating_mul(100_u64.saturating_sub(kept)) / 100;
        if calls <= ours {
            continue;
        }
        let message = format!(
            "polls of {} would take {calls} calls a day, {}% of its daily quota of {}",
            system.name,
            calls.saturating_mul(100) / quota.max.max(1),
            quota.max
        );
        let interval = (streams.saturating_mul(DAY_S)).div_ceil(ours.max(1));
        let note = format!(
            "at {}%, where `quota_reserve` begins, they slow down to one call a minute: edits \
             there are seen later, and none is lost",
            100_u64.saturating_sub(kept)
        );
        found.push(Diagnostic::warning(message).note(note).help(format!(
            "set `poll_interval: {interval}s` or more in the settings; a webhook tells of edits \
             at once all the same (`syncline webhooks`)"
        )));
    }
    found
}

fn report(
    output: &Output,
    systems: Vec<serde_json::Value>,
    mappings: Vec<serde_json::Value>,
    found: &Diagnostics,
    lacking: bool,
) -> Exit {
    output.line("");
    output.findings(found);
    output.line(&counted(found));
    let exit = if lacking || found.has_errors() { Exit::Found } else { Exit::Well };
    let mut fields = Map::new();
    fields.insert("ok".to_owned(), (exit == Exit::Well).into());
    fields.insert("systems".to_owned(), systems.into());
    fields.insert("mappings".to_owned(), mappings.into());
    fields.extend(findings_json(found));
    output.answer("doctor", fields);
    exit
}

fn say_system(
    output: &Output,
    name: &SystemName,
    kind: &str,
    health: Option<&Health>,
    quota: Option<Quota>,
) {
    let Some(health) = health else {
        output.line(&format!("system {name} ({kind}): does not answer, see below"));
        return;
    };
    output.line(&format!("system {name} ({kind}): {}", health.version));
    output.line(&format!("  identity   {}", health.identity));
    output.line(&format!("  user       {}", health.user));
    let promise = promise(health.guarantee);
    output.line(&format!("  guarantee  class {}: {promise}", class(health.guarantee)));
    if let Some(Quota { used, max }) = quota {
        output.line(&format!("  quota      {used} of {max} calls used"));
    }
    for piece in &health.pieces {
        let state = match piece {
            piece if lacks(piece) => "LACKS",
            Piece { present: true, .. } => "has",
            Piece { made: true, .. } => "run makes",
            _ => "could have",
        };
        output.line(&format!("  {state:<10} {}: {}", piece.name, piece.detail));
    }
}

/// Whether somebody must do something before a sync can run.
fn lacks(piece: &Piece) -> bool {
    piece.required && !piece.present && !piece.made
}

fn say_mapping(output: &Output, mapping: &Mapping) -> serde_json::Value {
    let (left, right) = (&mapping.sides.left, &mapping.sides.right);
    let side = |side: &syncline_core::mapping::MappedSide| {
        let class = class(side.capabilities.guarantee());
        format!("{} {} (class {class})", side.system, side.selection.entity)
    };
    output.line(&format!("mapping {}: {} <-> {}", mapping.name, side(left), side(right)));
    let json = |side: &syncline_core::mapping::MappedSide| {
        json!({
            "system": side.system.as_str(),
            "entity": side.selection.entity.as_str(),
            "class": class(side.capabilities.guarantee()),
            "capabilities": side.capabilities,
        })
    };
    json!({ "name": &*mapping.name, "fits": true, "left": json(left), "right": json(right) })
}

/// The number of the class.
pub(super) fn class(guarantee: Guarantee) -> u8 {
    match guarantee {
        Guarantee::Exact => 1,
        Guarantee::Coarse => 2,
        Guarantee::Audited => 3,
        Guarantee::Detected => 4,
        Guarantee::Unguarded => 5,
    }
}

fn promise(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::Exact => "exact conditional writes, nothing is overwritten unseen",
        Guarantee::Coarse => "conditional writes on a coarse clock, each after its tick is over",
        Guarantee::Audited => "no conditional writes, but every overwrite is found in the history",
        Guarantee::Detected => "an overwrite is detected, its value is not known",
        Guarantee::Unguarded => "an overwrite is neither prevented nor detected",
    }
}
