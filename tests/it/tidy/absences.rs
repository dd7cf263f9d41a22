//! What certain code must not do.

use super::reader::{arguments, code, line, literals, without_tests, words};
use super::{Findings, is_within, sources};

/// The only place that sends a write to a system.
const SEND_STEP: &str = "src/engine/send";

/// The only part of the engine with tasks, timers and select.
const DRIVER: &str = "src/engine/driver";

/// What the pure core has no use for.
const IMPURE: [&str; 18] = [
    "async",
    ".await",
    "tokio",
    "sqlx",
    "futures",
    "std::time",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "HashMap",
    "HashSet",
    "rand",
    "std::fs",
    "std::env",
    "std::net",
    "std::thread",
    "std::process",
];

/// What belongs to the driver.
const RUNTIME: [&str; 6] = ["tokio", "tokio_util", "select!", "spawn", "sleep", "std::thread"];

/// What a connector leaves to the engine.
const NOT_FOR_CONNECTORS: [&str; 7] = [
    "std::env",
    "sleep",
    "sleep_until",
    "backon",
    "syncline_core",
    "syncline_ledger",
    "syncline_engine",
];

/// The crates that `src/registry` alone names.
const CONNECTOR_CRATES: [&str; 2] = ["syncline_postgres", "syncline_salesforce"];

/// The parts of the root package.
const ROOT_PACKAGE: [&str; 9] = [
    "src/main.rs",
    "src/lib.rs",
    "src/stop.rs",
    "src/cli",
    "src/demo",
    "src/embedded",
    "src/queue",
    "src/service",
    "src/settings",
];

fn ban(findings: &mut Findings, path: &str, text: &str, banned: &[&str]) {
    let code = code(text);
    let code = without_tests(&code);
    for needle in banned {
        for at in words(code, needle) {
            findings.add(path, line(code, at), needle);
        }
    }
}

#[test]
fn only_the_send_step_pushes() {
    let mut findings = Findings::default();
    for source in sources("src", &[".rs"]).iter().chain(&sources("tests/simulation", &[".rs"])) {
        if is_within(&source.path, SEND_STEP) {
            continue;
        }
        let code = code(&source.text);
        for at in pushes(without_tests(&code)) {
            findings.add(&source.path, line(&code, at), "calls a connector's push");
        }
    }
    findings.judge("each send of a write is a ledger transition: only the send step pushes");
}

/// Calls of `push` with two arguments: a vector's has one, a connector's has context and batch.
fn pushes(code: &str) -> Vec<usize> {
    let methods = words(code, ".push(").filter(|at| arguments(code, at + ".push(".len()) == 2);
    methods.chain(words(code, "Connector::push")).collect()
}

#[test]
fn a_push_is_told_from_a_vectors() {
    assert_eq!(pushes("v.push(a); c.push(&cx, batch).await; v.push((a, b));"), [12]);
    assert_eq!(pushes("Connector::push(&*c, cx, batch)"), [0]);
}

#[test]
fn the_core_is_pure() {
    let mut findings = Findings::default();
    for source in sources("src/core", &[".rs"]) {
        ban(&mut findings, &source.path, &source.text, &IMPURE);
    }
    findings.judge("the core decides from its arguments alone, and in the same order each time");
}

#[test]
fn rounds_are_free_of_a_runtime() {
    let mut findings = Findings::default();
    for source in sources("src/engine", &[".rs"]) {
        if !is_within(&source.path, DRIVER) {
            ban(&mut findings, &source.path, &source.text, &RUNTIME);
        }
    }
    findings
        .judge("the simulator polls the same rounds: tasks, timers and select are the driver's");
}

