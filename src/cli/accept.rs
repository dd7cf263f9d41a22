//! `syncline accept`

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use syncline_core::mapping::language::{
    Diagnostic, Diagnostics, MappingRef, MappingSpec, bind, nearest, one_of,
};
use syncline_core::mapping::{Drift, Drifted};
use syncline_core::{Side, Sides};
use syncline_ledger::{Description, Setup as _};
use syncline_sdk::EntitySchema;

use super::bound::context;
use super::words::plain;
use super::{Exit, Installation, Output, Stop, clock, with_ledger};
use crate::installation::described;
use crate::service::{bound_to, drifted, find_ledger};

const EXAMPLES: &str = "\
Examples:
  syncline accept accounts Phone   the field is fine as it is now

A field of a mapping that has changed in its system (it is shorter, of another type, may not be
written any more, was gone) is observed and not written, on both sides; all other fields go on.
`syncline status` lists such fields with what has become of them. A field that can hold more than
before goes on by itself. This takes the field as the system describes it now: the running engine
writes it again within a minute, after it has read all records. What was edited meanwhile is then
carried over as any edit; of a field that was gone, a side that is empty by now takes what the other
has, and where both differ a person is asked.

Exit code 2 when the field is gone, or the mapping does not fit what it is by now.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The mapping.
    #[arg(value_name = "MAPPING")]
    mapping: String,

    /// The field, as its system names it.
    #[arg(value_name = "FIELD")]
    field: String,
}

/// A side with a field that is left alone.
struct Changed {
    side: Side,
    agreed: Description,
    now: EntitySchema,
    one: Drifted,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let mut installation = Installation::open(config)?;
    let found = with_ledger(&mut installation).await;
    if found.has_errors() {
        return Err(found.into());
    }
    let spec = spec_named(&installation, &arguments)?;
    let ledger = find_ledger(&installation.settings).await?;
    let ledger = ledger.filter(|found| found.install.is_some());
    let Some(ledger) = ledger.map(|found| found.ledger) else {
        return Err(Stop::found(
            "no sync has run yet",
            "there is nothing that a field could differ from: start `syncline run`",
        ));
    };
    let known = ledger.mappings().await.context("the ledger")?;
    let known = known.into_iter().find(|known| known.name == **spec.name);
    let mut sights = Vec::new();
    for side in Side::BOTH {
        let now = describe(&installation, spec, side).await?;
        let agreed = match &known {
            Some(known) => ledger.description(known.mapping, side).await.context("the ledger")?,
            None => None,
        };
        sights.push((side, now, agreed));
    }
    let mut changed = Vec::new();
    for (side, now, agreed) in &sights {
        let Some(agreed) = agreed else { continue };
        let drift = drifted(spec, *side, agreed, now);
        let named = drift.into_iter().filter(|one| *one.field.as_str() == *arguments.field);
        changed.extend(named.map(|one| Changed {
            side: *side,
            agreed: agreed.clone(),
            now: now.clone(),
            one,
        }));
    }
    if let Some(gone) = changed.iter().find(|one| one.one.what == Drift::Gone) {
        return Err(Stop::found(
            format!("{} field {} is gone, or hidden from us", gone.side, arguments.field),
            "bring it back and let our user see it, or take it out of the mapping",
        ));
    }
    fits(&installation, spec, &sights, &changed)?;
    for one in &changed {
        let field = plain(&arguments.field);
        output.line(&format!("{} {} field {field}: {}", spec.name.value, one.side, one.one.what));
        if let Some(known) = &known {
            let taken = taken(one);
            ledger.keep_description(known.mapping, one.side, &taken).await.context("the ledger")?;
        }
    }
    output.line(&match changed.is_empty() {
        true => format!("{} of {} is not left alone", plain(&arguments.field), *spec.name),
        false => "taken as it is now; a running engine writes it within a minute".to_owned(),
    });
    let told: Json = changed
        .iter()
        .map(|one| json!({ "side": one.side, "what": one.one.what.to_string() }))
        .collect();
    let mut fields = Map::new();
    fields.insert("mapping".to_owned(), (**spec.name).into());
    fields.insert("field".to_owned(), arguments.field.as_str().into());
    fields.insert("accepted".to_owned(), told);
    output.answer("accept", fields);
    Ok(Exit::Well)
}

