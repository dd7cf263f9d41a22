//! The revisions of a mapping before the present one, as the ledger keeps them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use syncline_core::Side;
use syncline_core::mapping::language::{
    Diagnostic, Diagnostics, MappingFile, MappingSpec, Source, check_with_tables, former,
};
use syncline_core::mapping::{Former, MappingId};
use syncline_core::model::StreamPosition;
use syncline_engine::{load_stream, poll_stream, verify_stream};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Ledger as _, Setup as _};

use crate::stop::Stop;

/// What has become of the former revisions of a mapping in `spec`, which is revision `present`.
/// One that this release cannot read is left out: a link that is still written in it is refused
/// where it is met.
///
/// # Errors
/// When the ledger gives no answer.
pub(crate) async fn former_revisions(
    ledger: &Postgres,
    spec: &MappingSpec,
    id: MappingId,
    present: i32,
) -> syncline_ledger::Result<BTreeMap<i32, Former>> {
    let texts = ledger.revisions(id).await?;
    let before = texts.into_iter().filter(|(revision, _)| *revision < present);
    let known =
        |(revision, text): (i32, String)| Some((revision, former(&parsed(spec, &text)?, spec)));
    Ok(before.filter_map(known).collect())
}

/// A former revision of a mapping.
fn parsed(spec: &MappingSpec, text: &str) -> Option<MappingSpec> {
    let source = Source::new(&spec.name, text);
    let tables = spec.tables_of(text);
    let file = MappingFile::parse(&source).and_then(|file| check_with_tables(&file, &tables));
    file.ok().map(|checked| checked.value)
}

/// Whether anything of a mapping was ever read.
///
/// # Errors
/// When the ledger gives no answer.
pub(crate) async fn has_begun(
    ledger: &Postgres,
    id: MappingId,
    name: &str,
    positions: &[StreamPosition],
) -> syncline_ledger::Result<bool> {
    let streams = Side::BOTH
        .into_iter()
        .flat_map(|side| [load_stream(name, side), poll_stream(name, side)])
        .chain([verify_stream(name)])
        .collect::<Vec<_>>();
    let any = positions.iter().any(|position| streams.contains(&position.stream));
    Ok(any || !ledger.page(id, None, 1).await?.is_empty())
}

/// Checks that mappings join what they did before: their links name records by their keys. To be
/// asked before the ledger takes note of new revisions.
///
/// # Errors
/// What joins something else by now, or that the ledger gave no answer.
pub(crate) async fn check_same_records(
    ledger: &Postgres,
    specs: &[MappingSpec],
) -> Result<(), Stop> {
    let mut found = Diagnostics::new();
    let known = ledger.mappings().await.context("the ledger")?;
    let positions = ledger.positions().await.context("the ledger")?;
    for spec in specs {
        let Some(known) = known.iter().find(|known| known.name == **spec.name) else { continue };
        let texts = ledger.revisions(known.mapping).await.context("the ledger")?;
        let newest = texts.iter().rev().find(|(revision, _)| *revision == known.revision);
        let Some(before) = newest.and_then(|(_, text)| parsed(spec, text)) else { continue };
        let moved = moved_sides(&before, spec);
        if moved.is_empty() {
            continue;
        }
        let begun = has_begun(ledger, known.mapping, &spec.name, &positions).await;
        if begun.context("the ledger")? {
            found.extend(moved);
        }
    }
    match found.has_errors() {
        true => Err(found.into()),
        false => Ok(()),
    }
}

/// The sides that are of another entity than before.
fn moved_sides(before: &MappingSpec, now: &MappingSpec) -> Diagnostics {
    let mut found = Diagnostics::new();
    for side in Side::BOTH {
        let (was, is) = (&before.sides[side], &now.sides[side]);
        if (&was.system, &was.entity) == (&is.system, &is.entity) {
            continue;
        }
        let message = format!(
            "the {side} side of {} is {} of {}, and its links join records of {} of {}",
            *now.name, *is.entity, *is.system, *was.entity, *was.system
        );
        let diagnostic = Diagnostic::error(message)
            .at(&now.source, is.span)
            .label("another one than before")
            .help("give the mapping another name: it then begins anew, with links of its own");
        found.push(diagnostic);
    }
    found
}
