//! Person accounts (object reference, person accounts): an account that is a person has its name
//! composed, and a contact that shows the same person.

use serde_json::{Map, Value as Raw};

use super::{Draft, SaveError, SaveResult};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::schema::{ObjectDef, features};

/// Standard fields of the account and of its contact that are one.
const MIRRORED: [(&str, &str); 16] = [
    ("LastName", "LastName"),
    ("FirstName", "FirstName"),
    ("Salutation", "Salutation"),
    ("PersonEmail", "Email"),
    ("PersonMobilePhone", "MobilePhone"),
    ("PersonBirthdate", "Birthdate"),
    ("PersonTitle", "Title"),
    ("PersonDepartment", "Department"),
    ("PersonLeadSource", "LeadSource"),
    ("PersonDoNotCall", "DoNotCall"),
    ("PersonHasOptedOutOfEmail", "HasOptedOutOfEmail"),
    ("PersonMailingStreet", "MailingStreet"),
    ("PersonMailingCity", "MailingCity"),
    ("PersonMailingState", "MailingState"),
    ("PersonMailingPostalCode", "MailingPostalCode"),
    ("PersonMailingCountry", "MailingCountry"),
];

/// The slots of the account whose values are its contact's, with the names that those have there:
/// standard fields, and every custom one (`X__pc` for `X__c`).
fn shared(accounts: &ObjectDef, contacts: &ObjectDef) -> Vec<(usize, String)> {
    let standard = MIRRORED.iter().map(|(ours, theirs)| (String::from(*ours), *theirs));
    let custom = contacts.live().filter(|(_, field)| field.custom && field.createable);
    let custom = custom.map(|(_, field)| (features::person_name(&field.name), &*field.name));
    standard
        .chain(custom)
        .filter(|(_, theirs)| contacts.slot(theirs).is_some())
        .filter_map(|(ours, theirs)| Some((accounts.slot(&ours)?, theirs.to_owned())))
        .collect()
}

/// Whether the row is a person: by its last name or record type on create, for ever after.
pub(crate) fn is_person(state: &State, draft: &Draft) -> bool {
    let Some(object) = state.table(draft.table).map(|table| &table.object) else {
        return false;
    };
    let Some(flag) = object.slot("IsPersonAccount").filter(|_| object.name == "Account") else {
        return false;
    };
    if let Some(before) = &draft.before {
        return before.get(flag).is_true();
    }
    let named = object.slot("LastName").is_some_and(|slot| !draft.row.get(slot).is_null());
    named || person_type(state, draft, object.slot("RecordTypeId"))
}

fn person_type(state: &State, draft: &Draft, slot: Option<usize>) -> bool {
    let Some(types) = state.table_named("RecordType") else {
        return false;
    };
    let id = slot.and_then(|slot| draft.row.get(slot).as_id());
    let row = id.and_then(|id| types.get(id));
    row.zip(types.object.slot("IsPersonType")).is_some_and(|(row, slot)| row.get(slot).is_true())
}

/// Marks a person, and refuses what a person's row cannot be given.
pub(crate) fn before_save(state: &State, draft: &mut Draft) -> SaveResult<()> {
    refuse_shadow(state, draft)?;
    let Some(object) = state.table(draft.table).map(|table| &table.object) else {
        return Ok(());
    };
    let slot = |name: &str| object.slot(name);
    if !is_person(state, draft) {
        // Where people are accounts a name may be empty (recorded), but not that of a company.
        let company = object.name == "Account" && slot("IsPersonAccount").is_some();
        return match slot("Name").filter(|slot| company && draft.row.get(*slot).is_null()) {
            Some(_) => Err(missing("Name")),
            None => Ok(()),
        };
    }
    if slot("Name").is_some_and(|slot| draft.given.contains(&slot)) {
        let text = "Unable to create/update fields: Name. Please check the security settings of \
                    this field and verify that it is read/write for your profile or permission \
                    set.";
        return Err(vec![SaveError::new("INVALID_FIELD_FOR_INSERT_UPDATE", text).on("Name")]);
    }
    if slot("LastName").is_some_and(|slot| draft.row.get(slot).is_null()) {
        return Err(missing("LastName"));
    }
    if let Some(flag) = slot("IsPersonAccount") {
        draft.row.set(flag, Value::Bool(true));
    }
    // Only a person's own record type fits a person.
    if let Some(place) = slot("RecordTypeId").filter(|_| draft.is_create())
        && !person_type(state, draft, Some(place))
        && let Some(id) = state.person_record_type()
    {
        draft.row.set(place, Value::Id(id));
    }
    Ok(())
}

