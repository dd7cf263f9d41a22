//! What an org can switch on: currencies, person accounts, record types.

use serde::Deserialize;

use super::build::{address, of_type, picklist, reference, text};
use super::field::{FieldDef, FieldType};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::value::Value;

/// Objects with a currency of each record.
const WITH_CURRENCY: [&str; 6] =
    ["Account", "Contact", "Lead", "Opportunity", "Case", "Project__c"];
/// The currencies of an org with several; the first is the corporate one.
const CURRENCIES: [&str; 3] = ["USD", "EUR", "GBP"];

/// Several currencies: each record has its own (object reference, `CurrencyIsoCode`).
pub(crate) fn multi_currency(state: &mut State) {
    for object in WITH_CURRENCY {
        let field = picklist("CurrencyIsoCode", "Currency ISO Code", &CURRENCIES)
            .restrict()
            .require()
            .default_to(Value::text("USD"));
        state.extend_object(object, [field]);
    }
    for (rate, code) in [1.0, 0.9, 0.8].into_iter().zip(CURRENCIES) {
        let id = state.new_id("01L");
        let values = [
            ("IsoCode", Value::text(code)),
            ("ConversionRate", Value::Double(rate)),
            ("DecimalPlaces", Value::Int(2)),
            ("IsActive", Value::Bool(true)),
            ("IsCorporate", Value::Bool(code == "USD")),
        ];
        state.put_own_row("CurrencyType", id, &values);
    }
}

/// Person accounts: people who are accounts, with a contact as their shadow (object reference,
/// person accounts).
pub(crate) fn person_accounts(state: &mut State) {
    let flag = || {
        let mut made = of_type("IsPersonAccount", "Is Person Account", FieldType::Boolean);
        made = made.read_only();
        made.default = Value::Bool(false);
        made
    };
    let mut contact = reference("PersonContactId", "Contact ID", &["Contact"], "PersonContact");
    contact = contact.read_only();
    let lead_source = ["Web", "Phone Inquiry", "Other"];
    let people = [
        text("LastName", "Last Name", 80).part_of("Name"),
        text("FirstName", "First Name", 40).part_of("Name"),
        picklist("Salutation", "Salutation", &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof."])
            .part_of("Name"),
        contact,
        flag(),
        of_type("PersonMobilePhone", "Mobile", FieldType::Phone),
        of_type("PersonHomePhone", "Home Phone", FieldType::Phone),
        of_type("PersonOtherPhone", "Other Phone", FieldType::Phone),
        of_type("PersonEmail", "Email", FieldType::Email),
        text("PersonTitle", "Title", 80),
        text("PersonDepartment", "Department", 80),
        picklist("PersonLeadSource", "Lead Source", &lead_source),
        of_type("PersonBirthdate", "Birthdate", FieldType::Date),
        of_type("PersonHasOptedOutOfEmail", "Email Opt Out", FieldType::Boolean),
        of_type("PersonDoNotCall", "Do Not Call", FieldType::Boolean),
    ];
    state.extend_object("Account", people);
    state.extend_object("Account", address("PersonMailing"));
    state.extend_object("Account", address("PersonOther"));
    state.extend_object("Contact", [flag()]);
    name_of_either(state);
    person_fields(state);
    record_type(state, "Account", "Business Account", true);
    let person = record_type(state, "Account", "Person Account", false);
    state.put_own_row("RecordType", person, &[("IsPersonType", Value::Bool(true))]);
}

/// The name of an account may be that of a person, who has another one (recorded: not required
/// there, and a part of itself).
fn name_of_either(state: &mut State) {
    let Some(table) = state.table_at("Account").and_then(|at| state.tables.get_mut(at)) else {
        return;
    };
    let slot = table.object.slot("Name");
    if let Some(name) = slot.and_then(|slot| table.object.fields.get_mut(slot)) {
        name.nillable = true;
        name.compound = Some(String::from("Name"));
    }
}

/// The name under which an account shows a custom field of its contact.
pub(crate) fn person_name(field: &str) -> String {
    let stem = field.strip_suffix("__c").unwrap_or(field);
    format!("{stem}__pc")
}

/// Where people are accounts these show the custom fields of their contacts (object reference,
/// person accounts). Called whenever those change.
pub(crate) fn person_fields(state: &mut State) {
    let now_s = state.clock.now_s();
    let Some(contacts) = state.table_named("Contact") else {
        return;
    };
    let live = contacts.object.live().filter(|(_, field)| field.custom);
    let shown: Vec<FieldDef> = live.map(|(_, field)| shown_by_account(field)).collect();
    let Some(accounts) = state.table_at("Account").and_then(|at| state.tables.get_mut(at)) else {
        return;
    };
    let object = &mut accounts.object;
    if object.slot("IsPersonAccount").is_none() {
        return;
    }
    let old = object.live().filter(|(_, field)| field.name.ends_with("__pc"));
    let old: Vec<String> = old.map(|(_, field)| field.name.clone()).collect();
    let gone = old.iter().filter(|name| shown.iter().all(|field| field.name != **name));
    let gone: Vec<usize> = gone.filter_map(|name| object.remove(name)).collect();
    for field in shown {
        match object.slot(&field.name).and_then(|slot| object.fields.get_mut(slot)) {
            Some(known) => *known = field,
            None => drop(object.add(field)),
        }
    }
    object.changed_at = now_s;
    for slot in gone {
        accounts.clear_slot(slot);
    }
    accounts.reindex();
}

/// A custom field of a contact as its account has it: a key there is none here.
fn shown_by_account(field: &FieldDef) -> FieldDef {
    let way = field.relationship.as_deref();
    FieldDef {
        name: person_name(&field.name),
        external_id: false,
        id_lookup: false,
        unique: false,
        relationship: way.map(|way| format!("{}__pr", way.trim_end_matches("__r"))),
        child_relationship: None,
        cascade_delete: false,
        tracked: false,
        ..field.clone()
    }
}

/// A record type of an object; the first default one is what a create takes that names none.
pub(crate) fn record_type(state: &mut State, object: &str, name: &str, default: bool) -> Id {
    // Recorded: not told as defaulted on create, though a create takes the default one.
    let field = reference("RecordTypeId", "Record Type ID", &["RecordType"], "RecordType");
    state.extend_object(object, [field]);
    let id = state.new_id("012");
    let values = [
        ("Name", Value::text(name)),
        ("DeveloperName", Value::text(&name.replace(' ', "_"))),
        ("SobjectType", Value::text(object)),
        ("IsActive", Value::Bool(true)),
    ];
    state.put_own_row("RecordType", id, &values);
    if default {
        state.default_record_types.insert(object.to_owned(), id);
    }
    id
}

/// What an administrator changes of a record type; an absent member stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordTypePatch {
    /// It is in use.
    pub active: Option<bool>,
    /// Users of the API may give it to records.
    pub available: Option<bool>,
}

