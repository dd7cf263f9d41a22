//! The permission set: objects and fields, no more than the mappings name.

use std::collections::BTreeMap;

use syncline_sdk::{FieldName, Grant, Maker, Need, Step, Tool};

use super::list::Known;
use super::metadata::{element, file};
use super::{EXTERNAL_ID, MARKER};
use crate::wire::{Described, RECORD_TYPE, RECORD_TYPE_ID};

/// Fields whose rights, as far as names tell, cannot be given one by one: system fields, and those
/// that every org requires, which whoever may read the object may read.
const OF_THE_OBJECT: [&str; 27] = [
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "MasterRecordId",
    "OwnerId",
    "RecordTypeId",
    "CurrencyIsoCode",
    "IsPersonAccount",
    "PersonContactId",
    "Name",
    "FirstName",
    "MiddleName",
    "LastName",
    "Suffix",
    "Salutation",
    "CaseNumber",
    "Company",
    "Status",
    "StageName",
    "CloseDate",
    "Subject",
    "Username",
    "IsActive",
];

/// The parts of an address: the right is that of the whole.
const ADDRESS_PARTS: [&str; 10] = [
    "Street",
    "City",
    "State",
    "StateCode",
    "PostalCode",
    "Country",
    "CountryCode",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
];

/// The field whose right shows a field that was not described, by its name alone.
fn right_of(field: &str) -> Option<String> {
    if field.contains('.') || OF_THE_OBJECT.contains(&field) {
        return None;
    }
    if field.ends_with("__c") {
        return Some(field.to_owned());
    }
    let whole = ADDRESS_PARTS.iter().find_map(|part| {
        let kind = field.strip_suffix(part)?;
        ["Billing", "Shipping", "Mailing", "Other", "PersonMailing", "PersonOther", ""]
            .contains(&kind)
            .then(|| format!("{kind}Address"))
    });
    Some(whole.unwrap_or_else(|| field.to_owned()))
}

/// A right to a field that is given by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Right {
    /// To write it too.
    editable: bool,
    /// It was not described: whether the right can be given is a guess.
    guessed: bool,
}

/// The field whose right shows a mapped field, and that right; nothing where the object's own is
/// enough. The describe says which rights can be given (`permissionable`): not those of required
/// and master-detail fields, of names and of their parts. What nobody can write is read.
fn right(field: &str, written: bool, known: Option<&Described>) -> Option<(String, Right)> {
    let facts = known.and_then(|known| known.field(field));
    let Some((facts, permissionable)) = facts.and_then(|it| Some((it, it.permissionable?))) else {
        let guess = Right { editable: written, guessed: true };
        return right_of(field).map(|name| (name, guess));
    };
    if !permissionable {
        return None;
    }
    // The right to a part of an address is that to the whole.
    let whole = facts.compound.as_deref().filter(|compound| {
        let compound = known.and_then(|known| known.field(compound));
        compound.is_some_and(|compound| compound.permissionable == Some(true))
    });
    let right = Right { editable: written && !facts.computed, guessed: false };
    Some((whole.unwrap_or(field).to_owned(), right))
}

type Rights = BTreeMap<String, Right>;

/// What is done with one object, and the fields whose rights are given one by one.
struct Object<'a> {
    need: &'a Need,
    fields: Rights,
    /// The record types that it may be written with; nothing where none are written.
    record_types: Option<String>,
}

fn objects<'a>(needs: &'a [Need], known: Known<'_>) -> BTreeMap<&'a str, Object<'a>> {
    let mut objects = BTreeMap::new();
    for need in needs {
        let selection = &need.selection;
        let described = known(&selection.entity);
        let mut fields = Rights::new();
        let filter = selection.filter.iter().flat_map(|filter| filter.fields());
        let named = selection.fields.iter().chain(&selection.actor).chain(filter);
        for name in named {
            let written = need.written.contains(name);
            if let Some((field, right)) = right(name.as_str(), written, described.as_deref()) {
                // One that several stand behind is written where one of them is.
                let known = fields.entry(field).or_insert(right);
                known.editable |= right.editable;
            }
        }
        // These are made as they are told here.
        let writes = need.writes();
        for (named, proposed) in
            [(&selection.external_id, EXTERNAL_ID), (&selection.marker, MARKER)]
        {
            let name = named.as_ref().map(FieldName::as_str).or(writes.then_some(proposed));
            let right = Right { editable: writes, guessed: false };
            fields.extend(name.map(|name| (name.to_owned(), right)));
        }
        let record_types = record_types(need, described.as_deref());
        objects.insert(selection.entity.as_str(), Object { need, fields, record_types });
    }
    objects
}

