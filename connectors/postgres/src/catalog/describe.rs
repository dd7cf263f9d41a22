//! A table in the words of the seam.

use syncline_sdk::{EntitySchema, FieldName, FieldSchema, FieldType};

use super::{Column, Table};
use crate::codec::Kind;

/// A link id takes 36 characters as text.
const LINK_ID_CHARS: u32 = 36;

impl Table {
    /// The table as a schema.
    pub(crate) fn schema(&self) -> EntitySchema {
        let fields = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.readable)
            .map(|(at, column)| self.field(at, column))
            .collect();
        EntitySchema {
            entity: self.entity.clone(),
            key: self.key_columns().map(|column| FieldName::new(column.name.clone())).collect(),
            fields,
            creatable: self.insertable,
            deletable: self.deletable,
            problems: self.problems.clone(),
            same: Vec::new(),
            fixed: Vec::new(),
        }
    }

    fn field(&self, at: usize, column: &Column) -> FieldSchema {
        let fixed = column.generated || column.identity == "a";
        let unique = self.unique.contains(&at) || self.key == [at];
        let holds_link_id = match &column.kind {
            Kind::Uuid => true,
            Kind::Text { chars_max } | Kind::Char { chars_max } => {
                chars_max.is_none_or(|max| max >= LINK_ID_CHARS)
            }
            _ => false,
        };
        FieldSchema {
            name: FieldName::new(column.name.clone()),
            kind: match &column.refers_to {
                Some(target) => FieldType::Reference { entities: vec![target.clone()] },
                None => column.kind.field_type(),
            },
            native: column.native.clone(),
            nullable: !column.not_null,
            creatable: !fixed && column.insertable,
            updatable: !fixed && column.updatable,
            required: column.not_null
                && !column.has_default
                && !column.generated
                && column.identity.is_empty(),
            unique,
            external_id: holds_link_id && unique && !fixed,
            // The codec already reads padded text as what it means, and every write answers
            // with its stored image, so there is nothing left to predict.
            normalizers: Vec::new(),
            filled: column.filled().map(Into::into),
        }
    }
}
