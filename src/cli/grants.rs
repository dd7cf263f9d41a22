//! `syncline grants`

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, json};
use syncline_sdk::{Connector, Context, EntityName, Grant, Maker, Need, Step, SystemName, Tool};

use super::bound::context;
use super::doctor::class;
use super::output::findings_json;
use super::{Exit, Installation, Output, Stop, with_ledger};
use crate::installation::no_system;

const EXAMPLES: &str = "\
Examples:
  syncline grants              what to set up on every system, and what each piece buys
  syncline grants crm          one system
  syncline grants ops --json   the same for a script: statements under .systems[].grants[].steps[]
  syncline grants --offline    call nobody: what rights a field needs is then a guess by its name

Nothing is made. A system that takes the login already is asked to describe the mapped entities, one
call each: a Salesforce org knows which rights of their fields can be given, and of a database it
shows that the role is there. Of one that does not the answer comes from the settings and mappings
alone, and says where it guesses.
`syncline doctor` tells which of the pieces are there.";

/// How long a system may take to describe an entity: without it the answer is a guess, not none.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The system, as the settings name it; all when left out.
    system: Option<String>,

    /// Call nobody, and answer from the settings and mappings alone.
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let mut installation = Installation::open_early(config)?;
    // Names of pieces are made from the id of the installation, where one is known.
    let mut found = installation.warnings.clone();
    found.extend(with_ledger(&mut installation).await);
    let wanted = arguments.system.as_deref().map(SystemName::new);
    let systems = &installation.settings.systems;
    if let Some(wanted) = &wanted
        && !systems.iter().any(|system| system.name == *wanted)
    {
        return Err(no_system(&installation.settings, wanted.as_str()));
    }
    let mut shown = Vec::new();
    for system in systems {
        if wanted.as_ref().is_some_and(|wanted| *wanted != system.name) {
            continue;
        }
        let Some(connector) = installation.connectors.get(&system.name) else {
            continue;
        };
        let needs = installation.needs(&system.name);
        let asked = !arguments.offline && connector.grants_by_description();
        let described = match asked {
            true => described(&installation, connector.as_ref(), &needs).await,
            false => Ok(()),
        };
        let grants = connector.grants(&installation.install, &needs);
        let kind = system.kind.word();
        output.line(&format!("system {} ({kind})", system.name));
        if needs.is_empty() {
            output.line("  no mapping names it yet: what its records need is not listed");
        }
        if let Err(error) = &described {
            let why = format!(
                "it was asked and did not tell, so some of this may be there already or be a \
                 guess: {}",
                error.context
            );
            let why = folded(&why);
            why.iter().for_each(|line| output.line(&format!("  {line}")));
        }
        for (number, grant) in (1..).zip(&grants) {
            say(output, number, grant);
        }
        output.line("");
        let grants: Vec<serde_json::Value> = grants.iter().map(shown_as_json).collect();
        shown.push(json!({
            "name": system.name.as_str(),
            "kind": kind,
            "described": asked && described.is_ok(),
            "grants": grants,
        }));
    }
    output.findings(&found);
    let mut fields = Map::new();
    fields.insert("systems".to_owned(), shown.into());
    fields.extend(findings_json(&found));
    output.answer("grants", fields);
    Ok(Exit::Well)
}

/// Asks a system to describe the mapped entities, so that its grants need not guess.
async fn described(
    installation: &Installation,
    connector: &dyn Connector,
    needs: &[Need],
) -> syncline_sdk::Result<()> {
    let cx = Context { timeout: TIMEOUT, ..context(installation) };
    let entities: BTreeSet<&EntityName> = needs.iter().map(|need| &need.selection.entity).collect();
    for entity in entities {
        connector.describe(&cx, entity).await?;
    }
    Ok(())
}

fn shown_as_json(grant: &Grant) -> serde_json::Value {
    let mut shown = json!(grant);
    shown["class_without"] = json!(grant.class_without.map(class));
    shown
}

fn say(output: &Output, number: usize, grant: &Grant) {
    let need = if grant.required { "required" } else { "worth having" };
    let maker = match grant.made_by {
        Maker::Administrator => "an administrator makes it",
        Maker::Run => "`syncline run` makes it",
    };
    output.line("");
    output.line(&format!("  {number}. {} ({need}; {maker})", grant.piece));
    let without = match grant.class_without {
        Some(held) => format!("class {}: {}", class(held), grant.without),
        None => grant.without.clone(),
    };
    for (word, text) in [("rights", &grant.rights), ("buys", &grant.buys), ("without", &without)] {
        for (at, line) in folded(text).into_iter().enumerate() {
            let word = if at == 0 { word } else { "" };
            output.line(&format!("     {word:<8} {line}"));
        }
    }
    for step in &grant.steps {
        output.line("");
        output.line(&format!("     {}", heading(step)));
        for line in step.text.lines() {
            output.line(&format!("         {line}"));
        }
    }
}

fn heading(step: &Step) -> String {
    let tool = match step.tool {
        Tool::Sql => "SQL",
        Tool::Metadata => "Metadata",
        Tool::Clicks => "Steps",
        Tool::Settings => "Settings",
    };
    if step.title.is_empty() { format!("{tool}:") } else { format!("{tool}, {}:", step.title) }
}

/// A text in lines that fit beside their word.
fn folded(text: &str) -> Vec<String> {
    const COLUMNS: usize = 82;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