fn missing(field: &str) -> Vec<SaveError> {
    let text = format!("Required fields are missing: [{field}]");
    vec![SaveError::new("REQUIRED_FIELD_MISSING", text).on(field)]
}

/// The contact of a person is written through its account alone.
fn refuse_shadow(state: &State, draft: &Draft) -> SaveResult<()> {
    let Some(object) = state.table(draft.table).map(|table| &table.object) else {
        return Ok(());
    };
    let flag = object.slot("IsPersonAccount").filter(|_| object.name == "Contact");
    let shadow = flag.is_some_and(|slot| draft.row.get(slot).is_true());
    if shadow && !draft.given.is_empty() {
        let text = "cannot modify the contact of a person account: write its account";
        return Err(vec![SaveError::new("INVALID_OPERATION", text)]);
    }
    Ok(())
}

/// Keeps the contact in step, inside the same transaction.
pub(crate) fn after_save(state: &mut State, txn: &mut Txn, draft: &Draft) -> SaveResult<()> {
    if !is_person(state, draft) {
        return Ok(());
    }
    let (Some(accounts), Some(at)) = (state.table(draft.table), state.table_at("Contact")) else {
        return Ok(());
    };
    let place = accounts.object.slot("PersonContactId");
    let known = place.and_then(|slot| draft.row.get(slot).as_id());
    let Some(contacts) = state.table(at) else {
        return Ok(());
    };
    let mut body = Map::new();
    for (slot, theirs) in shared(&accounts.object, &contacts.object) {
        let value = draft.row.get(slot);
        let before = known.and(draft.before.as_ref());
        // A new contact takes its own defaults where nothing is said.
        let same = before.map_or(value.is_null(), |before| before.get(slot) == value);
        if !same {
            body.insert(theirs, value.to_json().to_value());
        }
    }
    match known {
        Some(_) if body.is_empty() => Ok(()),
        Some(contact) => mirror(state, txn, contact, &body),
        None => {
            body.insert(String::from("AccountId"), Raw::from(draft.row.id.to_string()));
            let contact = super::create(state, txn, at, &body, None)?;
            set(state, txn, contact, "IsPersonAccount", Value::Bool(true));
            set(state, txn, draft.row.id, "PersonContactId", Value::Id(contact));
            Ok(())
        }
    }
}

/// Writes the shadow as the service itself: its flag is lifted for the save.
fn mirror(
    state: &mut State,
    txn: &mut Txn,
    contact: Id,
    body: &Map<String, Raw>,
) -> SaveResult<()> {
    set(state, txn, contact, "IsPersonAccount", Value::Bool(false));
    let written = super::update(state, txn, contact, body, None);
    set(state, txn, contact, "IsPersonAccount", Value::Bool(true));
    written
}

/// A field that only the service writes.
fn set(state: &mut State, txn: &mut Txn, id: Id, field: &str, value: Value) {
    let Some((at, mut row)) = state.row(id).map(|(at, row)| (at, row.clone())) else {
        return;
    };
    let Some(slot) = state.table(at).and_then(|table| table.object.slot(field)) else {
        return;
    };
    row.set(slot, value);
    state.put(txn, at, id, Some(row));
}
