//! What settings may say, what is inserted into them, and that no message shows a secret.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;
use syncline_core::mapping::language::{Checked, Diagnostics, Severity, Source};

use super::{Environment, LogFormat, Settings, load, load_mappings};

/// An environment of a test.
#[derive(Default)]
struct Given {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<PathBuf, &'static str>,
}

impl Environment for Given {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }
    fn file(&self, path: &Path) -> io::Result<String> {
        match self.files.get(path) {
            Some(text) => Ok((*text).to_owned()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }
}

fn given() -> Given {
    Given {
        variables: BTreeMap::from([
            ("CRM_SECRET", "hunter2: \"}\n - x"),
            ("OPS_PASSWORD", "s3cr3t"),
            ("PORT", "5433"),
            ("WORD", "null"),
        ]),
        files: BTreeMap::from([(PathBuf::from("/etc/syncline/secret"), "from a file\r\n")]),
    }
}

pub(super) fn read(text: &str) -> Result<Checked<Settings>, Diagnostics> {
    load(&Source::new("syncline.yaml", text), Path::new("/etc/syncline"), &given())
}

pub(super) fn messages(found: &Diagnostics) -> Vec<String> {
    found
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.place.as_ref().unwrap();
            let (line, column) = place.source.position(place.span.start);
            let severity = match diagnostic.severity {
                Severity::Error => "",
                Severity::Warning => "warning: ",
            };
            format!("{line}:{column} {severity}{}", diagnostic.message)
        })
        .collect()
}

const FULL: &str = r#"
ledger:
  url: postgres://syncline:${OPS_PASSWORD}@127.0.0.1:${PORT}/ledger
  state_dir: state
systems:
  crm:
    kind: salesforce
    url: https://acme.my.salesforce.com
    client_id: key
    client_secret: ${CRM_SECRET}
    overlap: 20m
  ops:
    kind: postgres
    host: 127.0.0.1
    port: ${PORT}
    user: app$$user
    password: file:secret
    database: "ops"
mappings: maps
listen: 0.0.0.0:9000
poll_interval: 30s
quota_reserve: 10%
log: { format: json, level: "info,syncline_engine=debug" }
"#;

#[test]
fn a_whole_file_is_read_and_filled() {
    let checked = read(FULL).unwrap();
    assert!(checked.warnings.is_empty(), "{}", checked.warnings);
    let settings = checked.value;
    let url = settings.ledger.url.as_ref().unwrap();
    assert_eq!(url.expose_secret(), "postgres://syncline:s3cr3t@127.0.0.1:5433/ledger");
    assert_eq!(settings.ledger.state_dir, Path::new("/etc/syncline/state"));
    assert_eq!(settings.mappings, Path::new("/etc/syncline/maps"));
    assert_eq!(settings.listen.port(), 9000);
    assert_eq!(settings.poll_interval, Duration::from_secs(30));
    assert_eq!(settings.quota_reserve_percent, 10);
    assert_eq!(settings.log.format, LogFormat::Json);
    let names: Vec<&str> = settings.systems.iter().map(|system| system.name.as_str()).collect();
    assert_eq!(names, ["crm", "ops"]);
    let debug = format!("{:?}", settings.systems);
    assert!(debug.contains("app$user") && debug.contains("5433"), "{debug}");
}

