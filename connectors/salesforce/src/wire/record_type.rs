//! Record types by their developer names, which are the same in every org where their ids are not.
//!
//! The name is described as a field of each entity that has record types. It is read and asked for
//! through the relation, and written as the id that stands behind it in this org.

use std::sync::Arc;

use serde::Deserialize;
use syncline_sdk::{FieldName, FieldSchema, FieldType, Normalizer, Value};

use super::codec::{Wire, string};
use super::describe::FieldFacts;
use crate::id::id18;

/// The field by which mappings know a record type.
pub(crate) const RECORD_TYPE: &str = "RecordType.DeveloperName";
/// The field that is written.
pub(crate) const RECORD_TYPE_ID: &str = "RecordTypeId";

/// One record type of an entity (REST guide, describe: `recordTypeInfos`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordType {
    record_type_id: String,
    developer_name: Option<String>,
    #[serde(default)]
    active: bool,
    /// Whether our user may give it to records; nothing where the describe does not say.
    available: Option<bool>,
    /// What records have that have none: nothing that a mapping could name.
    #[serde(default)]
    master: bool,
    /// Whether records get it that our user makes without one.
    #[serde(default)]
    default_record_type_mapping: bool,
}

impl RecordType {
    /// Its name; nothing for the master one.
    fn name(&self) -> Option<&str> {
        self.developer_name.as_deref().filter(|name| !self.master && !name.is_empty())
    }
}

/// The record types of one entity.
#[derive(Debug, Default)]
pub(crate) struct RecordTypes(Vec<RecordType>);

/// Why a name cannot be written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NoRecordType {
    #[error("the name of a record type is a text, not a value of kind {0}")]
    Kind(&'static str),
    #[error("there is no record type {0:?}; there is {1}")]
    Unknown(String, String),
    #[error("several record types are named {0:?}")]
    Several(String),
}

impl RecordTypes {
    pub(super) fn new(infos: Vec<RecordType>) -> Self {
        Self(infos.into_iter().filter(|info| info.name().is_some()).collect())
    }
    /// All names: records keep the type that they have when it is switched off, and may be asked
    /// for by it.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().filter_map(|info| Some(info.name()?.into())).collect()
    }
    /// The names that a record may be given.
    pub(crate) fn active(&self) -> Vec<&str> {
        self.0.iter().filter(|info| info.active).filter_map(RecordType::name).collect()
    }
    /// The name of the one that records get which our user makes without one, or with null.
    fn default(&self) -> Option<&str> {
        self.0.iter().find(|info| info.default_record_type_mapping)?.name()
    }
    /// The names of those that are in use, and that our user may not give to records.
    pub(crate) fn withheld(&self) -> Vec<&str> {
        let withheld = |info: &&RecordType| info.active && info.available == Some(false);
        self.0.iter().filter(withheld).filter_map(RecordType::name).collect()
    }
    /// The id behind a name, as it is written. Names differ by more than their case.
    pub(crate) fn written(&self, value: &Value) -> Result<String, NoRecordType> {
        let name = match value {
            Value::Null => return Ok("null".to_owned()),
            Value::Text(name) if name.trim().is_empty() => return Ok("null".to_owned()),
            Value::Text(name) => name.trim(),
            other => return Err(NoRecordType::Kind(other.kind())),
        };
        let same = |info: &&RecordType| info.name().is_some_and(|it| it.eq_ignore_ascii_case(name));
        let named: Vec<&RecordType> = self.0.iter().filter(same).collect();
        let active: Vec<&RecordType> = named.iter().copied().filter(|info| info.active).collect();
        match (named.as_slice(), active.as_slice()) {
            ([info], _) | (_, [info]) => {
                let id = &info.record_type_id;
                Ok(string(&id18(id).unwrap_or_else(|| id.clone())))
            }
            ([], _) => Err(NoRecordType::Unknown(name.to_owned(), self.active().join(", "))),
            _ => Err(NoRecordType::Several(name.to_owned())),
        }
    }
    /// The name behind an id; nothing for one that is not described.
    pub(crate) fn named(&self, id: &str) -> Option<&str> {
        let id = id18(id)?;
        let info = self.0.iter().find(|info| id18(&info.record_type_id).as_ref() == Some(&id))?;
        info.name()
    }
    /// The name as a field, beside the reference that it is written to; nothing where the entity
    /// has no record types.
    pub(super) fn field(&self, reference: &FieldSchema) -> Option<(FieldSchema, FieldFacts)> {
        if self.0.is_empty() {
            return None;
        }
        let values = self.names();
        let fold = Normalizer::FoldCase(values.clone());
        let schema = FieldSchema {
            name: FieldName::new(RECORD_TYPE),
            kind: FieldType::Enum { values, restricted: true },
            native: "record type".into(),
            nullable: true,
            creatable: reference.creatable,
            updatable: reference.updatable,
            required: false,
            unique: false,
            external_id: false,
            normalizers: vec![Normalizer::Trim, Normalizer::EmptyToNull, fold],
            filled: self.default().map(|name| format!("default {name}").into()),
        };
        let facts = FieldFacts {
            wire: Wire::RecordType,
            filterable: true,
            case_sensitive: false,
            picklist: true,
            // Whoever may read the object may read it; that a type may be given is no right to a
            // field.
            permissionable: Some(false),
            computed: false,
            compound: None,
        };
        Some((schema, facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> RecordTypes {
        let infos = r#"[
            {"recordTypeId":"0125h000000001AAAQ","developerName":"Partner","active":true,
             "defaultRecordTypeMapping":true},
            {"recordTypeId":"012000000000002AAA","developerName":"Old","active":false},
            {"recordTypeId":"012000000000003AAA","developerName":"Twin","active":true},
            {"recordTypeId":"012000000000004AAA","developerName":"twin","active":true},
            {"recordTypeId":"012000000000000AAA","developerName":"Master","active":true,
             "master":true}]"#;
        RecordTypes::new(serde_json::from_str(infos).unwrap())
    }

    #[test]
    fn a_name_is_written_as_the_id_behind_it() {
        let types = types();
        let id = "\"0125h000000001AAAQ\"";
        assert_eq!(types.written(&"Partner".into()).unwrap(), id);
        assert_eq!(types.written(&" partner".into()).unwrap(), id);
        assert_eq!(types.written(&Value::Null).unwrap(), "null");
        assert_eq!(types.written(&"".into()).unwrap(), "null");
        let twin = types.written(&"Twin".into());
        assert_eq!(twin, Err(NoRecordType::Several("Twin".to_owned())));
        for name in ["Master", "Nobody"] {
            let found = types.written(&name.into()).unwrap_err();
            assert!(found.to_string().ends_with("there is Partner, Twin, twin"), "{found}");
        }
        // One that is switched off is the org's to refuse.
        assert_eq!(types.written(&"Old".into()).unwrap(), "\"012000000000002AAA\"");
        assert_eq!(types.names().len(), 4);
        assert_eq!(types.default(), Some("Partner"));
        assert!(types.written(&5.into()).is_err());
    }

    #[test]
    fn an_id_of_either_form_has_a_name() {
        let types = types();
        assert_eq!(types.named("0125h000000001AAAQ"), Some("Partner"));
        assert_eq!(types.named("012000000000002"), Some("Old"));
        assert_eq!(types.named("012000000000000AAA"), None);
        assert_eq!(types.named("Partner"), None);
    }
}
