//! People, automations and the history that a checker reads.

use std::time::Duration;

use syncline_sdk::{ActorKind, ChangeKind, Connector, FieldName, Instant, Key, Normalizer, Value};

use super::fixture::{context, model};
use crate::{
    Automation, Derived, EntityModel, Event, MemoryConnector, MemorySystem, Profile, Save, complete,
};

fn system(model: EntityModel) -> MemorySystem {
    let system = MemorySystem::new("ops", Profile::postgres()).entity(model);
    system.advance(Instant::from_micros(1_000_000));
    system
}

fn one(field: &str, value: &str) -> Vec<(FieldName, Value)> {
    vec![(field.into(), value.into())]
}

fn value(system: &MemorySystem, key: &Key, field: &str) -> Value {
    system.value(&"Account".into(), key, &field.into()).unwrap()
}

#[test]
fn the_history_tells_what_was_given_stored_and_seen() {
    let system = system(model().save("City", Save::Hidden(Normalizer::Trim)));
    let entity = "Account".into();
    let ann = system.person("ann");
    let key = ann.create(&entity, one("City", " Rome ")).unwrap();
    let seen = system.look(&entity, &key).unwrap();
    ann.having_seen(seen.clone()).edit(&entity, &key, one("City", " Bonn ")).unwrap();
    let log = system.history();
    let last = log.last().unwrap();
    assert_eq!(last.read.as_deref(), Some(&seen));
    assert_eq!(last.actor.kind, ActorKind::Person);
    assert_eq!(
        last.event,
        Event::Field {
            field: "City".into(),
            old: "Rome".into(),
            given: " Bonn ".into(),
            new: "Bonn".into(),
            automatic: false,
        }
    );
}

#[test]
fn saves_cut_round_and_append() {
    let digits = Save::Hidden(Normalizer::SignificantDigits(3));
    let system = system(
        model()
            .save("Name", Save::Cut(3))
            .save("City", Save::Append("!".into()))
            .save("Amount", digits),
    );
    let entity = "Account".into();
    let mut fields = one("Name", "abcdef");
    fields.extend(one("City", "x"));
    fields.push(("Amount".into(), Value::Decimal("1234.5".parse().unwrap())));
    let key = system.person("ann").create(&entity, fields).unwrap();
    assert_eq!(value(&system, &key, "Name"), "abc".into());
    assert_eq!(value(&system, &key, "City"), "x!".into());
    assert_eq!(value(&system, &key, "Amount"), Value::Decimal("1230".parse().unwrap()));
    let stored = one("City", "x!");
    system.person("ann").edit(&entity, &key, stored).unwrap();
    assert_eq!(value(&system, &key, "City"), "x!!".into());
}

fn rule(on: &str, set: &str, delay: Option<Duration>) -> Automation {
    Automation { on: on.into(), set: set.into(), to: Derived::Suffix("+".into()), delay }
}

#[test]
fn automations_run_within_and_after_the_transaction() {
    let delay = Duration::from_secs(5);
    let system = system(model().automation(rule("Name", "Name", None)).automation(rule(
        "Name",
        "City",
        Some(delay),
    )));
    let entity = "Account".into();
    let key = system.person("ann").create(&entity, one("Name", "a")).unwrap();
    assert_eq!(value(&system, &key, "Name"), "a+".into());
    assert_eq!(value(&system, &key, "City"), Value::Null);
    system.advance(Instant::from_micros(6_000_000));
    assert_eq!(value(&system, &key, "City"), "a++".into());
    let log = system.history();
    assert_eq!(log.last().unwrap().actor.kind, ActorKind::Automation);
    let within = log.iter().any(|entry| match &entry.event {
        Event::Field { field, automatic: true, .. } => field.as_str() == "Name",
        _ => false,
    });
    assert!(within);
}

#[test]
fn the_feed_tells_of_truncations_new_keys_and_fields_left_out() {
    let system = system(model().out_of_line("City"));
    let (entity, ann) = ("Account".into(), system.person("ann"));
    let client = MemoryConnector::new(&system);
    let selection = super::fixture::selection();
    let cx = context(system.now());
    let mut feed = complete(client.open_feed(&cx, &[&selection], None)).unwrap();
    let key = ann.create(&entity, one("City", "Rome")).unwrap();
    ann.edit(&entity, &key, one("Name", "a")).unwrap();
    let new = Key::new("other");
    ann.rekey(&entity, &key, &new).unwrap();
    ann.truncate(&entity);
    let changes = complete(feed.next(&cx, 10)).unwrap().changes;
    let city = |at: usize| match &changes[at].kind {
        ChangeKind::Upsert(values) => values[1].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(city(0), "Rome".into());
    assert_eq!(city(1), Value::Absent);
    assert_eq!((&changes[2].key, &changes[2].old_key), (&new, &Some(key)));
    assert_eq!(changes[3].kind, ChangeKind::Truncate);
    assert_eq!(changes.len(), 4);
    assert!(system.records(&entity).is_empty());
}

#[test]
fn unique_values_are_kept_unique() {
    let system = system(model().unique("Name"));
    let (entity, ann) = ("Account".into(), system.person("ann"));
    let first = ann.create(&entity, one("Name", "a")).unwrap();
    assert!(ann.create(&entity, one("Name", "a")).is_err());
    ann.delete(&entity, &first).unwrap();
    assert!(ann.create(&entity, one("Name", "a")).is_ok());
}

#[test]
fn a_dropped_field_is_absent_and_refused() {
    let system = system(model());
    let (entity, ann) = ("Account".into(), system.person("ann"));
    let key = ann.create(&entity, one("City", "Rome")).unwrap();
    system.drop_field(&entity, &"City".into());
    assert!(ann.edit(&entity, &key, one("City", "Bonn")).is_err());
    let schema = complete(MemoryConnector::new(&system).describe(&context(system.now()), &entity));
    assert!(schema.unwrap().field(&"City".into()).is_none());
}
