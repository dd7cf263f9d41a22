//! What an entity looks like on its side.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{EntityName, FieldName, Normalizer, Precision};

/// The type of a field, in the words of [`crate::Value`].
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// True or false.
    Bool,
    /// A whole number within bounds.
    Int {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A decimal.
    Decimal {
        /// The most digits in all, where bounded.
        precision: Option<u32>,
        /// The most digits right of the point, where bounded.
        scale: Option<u32>,
    },
    /// Text.
    Text {
        /// The most characters, where bounded.
        chars_max: Option<u32>,
    },
    /// One of a list of values.
    Enum {
        /// The values, in the order of their definition.
        values: Vec<Arc<str>>,
        /// Whether other values are refused.
        restricted: bool,
    },
    /// Any number of a list of values.
    Set {
        /// The values, in the order of their definition.
        values: Vec<Arc<str>>,
        /// Whether other values are refused.
        restricted: bool,
    },
    /// Bytes.
    Bytes,
    /// A calendar day.
    Date,
    /// A time of day.
    Time,
    /// A point in time.
    Instant {
        /// The finest unit that is stored.
        precision: Precision,
    },
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// A list of values of one type.
    List(Box<FieldType>),
    /// A reference to a record of one of these entities, by native id.
    Reference {
        /// The entities it may point to.
        entities: Vec<EntityName>,
    },
    /// A native type that travels as raw text.
    Raw,
}

/// One field of an entity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldSchema {
    /// Its name.
    pub name: FieldName,
    /// Its type in our words.
    pub kind: FieldType,
    /// Its type in the words of its side: `numeric(12,2)`, `picklist`.
    pub native: Arc<str>,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether a create may set it.
    pub creatable: bool,
    /// Whether an update may set it.
    pub updatable: bool,
    /// Whether a create must set it.
    pub required: bool,
    /// Whether no two records may share a value.
    pub unique: bool,
    /// Whether it may hold the link id.
    pub external_id: bool,
    /// What the side does to a value when it stores it.
    pub normalizers: Vec<Normalizer>,
    /// What fills it where nobody gives it a value, in the words of its side: `default now()`,
    /// `identity`, `automatic number`. It is told to people; no decision about a write hangs on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled: Option<Arc<str>>,
}

/// An entity in the list of what a side has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntityOutline {
    /// Its name, as a mapping writes it.
    pub entity: EntityName,
    /// What people call it there, where they call it anything.
    pub label: Option<Arc<str>>,
    /// Whether these credentials may create or change its records.
    pub writable: bool,
    /// About how many records it has, where the side knows without counting.
    pub records: Option<u64>,
}

/// An entity as its side describes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntitySchema {
    /// Its name.
    pub entity: EntityName,
    /// The fields that make up the key.
    pub key: Vec<FieldName>,
    /// All fields that these credentials may see.
    pub fields: Vec<FieldSchema>,
    /// Whether records can be created at all.
    pub creatable: bool,
    /// Whether records can be deleted at all.
    pub deletable: bool,
    /// What makes the entity unfit to be written or captured, with the remedy; empty when all is
    /// well.
    pub problems: Vec<String>,
    /// Fields that are two names of one stored thing: a write sets one of them at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<(FieldName, FieldName)>,
    /// Fields whose type is the vendor's and cannot be changed by the owners of the side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<FieldName>,
}

impl EntitySchema {
    /// The field of that name. Names match as the side matches them: the connector gives them
    /// in the side's own spelling.
    #[must_use]
    pub fn field(&self, name: &FieldName) -> Option<&FieldSchema> {
        self.fields.iter().find(|field| field.name == *name)
    }
    /// A text that changes whenever a change of these fields matters to a mapping: the schema
    /// fingerprint (protocol 1.10).
    #[must_use]
    pub fn fingerprint(&self, fields: &[FieldName]) -> String {
        let mut lines: Vec<String> = fields
            .iter()
            .map(|name| match self.field(name) {
                Some(field) => format!("{:?}", FieldSchema { filled: None, ..field.clone() }),
                None => format!("{name} missing"),
            })
            .collect();
        lines.sort();
        lines.join("\n")
    }
}
