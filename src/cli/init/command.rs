//! The command: two entities in, a mapping out.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, json};
use syncline_core::mapping::language::{Severity, check_mapping_name};
use syncline_core::{Side, Sides};
use syncline_sdk::EntityName;

use super::draft::{End, fitted, write};
use super::proposal::propose;
use super::sample::{Sample, read};
use crate::cli::bound::{context, open_systems};
use crate::cli::place::Place;
use crate::cli::words::plain;
use crate::cli::{Exit, Installation, Output, Stop};
use crate::installation::described;

const EXAMPLES: &str = "\
Examples:
  syncline describe crm                                   lists what could be mapped
  syncline init crm.Account ops.public.accounts           shows a mapping of the two
  syncline init crm.Account ops.public.accounts --write   writes mappings/accounts.yaml
  syncline init crm.Contact ops.public.people --name people --sample 2000 --write

Both entities are described and a sample of each is read; nothing is changed. Fields are paired by
name, type and values, records by fields that hold the same values on both sides, each once. A pair
that does not fit is left out with the reason beside it; fields without a partner are named at the
end, with the reason. No value of a record stands in the proposal but those of a table of values
that it proposes; `--examples` shows one of each field.

Exit code 2 when what is left does not fit either: then no file is written.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The left side: a system of the settings, a dot, and its entity.
    #[arg(value_name = "SYSTEM.ENTITY")]
    left: String,
    /// The right side.
    #[arg(value_name = "SYSTEM.ENTITY")]
    right: String,
    /// The name of the mapping; that of the right entity where none is given.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How many records of each side are read.
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    sample: u32,
    /// Write the file into the folder of the mappings.
    #[arg(long)]
    write: bool,
    /// Show a value of a record beside each pair of fields.
    #[arg(long, conflicts_with = "write")]
    examples: bool,
}

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let installation = open_systems(config).await?;
    let left = Place::of(&installation, &arguments.left)?;
    let right = Place::of(&installation, &arguments.right)?;
    let name = arguments.name.unwrap_or_else(|| named_after(&right.entity));
    check_mapping_name(&plain(&name)).map_err(|wrong| Stop::Found(wrong.into()))?;
    let most = usize::try_from(arguments.sample).unwrap_or(usize::MAX);
    output.progress("reading both sides ...");
    let samples =
        tokio::try_join!(sample(&installation, &left, most), sample(&installation, &right, most));
    output.progress("");
    let (left_sample, right_sample) = samples?;
    let proposal = propose(&left_sample, &right_sample);
    let ends = Sides {
        left: End { system: &left.system, sample: &left_sample },
        right: End { system: &right.system, sample: &right_sample },
    };
    let can = |side: Side| {
        let end = &ends[side];
        installation.connectors[end.system].effective(&end.selection())
    };
    let capabilities = Sides::from_fn(can);
    let schemas = Sides { left: &left_sample.schema, right: &right_sample.schema };
    let (text, found) =
        fitted(write(&name, &ends, &proposal, arguments.examples), schemas, &capabilities);
    output.findings(&found);
    let file = match arguments.write && !found.has_errors() {
        true => Some(keep(&installation, &name, &text)?),
        false => None,
    };
    match &file {
        Some(file) => output.line(&format!(
            "{} is written: {} pairs of fields, {} of {} sampled records matched",
            file.display(),
            proposal.pairs.len(),
            proposal.matched,
            left_sample.records
        )),
        None => output.line(text.trim_end()),
    }
    if arguments.write && file.is_none() {
        output.line("# No file is written: this does not fit the systems.");
    }
    let fields = json!({
        "name": name,
        "file": file.map(|file| file.display().to_string()),
        "mapping": text,
        "pairs": proposal.pairs.len(),
        "matched": proposal.matched,
        "read": { "left": left_sample.records, "right": right_sample.records },
        "fits": found.iter().all(|one| one.severity != Severity::Error),
    });
    if let serde_json::Value::Object(fields) = fields {
        output.answer("init", fields);
    } else {
        output.answer("init", Map::new());
    }
    Ok(if found.has_errors() { Exit::Found } else { Exit::Well })
}

async fn sample(installation: &Installation, place: &Place, most: usize) -> Result<Sample, Stop> {
    let connector = &*installation.connectors[&place.system];
    let schema = place.describe(connector, &context(installation)).await?;
    let Place { system, entity } = place;
    read(connector, &installation.install, schema, most)
        .await
        .map_err(|error| Stop::Found(described(&error, &format!("{entity} of {system}")).into()))
}

/// `accounts` for `public.accounts`.
fn named_after(entity: &EntityName) -> String {
    let name = entity.as_str().rsplit('.').next().unwrap_or_default();
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(fit).collect()
}

/// Writes the file; one that is there already stays as it is.
fn keep(installation: &Installation, name: &str, text: &str) -> Result<PathBuf, Stop> {
    let folder = &installation.settings.mappings;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the mappings folder {} cannot be made", folder.display()))?;
    let path = folder.join(format!("{name}.yaml"));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.with_context(|| {
        format!(
            "{} cannot be made (a file that is there is not replaced: move it, or choose another \
             --name)",
            path.display()
        )
    })?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
