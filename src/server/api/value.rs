//! Values, and who changed them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value. The kind tells apart what JSON has one word for: `absent` (not known) and `null`,
/// text and a decimal, whose digits stay exact as text; `masked` is a value of a sensitive field,
/// which is told at the command line alone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// `masked`, `absent`, `null`, `bool`, `int`, `decimal`, `text`, `instant`, `date`, `time`,
    /// `list` …
    pub kind: String,
    /// The value itself; null where there is none, or where it is masked.
    pub value: serde_json::Value,
}

/// Who changed something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// `person`, `automation`, `sync` or `unknown`.
    pub kind: String,
    /// The user's id or name on that side, where it tells.
    pub id: Option<String>,
}

/// Something that each side has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Both<T> {
    /// The left side's.
    pub left: T,
    /// The right side's.
    pub right: T,
}
