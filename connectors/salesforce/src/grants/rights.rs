//! The permission set: objects and fields, no more than the mappings name.

use std::collections::{BTreeMap, BTreeSet};

use syncline_sdk::{Grant, Maker, Selection, Step, Tool};

use super::metadata::{element, file};
use super::{EXTERNAL_ID, MARKER};

/// Fields whose rights cannot be given one by one: system fields, and those that every org
/// requires, which whoever may read the object may read.
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

/// The field whose right it is to see a mapped field; nothing where the object's own is enough.
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

/// The objects with the fields whose rights are given one by one.
fn objects(selections: &[Selection]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut objects: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for selection in selections {
        let entity = selection.entity.as_str();
        let fields = objects.entry(entity).or_default();
        let link = selection.external_id.as_ref().map_or(EXTERNAL_ID, |name| name.as_str());
        let marker = selection.marker.as_ref().map_or(MARKER, |name| name.as_str());
        let filter = selection.filter.iter().flat_map(|filter| filter.fields());
        let named = selection.fields.iter().chain(&selection.actor).chain(filter);
        let named = named.map(|name| name.as_str()).chain([link, marker]);
        fields.extend(named.filter_map(|name| right_of(entity, name)));
    }
    objects
}

pub(super) fn permission_set(selections: &[Selection]) -> Grant {
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
        steps: vec![
            Step::new(
                Tool::Clicks,
                "before it is deployed, in the file below",
                "leave out the fieldPermissions of fields that are required or master-detail: \
                 Salesforce refuses the file with them, and the right to the object is enough\n\
                 set editable to false for formulas, roll-up summaries and auto numbers",
            ),
            Step::new(
                Tool::Metadata,
                "permissionsets/Syncline.permissionset-meta.xml",
                xml(selections),
            ),
            Step::new(
                Tool::Clicks,
                "in Setup",
                "Permission Sets > Syncline > Manage Assignments > Add Assignment: the \
                 integration user",
            ),
        ],
    }
}

fn xml(selections: &[Selection]) -> String {
    let objects = objects(selections);
    let mut parts = Vec::new();
    for (object, fields) in &objects {
        for field in fields {
            parts.push(element(
                "fieldPermissions",
                &[
                    ("editable", "true"),
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
