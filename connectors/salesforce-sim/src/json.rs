//! JSON that keeps the order of its members: Salesforce answers fields in the order of the
//! select list, and clients of CSV exports depend on it.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// One JSON value with ordered members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'static, str>),
    Shared(Arc<str>),
    List(Vec<Json>),
    Map(Vec<(Cow<'static, str>, Json)>),
    /// A value whose member order does not matter.
    Any(serde_json::Value),
}

impl Json {
    /// The value as an unordered one, for references between composite sub-requests.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The bytes, indented when `X-PrettyPrint` asked for it.
    pub(crate) fn to_bytes(&self, pretty: bool) -> Vec<u8> {
        let made = if pretty { serde_json::to_vec_pretty(self) } else { serde_json::to_vec(self) };
        made.unwrap_or_default()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Shared(value) => serializer.serialize_str(value),
            Self::Any(value) => value.serialize(serializer),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u16> for Json {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}
impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<&'static str> for Json {
    fn from(value: &'static str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}
impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}
impl From<Arc<str>> for Json {
    fn from(value: Arc<str>) -> Self {
        Self::Shared(value)
    }
}
impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::Any(value)
    }
}
impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Self {
        Self::List(value)
    }
}
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An ordered object: `object! { "id" => id, "success" => true }`.
macro_rules! object {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::json::Json::Map(vec![$((
            ::std::borrow::Cow::from($name),
            $crate::json::Json::from($value),
        )),*])
    };
}
pub(crate) use object;