/// Whoever writes a record type must have been given it.
fn record_types(need: &Need, known: Option<&Described>) -> Option<String> {
    let written = |name: &FieldName| [RECORD_TYPE, RECORD_TYPE_ID].contains(&name.as_str());
    let some = need.texts.iter().find(|(name, _)| name.as_str() == RECORD_TYPE);
    let names = match some {
        Some((_, names)) => Some(names.join(", ")),
        None => known.map(|known| known.record_types.active().join(", ")),
    };
    let names = names.filter(|names| !names.is_empty());
    let written = need.written.iter().any(written);
    written.then(|| names.unwrap_or_else(|| "those that mappings write".to_owned()))
}

pub(super) fn permission_set(needs: &[Need], known: Known<'_>) -> Grant {
    let objects = objects(needs, known);
    Grant {
        piece: "permission set Syncline".to_owned(),
        required: true,
        made_by: Maker::Administrator,
        rights: "API Enabled; read on the mapped objects and fields; create, edit and delete on \
                 objects, and edit on fields, where a mapping writes them. View All Records, since \
                 a record that is hidden looks like one that was deleted; Modify All Records only \
                 where sharing keeps records from being edited"
            .to_owned(),
        buys: "the mapped records can be read and written, and nothing else".to_owned(),
        without: "nothing runs on these objects; a field without its right is read as absent and \
                  never written"
            .to_owned(),
        class_without: None,
        steps: steps(&objects),
    }
}

fn steps(objects: &BTreeMap<&str, Object<'_>>) -> Vec<Step> {
    let guessed: Vec<String> = objects
        .iter()
        .flat_map(|(object, rights)| {
            let guessed = rights.fields.iter().filter(|(_, right)| right.guessed);
            guessed.map(move |(field, _)| format!("{object}.{field}"))
        })
        .collect();
    let mut steps = Vec::new();
    if !guessed.is_empty() {
        let text = format!(
            "these were not described, so their rights are a guess: {}\n\
             leave out the fieldPermissions of those that are required or master-detail: \
             Salesforce refuses the file with them, and the right to the object is enough\n\
             set editable to false for formulas, roll-up summaries and auto numbers",
            guessed.join(", ")
        );
        steps.push(Step::new(Tool::Clicks, "before it is deployed, in the file below", text));
    }
    steps.extend([
        Step::new(Tool::Metadata, "permissionsets/Syncline.permissionset-meta.xml", xml(objects)),
        Step::new(Tool::Clicks, "in Setup", clicks(objects)),
    ]);
    steps
}

/// Record types are assigned here and not in the file, which names those of person accounts by
/// another object.
fn clicks(objects: &BTreeMap<&str, Object<'_>>) -> String {
    let mut clicks = String::new();
    for (object, rights) in objects {
        if let Some(types) = &rights.record_types {
            clicks.push_str(&format!(
                "Permission Sets > Syncline > Object Settings > {object} > Edit > Record Type \
                 Assignments: {types}\n"
            ));
        }
    }
    clicks
        + "Permission Sets > Syncline > Manage Assignments > Add Assignment: the integration user"
}

fn xml(objects: &BTreeMap<&str, Object<'_>>) -> String {
    let word = |right: bool| if right { "true" } else { "false" };
    let mut parts = Vec::new();
    for (object, rights) in objects {
        for (field, right) in &rights.fields {
            parts.push(element(
                "fieldPermissions",
                &[
                    ("editable", word(right.editable)),
                    ("field", &format!("{object}.{field}")),
                    ("readable", "true"),
                ],
            ));
        }
    }
    parts.push("    <hasActivationRequired>false</hasActivationRequired>".to_owned());
    parts.push("    <label>Syncline</label>".to_owned());
    for (object, Object { need, .. }) in objects {
        parts.push(element(
            "objectPermissions",
            &[
                ("allowCreate", word(need.creates)),
                ("allowDelete", word(need.deletes)),
                // A right to delete needs it, and so does the marker of a delete.
                ("allowEdit", word(need.writes())),
                ("allowRead", "true"),
                ("modifyAllRecords", "false"),
                ("object", object),
                ("viewAllRecords", "true"),
            ],
        ));
    }
    parts.push(element("userPermissions", &[("enabled", "true"), ("name", "ApiEnabled")]));
    file("PermissionSet", &parts)
}

#[cfg(test)]
mod tests {
    use super::right_of;

    #[test]
    fn rights_are_those_that_can_be_given() {
        for (field, right) in [
            ("Phone", Some("Phone")),
            ("Name", None),
            ("MiddleName", None),
            ("BillingCity", Some("BillingAddress")),
            ("BillingStateCode", Some("BillingAddress")),
            ("PostalCode", Some("Address")),
            ("AccountId", Some("AccountId")),
            ("Home_City__c", Some("Home_City__c")),
            ("Owner.Alias", None),
        ] {
            assert_eq!(right_of(field).as_deref(), right, "{field}");
        }
    }
}
