//! What a field of a record holds.

use std::sync::Arc;

use jiff::civil::Date;

use super::clock::rest_datetime;
use super::ids::Id;
use crate::json::Json;

/// A stored field value. Empty text does not exist: it is null.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Arc<str>),
    Id(Id),
    Date(Date),
    /// Whole seconds since 1970.
    DateTime(i64),
    /// Milliseconds of the day.
    Time(u32),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.into()) }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn as_id(&self) -> Option<Id> {
        match self {
            Self::Id(id) => Some(*id),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Id(id) => Some(id.as_str()),
            _ => None,
        }
    }

    pub(crate) fn as_seconds(&self) -> Option<i64> {
        match self {
            Self::DateTime(second) => Some(*second),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The wire form (SOAP guide, primitive data types; dateTime and doubles as recorded).
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::Int(*value),
            Self::Double(value) => Json::Double(*value),
            Self::Text(text) => Json::Shared(Arc::clone(text)),
            Self::Id(id) => Json::from(id.to_string()),
            Self::Date(date) => Json::from(date.to_string()),
            Self::DateTime(second) => Json::from(rest_datetime(*second)),
            Self::Time(ms) => Json::from(time_text(*ms)),
        }
    }

    /// The text that a template, a key or a message shows.
    pub(crate) fn display(&self) -> String {
        match self.to_json() {
            Json::Null => String::new(),
            Json::Text(text) => text.into_owned(),
            Json::Shared(text) => text.to_string(),
            other => other.to_value().to_string(),
        }
    }
}

fn time_text(ms: u32) -> String {
    let (second, milli) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{milli:03}Z", second / 3600, second / 60 % 60, second % 60)
}
