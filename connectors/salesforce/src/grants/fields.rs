//! The fields that Syncline would like on an entity, and the history of the mapped ones.

use syncline_sdk::{FieldName, Grant, Guarantee, Maker, Selection, Step, Tool};

use super::metadata::{file, lines};
use super::{EXTERNAL_ID, MARKER};
use crate::limits::{LINK_ID_CHARS, MARKER_CHARS};
use crate::wire::Described;

/// Fields of a field's own kind.
struct Wanted<'a> {
    entity: &'a str,
    field: &'a str,
    label: &'a str,
    length: u32,
    unique: bool,
}

impl Wanted<'_> {
    fn steps(&self, named: bool, option: &str) -> Vec<Step> {
        let Self { entity, field, label, unique, .. } = self;
        let length = self.length.to_string();
        let flag = if *unique { "true" } else { "false" };
        let mut children = vec![("fullName", *field)];
        if *unique {
            children.push(("caseSensitive", "false"));
        }
        children.extend([
            ("description", "Written by Syncline. Keep it off page layouts."),
            ("externalId", flag),
            ("label", label),
            ("length", &length),
            ("required", "false"),
            ("trackHistory", "false"),
            ("type", "Text"),
            ("unique", flag),
        ]);
        let place = format!("objects/{entity}/fields/{field}.field-meta.xml");
        let kind = if *unique {
            "check Unique (case-insensitive) and External ID"
        } else {
            "check nothing else"
        };
        let clicks = format!(
            "Object Manager > {entity} > Fields & Relationships > New > Text\n\
             Field Label: {label}, Length: {length}, Field Name: {}; {kind}\n\
             visible to no profile, on no page layout: the permission set gives the right",
            field.trim_end_matches("__c")
        );
        let mut steps = vec![
            Step::new(Tool::Metadata, place, file("CustomField", &lines(&children))),
            Step::new(Tool::Clicks, "or in Setup", clicks),
        ];
        if !named {
            let text = format!("{option}: {field}");
            let title = format!("in the mapping, at the side of {entity}");
            steps.push(Step::new(Tool::Settings, title, text));
        }
        steps
    }
}

fn name(field: Option<&FieldName>, default: &'static str) -> String {
    field.map_or_else(|| default.to_owned(), |field| field.as_str().to_owned())
}

pub(super) fn external_id(selection: &Selection) -> Grant {
    let entity = selection.entity.as_str();
    let field = name(selection.external_id.as_ref(), EXTERNAL_ID);
    let wanted =
        Wanted { entity, field: &field, label: "Syncline Id", length: LINK_ID_CHARS, unique: true };
    Grant {
        piece: format!("external id field of {entity}"),
        required: false,
        made_by: Maker::Administrator,
        rights: "read and edit on the field, by the permission set".to_owned(),
        buys: "a create carries the link id, which Salesforce keeps unique: it can be sent again \
               without making a second record"
            .to_owned(),
        without:
            "updates are guarded as before; a create whose answer was lost waits for a search \
                  or for a person"
                .to_owned(),
        class_without: Some(Guarantee::Coarse),
        steps: wanted.steps(selection.external_id.is_some(), "external_id"),
    }
}

pub(super) fn marker(selection: &Selection) -> Grant {
    let entity = selection.entity.as_str();
    let field = name(selection.marker.as_ref(), MARKER);
    let wanted = Wanted {
        entity,
        field: &field,
        label: "Syncline Marker",
        length: MARKER_CHARS.next_multiple_of(10) + 10,
        unique: false,
    };
    Grant {
        piece: format!("marker field of {entity}"),
        required: false,
        made_by: Maker::Administrator,
        rights: "read and edit on the field, by the permission set".to_owned(),
        buys: "each write leaves the id of its intent: the receipt of updates, and the fence of \
               guarded deletes"
            .to_owned(),
        without: "updates are guarded as before; one whose answer was lost is judged by content, \
                  which may ask a person needlessly. A delete of a record here cannot be guarded \
                  and is refused: set delete: review"
            .to_owned(),
        class_without: Some(Guarantee::Coarse),
        steps: wanted.steps(selection.marker.is_some(), "marker"),
    }
}

/// Twenty fields of an object can have a history.
const HISTORY_FIELDS_MAX: usize = 20;
/// The service's own fields have none; nor do formulas and automatic numbers, where known.
const WITHOUT_HISTORY: [&str; 7] = [
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
];

pub(super) fn history(selection: &Selection, known: Option<&Described>) -> Grant {
    let entity = selection.entity.as_str();
    let fields: Vec<&str> = selection
        .fields
        .iter()
        .map(FieldName::as_str)
        .filter(|name| !name.contains('.') && !WITHOUT_HISTORY.contains(name))
        .filter(|name| !known.and_then(|it| it.field(name)).is_some_and(|field| field.computed))
        .take(HISTORY_FIELDS_MAX)
        .collect();
    let clicks = format!(
        "Object Manager > {entity} > Fields & Relationships > Set History Tracking\n\
         check Enable {entity} History, then: {}",
        fields.join(", ")
    );
    Grant {
        piece: format!("field history of {entity}"),
        required: false,
        made_by: Maker::Administrator,
        rights: "read on the object and on the fields".to_owned(),
        buys: "an edit of a tracked field that a write of Syncline's replaced unseen is found and \
               put before a person with its value; people see in Salesforce who changed what \
               when, with the old values (not of long texts)"
            .to_owned(),
        without: "the class stays; what Syncline observed and overwrote is in its own journal \
                  (`syncline explain`), what people overwrote of one another between two polls is \
                  nowhere"
            .to_owned(),
        class_without: Some(Guarantee::Coarse),
        steps: vec![Step::new(Tool::Clicks, "in Setup", clicks)],
    }
}