#[test]
fn connectors_leave_waiting_environment_and_mappings_to_the_engine() {
    let mut findings = Findings::default();
    for source in sources("connectors", &[".rs"]) {
        // The simulator is the far side of the wire: being slow is among its faults.
        let in_tests = source.path.contains("/tests/");
        if !is_within(&source.path, "connectors/salesforce-sim") && !in_tests {
            ban(&mut findings, &source.path, &source.text, &NOT_FOR_CONNECTORS);
        }
    }
    findings.judge("a connector sees only the sdk, never waits, retries or reads the environment");
}

#[test]
fn only_the_registry_names_connectors() {
    let mut findings = Findings::default();
    for source in sources("src", &[".rs"]) {
        if !ROOT_PACKAGE.iter().any(|place| is_within(&source.path, place)) {
            continue;
        }
        ban(&mut findings, &source.path, &source.text, &CONNECTOR_CRATES);
        let plays = ["src/demo", "src/cli/simulate"];
        if !plays.iter().any(|place| is_within(&source.path, place)) {
            ban(&mut findings, &source.path, &source.text, &["salesforce_sim"]);
        }
    }
    findings.judge("a connector is one folder and one line: src/registry.rs alone names its crate");
}

#[test]
fn what_the_command_line_and_the_api_share_knows_neither() {
    let mut findings = Findings::default();
    for (folder, banned) in
        [("src/queue", &["crate::cli", "crate::service"][..]), ("src/service/api", &["crate::cli"])]
    {
        for source in sources(folder, &[".rs"]) {
            for needle in banned {
                for (at, _) in source.text.match_indices(needle) {
                    findings.add(&source.path, line(&source.text, at), needle);
                }
            }
        }
    }
    findings.judge("the queue lies below the command line and the service");
}

#[test]
fn a_file_of_the_ledger_writes_one_table() {
    let mut findings = Findings::default();
    for source in sources("src/ledger", &[".rs"]) {
        if !is_within(&source.path, "src/ledger/postgres") {
            continue;
        }
        let tables = written_tables(&literals(&source.text));
        let Some((_, first)) = tables.first() else {
            continue;
        };
        for (at, table) in &tables {
            if table != first {
                let what = format!("writes `{table}`, but the file is about `{first}`");
                findings.add(&source.path, line(&source.text, *at), &what);
            }
        }
    }
    findings.judge("one file a table: the statements that write it are found in one place");
}

/// The tables that the statements in `text` write, with their places.
fn written_tables(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for verb in ["insert into ", "delete from ", "update "] {
        for at in words(text, verb) {
            // `for update`, `for no key update of a` lock and write nothing.
            let before = text[..at].trim_end();
            if verb == "update " && (before.ends_with(" for") || before.ends_with(" no key")) {
                continue;
            }
            let rest = &text[at + verb.len()..];
            let rest = rest.trim_start().strip_prefix("only ").unwrap_or(rest).trim_start();
            let rest = rest.strip_prefix("syncline.").unwrap_or(rest);
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (table, after) = rest.split_at(end.unwrap_or(rest.len()));
            // `on conflict do update set` and prose are no statements.
            let is_statement =
                verb != "update " || after.split_whitespace().take(4).any(|word| word == "set");
            if !table.is_empty() && table != "set" && is_statement {
                found.push((at, table.to_owned()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn written_tables_are_read_out_of_statements() {
    let tables = |text: &str| -> Vec<String> {
        written_tables(text).into_iter().map(|(_, table)| table).collect()
    };
    assert_eq!(tables("insert into syncline.link (a) values ($1)"), ["link"]);
    assert_eq!(tables("update link as l set a = 1 from hint"), ["link"]);
    assert_eq!(tables("delete from hint where seq = $1"), ["hint"]);
    assert_eq!(tables("select 1 from link for update skip locked"), [""; 0]);
    assert_eq!(tables("select 1 from link for no key update of link update a set b = 1"), ["a"]);
    assert_eq!(tables("insert into a select 1 on conflict do update set b = 2"), ["a"]);
    assert_eq!(tables("with x as (delete from a) insert into b values (1)"), ["a", "b"]);
}
