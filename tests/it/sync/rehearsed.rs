//! What `syncline plan` tells, kind by kind, is what the run after it does.

use std::collections::BTreeMap;

use salesforce_sim::{Fault, FaultAction, Id, Org, Selector};
use serde_json::{Value, json};
use sqlx::postgres::PgPool;

use super::orgs::{ACCOUNTS, TABLES, fields};
use super::world::{World, becomes, eventually, run, text};

/// Where the records of a side are.
enum Place {
    Table(PgPool, &'static str),
    Object(Org, &'static str, &'static [&'static str]),
}

/// Records by their keys.
type Rows = BTreeMap<String, Value>;

impl Place {
    async fn rows(&self) -> Rows {
        match self {
            Self::Table(pool, table) => {
                let rows = format!("select jsonb_object_agg(id, to_jsonb(t))::text from {table} t");
                serde_json::from_str(&text(pool, &rows).await).unwrap_or_default()
            }
            Self::Object(org, object, fields) => {
                let row = |record: &serde_json::Map<String, Value>| {
                    let shown = fields.iter().map(|field| record.get(*field).cloned());
                    (record["Id"].to_string(), shown.map(Option::unwrap_or_default).collect())
                };
                org.records(object, false).iter().map(row).collect()
            }
        }
    }
}

/// What is done, or would be: records of both sides by what becomes of them, and questions.
#[derive(Clone, PartialEq, Debug, Default)]
struct Deeds {
    creates: [u64; 2],
    updates: [u64; 2],
    deletes: [u64; 2],
    questions: Vec<String>,
}

impl Deeds {
    /// What a plan of one mapping tells.
    fn told(plan: &Value) -> Self {
        let mapping = &plan["mappings"][0];
        let of = |kind: &str| ["left", "right"].map(|side| mapping[kind][side].as_u64().unwrap());
        Self {
            creates: of("creates"),
            updates: of("updates"),
            deletes: of("deletes"),
            questions: questions(mapping),
        }
    }

    /// Without what is asked of a unit whose question turns into another one.
    fn turned(mut self, unit: Option<&str>) -> Self {
        let unit = unit.map(|unit| json!(unit).to_string());
        for question in &mut self.questions {
            if unit.as_ref().is_some_and(|unit| question.starts_with(unit)) {
                question.clone_from(unit.as_ref().unwrap());
            }
        }
        self
    }

    /// What a run did, by what was there before it.
    async fn done(
        world: &World,
        places: &[Place; 2],
        before: &[Rows; 2],
        asked: &[String],
    ) -> Self {
        let mut done = Self::default();
        for (at, place) in places.iter().enumerate() {
            let (before, after) = (&before[at], place.rows().await);
            let count = |number: usize| u64::try_from(number).unwrap();
            let made = after.keys().filter(|key| !before.contains_key(*key));
            done.creates[at] = count(made.count());
            done.deletes[at] = count(before.keys().filter(|key| !after.contains_key(*key)).count());
            let changed =
                |(key, row): &(&String, &Value)| after.get(*key).is_some_and(|now| now != *row);
            done.updates[at] = count(before.iter().filter(changed).count());
        }
        done.questions = open_questions(world).await;
        for known in asked {
            let at = done.questions.iter().position(|question| question == known);
            done.questions.remove(at.unwrap_or_else(|| panic!("not open any more: {known}")));
        }
        done
    }
}

/// Questions by what they ask, of which unit.
fn questions(of: &Value) -> Vec<String> {
    let asked = |question: &Value| format!("{} {}", question["unit"], question["what"]);
    let mut asked: Vec<String> = of["questions"].as_array().unwrap().iter().map(asked).collect();
    asked.sort();
    asked
}

async fn open_questions(world: &World) -> Vec<String> {
    questions(&world.command(&["conflicts", "list", "--limit", "1000"]).await.1)
}

/// Plans, runs, and compares. The service does not run before, nor after. `turns` is a unit whose
/// question turns into another one.
async fn as_planned(world: &mut World, places: &[Place; 2], turns: Option<&str>) -> Deeds {
    let (code, plan) = world.command(&["plan"]).await;
    assert_eq!((code, &plan["waiting"]), (2, &json!(0)), "{plan}");
    let told = Deeds::told(&plan).turned(turns);
    let begun = text(&world.ledger(), "select to_regclass('syncline.review')::text").await;
    let asked = if begun.is_empty() { Vec::new() } else { open_questions(world).await };
    let before = [places[0].rows().await, places[1].rows().await];
    world.start().await;
    eventually(&format!("a run does what was planned: {told:?}"), || async {
        let done = Deeds::done(world, places, &before, &asked).await.turned(turns);
        tracing::info!(?done, "so far");
        done == told
    })
    .await;
    // That was all, once the run has read what it wrote.
    eventually("nothing is left", || async { world.command(&["plan"]).await.0 == 0 }).await;
    world.stop().await;
    let done = Deeds::done(world, places, &before, &asked).await.turned(turns);
    assert_eq!(done, told);
    done
}

/// The org gives a record without a type its default one: what nobody wrote is not known, and not
/// empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_type_has_no_image() {
    let mut world = World::new("plan_types").await;
    let org = world.org("crm", 61).await;
    let ops = world.postgres("ops", &TABLES.replace("phone text", "phone text, kind text")).await;
    org.add_record_type("Account", "Customer", true).unwrap();
    org.add_record_type("Account", "Partner", false).unwrap();
    let types = "RecordType.DeveloperName in ('Customer', 'Partner')";
    let kind = "  - { left: RecordType.DeveloperName, right: kind,
      values: { Customer: C, Partner: P } }\n";
    let mapping = ACCOUNTS
        .replace("crm,", &format!("crm, where: {types:?},"))
        .replace("create: both", &format!("{kind}create: both"));
    world.mapping("accounts", &mapping);
    run(
        &ops,
        "insert into accounts(name, website, kind) values ('A', 'a.example', 'X'),
            ('B', 'b.example', 'P')",
    )
    .await;
    let records = Place::Object(org, "Account", &["Name", "Website", "Phone", "RecordTypeId"]);
    let places = [records, Place::Table(ops, "accounts")];
    // Once the type is seen that it has instead, both sides have changed it.
    let kind = "RecordType.DeveloperName/kind";
    let done = as_planned(&mut world, &places, Some(kind)).await;
    assert_eq!((done.creates, done.questions), ([2, 0], vec![format!("{kind:?}")]));
    world.end().await;
}

/// Two pairs, an edit of the one that the org does not take, then its record merged into the
/// other's, which takes values with that, while nothing runs.
async fn merged(name: &str, phone: &str, edit: &str, taken: Value) -> Deeds {
    let mut world = World::new(name).await;
    let org = world.org("crm", 62).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    let rows = format!(
        "insert into accounts(name, website, phone) values
            ('Kept', 'kept.example', null), ('Lost', 'lost.example', {phone})"
    );
    run(&ops, &rows).await;
    world.start().await;
    becomes(&world.ledger(), "select count(*)::text from syncline.link where state = 5", "2").await;
    let fault = Fault {
        on: Selector { record: Some("unsent".into()), ..Selector::default() },
        skip: 0,
        count: None,
        action: FaultAction::RecordError {
            code: "UNABLE_TO_LOCK_ROW".into(),
            message: "unable to obtain exclusive access to this record".into(),
            fields: Vec::new(),
        },
    };
    let fault = org.add_fault(fault);
    if !edit.is_empty() {
        let before = org.requests_since(0).len() as u64;
        run(&ops, &format!("update accounts set phone = '{edit}' where name = 'Lost'")).await;
        eventually("the edit was sent in vain", || async {
            org.requests_since(before).iter().any(|sent| sent.records > 0 && sent.status > 0)
        })
        .await;
    }
    world.stop().await;
    assert!(org.remove_fault(fault));
    let row = |name: &str| {
        let found = org.records("Account", false).into_iter().find(|row| row["Name"] == name);
        Id::parse(found.unwrap()["Id"].as_str().unwrap()).unwrap()
    };
    let person = org.person("admin@example.com").unwrap();
    person.merge(row("Kept"), &[row("Lost")], &fields(taken)).await.unwrap();
    org.advance_clock_ms(5_000);
    let records = Place::Object(org, "Account", &["Name", "Website", "Phone"]);
    let places = [records, Place::Table(ops, "accounts")];
    let done = as_planned(&mut world, &places, None).await;
    world.end().await;
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_a_merge_came_before() {
    let done = merged("plan_merge", "null", "unsent", json!({})).await;
    assert_eq!((done.updates, done.questions.len()), ([1, 1], 1), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_whose_winner_took_a_value() {
    let done = merged("plan_taken", "'2'", "", json!({ "Phone": "2" })).await;
    assert_eq!((done.updates, done.questions.len()), ([0, 1], 1), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_whose_winner_took_a_value_that_was_edited() {
    let done = merged("plan_taken_edit", "'2'", "unsent", json!({ "Phone": "2" })).await;
    assert_eq!((done.updates, done.questions.len()), ([0, 0], 2), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_whose_winner_took_the_key() {
    let taken = json!({ "Website": "lost.example", "Name": "Lost" });
    merged("plan_taken_key", "'2'", "", taken).await;
}
