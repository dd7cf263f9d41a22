//! The command line, as a process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of a test, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("syncline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("mappings")).unwrap();
        Self(folder)
    }
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_syncline"))
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .env("OPS_PASSWORD", "hunter2")
            .output()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Nothing listens on port 9 of this machine.
const SETTINGS: &str = "
systems:
  crm:
    kind: salesforce
    url: http://127.0.0.1:9
    client_id: k
    client_secret: ${OPS_PASSWORD}
  ops: { kind: postgres, url: 'postgres://u:${OPS_PASSWORD}@127.0.0.1:9/ops' }
";

/// A mapping between two orgs.
const ACCOUNTS: &str = "\
mapping: accounts
left: { system: one, entity: Account, where: \"Type != 'Prospect'\" }
right: { system: two, entity: Account }
match: [{ left: Name, right: Name }]
fields:
  - { left: Name, right: Name }
  - { left: Phone, right: Phone }
  - { left: CreatedDate, right: Description, direction: to_right }
";

fn examples() -> Folder {
    let folder = Folder::new("examples");
    let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    for entry in std::fs::read_dir(mappings).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        std::fs::copy(&path, folder.0.join("mappings").join(path.file_name().unwrap())).unwrap();
    }
    folder.write("syncline.yaml", SETTINGS);
    folder
}