/// Changes a record type of an object; false when it has none of that id.
pub(crate) fn change_record_type(
    state: &mut State,
    object: &str,
    id: Id,
    patch: RecordTypePatch,
) -> bool {
    if !state.record_types_of(object).contains(&id) {
        return false;
    }
    if let Some(active) = patch.active {
        state.put_own_row("RecordType", id, &[("IsActive", Value::Bool(active))]);
    }
    match patch.available {
        Some(true) => drop(state.withheld_record_types.remove(&id)),
        Some(false) => drop(state.withheld_record_types.insert(id)),
        None => {}
    }
    // The describe of the object is another one.
    state.extend_object(object, []);
    true
}

/// The fields of `RecordType` and `CurrencyType`, which nobody writes through the API.
pub(super) fn own_objects() -> [(&'static str, &'static str, &'static str, Vec<FieldDef>); 2] {
    let fixed = |field: FieldDef| field.read_only();
    [
        (
            "RecordType",
            "Record Type",
            "012",
            vec![
                fixed(text("Name", "Name", 80)).name_field(),
                fixed(text("DeveloperName", "Record Type Name", 80)),
                fixed(text("SobjectType", "SObject Type Name", 40)),
                fixed(of_type("IsActive", "Active", FieldType::Boolean)),
                fixed(of_type("IsPersonType", "Is Person Type", FieldType::Boolean)),
            ],
        ),
        (
            "CurrencyType",
            "Currency Type",
            "01L",
            vec![
                fixed(text("IsoCode", "Currency ISO Code", 3)).name_field(),
                fixed(of_type("ConversionRate", "Conversion Rate", FieldType::Double)),
                fixed(of_type("DecimalPlaces", "Decimal Places", FieldType::Int)),
                fixed(of_type("IsActive", "Active", FieldType::Boolean)),
                fixed(of_type("IsCorporate", "Corporate Currency", FieldType::Boolean)),
            ],
        ),
    ]
}
