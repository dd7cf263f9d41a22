//! Errors of one record, in the two shapes of the API.

use std::borrow::Cow;

use crate::json::{Json, object};
use crate::org::locks::LockKey;

/// One error of one record (REST guide, status codes and error responses).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SaveError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) fields: Vec<String>,
    /// What a duplicate rule found.
    pub(crate) duplicates: Option<Box<Duplicates>>,
}

/// What a duplicate rule found, in the form of a single-record call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Duplicates {
    pub(crate) result: Json,
    /// Results of many records in one call tell it as well.
    pub(crate) per_record: bool,
}

impl SaveError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let (message, fields) = (message.into(), Vec::new());
        Self { status: 400, code: code.into(), message, fields, duplicates: None }
    }

    pub(crate) fn on(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new("NOT_FOUND", "The requested resource does not exist").with_status(404)
    }

    pub(crate) fn no_access() -> Self {
        Self::new("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    }

    /// A row that is not there (recorded reply for an unknown id).
    pub(crate) fn gone(known_object: bool, id: &str) -> Self {
        if !known_object {
            return Self::not_found();
        }
        Self::new(
            "NOT_FOUND",
            format!("Provided external ID field does not exist or is not accessible: {id}"),
        )
        .with_status(404)
    }

    pub(crate) fn deleted() -> Self {
        Self::new("ENTITY_IS_DELETED", "entity is deleted").with_status(404)
    }

    pub(crate) fn cross_reference() -> Self {
        Self::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    }

    /// Of a record that another one's refusal took back.
    pub(crate) fn rolled_back() -> Self {
        Self::new(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using \
             AllOrNone header",
        )
    }

    pub(crate) fn locked(key: &LockKey) -> Self {
        let what = match key {
            LockKey::Row(id) => id.short().to_owned(),
            LockKey::Key(..) => String::from("unavailable"),
        };
        Self::new(
            "UNABLE_TO_LOCK_ROW",
            format!("unable to obtain exclusive access to this record or 1 records: {what}"),
        )
    }

    /// `errorCode` shape of single-record calls.
    pub(crate) fn top_level(&self) -> Json {
        if let Some(found) = &self.duplicates {
            // The key is misspelt in the documented reply.
            return object! {
                "duplicateResut" => found.result.clone(),
                "errorCode" => self.code.to_string(),
                "message" => self.message.clone(),
            };
        }
        object! {
            "message" => self.message.clone(),
            "errorCode" => self.code.to_string(),
            "fields" => self.field_list(),
        }
    }

    /// `statusCode` shape of per-record results.
    pub(crate) fn per_record(&self) -> Json {
        if let Some(found) = self.duplicates.as_ref().filter(|found| found.per_record) {
            return object! {
                "statusCode" => self.code.to_string(),
                "message" => self.message.clone(),
                "fields" => self.field_list(),
                "duplicateResut" => found.result.clone(),
            };
        }
        object! {
            "statusCode" => self.code.to_string(),
            "message" => self.message.clone(),
            "fields" => self.field_list(),
        }
    }

    fn field_list(&self) -> Vec<Json> {
        self.fields.iter().map(|field| Json::from(field.clone())).collect()
    }
}
