//! The command: the entities of a system, or the fields of one.

use std::path::Path;

use clap::Args;
use syncline_core::mapping::language::Diagnostics;
use syncline_sdk::SystemName;

use super::{entities, fields};
use crate::cli::bound::{context, open_systems};
use crate::cli::place::Place;
use crate::cli::{Exit, Output, Stop};
use crate::installation::{described, no_system};

const EXAMPLES: &str = "\
Examples:
  syncline describe crm                  the entities of a system that can be written
  syncline describe crm --all            also those that can only be read
  syncline describe ops.public.accounts  the fields of one: types, rights, keys, lists of values
  syncline describe crm.Account --json | jq -r '.fields[].name'

Everything is told as the login of the settings sees it. Reads only; no record is read. Two
entities that belong together are joined by `syncline init`.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// A system of the settings; with a dot and an entity, that entity.
    #[arg(value_name = "SYSTEM[.ENTITY]")]
    what: String,

    /// List what can only be read too.
    #[arg(long)]
    all: bool,
}

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let installation = open_systems(config).await?;
    let cx = context(&installation);
    if arguments.what.contains('.') {
        let place = Place::of(&installation, &arguments.what)?;
        let connector = &installation.connectors[&place.system];
        let schema = place.describe(&**connector, &cx).await?;
        fields::tell(output, &place, &schema);
        return Ok(Exit::Well);
    }
    let name = SystemName::new(arguments.what.as_str());
    let Some(connector) = installation.connectors.get(&name) else {
        return Err(no_system(&installation.settings, &arguments.what));
    };
    let known = connector.entities(&cx).await.map_err(|error| {
        Stop::from(Diagnostics::from(described(&error, &format!("system `{name}`"))))
    })?;
    entities::tell(output, &name, known, arguments.all);
    Ok(Exit::Well)
}
