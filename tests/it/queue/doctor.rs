//! `syncline doctor`: what is there, what a run makes, and what somebody must provide.

use serde_json::Value as Json;
use syncline_ledger::Setup as _;

use super::fixture::{Engine, Installation};

const MAPPING: &str = "\
mapping: people
left: { system: one, entity: public.people }
right: { system: two, entity: public.staff }
match: [{ left: name, right: name }]
fields: [{ left: name, right: name }]
";

/// An installation whose ledger and both tables are in one database.
async fn installation(user_of_two: Option<&str>) -> Installation {
    let installation = Installation::empty().await;
    installation
        .sql(
            "create table people (id int generated always as identity primary key, name text); \
             create table staff (like people including all)",
        )
        .await;
    std::fs::remove_file(installation.folder.join("mappings/accounts.yaml")).unwrap();
    installation.write("mappings/people.yaml", MAPPING);
    let url = &installation.url;
    let two = match user_of_two {
        None => url.clone(),
        Some(user) => {
            let (_, place) = url.rsplit_once('@').unwrap();
            format!("postgres://{user}:x@{place}")
        }
    };
    let system = |url: &str| format!("{{ kind: postgres, url: '{url}' }}");
    let (one, two) = (system(url), system(&two));
    installation.write(
        "syncline.yaml",
        &format!("ledger: {{ url: '{url}' }}\nsystems:\n  one: {one}\n  two: {two}\n"),
    );
    installation
}

/// A piece of a system in the answer.
fn piece<'a>(told: &'a Json, system: usize, name: &str) -> &'a Json {
    let pieces = told["systems"][system]["health"]["pieces"].as_array().unwrap();
    pieces.iter().find(|piece| piece["name"] == name).unwrap()
}

#[tokio::test]
async fn before_the_first_run_nothing_lacks_that_the_run_makes() {
    let installation = installation(None).await;
    let told = installation.run(&["doctor"]).well();
    for made in ["publication", "slot", "receipt table"] {
        assert_eq!(told.matches(&format!("  run makes  {made}")).count(), 2, "{told}");
    }
    let told = installation.run(&["doctor", "--json"]).json();
    assert_eq!(told["ok"], true, "{told}");
    assert_eq!(piece(&told, 0, "slot")["made"], true);
    let live = installation.run(&["check", "--live"]);
    assert_eq!(live.code(), Some(0), "{}", live.errors());
    // Looking has made nothing, in the ledger neither.
    let engine = Engine::new(&installation, 0).await;
    let candidate = engine.ledger.install("first").await.unwrap();
    assert_eq!(candidate, "first");
    assert_eq!(engine.ledger.known_install().await.unwrap().as_deref(), Some("first"));
    // With an id the pieces have their names.
    let told = installation.run(&["doctor"]).well();
    assert!(told.contains("slot: syncline_one_first keeps the log"), "{told}");
    installation.sql("create publication syncline_one_first for table people").await;
    let told = installation.run(&["doctor", "--json"]).json();
    let publication = piece(&told, 0, "publication");
    assert_eq!((&publication["present"], &publication["made"]), (&false.into(), &true.into()));
}

#[tokio::test]
async fn what_an_administrator_must_provide_is_lacking() {
    let user = format!("weak_{}", std::process::id());
    let installation = installation(Some(&user)).await;
    installation
        .sql(&format!(
            "create role {user} login password 'x'; grant select on staff to {user}; \
             create schema syncline"
        ))
        .await;
    let doctor = installation.run(&["doctor"]);
    installation.sql(&format!("drop owned by {user}; drop role {user}")).await;
    let told = doctor.text();
    assert_eq!(doctor.code(), Some(2), "{told}\n{}", doctor.errors());
    for words in [
        &format!(
            "  LACKS      replication right: an administrator must run: alter role \"{user}\""
        ),
        "  LACKS      publication: it names what is captured; `syncline run` cannot mend that",
        "  run makes  slot",
        "  could have receipt table",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_found() {
    let installation = installation(None).await;
    let settings = std::fs::read_to_string(installation.folder.join("syncline.yaml")).unwrap();
    let (_, systems) = settings.split_once('\n').unwrap();
    let nowhere = "ledger: { url: 'postgres://u:hunter2@127.0.0.1:9/l' }";
    installation.write("syncline.yaml", &format!("{nowhere}\n{systems}"));
    let doctor = installation.run(&["doctor"]);
    assert_eq!(doctor.code(), Some(2), "{}", doctor.text());
    let told = doctor.errors();
    assert!(told.contains("the ledger does not answer") && !told.contains("hunter2"), "{told}");
}
