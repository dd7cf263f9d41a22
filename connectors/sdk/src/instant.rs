//! Instants: UTC, with the precision that their side keeps.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// The finest unit that a side stores of an instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Whole seconds (Salesforce).
    Second,
    /// Milliseconds.
    Milli,
    /// Microseconds (Postgres).
    Micro,
}

impl Precision {
    /// How many microseconds one unit has.
    #[must_use]
    pub fn micros(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Milli => 1_000,
            Self::Micro => 1,
        }
    }
}

/// A point in time: microseconds since 1970-01-01 UTC and the precision it was given with. Two
/// instants are equal when their microseconds are, whatever their precision.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Instant {
    micros: i64,
    precision: Precision,
}

impl Instant {
    /// The instant so many microseconds after 1970-01-01 UTC, cut down to `precision`.
    #[must_use]
    pub fn new(micros: i64, precision: Precision) -> Self {
        Self { micros: micros - micros.rem_euclid(precision.micros()), precision }
    }
    /// The instant so many microseconds after 1970-01-01 UTC.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self { micros, precision: Precision::Micro }
    }
    /// Microseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.micros
    }
    /// The precision it was given with.
    #[must_use]
    pub fn precision(self) -> Precision {
        self.precision
    }
    /// The same instant cut down (never rounded up) to a precision.
    #[must_use]
    pub fn truncate(self, precision: Precision) -> Self {
        Self::new(self.micros, precision)
    }
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}
impl Eq for Instant {}
impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Instant {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.micros.cmp(&other.micros)
    }
}
impl Hash for Instant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.micros.hash(state);
    }
}
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.micros) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} µs", self.micros),
        }
    }
}
impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
