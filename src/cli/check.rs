//! `syncline check`

use std::path::Path;

use clap::Args;
use serde_json::json;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::mapping::language::{Diagnostics, MappingSpec, json_schema};
use syncline_core::trial::try_out;

use super::bound::sampled;
use super::output::{counted, findings_json};
use super::words::count;
use super::{Exit, Installation, Output, Stop, bind_all, reach, with_kept};

const EXAMPLES: &str = "\
Examples:
  syncline check          every mistake in syncline.yaml and mappings/, with line, column and fix;
                          runs the tests that mappings have, without any account
  syncline check --schema > mappings/schema.json
  syncline check --live   also: types, lengths, rights, required fields, value lists

Warnings do not change the exit code; errors give 2.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Call both systems and check the mappings against what they have. Reads only.
    #[arg(long)]
    live: bool,
    /// Print the JSON Schema of mapping files, for the completion of editors, and check nothing.
    #[arg(long, conflicts_with = "live")]
    schema: bool,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    if arguments.schema {
        output.line(&format!("{:#}", json_schema()));
        let mut fields = serde_json::Map::new();
        fields.insert("schema".to_owned(), json_schema());
        output.answer("check", fields);
        return Ok(Exit::Well);
    }
    let mut installation = match Installation::open(config) {
        Ok(installation) => installation,
        Err(Stop::Found(found)) => return Ok(report(output, arguments.live, &[], &found)),
        Err(stop) => return Err(stop),
    };
    let mut found = installation.warnings.clone();
    let specs = installation.specs.iter().enumerate();
    let outlines: Vec<_> = specs.map(|(at, spec)| spec.outline(number(at))).collect();
    for spec in &installation.specs {
        found.extend(try_out(spec, &outlines));
    }
    if arguments.live {
        let (kept, without_ledger) = with_kept(&mut installation).await;
        found.extend(without_ledger);
        let reached = reach(&installation).await;
        let bound = bind_all(&installation, &reached, &kept).await;
        found.extend(reached.found);
        for mapping in bound {
            match mapping.mapping {
                Ok(checked) => {
                    found.extend(sampled(&installation, &mapping.name, &checked.value).await);
                    found.extend(checked.warnings);
                }
                Err(errors) => found.extend(errors),
            }
        }
    }
    Ok(report(output, arguments.live, &installation.specs, &found))
}

fn number_of(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// A number for a mapping that is not in a ledger.
pub(super) fn number(at: usize) -> MappingId {
    MappingId(i32::try_from(at + 1).unwrap_or(i32::MAX))
}

fn report(output: &Output, live: bool, specs: &[MappingSpec], found: &Diagnostics) -> Exit {
    output.findings(found);
    let exit = if found.has_errors() { Exit::Found } else { Exit::Well };
    for spec in specs {
        output.line(&format!(
            "{}: {} {} <-> {} {}, {}, {}",
            *spec.name,
            *spec.sides.left.system,
            *spec.sides.left.entity,
            *spec.sides.right.system,
            *spec.sides.right.entity,
            count(number_of(spec.fields.len()), "field pair"),
            count(number_of(spec.cases.len()), "test"),
        ));
    }
    let how = if live { "against the systems" } else { "without the systems" };
    output.line(&format!("checked {how}: {}", counted(found)));
    let mut fields = findings_json(found);
    fields.insert("live".to_owned(), live.into());
    fields.insert("ok".to_owned(), (exit == Exit::Well).into());
    let mappings: Vec<_> = specs.iter().map(mapping_json).collect();
    fields.insert("mappings".to_owned(), mappings.into());
    output.answer("check", fields);
    exit
}

fn mapping_json(spec: &MappingSpec) -> serde_json::Value {
    let side = |side: Side| {
        let side = &spec.sides[side];
        json!({ "system": side.system.as_str(), "entity": side.entity.as_str() })
    };
    json!({
        "name": &**spec.name,
        "left": side(Side::Left),
        "right": side(Side::Right),
        "field_pairs": spec.fields.len(),
        "tests": spec.cases.len(),
    })
}
