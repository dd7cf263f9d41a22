//! What callers ask.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::ITEMS_MAX;

fn fifty() -> u32 {
    50
}

fn seven() -> u16 {
    7
}

fn three() -> u8 {
    3
}

/// A number of items that a page may have.
fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within(deserializer, "limit", 1..=ITEMS_MAX)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(deserializer, "days", 1..=3_650)
}

fn samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    within(deserializer, "samples", 0..=100)
}

fn within<'de, D, T>(deserializer: D, name: &str, range: RangeInclusive<T>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd + Display,
{
    let number = T::deserialize(deserializer)?;
    if range.contains(&number) {
        return Ok(number);
    }
    let (least, most) = (range.start(), range.end());
    Err(serde::de::Error::custom(format!("{name} is {least} to {most}")))
}

/// A side of a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideName {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// Where a question stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedStatus {
    /// It waits for a person.
    #[default]
    Open,
    /// A person answered; the engine has not folded the answer yet.
    Answered,
    /// It is done with.
    Closed,
}

/// Which questions are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConflictQuery {
    /// Only those of one mapping.
    pub mapping: Option<String>,
    /// Only those that stand there (`open`).
    #[serde(default)]
    #[param(inline, default = "open")]
    pub status: WantedStatus,
    /// The page behind this place.
    pub after: Option<String>,
    /// The most items.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// Which links are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LinkQuery {
    /// The mapping.
    pub mapping: String,
    /// Only that of the left record with this key, or with this old key.
    pub left: Option<String>,
    /// Only that of the right record with this key, or with this old key.
    pub right: Option<String>,
    /// The page behind this place.
    pub after: Option<String>,
    /// The most items.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// Which entries of the journal are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JournalQuery {
    /// Only those of one mapping.
    pub mapping: Option<String>,
    /// The page behind this place: older entries.
    pub after: Option<String>,
    /// The most items.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// Which parked records are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ParkedQuery {
    /// Only those of one mapping.
    pub mapping: Option<String>,
    /// The page behind this place: those set aside earlier.
    pub after: Option<String>,
    /// The most items.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// Which observations are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ObservedQuery {
    /// Only those of one mapping, which may be live by now.
    pub mapping: Option<String>,
    /// How many days back.
    #[serde(default = "seven", deserialize_with = "days")]
    #[param(minimum = 1, maximum = 3650, default = 7)]
    pub days: u16,
    /// The most examples of a kind.
    #[serde(default = "three", deserialize_with = "samples")]
    #[param(minimum = 0, maximum = 100, default = 3)]
    pub samples: u8,
    /// The page behind this place.
    pub after: Option<String>,
    /// The most mappings.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// Which reports are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The page behind this place: earlier ones.
    pub after: Option<String>,
    /// The most items.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
}

/// An answer to a question: the revision that was seen, and exactly one choice of those that the
/// question offers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The revision that was seen: an answer to an older one is refused.
    #[schema(minimum = 1)]
    pub revision: i32,
    /// This side's value, or, where a record was deleted, its state.
    #[serde(default)]
    pub take: Option<SideName>,
    /// Another value, as the left side writes it: one text for each field of the unit.
    #[serde(default)]
    pub value: Option<Vec<String>>,
    /// Nothing: the fields become empty on both sides.
    #[serde(default)]
    pub null: bool,
    /// The record with this key is the partner.
    #[serde(default)]
    pub adopt: Option<String>,
    /// The records have nothing to do with each other; or, of a value that a side cannot store,
    /// both stay as they are.
    #[serde(default)]
    pub separate: bool,
    /// The cause was mended: try again.
    #[serde(default)]
    pub retry: bool,
    /// Who answers; the name of the token when not given. It is kept in the journal.
    #[serde(default)]
    pub by: Option<String>,
}

/// What becomes of a request to try a parked record again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Replay {
    /// Whether an engine is running, which tries it at once.
    pub engine_runs: bool,
}