#[test]
fn what_a_file_does_not_say_has_a_default() {
    let settings = read("systems: { ops: { kind: postgres, url: \"postgres://u@localhost/d\" } }");
    let settings = settings.unwrap().value;
    assert!(settings.ledger.url.is_none());
    assert_eq!(settings.ledger.state_dir, Path::new("/etc/syncline/.syncline"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8420");
    assert_eq!(settings.log.level, "info");
}

#[test]
fn an_inserted_value_is_text_and_never_structure() {
    let text = "systems: { ops: { kind: postgres, user: \"${CRM_SECRET}\", database: '${WORD}' } }";
    let debug = format!("{:?}", read(text).unwrap().value.systems);
    assert!(debug.contains(r#"user: Some("hunter2: \"}\n - x")"#), "{debug}");
    assert!(debug.contains(r#"database: Some("null")"#), "{debug}");
}

#[test]
fn secrets_appear_in_no_message_and_no_debug_text() {
    let settings = read(FULL).unwrap().value;
    let debug = format!("{settings:?} {:?}", settings.source);
    for secret in ["hunter2", "s3cr3t", "from a file"] {
        assert!(!debug.contains(secret), "{debug}");
    }
    // Wrong in every way in which a value can be wrong.
    let broken = FULL
        .replace("port: ${PORT}", "port: ${OPS_PASSWORD}")
        .replace("overlap: 20m", "overlap: ${OPS_PASSWORD}")
        .replace("format: json", "format: '${OPS_PASSWORD}'")
        .replace("listen: 0.0.0.0:9000", "listen: ${OPS_PASSWORD}")
        .replace("user: app$$user", "password2: letmein\n    colour: ${OPS_PASSWORD}")
        .replace("password: file:secret", "password: letmein");
    let found = read(&broken).unwrap_err();
    assert!(found.count(Severity::Error) >= 4, "{found}");
    for text in [found.to_string(), found.render(true), found.to_json().to_string()] {
        for secret in ["hunter2", "s3cr3t", "from a file"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(!text.contains("password: letmein"), "{text}");
    }
}

#[test]
fn a_file_that_is_no_yaml_shows_none_of_its_values() {
    let found = read("systems:\n  crm: { client_secret: hunter2, x: [ }\n").unwrap_err();
    assert_eq!(found.count(Severity::Error), 1);
    assert!(!found.to_string().contains("hunter2"), "{found}");
    let found = read("systems:\n  crm: { client_secret: &a hunter2, b: *a }\n").unwrap_err();
    assert!(!found.to_string().contains("hunter2"), "{found}");
}

#[test]
fn literal_secrets_are_warned_of_with_both_ways_out() {
    let text = "\
systems:
  crm: { kind: salesforce, url: https://acme.my.salesforce.com, client_id: k, client_secret: abc }
  ops: { kind: postgres, url: \"postgres://u:hidden@localhost/d\" }
";
    let warnings = read(text).unwrap().warnings;
    assert_eq!(
        messages(&warnings),
        [
            "2:94 warning: the secret `client_secret` is written into the file",
            "3:31 warning: `url` holds a password that is written into the file",
        ]
    );
    let drawn = warnings.to_string();
    assert!(drawn.contains("`client_secret: ${CLIENT_SECRET}`"), "{drawn}");
    assert!(drawn.contains("`client_secret: file:path`"), "{drawn}");
    assert!(!drawn.contains("hidden") && !drawn.contains("abc"), "{drawn}");
    let half = text.replace("abc", "'${CRM_SECRET}'").replace(":hidden@", ":${OPS_PASSWORD}@");
    assert!(read(&half).unwrap().warnings.is_empty());
}

#[test]
fn what_cannot_be_inserted_is_named_at_its_place() {
    let cases = [
        ("${NONE}", "the variable NONE is not set"),
        ("'a${NONE}b'", "the variable NONE is not set"),
        ("${", "`${` is never closed"),
        ("${a b}", "`a b` is not the name of a variable"),
        ("${}", "`` is not the name of a variable"),
        ("file:none", "the file /etc/syncline/none cannot be read: no such file"),
        ("file:${NONE}", "the variable NONE is not set"),
    ];
    for (value, message) in cases {
        let text = format!("systems:\n  ops:\n    kind: postgres\n    password: \"{value}\"\n");
        let expected = format!("4:15 `password`: {message}");
        assert_eq!(messages(&read(&text).unwrap_err()), [expected], "{value}");
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let text = "\
sytems: {}
listen: here
poll_interval: 1ms
quota_reserve: 20
log: { format: xml, level: \"a=b=c\" }
ledger: { url: \"mysql://x\", state: y }
systems:
  crm: { kind: salesforce, ulr: \"https://x\", lag: soon, client_id: k }
  ops: { kind: postgress }
  two: { kind: postgres, port: many, tls: on, colour: red }
  three: { url: x }
  four: text
";
    let found = read(text).unwrap_err();
    assert_eq!(
        messages(&found),
        [
            "1:1 unknown key `sytems` in the settings file",
            "2:9 `listen` does not fit",
            "3:16 `poll_interval` does not fit",
            "4:16 `quota_reserve` does not fit",
            "5:16 `format` cannot be `xml`",
            "5:28 `level` does not fit",
            "6:16 `url` does not begin with postgres://",
            "6:29 unknown key `state` in `ledger`",
            "8:8 `url` is missing",
            "8:28 unknown key `ulr`",
            "8:51 \"soon\" is not a duration such as 90s, 15m or 2h",
            "9:16 `kind` cannot be `postgress`",
            "10:32 this is not a whole number from 0 to 65535",
            "10:43 `on` is not known here",
            "10:47 unknown key `colour`",
            "11:10 the system has no `kind`",
            "12:9 a system is a set of keys, not a single value",
        ]
    );
}

#[test]
fn the_ledger_is_not_spoken_to_in_plain_text_over_a_network() {
    let cases = [
        ("postgres://u@db.example/l", "", false),
        ("postgres://u@db.example/l?sslmode=prefer", "", false),
        ("postgres://u@db.example/l?sslmode=verify-full", "", true),
        ("postgres://u@db.example/l", ", allow_plain: true", true),
        ("postgres://u@[::1]/l", "", true),
        ("postgres:///l?host=/run/postgresql&user=u", "", true),
        ("postgres://u@127.0.0.1/l?host=db.example", "", false),
    ];
    for (url, more, fits) in cases {
        let text = format!(
            "systems: {{ ops: {{ kind: postgres }} }}\nledger: {{ url: \"{url}\"{more} }}\n"
        );
        assert_eq!(read(&text).is_ok(), fits, "{url}");
    }
}

#[test]
fn the_mappings_folder_is_read_whole() {
    let folder = std::env::temp_dir().join(format!("syncline-mappings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let systems = ["crm".into(), "ops".into()];
    let empty = load_mappings(&folder, &systems).unwrap_err();
    assert!(empty.to_string().contains("there are no mappings"), "{empty}");
    let mapping = "mapping: a\nleft: { system: crm, entity: A }\n\
                   right: { system: ops, entity: a }\nmatch: []\nfields: [{ left: x, right: y }]\n";
    std::fs::write(folder.join("b.yaml"), mapping).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a mapping").unwrap();
    assert_eq!(load_mappings(&folder, &systems).unwrap().value.len(), 1);
    std::fs::write(folder.join("c.yml"), mapping.replace("crm", "cmr")).unwrap();
    std::fs::write(folder.join("a.yaml"), [0xff]).unwrap();
    let found = load_mappings(&folder, &systems).unwrap_err();
    assert_eq!(found.count(Severity::Error), 1, "{found}");
    std::fs::remove_file(folder.join("a.yaml")).unwrap();
    let found = load_mappings(&folder, &systems).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found.count(Severity::Error), 2, "{found}");
}
