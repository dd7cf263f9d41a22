//! Flows and triggers of the org: they alter other fields or the parent row inside the caller's
//! transaction and under the caller's user, so that nothing on the row tells them apart
//! (Change Data Capture guide, merged events).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Raw};

use super::{Draft, SaveError, SaveResult, types};
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::org::value::Value;

/// A rule that an administrator of the org has set up.
///
/// `set` gives each field its new value: a constant, a text with `{!Field}` places, or
/// `{"increment": n}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowRule {
    /// The object whose saves start the flow.
    pub object: String,
    /// Runs on create too; an update always starts it.
    #[serde(default = "yes")]
    pub on_create: bool,
    /// Only when this field changes.
    #[serde(default)]
    pub when_changed: Option<String>,
    /// The reference field whose target is altered instead of the row itself.
    #[serde(default)]
    pub parent: Option<String>,
    /// Field → new value.
    pub set: BTreeMap<String, Raw>,
}

fn yes() -> bool {
    true
}

/// Same-row flows: part of the row that is saved.
pub(crate) fn before_save(state: &State, draft: &mut Draft) -> SaveResult<()> {
    if state.flows.is_empty() {
        return Ok(());
    }
    let Some(table) = state.table(draft.table) else {
        return Ok(());
    };
    for rule in state.flows.iter().filter(|rule| rule.parent.is_none()) {
        if !starts(rule, state, draft) {
            continue;
        }
        for (name, template) in &rule.set {
            let Some((slot, field)) = table.object.field(name) else {
                continue;
            };
            let raw = fill(template, state, draft, draft.row.get(slot));
            let value = types::read(field, &raw, &state.settings).map_err(|it| vec![it])?;
            draft.row.set(slot, value);
            draft.by_flow.push(slot);
        }
    }
    Ok(())
}

/// Flows that alter the parent row, after the row itself is stored.
pub(crate) fn after_save(state: &mut State, txn: &mut Txn, draft: &Draft) -> SaveResult<()> {
    if state.flows.is_empty() {
        return Ok(());
    }
    let rules: Vec<FlowRule> =
        state.flows.iter().filter(|rule| rule.parent.is_some()).cloned().collect();
    for rule in rules {
        if !starts(&rule, state, draft) {
            continue;
        }
        let Some(target) = parent_of(&rule, state, draft) else {
            continue;
        };
        let Some((at, row)) = state.row(target) else {
            continue;
        };
        let Some(table) = state.table(at) else {
            continue;
        };
        let mut body = Map::new();
        for (name, template) in &rule.set {
            let current = table.object.slot(name).map_or(Value::Null, |slot| row.get(slot).clone());
            body.insert(name.clone(), fill(template, state, draft, &current));
        }
        super::update(state, txn, target, &body, None).map_err(wrapped)?;
        if let Some(event) = txn.events.last_mut() {
            event.changes.iter_mut().for_each(|change| change.by_flow = true);
        }
    }
    Ok(())
}

fn starts(rule: &FlowRule, state: &State, draft: &Draft) -> bool {
    let Some(table) = state.table(draft.table) else {
        return false;
    };
    if !table.object.name.eq_ignore_ascii_case(&rule.object)
        || (draft.is_create() && !rule.on_create)
    {
        return false;
    }
    let Some(watched) = rule.when_changed.as_deref() else {
        return true;
    };
    table.object.slot(watched).is_some_and(|slot| {
        let old = draft.before.as_ref().map_or(&Value::Null, |row| row.get(slot));
        old != draft.row.get(slot)
    })
}

fn parent_of(rule: &FlowRule, state: &State, draft: &Draft) -> Option<crate::org::ids::Id> {
    let table = state.table(draft.table)?;
    let slot = table.object.slot(rule.parent.as_deref()?)?;
    draft.row.get(slot).as_id()
}

/// The value a rule gives a field that holds `current` now.
fn fill(template: &Raw, state: &State, draft: &Draft, current: &Value) -> Raw {
    match template {
        Raw::Object(members) => match members.get("increment").and_then(Raw::as_f64) {
            Some(by) => Raw::from(number(current) + by),
            None => Raw::Null,
        },
        Raw::String(text) if text.contains("{!") => Raw::from(filled(text, state, draft)),
        other => other.clone(),
    }
}

fn filled(text: &str, state: &State, draft: &Draft) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("{!") {
        made.push_str(head);
        let Some((name, after)) = tail.split_once('}') else {
            break;
        };
        let slot = state.table(draft.table).and_then(|table| table.object.slot(name));
        if let Some(slot) = slot {
            made.push_str(&draft.row.get(slot).display());
        }
        rest = after;
    }
    made.push_str(rest);
    made
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Double(number) => *number,
        Value::Int(number) => number.to_string().parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// An error inside a flow fails the caller's save; a lock error stays what it is underneath
/// (error guide, `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY`).
fn wrapped(errors: Vec<SaveError>) -> Vec<SaveError> {
    let wrap = |error: SaveError| {
        let text = format!("flow failed: {}: {}", error.code, error.message);
        SaveError::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)
    };
    errors.into_iter().map(wrap).collect()
}
