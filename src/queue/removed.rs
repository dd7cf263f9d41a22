//! What the ledger still has of mappings and systems that are in no file any more.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use syncline_sdk::SystemName;

use super::desk::Desk;
use super::report::Report;
use super::words::{count, plain};
use crate::settings::{Settings, load_mappings};

/// The names that the files have.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub mappings: BTreeSet<String>,
    pub systems: BTreeSet<SystemName>,
}

impl Files {
    /// Those of an installation; nothing while its mapping files cannot be read.
    pub fn of(settings: &Settings) -> Option<Self> {
        let systems: Vec<SystemName> =
            settings.systems.iter().map(|system| system.name.clone()).collect();
        let specs = load_mappings(&settings.mappings, &systems).ok()?.value;
        let mappings = specs.iter().map(|spec| spec.name.to_string()).collect();
        Some(Self { mappings, systems: systems.into_iter().collect() })
    }
}

/// Something that was removed from the files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Removed {
    /// A mapping with so many links and questions.
    Mapping(String, i64, i64),
    /// A system that streams, hints or batches name.
    System(SystemName),
}

impl Removed {
    /// What is left of what the files do not have.
    pub fn of(desk: &Desk, report: &Report, files: &Files) -> Vec<Self> {
        let gone = desk.mappings.iter().filter(|one| !files.mappings.contains(&one.name));
        let mappings = gone.filter_map(|mapping| {
            let of = report.links.iter().filter(|links| links.mapping == mapping.id);
            let links: i64 = of.map(|links| links.count).sum();
            let questions = report.questions.resting.get(&mapping.id).copied().unwrap_or_default();
            let left = links > 0 || questions > 0;
            left.then(|| Self::Mapping(mapping.name.clone(), links, questions))
        });
        let fed = report.streams.iter().filter_map(|stream| stream.name.strip_prefix("feed:"));
        let mut systems: BTreeSet<SystemName> = fed.map(SystemName::from).collect();
        systems.extend(report.waiting.iter().map(|waiting| waiting.system.clone()));
        systems.extend(report.batches.iter().map(|open| open.batch.system.clone()));
        let systems = systems.into_iter().filter(|system| !files.systems.contains(system));
        mappings.chain(systems.map(Self::System)).collect()
    }

    /// For people.
    pub fn line(&self) -> String {
        match self {
            Self::Mapping(name, links, questions) => {
                let rest = match questions {
                    0 => String::new(),
                    some => format!(", and nobody acts on {}", count(*some, "open question")),
                };
                format!(
                    "removed    mapping {} is in no file: {} are kept in agreement no more{rest}",
                    plain(name),
                    count(*links, "link")
                )
            }
            Self::System(name) => format!(
                "removed    system {} is not in the settings: what waits for it waits for ever",
                plain(name.as_str())
            ),
        }
    }

    /// As JSON.
    pub fn json(&self) -> Json {
        match self {
            Self::Mapping(name, links, questions) => {
                json!({ "mapping": name, "links": links, "questions": questions })
            }
            Self::System(name) => json!({ "system": name }),
        }
    }
}
