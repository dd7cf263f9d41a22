//! Native types as the codec tells them apart.

use std::sync::Arc;

use syncline_sdk::{FieldType, Precision};

/// How values of a column are read and written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    Float,
    Numeric {
        precision: Option<u32>,
        scale: Option<u32>,
    },
    Text {
        chars_max: Option<u32>,
    },
    /// `char(n)`: the padding says nothing and is not kept.
    Char {
        chars_max: Option<u32>,
    },
    Bytes,
    Date,
    Time,
    /// `timestamp`: taken for UTC.
    Timestamp {
        precision: Precision,
    },
    TimestampTz {
        precision: Precision,
    },
    Uuid,
    Json,
    Jsonb,
    Enum(Vec<Arc<str>>),
    Array(Box<Kind>),
    Raw,
}

impl Kind {
    /// The kind of a built-in type that is not made of others.
    pub(crate) fn of_builtin(oid: u32, typmod: i32) -> Option<Self> {
        let int = |bits: u32| {
            let max = (1_i64 << (bits - 1)) - 1;
            Self::Int { min: -max - 1, max }
        };
        Some(match oid {
            16 => Self::Bool,
            21 => int(16),
            23 => int(32),
            20 => Self::Int { min: i64::MIN, max: i64::MAX },
            700 | 701 => Self::Float,
            1700 => {
                let (precision, scale) = numeric_bounds(typmod);
                Self::Numeric { precision, scale }
            }
            25 | 19 => Self::Text { chars_max: None },
            1043 => Self::Text { chars_max: chars_of(typmod) },
            1042 => Self::Char { chars_max: chars_of(typmod) },
            17 => Self::Bytes,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp { precision: precision_of(typmod) },
            1184 => Self::TimestampTz { precision: precision_of(typmod) },
            2950 => Self::Uuid,
            114 => Self::Json,
            3802 => Self::Jsonb,
            _ => return None,
        })
    }

    /// The type in the words of the seam.
    pub(crate) fn field_type(&self) -> FieldType {
        match self {
            Self::Bool => FieldType::Bool,
            Self::Int { min, max } => FieldType::Int { min: *min, max: *max },
            Self::Float => FieldType::Decimal { precision: None, scale: None },
            Self::Numeric { precision, scale } => {
                FieldType::Decimal { precision: *precision, scale: *scale }
            }
            Self::Text { chars_max } | Self::Char { chars_max } => {
                FieldType::Text { chars_max: *chars_max }
            }
            Self::Bytes => FieldType::Bytes,
            Self::Date => FieldType::Date,
            Self::Time => FieldType::Time,
            Self::Timestamp { precision } | Self::TimestampTz { precision } => {
                FieldType::Instant { precision: *precision }
            }
            Self::Uuid => FieldType::Uuid,
            Self::Json | Self::Jsonb => FieldType::Json,
            Self::Enum(values) => FieldType::Enum { values: values.clone(), restricted: true },
            Self::Array(item) => FieldType::List(Box::new(item.field_type())),
            Self::Raw => FieldType::Raw,
        }
    }

    /// Whether the cast to `text` gives what the type's own output gives. Elsewhere the cast is
    /// a function of its own (`inet` gains a mask, `t` becomes `true`) and `concat` is used.
    pub(crate) fn casts_to_text(&self) -> bool {
        !matches!(self, Self::Raw | Self::Bool)
    }

    /// Whether the type's own equality tells every two stored values apart that the seam tells
    /// apart. Where not, texts are compared (`json` has none; an interval of a month equals one
    /// of thirty days).
    pub(crate) fn has_equality(&self) -> bool {
        match self {
            Self::Json | Self::Raw => false,
            Self::Array(item) => item.has_equality(),
            _ => true,
        }
    }
}

/// The most characters of `varchar(n)` and `char(n)`.
fn chars_of(typmod: i32) -> Option<u32> {
    u32::try_from(typmod - 4).ok().filter(|_| typmod >= 4)
}

/// Precision and scale of `numeric(p,s)`; a negative scale (PostgreSQL 15) counts as none.
fn numeric_bounds(typmod: i32) -> (Option<u32>, Option<u32>) {
    if typmod < 4 {
        return (None, None);
    }
    let packed = typmod - 4;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    let precision = u32::try_from((packed >> 16) & 0xffff).ok();
    (precision, Some(u32::try_from(scale).unwrap_or(0)))
}

/// The finest unit that `timestamp(p)` keeps, as far as the seam tells units apart.
fn precision_of(typmod: i32) -> Precision {
    match typmod {
        0 => Precision::Second,
        1..=3 => Precision::Milli,
        _ => Precision::Micro,
    }
}
