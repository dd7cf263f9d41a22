//! The mappings folder.

use std::path::Path;

use syncline_core::mapping::language::{
    Checked, Diagnostic, Diagnostics, MappingFile, MappingSpec, Source, check_together,
    check_with_tables,
};
use syncline_sdk::SystemName;

use super::tables::TableReader;

/// How somebody comes by a first mapping.
const PROPOSAL: &str = "`syncline init SYSTEM.ENTITY SYSTEM.ENTITY --write` proposes one";

/// The most mappings of an installation.
const MAPPINGS_MAX: usize = 1000;

/// Why there are no mappings yet, where there are none: a folder that is not there, or has no
/// such file.
pub fn without_mappings(folder: &Path) -> Option<Diagnostics> {
    let none = match std::fs::read_dir(folder) {
        Ok(mut entries) => !entries.any(|entry| entry.is_ok_and(|entry| is_mapping(&entry.path()))),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    none.then(|| {
        let message = format!("there are no mappings in {} yet", folder.display());
        Diagnostic::warning(message).help(PROPOSAL).into()
    })
}

/// Reads and checks all mappings of a folder: each `.yaml` and `.yml` file in it, in the order
/// of their names, each in itself and all against each other and the systems.
///
/// # Errors
/// All findings of all files at once, when at least one of them is an error.
pub fn load_mappings(
    folder: &Path,
    systems: &[SystemName],
) -> Result<Checked<Vec<MappingSpec>>, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut specs = Vec::new();
    let mut tables = TableReader::default();
    for path in files(folder)? {
        match read(&path, &mut tables) {
            Ok(checked) => {
                found.extend(checked.warnings);
                specs.push(checked.value);
            }
            Err(errors) => found.extend(errors),
        }
    }
    // A mapping that could not be read may be the one that others refer to.
    if !found.has_errors() {
        found.extend(check_together(&specs, systems));
    }
    found.check(Some(specs))
}

fn read(path: &Path, tables: &mut TableReader) -> Result<Checked<MappingSpec>, Diagnostics> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(format!("{shown} cannot be read: {error}"))
            .help("let this user read the file, or move it out of the folder")
    })?;
    let source = Source::from_bytes(&shown, &bytes)?;
    let file = MappingFile::parse(&source)?;
    let mut found = Diagnostics::new();
    let tables = tables.read(path, &source, &file.table_files(), &mut found);
    match check_with_tables(&file, &tables) {
        Ok(checked) if !found.has_errors() => Ok(checked),
        Ok(_) => Err(found),
        Err(errors) => {
            found.extend(errors);
            Err(found)
        }
    }
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Diagnostics> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::error(format!(
            "the mappings folder {} cannot be read: {error}",
            folder.display()
        ))
        .help(format!("{PROPOSAL}; or name another folder under `mappings` in the settings"))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_mapping(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let message = format!("there are no mappings in {}", folder.display());
        let help = format!("write one file a mapping, ending in .yaml; {PROPOSAL}");
        return Err(Diagnostic::error(message).help(help).into());
    }
    if files.len() > MAPPINGS_MAX {
        let message = format!("{} has {} mappings", folder.display(), files.len());
        let help = format!("an installation has at most {MAPPINGS_MAX}");
        return Err(Diagnostic::error(message).help(help).into());
    }
    Ok(files)
}

fn is_mapping(path: &Path) -> bool {
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    yaml && !hidden
}
