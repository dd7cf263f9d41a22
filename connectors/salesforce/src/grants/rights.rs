//! The permission set: objects and fields, no more than the mappings name.

use std::collections::BTreeMap;

use syncline_sdk::{Grant, Maker, Selection, Step, Tool};

use super::list::Known;
use super::metadata::{element, file};
use super::{EXTERNAL_ID, MARKER};
use crate::wire::Described;

/// Fields whose rights, as far as names tell, cannot be given one by one: system fields, and those
/// that every org requires, which whoever may read the object may read.
const OF_THE_OBJECT: [&str; 26] = [
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
    "LastName",
    "Salutation",
    "CaseNumber",
    "Company",
    "Status",
    "StageName",
    "CloseDate",
    "Subject",
    "Username",
    "IsActive",
    "AccountId",
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

/// The same of a field that was not described, by its name alone.
fn right_of(entity: &str, field: &str) -> Option<String> {
    // On other objects the account of a record is a look-up like any other.
    let account = field == "AccountId" && entity != "Contact";
    if field.contains('.') || (OF_THE_OBJECT.contains(&field) && !account) {
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

/// The right to see a mapped field, and the field whose right it is; nothing where the object's
/// own is enough. The describe says which rights can be given (`permissionable`): not those of
/// required and master-detail fields. What nobody can write is read.
fn right(entity: &str, field: &str, known: Option<&Described>) -> Option<(String, Right)> {
    let facts = known.and_then(|known| known.field(field));
    let Some((facts, permissionable)) = facts.and_then(|it| Some((it, it.permissionable?))) else {
        let guess = Right { editable: true, guessed: true };
        return right_of(entity, field).map(|name| (name, guess));
    };
    if !permissionable {
        return None;
    }
    // The right to a part of an address is that to the whole; a part of a name has its own.
    let whole = facts.compound.as_deref().filter(|compound| {
        let compound = known.and_then(|known| known.field(compound));
        compound.is_some_and(|compound| compound.permissionable == Some(true))
    });
    let right = Right { editable: !facts.computed, guessed: false };
    Some((whole.unwrap_or(field).to_owned(), right))
}

type Rights = BTreeMap<String, Right>;

/// The objects with the fields whose rights are given one by one.
fn objects<'a>(selections: &'a [Selection], known: Known<'_>) -> BTreeMap<&'a str, Rights> {
    let mut objects: BTreeMap<&str, Rights> = BTreeMap::new();
    for selection in selections {
        let entity = selection.entity.as_str();
        let described = known(&selection.entity);
        let fields = objects.entry(entity).or_default();
        let filter = selection.filter.iter().flat_map(|filter| filter.fields());
        let named = selection.fields.iter().chain(&selection.actor).chain(filter);
        for name in named {
            let found = right(entity, name.as_str(), described.as_deref());
            fields.extend(found);
        }
        // These are made as they are told here.
        let link = selection.external_id.as_ref().map_or(EXTERNAL_ID, |name| name.as_str());
        let marker = selection.marker.as_ref().map_or(MARKER, |name| name.as_str());
        for name in [link, marker] {
            fields.insert(name.to_owned(), Right { editable: true, guessed: false });
        }
    }
    objects
}

pub(super) fn permission_set(selections: &[Selection], known: Known<'_>) -> Grant {
    let objects = objects(selections, known);
    Grant {
        piece: "permission set Syncline".to_owned(),
        required: true,
        made_by: Maker::Administrator,
        rights: "API Enabled; read, create, edit and delete on the mapped objects; read and edit \
                 on the mapped fields. View All Records, since a record that is hidden looks like \
                 one that was deleted; Modify All Records only where sharing keeps records from \
                 being edited"
            .to_owned(),
        buys: "the mapped records can be read and written, and nothing else".to_owned(),
        without: "nothing runs on these objects; a field without its right is read as absent and \
                  never written"
            .to_owned(),
        class_without: None,
        steps: steps(&objects),
    }
}

fn steps(objects: &BTreeMap<&str, Rights>) -> Vec<Step> {
    let guessed: Vec<String> = objects
        .iter()
        .flat_map(|(object, fields)| {
            let guessed = fields.iter().filter(|(_, right)| right.guessed);
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
        Step::new(
            Tool::Clicks,
            "in Setup",
            "Permission Sets > Syncline > Manage Assignments > Add Assignment: the \
             integration user",
        ),
    ]);
    steps
}

fn xml(objects: &BTreeMap<&str, Rights>) -> String {
    let mut parts = Vec::new();
    for (object, fields) in objects {
        for (field, right) in fields {
            parts.push(element(
                "fieldPermissions",
                &[
                    ("editable", if right.editable { "true" } else { "false" }),
                    ("field", &format!("{object}.{field}")),
                    ("readable", "true"),
                ],
            ));
        }
    }
    parts.push("    <hasActivationRequired>false</hasActivationRequired>".to_owned());
    parts.push("    <label>Syncline</label>".to_owned());
    for object in objects.keys() {
        parts.push(element(
            "objectPermissions",
            &[
                ("allowCreate", "true"),
                ("allowDelete", "true"),
                ("allowEdit", "true"),
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
        for (entity, field, right) in [
            ("Account", "Phone", Some("Phone")),
            ("Account", "Name", None),
            ("Account", "BillingCity", Some("BillingAddress")),
            ("Account", "BillingStateCode", Some("BillingAddress")),
            ("Lead", "PostalCode", Some("Address")),
            ("Contact", "AccountId", None),
            ("Opportunity", "AccountId", Some("AccountId")),
            ("Contact", "Home_City__c", Some("Home_City__c")),
            ("Contact", "Owner.Alias", None),
        ] {
            assert_eq!(right_of(entity, field).as_deref(), right, "{entity}.{field}");
        }
    }
}
