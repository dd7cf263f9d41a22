//! How files look: their size, their width, and what no file contains.

use super::reader::{code, line, without_tests, words};
use super::{Findings, read, root, sources};

const LINES_MAX: usize = 400;
const COLUMNS_MAX: usize = 100;

/// The folders with Rust of ours; the top level has none.
const RUST: [&str; 3] = ["src", "connectors", "tests"];

/// What a file of any kind must not contain. Written in halves, since this file is one.
const TRACES: [(&str, &str); 6] = [
    (concat!("FIX", "ME"), "mend it, or open an issue"),
    (concat!("TO", "DO"), "do it, or open an issue"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
];

/// What Rust code must not contain, and what to do instead.
const SHORTCUTS: [(&str, &str); 5] = [
    ("todo!", "write it"),
    ("unimplemented!", "write it, or return an error that says so"),
    ("thread::sleep", "wait for the condition, with a deadline"),
    ("#[allow(", "use #[expect(…, reason = …)], which tells when it is no longer needed"),
    ("#![allow(", "use #![expect(…, reason = …)], which tells when it is no longer needed"),
];

fn rust() -> impl Iterator<Item = super::Source> {
    RUST.into_iter().flat_map(|folder| sources(folder, &[".rs"]))
}

#[test]
fn files_are_short() {
    let mut findings = Findings::default();
    for source in rust() {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            findings.add(&source.path, lines, &format!("{lines} lines"));
        }
    }
    findings.judge("a file has at most 400 lines: split it by what its parts are about");
}

#[test]
fn lines_are_narrow() {
    let mut findings = Findings::default();
    let others = sources("", &[".sh", ".sql", ".yaml", ".yml"]);
    for source in rust().chain(others) {
        for (index, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                findings.add(&source.path, index + 1, &format!("{columns} columns"));
            }
        }
    }
    findings.judge("a line has at most 100 columns");
}

#[test]
fn no_traces_of_unfinished_work_or_of_a_machine() {
    let mut findings = Findings::default();
    let endings = [".rs", ".toml", ".sh", ".sql", ".yaml", ".yml", ".md", "Makefile", "Dockerfile"];
    for source in sources("", &endings) {
        for (needle, remedy) in TRACES {
            for at in words(&source.text, needle) {
                findings.add(&source.path, line(&source.text, at), &format!("{needle}: {remedy}"));
            }
        }
    }
    findings.judge("nothing unfinished, nothing of one machine is kept");
}

#[test]
fn no_shortcuts_in_rust() {
    let mut findings = Findings::default();
    for source in rust() {
        let code = code(&source.text);
        for (needle, remedy) in SHORTCUTS {
            for at in words(&code, needle) {
                findings.add(&source.path, line(&code, at), &format!("{needle}: {remedy}"));
            }
        }
        for at in words(&code, "#[ignore") {
            findings.add(&source.path, line(&code, at), "a test that never runs proves nothing");
        }
    }
    findings.judge("no placeholder, no sleeping, no silenced lint, no test left out");
}

#[test]
fn the_head_of_a_module_is_its_table_of_contents() {
    let mut findings = Findings::default();
    for source in rust() {
        let name = source.path.rsplit('/').next().unwrap_or_default();
        let is_head = name == "mod.rs" || name == "lib.rs";
        if !is_head || source.path.contains("/tests/") {
            continue;
        }
        if !source.text.starts_with("//!") {
            findings.add(&source.path, 1, "does not begin with what it is about");
        }
        let code = code(&source.text);
        let code = without_tests(&code);
        let items = ["fn", "impl", "struct", "enum", "trait"];
        let first = items.iter().flat_map(|keyword| words(code, keyword)).min();
        if let Some(at) = first {
            findings.add(&source.path, line(code, at), "its first item");
        }
    }
    findings.judge("mod.rs and lib.rs are docs and re-exports: items live in files named for them");
}

#[test]
fn the_top_level_is_the_one_agreed_on() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "connectors",
        "mappings",
        "migrations",
        "tests",
        "Dockerfile",
        "README.md",
        "Makefile",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "docs",
        "target",
    ];
    let mut findings = Findings::default();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_str().unwrap().to_owned();
        if !name.starts_with('.') && !known.contains(&name.as_str()) {
            findings.add(&name, 1, "is new at the top level");
        }
    }
    findings.judge("the top level is fixed: a new thing goes below what is there");
}

#[test]
fn the_license_of_the_manifest_is_the_one_in_the_file() {
    let manifest = read(root().join("Cargo.toml")).text;
    let license = read(root().join("LICENSE")).text;
    assert!(manifest.contains("license = \"MIT OR Apache-2.0\""));
    assert!(license.contains("SPDX-License-Identifier: MIT OR Apache-2.0"));
    assert!(license.contains("MIT License") && license.contains("Version 2.0, January 2004"));
}
