//! The examples beside the mapping reference: whole, and true by their own tests.

use std::path::Path;

use syncline_core::mapping::MappingId;
use syncline_core::mapping::language::{
    MappingFile, MappingSpec, Source, check_offline, check_together, json_schema,
};
use syncline_core::trial::try_out;

fn examples() -> Vec<MappingSpec> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("there are examples")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("an example can be read");
        let name = path.file_name().expect("it has a name").to_string_lossy();
        let source = Source::new(&name, &text);
        let checked = MappingFile::parse(&source).and_then(|file| check_offline(&file));
        let checked = checked.unwrap_or_else(|found| panic!("{found}"));
        assert!(checked.warnings.is_empty(), "{}", checked.warnings);
        checked.value
    };
    files.iter().map(read).collect()
}

#[test]
fn every_example_is_whole_and_passes_its_tests() {
    let specs = examples();
    assert!(specs.len() >= 4, "{}", specs.len());
    let together = check_together(&specs, &["crm".into(), "ops".into()]);
    assert!(together.is_empty(), "{together}");
    let outlines: Vec<_> = specs.iter().map(|spec| spec.outline(MappingId(1))).collect();
    for spec in &specs {
        assert!(spec.cases.len() >= 4, "{} has too few tests", *spec.name);
        let found = try_out(spec, &outlines);
        assert!(!found.has_errors(), "{found}");
    }
}

#[test]
fn the_schema_for_editors_is_that_of_the_language() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/schema.json");
    let written = std::fs::read_to_string(path).expect("the schema is there");
    let language = format!("{:#}\n", json_schema());
    assert!(
        written == language,
        "mappings/schema.json is not that of the language: write it anew with \
         `cargo run -- check --schema > mappings/schema.json`"
    );
}
