//! Values: one closed set for all systems.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Decimal, Instant, LinkId};

/// The value of one field as one side stores it. `Absent` (not delivered: no permission, an
/// unchanged out-of-line column, a dropped field), `Null` and empty text are three things
/// (protocol 1.1 and M7). Equality is equality of stored images on one side; values of different
/// sides are only ever compared through a mapping (protocol M8).
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Not delivered: says nothing about the field. Never written.
    #[default]
    Absent,
    /// The field is empty.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of at most 64 bits.
    Int(i64),
    /// An exact decimal of any size. Floating-point columns travel as the shortest decimal that
    /// reads back as the same number.
    Decimal(Decimal),
    /// Text, also the value of a picklist or enum.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A calendar day.
    Date(jiff::civil::Date),
    /// A time of day, without a zone.
    Time(jiff::civil::Time),
    /// A point in time, UTC.
    Instant(Instant),
    /// A UUID.
    Uuid(Uuid),
    /// A JSON document in the text form that its side gives.
    Json(Arc<str>),
    /// An ordered list: an array, or the members of a multi-select.
    List(Arc<[Value]>),
    /// A reference to the record of a link. Exists above the connector only: the engine
    /// translates it to and from native ids at the boundary (protocol 1.7).
    Link(LinkId),
    /// A value of a native type that none of the others models (an interval, a range, an
    /// infinite timestamp), in the exact text of its side. Travels between fields of one type.
    Raw(Arc<str>),
}

impl Value {
    /// Text from anything that is text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }
    /// True unless the value was not delivered.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
    /// True for `Null` only.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
    /// The text of a `Text`, else nothing.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
    /// The name of the kind of value, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Instant(_) => "instant",
            Self::Uuid(_) => "uuid",
            Self::Json(_) => "json",
            Self::List(_) => "list",
            Self::Link(_) => "reference",
            Self::Raw(_) => "raw",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(absent)"),
            Self::Null => f.write_str("(null)"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::Text(text) | Self::Json(text) | Self::Raw(text) => f.write_str(text),
            Self::Bytes(bytes) => {
                f.write_str("\\x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Date(date) => write!(f, "{date}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Instant(instant) => write!(f, "{instant}"),
            Self::Uuid(uuid) => write!(f, "{uuid}"),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        f.write_str(";")?;
                    }
                    write!(f, "{item}")?;
                }
                Ok(())
            }
            Self::Link(link) => write!(f, "{link}"),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent | Self::Null => write!(f, "{self}"),
            Self::Text(text) => write!(f, "{text:?}"),
            other => write!(f, "{}:{other}", other.kind()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}
