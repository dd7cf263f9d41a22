//! Duplicate rules (REST guide, duplicate rule header).

use serde::{Deserialize, Serialize};

use super::error::Duplicates;
use super::{Draft, SaveError, SaveResult};
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::schema::ObjectDef;

/// A rule that an administrator of the org has set up: rows of an object that agree in all these
/// fields (letter case aside) are duplicates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateRule {
    /// The rule's name.
    pub name: String,
    /// The object that it guards.
    pub object: String,
    /// The fields that are compared; all must have a value.
    pub fields: Vec<String>,
    /// The rule only warns: a caller may save all the same, if it says so.
    #[serde(default)]
    pub allow: bool,
}

/// Refuses a duplicate, unless its rule allows it and the caller asked to save it.
pub(crate) fn check(state: &State, txn: &Txn, draft: &Draft) -> SaveResult<()> {
    let Some(object) = state.table(draft.table).map(|table| &table.object) else {
        return Ok(());
    };
    let rules = state.duplicate_rules.iter();
    for rule in rules.filter(|rule| rule.object.eq_ignore_ascii_case(&object.name)) {
        if rule.allow && txn.allow_duplicates {
            continue;
        }
        let found = duplicates(state, draft, object, rule);
        if !found.is_empty() {
            let per_record = state.settings.duplicates_per_record;
            return Err(vec![refusal(object, rule, &found, per_record)]);
        }
    }
    Ok(())
}

fn duplicates(state: &State, draft: &Draft, object: &ObjectDef, rule: &DuplicateRule) -> Vec<Id> {
    let slots: Option<Vec<usize>> = rule.fields.iter().map(|name| object.slot(name)).collect();
    let (Some(slots), Some(table)) = (slots, state.table(draft.table)) else {
        return Vec::new();
    };
    let key = |row: &crate::org::table::Record| -> Option<Vec<String>> {
        let value = |slot: &usize| {
            let value = row.get(*slot);
            (!value.is_null()).then(|| value.display().to_lowercase())
        };
        slots.iter().map(value).collect()
    };
    let Some(wanted) = key(&draft.row) else {
        return Vec::new();
    };
    // A save that does not touch what is compared is not looked at.
    if draft.before.as_ref().and_then(key).as_ref() == Some(&wanted) {
        return Vec::new();
    }
    let others = table.all().filter(|row| row.is_live() && row.id != draft.row.id);
    others.filter(|row| key(row).as_ref() == Some(&wanted)).map(|row| row.id).collect()
}

/// The documented body, with its misspelt key.
fn refusal(object: &ObjectDef, rule: &DuplicateRule, found: &[Id], per_record: bool) -> SaveError {
    let records = found.iter().map(|id| {
        object! {
            "additionalInformation" => Json::List(Vec::new()),
            "fieldDiffs" => Json::List(Vec::new()),
            "matchConfidence" => Json::Double(100.0),
            "record" => object! {
                "attributes" => object! { "type" => object.name.clone() },
                "Id" => id.to_string(),
            },
        }
    });
    let records: Vec<Json> = records.collect();
    let matched = object! {
        "entityType" => object.name.clone(),
        "errors" => Json::List(Vec::new()),
        "matchEngine" => "ExactMatchEngine",
        "matchRecords" => records,
        "rule" => rule.name.clone(),
        "size" => found.len(),
        "success" => true,
    };
    let result = object! {
        "allowSave" => rule.allow,
        "duplicateRule" => rule.name.clone(),
        "duplicateRuleEntityType" => object.name.clone(),
        "errorMessage" => "Use one of these records?",
        "matchResults" => Json::List(vec![matched]),
    };
    let mut error = SaveError::new("DUPLICATES_DETECTED", "Use one of these records?");
    error.duplicates = Some(Box::new(Duplicates { result, per_record }));
    error
}
