//! A plan beside the run that follows it, kind by kind.

use std::collections::BTreeMap;

use salesforce_sim::Org;
use serde_json::{Value, json};
use sqlx::postgres::PgPool;

use super::world::{World, eventually, text};

/// Where the records of a side are.
pub enum Place {
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
pub struct Deeds {
    pub creates: [u64; 2],
    pub updates: [u64; 2],
    pub deletes: [u64; 2],
    pub questions: Vec<String>,
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
pub async fn as_planned(world: &mut World, places: &[Place; 2], turns: Option<&str>) -> Deeds {
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
