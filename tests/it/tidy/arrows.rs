//! Which crate may depend on which: `main → cli → {server, engine} → {ledger, core} → sdk ←
//! connectors`.

use std::process::Command;

use super::{Findings, root};

const ANY: &[&str] = &["*"];

/// Each crate's own crates. One that is missing here, below `connectors/`, may have the sdk.
const OWN: &[(&str, &[&str])] = &[
    ("syncline", ANY),
    ("syncline-server", &["syncline-core", "syncline-ledger"]),
    ("syncline-engine", &["syncline-core", "syncline-ledger", "syncline-sdk"]),
    ("syncline-ledger", &["syncline-core", "syncline-sdk"]),
    ("syncline-core", &["syncline-sdk"]),
    ("syncline-sdk", &[]),
    // The far side of the wire shares no type with what talks to it.
    ("salesforce-sim", &[]),
    ("syncline-bench", ANY),
    (
        "syncline-simulation",
        &[
            "syncline-core",
            "syncline-engine",
            "syncline-ledger",
            "syncline-sdk",
            "syncline-testkit",
        ],
    ),
];

/// What tests may have besides.
const OWN_IN_TESTS: &[&str] = &["syncline-testkit", "salesforce-sim"];

/// Libraries that would bring a runtime, a clock, a database or a network where none belongs.
const FOREIGN: &[(&str, &[&str])] = &[
    ("syncline-core", &["tokio", "sqlx", "rand", "reqwest", "axum", "futures-util", "async-trait"]),
    ("syncline-sdk", &["tokio", "sqlx", "rand", "reqwest", "axum"]),
    ("syncline-engine", &["sqlx", "reqwest", "axum"]),
    ("syncline-server", &["sqlx", "reqwest", "syncline-sdk"]),
    ("syncline-simulation", &["sqlx", "reqwest", "tokio"]),
];

struct Package {
    name: String,
    manifest: String,
    /// Name, whether it is ours, whether only tests have it.
    dependencies: Vec<(String, bool, bool)>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {errors}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            manifest: std::path::Path::new(&text(&package["manifest_path"]))
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
            dependencies: list(&package["dependencies"])
                .iter()
                .map(|one| (text(&one["name"]), one["path"].is_string(), one["kind"] == "dev"))
                .collect(),
        })
        .collect()
}

fn find<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(known, _)| *known == name).map(|(_, list)| *list)
}

#[test]
fn crates_depend_downwards_only() {
    let mut findings = Findings::default();
    for package in packages() {
        let is_connector = package.manifest.starts_with("connectors/");
        let connector: Option<&[&str]> = is_connector.then_some(&["syncline-sdk"]);
        let Some(allowed) = find(OWN, &package.name).or(connector) else {
            findings.add(&package.manifest, 1, "is not in the table of crates of this test");
            continue;
        };
        for (name, is_own, in_tests) in &package.dependencies {
            let is_allowed = allowed == ANY
                || allowed.contains(&name.as_str())
                || *in_tests && OWN_IN_TESTS.contains(&name.as_str());
            if *is_own && !is_allowed {
                findings.add(&package.manifest, 1, &format!("must not depend on {name}"));
            }
        }
    }
    findings.judge("main → cli → {server, engine} → {ledger, core} → sdk ← connectors");
}

#[test]
fn crates_keep_away_from_what_is_not_theirs() {
    let mut findings = Findings::default();
    for package in packages() {
        let banned = find(FOREIGN, &package.name).unwrap_or_default();
        for (name, _, in_tests) in &package.dependencies {
            if !in_tests && banned.contains(&name.as_str()) {
                findings.add(&package.manifest, 1, &format!("must not depend on {name}"));
            }
        }
    }
    findings.judge("core and sdk are pure, rounds have no runtime of their own, HTTP no connector");
}

#[test]
fn every_crate_takes_lints_and_versions_from_the_workspace() {
    let mut findings = Findings::default();
    for package in packages() {
        let text = std::fs::read_to_string(root().join(&package.manifest)).unwrap();
        if !text.contains("[lints]\nworkspace = true") {
            findings.add(&package.manifest, 1, "lacks `[lints] workspace = true`");
        }
        for (line, entry) in own_versions(&text) {
            findings.add(&package.manifest, line, &format!("`{entry}` has a version of its own"));
        }
    }
    findings.judge("one table of lints, one of dependencies: the workspace's");
}

/// Dependencies in a crate's tables that do not refer to the workspace's, with their lines.
fn own_versions(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_table = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            in_table = line.ends_with("dependencies]") && !line.starts_with("[workspace");
        } else if in_table && line.contains('=') && !line.starts_with('#') {
            let refers = line.contains(".workspace = true") || line.contains("workspace = true,");
            if !refers && !line.contains("{ workspace = true }") {
                found.push((index + 1, line));
            }
        }
    }
    found
}

#[test]
fn a_version_of_its_own_is_seen() {
    let manifest = "\
[workspace.dependencies]
a = \"1\"
[dependencies]
b.workspace = true
c = { workspace = true, features = [] }
d = \"1\"
[dev-dependencies]
e = \"2\"
";
    assert_eq!(own_versions(manifest), [(6, "d = \"1\""), (8, "e = \"2\"")]);
}