fn spec_named<'a>(
    installation: &'a Installation,
    arguments: &Arguments,
) -> Result<&'a MappingSpec, Stop> {
    let specs = &installation.specs;
    let names = || specs.iter().map(|spec| &**spec.name);
    let Some(spec) = specs.iter().find(|spec| **spec.name == *arguments.mapping) else {
        let help = match nearest(&arguments.mapping, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the mappings are {}", one_of(names())),
        };
        return Err(Stop::found(
            format!("there is no mapping `{}`", plain(&arguments.mapping)),
            help,
        ));
    };
    let fields = || {
        let of = |side| spec.fields_of(side).0.into_iter().map(|field| field.as_str());
        of(Side::Left).chain(of(Side::Right))
    };
    if fields().any(|field| field == arguments.field) {
        return Ok(spec);
    }
    let help = match nearest(&arguments.field, fields()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its fields are {}", one_of(fields())),
    };
    let message = format!("mapping `{}` has no field `{}`", *spec.name, plain(&arguments.field));
    Err(Stop::found(message, help))
}

async fn describe(
    installation: &Installation,
    spec: &MappingSpec,
    side: Side,
) -> Result<EntitySchema, Stop> {
    let named = &spec.sides[side];
    let connector = installation.connectors.get(&named.system.value);
    let connector = connector.context("the system has no connector")?;
    let answer = connector.describe(&context(installation), &named.entity).await;
    answer.map_err(|error| {
        let about = format!("{} of {}", *named.entity, *named.system);
        Diagnostics::from(described(&error, &about).at(&spec.source, named.entity.span)).into()
    })
}

/// What is agreed from now on.
fn taken(changed: &Changed) -> Description {
    let mut description = changed.agreed.clone();
    let now = changed.now.field(&changed.one.field);
    description.schema.fields.retain(|field| field.name != changed.one.field);
    description.schema.fields.extend(now.cloned());
    description.gone.retain(|field| *field != changed.one.field);
    description.at = clock::now();
    description
}

type Sighted = (Side, EntitySchema, Option<Description>);

/// Whether the mapping fits what is taken. Other fields stay as they were.
fn fits(
    installation: &Installation,
    spec: &MappingSpec,
    sights: &[Sighted],
    changed: &[Changed],
) -> Result<(), Stop> {
    let schema = |wanted: Side| {
        let (side, now, agreed) = sights.iter().find(|(side, ..)| *side == wanted)?;
        let Some(agreed) = agreed else { return Some(now.clone()) };
        let mut left = drifted(spec, *side, agreed, now);
        left.retain(|one| !changed.iter().any(|of| of.side == *side && of.one.field == one.field));
        Some(bound_to(now, agreed, &left))
    };
    let can = |side: Side| {
        let connector = installation.connectors.get(&spec.sides[side].system.value)?;
        Some(connector.effective(&spec.draft_selection(side)))
    };
    let (Some(left), Some(right)) = (schema(Side::Left), schema(Side::Right)) else {
        return Ok(());
    };
    let (Some(left_can), Some(right_can)) = (can(Side::Left), can(Side::Right)) else {
        return Ok(());
    };
    let id =
        |at: usize| syncline_core::mapping::MappingId(i32::try_from(at + 1).unwrap_or(i32::MAX));
    let specs = installation.specs.iter().enumerate();
    let outlines: Vec<MappingRef> = specs.map(|(at, spec)| spec.outline(id(at))).collect();
    let own = outlines.iter().find(|one| *one.name == **spec.name).map(|one| one.id);
    let schemas = Sides { left: &left, right: &right };
    let capabilities = Sides { left: left_can, right: right_can };
    match bind(spec, own.unwrap_or_default(), 1, schemas, capabilities, &outlines) {
        Ok(_) => Ok(()),
        Err(mut found) => {
            found.push(
                Diagnostic::error("the mapping does not fit the field as it is now")
                    .help("change the mapping first, or the field"),
            );
            Err(found.into())
        }
    }
}