#[test]
fn the_example_mappings_pass_the_check() {
    let folder = examples();
    let checked = folder.run(&["check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert_eq!(stderr(&checked), "");
    let checked = folder.run(&["check", "--json"]);
    let answer = json(&checked);
    assert_eq!(answer["syncline"], 1);
    assert_eq!((&answer["command"], &answer["ok"]), (&"check".into(), &true.into()));
    let names: Vec<_> = answer["mappings"].as_array().unwrap().iter().map(|m| &m["name"]).collect();
    assert_eq!(names, ["accounts", "contacts", "stock", "work_orders"]);
}

#[test]
fn systems_that_do_not_answer_are_all_named_where_the_settings_name_them() {
    let folder = Folder::new("deaf");
    let system = "{ kind: salesforce, url: 'http://127.0.0.1:9', client_id: k, \
                  client_secret: '${OPS_PASSWORD}' }";
    folder.write("syncline.yaml", &format!("systems:\n  one: {system}\n  two: {system}\n"));
    folder.write("mappings/accounts.yaml", ACCOUNTS);
    for command in [["check", "--live"], ["doctor", "--color=never"]] {
        let checked = folder.run(&command);
        let told = stderr(&checked);
        assert_eq!(checked.status.code(), Some(2), "{told}");
        for place in ["syncline.yaml:2:3", "syncline.yaml:3:3"] {
            assert!(told.contains(place), "{told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn mistakes_of_all_files_come_at_once_with_code_2() {
    let folder = Folder::new("mistakes");
    folder.write(
        "syncline.yaml",
        "listen: here\nsystems:\n  crm: { kind: postgres, user: '${NOBODY}' }\n",
    );
    let checked = folder.run(&["check"]);
    assert_eq!(checked.status.code(), Some(2));
    let told = stderr(&checked);
    assert!(told.contains("--> syncline.yaml:1:9"), "{told}");
    assert!(told.contains("the variable NOBODY is not set"), "{told}");

    folder.write("syncline.yaml", "systems: { crm: { kind: postgres, user: u } }\n");
    folder.write("mappings/a.yaml", "mapping: a\nleft: 1\n");
    folder.write("mappings/b.yaml", "mapping: [\n");
    let checked = folder.run(&["check", "--json"]);
    assert_eq!(checked.status.code(), Some(2));
    let answer = json(&checked);
    let files: Vec<_> =
        answer["findings"].as_array().unwrap().iter().map(|finding| &finding["file"]).collect();
    assert!(files.contains(&&Value::from("mappings/a.yaml")), "{answer}");
    assert!(files.contains(&&Value::from("mappings/b.yaml")), "{answer}");
    assert_eq!(answer["ok"], false);
}

#[test]
fn a_missing_settings_file_is_an_error_with_its_cause_once() {
    let folder = Folder::new("missing");
    let checked = folder.run(&["check", "--config", "none.yaml"]);
    assert_eq!(checked.status.code(), Some(1));
    let told = stderr(&checked);
    assert_eq!(told.matches("No such file").count(), 1, "{told}");
    assert!(told.starts_with("error: the settings none.yaml cannot be read"), "{told}");
    let answer = json(&folder.run(&["check", "--config", "none.yaml", "--json"]));
    assert!(answer["error"].as_str().unwrap().contains("none.yaml"));
}

#[test]
fn a_wrong_command_line_gives_code_2() {
    let folder = Folder::new("usage");
    assert_eq!(folder.run(&["chekc"]).status.code(), Some(2));
    assert_eq!(folder.run(&["check", "--colour"]).status.code(), Some(2));
    assert!(folder.run(&["check", "--help"]).status.success());
}

/// A simulated org as its own process, ended by its id when the test ends.
struct Simulated {
    child: std::process::Child,
    told: Value,
}

impl Simulated {
    fn start(seed: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_syncline"))
            .args(["simulate", "salesforce", "--port", "0", "--json", "--seed", seed])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let told = child.stdout.take().unwrap();
        BufReader::new(told).read_line(&mut line).unwrap();
        Self { child, told: serde_json::from_str(&line).unwrap() }
    }
    fn system(&self, name: &str) -> String {
        let told = |key: &str| self.told[key].as_str().unwrap();
        format!(
            "  {name}: {{ kind: salesforce, url: \"{}\", client_id: \"{}\", \
             client_secret: \"{}\" }}\n",
            told("url"),
            told("client_id"),
            told("client_secret")
        )
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_simulated_orgs_are_checked_alive() {
    let (one, two) = (Simulated::start("1"), Simulated::start("2"));
    let folder = Folder::new("alive");
    let settings = format!("systems:\n{}{}", one.system("one"), two.system("two"));
    folder.write("syncline.yaml", &settings);
    folder.write("mappings/accounts.yaml", ACCOUNTS);
    let checked = folder.run(&["check", "--live", "--json"]);
    let answer = json(&checked);
    assert_eq!((&answer["ok"], &answer["errors"]), (&true.into(), &0.into()), "{answer}");

    let doctor = json(&folder.run(&["doctor", "--json"]));
    assert_eq!(doctor["ok"], true, "{doctor}");
    let classes: Vec<_> =
        doctor["systems"].as_array().unwrap().iter().map(|system| &system["class"]).collect();
    assert_eq!(classes, [2, 2]);
    assert_eq!(doctor["mappings"][0]["fits"], true);
    assert!(doctor["systems"][0]["quota"]["max"].is_u64(), "{doctor}");

    let wrong = ACCOUNTS
        .replace("right: Phone", "right: Phoen")
        .replace("left: CreatedDate, right: Description", "left: Fax, right: CreatedDate");
    folder.write("mappings/accounts.yaml", &wrong);
    let checked = folder.run(&["check", "--live"]);
    assert_eq!(checked.status.code(), Some(2));
    let told = stderr(&checked);
    for message in [
        "mappings/accounts.yaml:7:27",
        "Account of two has no field `Phoen`",
        "did you mean `Phone`?",
        "mappings/accounts.yaml:8:",
    ] {
        assert!(told.contains(message), "{message}\n{told}");
    }
}

#[test]
fn grants_tells_what_to_set_up_without_calling_anybody() {
    let folder = examples();
    let told = folder.run(&["grants", "ops", "--json"]);
    assert!(told.status.success(), "{}", stderr(&told));
    let answer = json(&told);
    let systems = answer["systems"].as_array().unwrap();
    assert_eq!((systems.len(), &systems[0]["described"]), (1, &false.into()));
    let grants = systems[0]["grants"].as_array().unwrap();
    let receipt = grants.iter().find(|grant| grant["piece"] == "receipt table syncline.receipt");
    let receipt = receipt.unwrap();
    assert_eq!((&receipt["required"], &receipt["class_without"]), (&false.into(), &1.into()));
    assert_eq!(receipt["steps"][0]["tool"], "sql");
    let told = folder.run(&["grants", "crm", "--offline"]);
    let text = String::from_utf8(told.stdout.clone()).unwrap();
    for said in [
        "<field>Account.Syncline_Marker__c</field>",
        "without  class 2: ",
        "Enable Client Credentials Flow",
        "these were not described, so their rights are a guess: Account.",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let unknown = folder.run(&["grants", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("they name `crm` or `ops`"), "{}", stderr(&unknown));
}

#[test]
fn webhooks_prints_addresses_and_clicks() {
    let folder = Folder::new("webhooks");
    let webhook = "    webhook: { secret: the-secret-of-the-address }\n    client_secret:";
    let settings = SETTINGS.replacen("    client_secret:", webhook, 1);
    folder.write("syncline.yaml", &format!("public_url: https://s.example/\n{settings}"));
    let mapping = ACCOUNTS.replace("system: one", "system: crm");
    let mapping = mapping.replace("two, entity: Account", "ops, entity: public.accounts");
    folder.write("mappings/accounts.yaml", &mapping);
    let told = folder.run(&["webhooks"]);
    let text = String::from_utf8(told.stdout.clone()).unwrap();
    assert!(told.status.success(), "{text}{}", stderr(&told));
    let address = "https://s.example/hooks/crm/the-secret-of-the-address";
    for part in [address, "New Outbound Message > Object: Account", "nothing was delivered yet"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let nothing =
        "webhook of ops (postgres)\n  set up    1. nothing has to be registered: ops sends";
    assert!(text.contains(nothing), "{text}");
    // What is to be added can be added as it is printed.
    let printed = text.split("add under ops\n").nth(1).unwrap().split("  set OPS").next().unwrap();
    let under = "    kind: postgres\n    url: postgres://u@127.0.0.1:9/ops\n";
    let ops = format!("  ops:\n{under}{printed}");
    let ops = ops.replace("${OPS_WEBHOOK_SECRET}", "the-secret-of-another-address");
    let ops = ops.replace("${OPS_SIGNING_SECRET}", "whsec_c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz");
    let settings = settings.split("  ops:").next().unwrap().to_owned() + &ops;
    folder.write("more.yaml", &format!("public_url: https://s.example/\n{settings}"));
    let more = folder.run(&["webhooks", "ops", "--config", "more.yaml"]);
    let text = String::from_utf8(more.stdout.clone()).unwrap();
    for part in [
        "https://s.example/hooks/ops/",
        "1. nothing has to be registered",
        r#"{"entity":"public.accounts","keys":["1"]}"#,
    ] {
        assert!(text.contains(part), "{part}: {text}{}", stderr(&more));
    }
    let masked = json(&folder.run(&["webhooks", "crm", "--mask", "--json"]));
    assert_eq!(masked["systems"][0]["url"], "https://s.example/hooks/crm/***", "{masked}");
    assert!(!masked.to_string().contains("the-secret"), "{masked}");
    let unknown = folder.run(&["webhooks", "cmr"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("did you mean `crm`?"), "{}", stderr(&unknown));
}

/// Somebody who has two systems and no mapping yet.
#[test]
fn what_is_said_of_systems_alone_needs_no_mapping() {
    let folder = Folder::new("early");
    folder.write("syncline.yaml", SETTINGS);
    for arguments in [&["grants", "--offline"][..], &["doctor"]] {
        let told = folder.run(arguments);
        let text = String::from_utf8(told.stdout.clone()).unwrap();
        assert!(text.contains("system crm (salesforce)"), "{text}{}", stderr(&told));
        assert!(stderr(&told).contains("`syncline init SYSTEM.ENTITY"), "{}", stderr(&told));
    }
    let plan = folder.run(&["plan"]);
    assert_eq!(plan.status.code(), Some(2));
    assert!(stderr(&plan).contains("`syncline init SYSTEM.ENTITY"), "{}", stderr(&plan));
}

/// The ledger's server ends with a run that is stopped, so that nothing is left behind.
#[test]
fn a_run_that_is_stopped_ends_its_private_postgres() {
    let folder = Folder::new("stopped");
    let settings = format!("listen: 127.0.0.1:0\n{SETTINGS}");
    folder.write("syncline.yaml", &settings);
    let mapping = ACCOUNTS.replace("system: one", "system: crm");
    let mapping = mapping.replace("two, entity: Account", "ops, entity: public.accounts");
    folder.write("mappings/accounts.yaml", &mapping);
    let mut run = Command::new(env!("CARGO_BIN_EXE_syncline"))
        .args(["run", "--json"])
        .current_dir(&folder.0)
        .env("OPS_PASSWORD", "hunter2")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("listen"), "{line}");
    let server = folder.0.join(".syncline/ledger/data/postmaster.pid");
    assert!(server.exists());
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(run.wait().unwrap().success());
    assert!(!server.exists(), "the server of the ledger goes on");
}
