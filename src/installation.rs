//! An installation: its settings, its mappings, and a connector for each system.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use syncline_core::Side;
use syncline_core::mapping::language::{
    Checked, Diagnostic, Diagnostics, MappingSpec, Source, nearest, one_of,
};
use syncline_sdk::{Connector, Need, Selection, SystemName};

use crate::queue::words::plain;
use crate::registry::NoTokens;
use crate::settings::{
    ProcessEnvironment, Settings, SystemSettings, load, load_mappings, without_mappings,
};
use crate::stop::{Stop, chain};

/// What the files of an installation say, checked in themselves. Nobody was called yet.
pub struct Installation {
    /// The settings.
    pub settings: Settings,
    /// The mappings, in the order of their files.
    pub specs: Vec<MappingSpec>,
    /// The connector of each system.
    pub connectors: BTreeMap<SystemName, Arc<dyn Connector>>,
    /// The id that its ledger gave it; empty while that is not known.
    pub install: Arc<str>,
    /// What should be known about the files.
    pub warnings: Diagnostics,
}

impl Installation {
    /// Reads the settings file and all that it names. Must run inside the runtime.
    ///
    /// # Errors
    /// All findings of all files at once; or why the settings file cannot be read.
    pub fn open(config: &Path) -> Result<Self, Stop> {
        let (settings, connectors, mut found) = systems(config)?;
        let names: Vec<SystemName> =
            settings.systems.iter().map(|system| system.name.clone()).collect();
        let specs = match load_mappings(&settings.mappings, &names) {
            Ok(checked) => {
                found.extend(checked.warnings);
                checked.value
            }
            Err(errors) => {
                found.extend(errors);
                return Err(found.into());
            }
        };
        if found.has_errors() {
            return Err(found.into());
        }
        Ok(Self { settings, specs, connectors, install: "".into(), warnings: found })
    }

    /// The same, also where there are no mappings yet, which is a warning then: for commands that
    /// have something to say of the systems alone.
    ///
    /// # Errors
    /// As for [`Installation::open`].
    pub fn open_early(config: &Path) -> Result<Self, Stop> {
        let mut early = Self::of_systems(config)?;
        match without_mappings(&early.settings.mappings) {
            Some(none) => {
                early.warnings.extend(none);
                Ok(early)
            }
            None => Self::open(config),
        }
    }

    /// Reads the settings file without the mappings: for commands that make one.
    ///
    /// # Errors
    /// As for [`Installation::open`].
    pub fn of_systems(config: &Path) -> Result<Self, Stop> {
        let (settings, connectors, warnings) = systems(config)?;
        if warnings.has_errors() {
            return Err(warnings.into());
        }
        Ok(Self { settings, specs: Vec::new(), connectors, install: "".into(), warnings })
    }

    /// What the mappings read of a system.
    #[must_use]
    pub fn selections(&self, system: &SystemName) -> Vec<Selection> {
        self.sides(system).map(|(spec, side)| spec.draft_selection(side)).collect()
    }

    /// What the mappings do with a system.
    #[must_use]
    pub fn needs(&self, system: &SystemName) -> Vec<Need> {
        self.sides(system).map(|(spec, side)| spec.need(side)).collect()
    }

    fn sides(&self, system: &SystemName) -> impl Iterator<Item = (&MappingSpec, Side)> {
        let sides = self.specs.iter().flat_map(|spec| Side::BOTH.map(|side| (spec, side)));
        sides.filter(|(spec, side)| *spec.sides[*side].system == *system)
    }
}

type Connectors = BTreeMap<SystemName, Arc<dyn Connector>>;

/// The settings, a connector for each system, and what is to be said of them.
fn systems(config: &Path) -> Result<(Settings, Connectors, Diagnostics), Stop> {
    let settings = read_settings(config)?;
    let (settings, mut found) = (settings.value, settings.warnings);
    let mut connectors = Connectors::new();
    for system in &settings.systems {
        match system.kind.connector(&system.name, Arc::new(NoTokens)) {
            Ok(connector) => {
                connectors.insert(system.name.clone(), connector);
            }
            Err(error) => found.push(at_system(&settings, system, &error)),
        }
    }
    Ok((settings, connectors, found))
}

/// Reads the settings file alone: for commands that need neither systems nor mappings.
///
/// # Errors
/// All findings at once; or why the file cannot be read.
pub(crate) fn read_settings(config: &Path) -> Result<Checked<Settings>, Stop> {
    let bytes = std::fs::read(config).with_context(|| {
        format!(
            "the settings {} cannot be read (make the file, or name another with --config)",
            config.display()
        )
    })?;
    let source = Source::from_bytes(&config.display().to_string(), &bytes)?;
    let folder = config.parent().unwrap_or(Path::new(""));
    Ok(load(&source, folder, &ProcessEnvironment)?)
}

/// The settings name no system of that name.
pub(crate) fn no_system(settings: &Settings, name: &str) -> Stop {
    let known = || settings.systems.iter().map(|system| system.name.as_str());
    let help = match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("they name {}", one_of(known())),
    };
    Stop::found(format!("the settings name no system `{}`", plain(name)), help)
}

/// An error of a system as a finding at its place in the settings.
pub(crate) fn at_system(
    settings: &Settings,
    system: &SystemSettings,
    error: &syncline_sdk::Error,
) -> Diagnostic {
    let mut diagnostic = described(error, &format!("system `{}`", system.name));
    diagnostic = diagnostic.at(&settings.source, system.span);
    diagnostic
}

/// An error of a system as a finding without a place.
pub(crate) fn described(error: &syncline_sdk::Error, about: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(format!("{about}: {}", error.context));
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes = chain(causes);
    if !causes.is_empty() {
        diagnostic = diagnostic.note(causes);
    }
    if let Some(advice) = &error.advice {
        diagnostic = diagnostic.help(advice.clone());
    }
    diagnostic
}
