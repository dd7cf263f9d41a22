//! A plan as JSON.

use serde_json::{Map, Value as Json, json};
use syncline_core::machine::Mappings;
use syncline_core::mapping::Mapping;
use syncline_core::{Side, Sides};
use syncline_engine::{MappingPlan, Plan, SystemPlan};
use syncline_sdk::{FieldName, Key, Value};

use super::lines::{json_share, mode};
use super::telling::Telling;
use crate::cli::asked::asked;

/// `mappings`, `systems`, whether anything would change, and of how many records that cannot be
/// told (`waiting`).
pub(super) fn fields(mappings: &Mappings, plan: &Plan, telling: Telling) -> Map<String, Json> {
    let told = plan.mappings.iter().filter_map(|(id, found)| Some((mappings.get(id)?, found)));
    let told: Vec<Json> = told.map(|(mapping, found)| one(mapping, found, telling)).collect();
    let systems: Map<String, Json> =
        plan.systems.iter().map(|(name, one)| (name.to_string(), system(one))).collect();
    let mut fields = Map::new();
    fields.insert("changes".to_owned(), plan.changes().into());
    fields.insert("mappings".to_owned(), told.into());
    fields.insert("systems".to_owned(), systems.into());
    fields.insert("waiting".to_owned(), plan.waiting.into());
    fields
}

fn one(mapping: &Mapping, found: &MappingPlan, telling: Telling) -> Json {
    let name = |side: Side| mapping.sides[side].system.to_string();
    let fields: Vec<Json> = found
        .fields
        .iter()
        .map(|((side, field), plan)| {
            let value = |value| telling.value_json(mapping, *side, field, value);
            let samples = plan.samples.iter().take(telling.samples).map(|sample| {
                json!({
                    "key": sample.key.as_str(),
                    "before": sample.before.as_ref().map(value),
                    "after": value(&sample.after),
                })
            });
            json!({
                "side": side,
                "field": field.as_str(),
                "records": plan.records,
                "samples": samples.collect::<Vec<_>>(),
            })
        })
        .collect();
    let questions = found.asked.iter().map(|one| {
        let other = if one.keys.left.is_some() { Side::Right } else { Side::Left };
        let kind = telling.kind(mapping, one);
        let shown = |side| {
            let shown = Telling::shown(mapping, one, side)?;
            let told = |(field, value): (&FieldName, &Value)| {
                (field.to_string(), telling.value_json(mapping, side, field, value))
            };
            Some(shown.map(told).collect::<Map<String, Json>>())
        };
        json!({
            "kind": kind,
            "unit": one.unit_name(mapping),
            "what": asked(&kind, other, &name),
            "keys": keys(&one.keys),
            "left": shown(Side::Left),
            "right": shown(Side::Right),
        })
    });
    let parked = found
        .parked
        .iter()
        .map(|(of, why)| json!({ "keys": keys(of), "why": telling.why(mapping, why) }));
    json!({
        "name": &*mapping.name,
        "read": found.read,
        "mode": mode(mapping),
        "pairs": {
            "linked": found.linked,
            "matched": found.matched,
            "ended": found.ended,
            "moved_in": found.moved_in,
            "moved_out": found.moved_out,
            "entered": found.entered,
            "left": found.left,
        },
        "creates": found.creates,
        "updates": found.updates,
        "deletes": found.deletes,
        "undeletes": found.undeletes,
        "fields": fields,
        "questions": questions.collect::<Vec<_>>(),
        "parked": parked.collect::<Vec<_>>(),
        "already": {
            "questions": found.already.questions,
            "asked": found.already.asked,
            "parked": found.already.parked,
        },
    })
}

fn keys(keys: &Sides<Option<Key>>) -> Json {
    json!({
        "left": keys.left.as_ref().map(Key::as_str),
        "right": keys.right.as_ref().map(Key::as_str),
    })
}

fn system(plan: &SystemPlan) -> Json {
    json!({
        "read_calls": plan.read_calls,
        "write_calls_min": plan.write_calls,
        "write_seconds": plan.write_seconds(),
        "quota": plan.usage.quota,
        "write_share_percent":
            plan.usage.quota.map(|quota| json_share(plan.write_calls, quota.max)),
    })
}
