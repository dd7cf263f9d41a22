//! Field history, on a simulated org.

use syncline_sdk::{
    ActorKind, Connector, ErrorKind, FieldName, HistoryEntry, HistoryRequest, Key, Value, Version,
    VersionOrder,
};

use crate::script::{Answer, ID, Script, account, cx};
use crate::world::{World, fields, update, word};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn request(key: &str, names: &[&str], after: Version) -> HistoryRequest {
    let fields = names.iter().map(|name| FieldName::new(*name)).collect();
    HistoryRequest { entity: "Account".into(), records: vec![(Key::new(key), after)], fields }
}

fn told(entry: &HistoryEntry) -> (String, Value, Value, ActorKind) {
    (entry.field.to_string(), entry.old.clone(), entry.new.clone(), entry.actor.kind)
}

#[tokio::test]
async fn what_people_did_before_our_write_is_told_with_its_values() {
    let world = World::start().await;
    let id = world.made("a").await;
    let tracked = ["Phone", "Score__c", "Description", "ParentId", "Renewal__c"];
    world.org.track_history("Account", &names(&tracked)).unwrap();
    let parent = world.made("parent").await;
    let record = world.read_closed(id).await;
    let person = world.person();
    person.update(id, &fields(&[("Phone", "theirs".into())])).await.unwrap();
    world.pass(1);
    let more = [
        ("Score__c", 2.5.into()),
        ("Description", "x".into()),
        ("ParentId", parent.as_str().into()),
        ("Renewal__c", "2026-02-28".into()),
        ("Fax", "9".into()),
    ];
    person.update(id, &fields(&more)).await.unwrap();
    let seen = world.read_closed(id).await;
    let write = world.write(update(&seen, &[("Phone", "ours".into())]));
    assert_eq!(word(&world.push(&write).await), "applied");
    // Since the reading that a write of before would have been planned on.
    let all = ["Phone", "Score__c", "Description", "ParentId", "Renewal__c", "Fax"];
    let asked = request(id.as_str(), &all, record.version.clone());
    let entries = world.crm.history(&cx(), asked).await.unwrap();
    let (person, sync) = (ActorKind::Person, ActorKind::Sync);
    let text = |field: &str, old: Value, new: Value, by| (field.to_owned(), old, new, by);
    assert_eq!(told(&entries[0]), text("Phone", Value::Null, "theirs".into(), person));
    let mut second: Vec<_> = entries[1..5].iter().map(told).collect();
    second.sort_by(|a, b| a.0.cmp(&b.0));
    let score = Value::Decimal("2.5".parse().unwrap());
    let day = Value::Date(jiff::civil::date(2026, 2, 28));
    assert_eq!(
        second,
        [
            text("Description", Value::Absent, Value::Absent, person),
            text("ParentId", Value::Null, parent.as_str().into(), person),
            text("Renewal__c", Value::Null, day, person),
            text("Score__c", Value::Null, score, person),
        ]
    );
    assert_eq!(told(&entries[5]), text("Phone", "theirs".into(), "ours".into(), sync));
    assert_eq!(entries.len(), 6, "what is not tracked is not told: {entries:?}");
    assert!(entries.windows(2).all(|pair| pair[0].at <= pair[1].at));
    // Of what came since the write's own reading there is the write alone; other fields are not
    // asked for. Records that were read at other times are asked for together.
    let asked = HistoryRequest {
        records: [(id, seen.version.clone()), (parent, record.version)]
            .map(|(id, after)| (Key::new(id.as_str()), after))
            .to_vec(),
        ..request("", &["Phone"], Version::default())
    };
    let entries = world.crm.history(&cx(), asked).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].key.as_str(), id.as_str());
    assert_eq!(entries[0].at, Some(world.read(id).await.changed_at.unwrap()));
    assert_eq!(world.crm.order(&entries[0].version, &seen.version), VersionOrder::Newer);
}

#[tokio::test]
async fn an_entity_without_history_says_how_to_get_one() {
    let world = World::start().await;
    let id = world.made("a").await;
    let asked = request(id.as_str(), &["Phone"], Version::default());
    let error = world.crm.history(&cx(), asked.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.advice.is_some_and(|advice| advice.contains("Set History Tracking")));
    // That is remembered for a while.
    world.read(id).await;
    let calls = world.crm.usage().calls;
    assert!(world.crm.history(&cx(), asked.clone()).await.is_err());
    assert_eq!(world.crm.usage().calls, calls);
    // Once it is switched on it is found, without another start.
    world.org.track_history("Account", &names(&["Phone"])).unwrap();
    world.pass(600);
    world.read(id).await;
    assert_eq!(world.crm.history(&cx(), asked).await.unwrap(), []);
    let asked = request("nonsense", &["Phone"], Version::default());
    let error = world.crm.history(&cx(), asked).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn versions_that_do_not_tell_the_type_are_read_too() {
    let script = Script::start().await;
    let crm = script.connector();
    let kept = "{\"name\":\"AccountHistory\",\"queryable\":true,\"fields\":[\
                {\"name\":\"Field\",\"type\":\"picklist\"}]}";
    let row = |field: &str, old: &str, new: &str| {
        format!(
            "{{\"Id\":\"017000000000001AAA\",\"AccountId\":\"{ID}\",\
             \"Field\":\"{field}\",\"OldValue\":{old},\"NewValue\":{new},\"CreatedById\":null,\
             \"CreatedDate\":\"2026-11-21T08:00:01.000+0000\"}}"
        )
    };
    let rows = [row("Name", "\"a\"", "\"b\""), row("created", "null", "null")].join(",");
    script.play([
        account(),
        Answer::ok(kept),
        Answer::ok(format!("{{\"totalSize\":2,\"done\":true,\"records\":[{rows}]}}")),
    ]);
    let entries = crm.history(&cx(), request(ID, &["Name"], Version::default())).await.unwrap();
    let entry = (entries.len(), &entries[0].old, &entries[0].new, entries[0].actor.kind);
    assert_eq!(entry, (1, &"a".into(), &"b".into(), ActorKind::Unknown));
    let asked = script.last().target;
    assert!(!asked.contains("DataType") && !asked.contains("CreatedDate >"), "{asked}");
}
