//! What builds, tests and packs the product: the Makefile, the scripts, the Dockerfile.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::{Findings, read, root};

/// Scripts only people or the image call; every other one is called by the Makefile.
const NOT_IN_MAKEFILE: [&str; 4] = ["run", "build-image.sh", "make-user.sh", "postgres-bindir.sh"];

fn scripts() -> Vec<PathBuf> {
    let mut found: Vec<_> =
        std::fs::read_dir(root().join(".ci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn makefile() -> String {
    read(root().join("Makefile")).text
}

#[test]
fn scripts_can_be_run_and_stop_at_the_first_error() {
    let mut findings = Findings::default();
    for script in scripts() {
        let source = read(script.clone());
        if script.metadata().unwrap().permissions().mode() & 0o111 != 0o111 {
            findings.add(&source.path, 1, "is not executable");
        }
        let output = Command::new("bash").arg("-n").arg(&script).output().unwrap();
        if !output.status.success() {
            findings.add(&source.path, 1, &String::from_utf8_lossy(&output.stderr));
        }
        if !source.text.starts_with("#!/usr/bin/env bash\n#") {
            findings.add(&source.path, 2, "does not begin with what it does");
        }
        if !source.text.contains("\nset -euo pipefail\n") {
            findings.add(&source.path, 1, "goes on after an error");
        }
    }
    findings.judge("a script says what it does, parses, and stops at the first error");
}

#[test]
fn every_script_is_used() {
    let makefile = makefile();
    let mut findings = Findings::default();
    for script in scripts() {
        let name = script.file_name().unwrap().to_str().unwrap();
        if !NOT_IN_MAKEFILE.contains(&name) && !makefile.contains(&format!(".ci/{name}")) {
            findings.add(&format!(".ci/{name}"), 1, "no target of the Makefile calls it");
        }
    }
    findings.judge("a script that nothing calls is not tested by anything");
}

#[test]
fn every_target_is_listed_and_no_file() {
    let makefile = makefile();
    let phony: Vec<&str> = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "))
        .unwrap()
        .split_whitespace()
        .collect();
    let mut findings = Findings::default();
    let mut targets = 0;
    for (index, line) in makefile.lines().enumerate() {
        let Some((target, rest)) = line.split_once(':') else {
            continue;
        };
        if !target.chars().all(|c| c.is_ascii_lowercase()) || target.is_empty() {
            continue;
        }
        targets += 1;
        if !rest.contains("## ") {
            findings.add("Makefile", index + 1, &format!("{target} lacks its line of help"));
        }
        if !phony.contains(&target) {
            findings.add("Makefile", index + 1, &format!("{target} is not in .PHONY"));
        }
    }
    assert_eq!(targets, phony.len());
    findings.judge("`make` lists every target");
}

#[test]
fn the_image_is_made_by_tested_scripts() {
    let dockerfile = read(root().join("Dockerfile")).text;
    let mut findings = Findings::default();
    let mut runs = 0;
    for (index, line) in dockerfile.lines().enumerate() {
        let Some(command) = line.strip_prefix("RUN ") else {
            continue;
        };
        runs += 1;
        let program = command.split_whitespace().next().unwrap_or_default();
        let name = program.strip_prefix(".ci/").or(program.strip_prefix("/opt/syncline/ci/"));
        let is_script = name.is_some_and(|name| root().join(".ci").join(name).is_file());
        let is_plain = !command.contains(['&', ';', '|', '\\', '$', '`']);
        if !is_script || !is_plain {
            findings.add("Dockerfile", index + 1, command);
        }
    }
    assert!(runs > 0);
    findings.judge("each RUN line is one call of a script below .ci, which the tests run");
}

#[test]
fn the_image_runs_unprivileged_and_tells_its_health() {
    let dockerfile = read(root().join("Dockerfile")).text;
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let id = user.split(':').next().unwrap();
    assert_ne!(id.parse::<u32>().unwrap(), 0, "a number, for who must see that it is not root");
    assert!(last.contains(&format!("make-user.sh {id} ")), "the user is the one that was made");
    assert!(last.contains("HEALTHCHECK") && last.contains("CMD [\"syncline\", \"health\"]"));
    let manifest = read(root().join("Cargo.toml")).text;
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    assert!(dockerfile.contains(&format!("rust:{version}-")), "built with Rust {version}");
}
