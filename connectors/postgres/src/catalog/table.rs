//! A table as the connector works with it.

use std::borrow::Cow;
use std::sync::Arc;

use syncline_sdk::{EntityName, Error, ErrorKind, FieldName, Key, Result, Value};

use crate::codec::{self, Kind};

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: Arc<str>,
    /// The name, quoted.
    pub ident: String,
    pub kind: Kind,
    /// The type to cast a text to, without a length and below all domains: the assignment to
    /// the column then applies both and refuses what does not fit.
    pub cast: String,
    /// The type as people write it.
    pub native: Arc<str>,
    pub not_null: bool,
    pub has_default: bool,
    pub generated: bool,
    /// `a` always, `d` by default, empty for no identity column.
    pub identity: String,
    /// Whether equality of the column tells texts apart that differ only in case or accent.
    pub exact_text: bool,
    pub readable: bool,
    pub insertable: bool,
    pub updatable: bool,
    /// The table whose key a foreign key of this column alone points to.
    pub refers_to: Option<EntityName>,
}

impl Column {
    /// The SQL expression that gives the column's value as the stream gives it.
    pub(crate) fn text_of(&self, alias: &str) -> String {
        let column = format!("{alias}.{}", self.ident);
        if self.kind.casts_to_text() {
            format!("{column}::text")
        } else {
            format!("case when {column} is not null then concat({column}) end")
        }
    }

    /// A text expression as a value of the column's type.
    pub(crate) fn value_of(&self, text: &str) -> String {
        format!("{text}::{}", self.cast)
    }

    /// The condition that the column holds exactly the value of a text expression.
    pub(crate) fn same(&self, alias: &str, text: &str) -> String {
        let column = format!("{alias}.{}", self.ident);
        if !self.kind.has_equality() {
            // Through the type and back, so that two spellings of one value are one text.
            let own = self.text_of(alias);
            let value = self.value_of(text);
            let other = if self.kind.casts_to_text() {
                format!("({value})::text")
            } else {
                format!("case when {text} is not null then concat({value}) end")
            };
            return format!("({own} is not distinct from {other})");
        }
        if !self.exact_text {
            return format!(
                "({column}::text collate \"C\" is not distinct from {text} collate \"C\")"
            );
        }
        format!("({column} is not distinct from {text}::{})", self.cast)
    }

    /// The condition that finds rows by an index on the column.
    pub(crate) fn equals(&self, alias: &str, text: &str) -> String {
        format!("{alias}.{} = {text}::{}", self.ident, self.cast)
    }

    /// The text of a value for this column.
    pub(crate) fn encode<'a>(&self, value: &'a Value) -> Result<Option<Cow<'a, str>>, Error> {
        codec::encode(&self.kind, value)
            .map_err(|why| Error::new(ErrorKind::Invalid, "push", why).field(self.name.to_string()))
    }

    /// The value of a text of this column.
    pub(crate) fn decode(&self, text: Option<&str>) -> Value {
        text.map_or(Value::Null, |text| codec::decode(&self.kind, text))
    }
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub entity: EntityName,
    pub schema: String,
    pub name: String,
    /// Schema and name, quoted.
    pub quoted: String,
    pub columns: Vec<Column>,
    /// The columns of the key, in the order of its index.
    pub key: Vec<usize>,
    /// Columns that are unique by themselves.
    pub unique: Vec<usize>,
    /// Whether updates and deletes carry the whole old row.
    pub full_identity: bool,
    /// Whether policies hide rows from this user.
    pub row_security: bool,
    pub readable: bool,
    pub insertable: bool,
    pub deletable: bool,
    /// What stands in the way of capture or writing, with the remedy.
    pub problems: Vec<String>,
}

impl Table {
    /// The place of a column.
    ///
    /// # Errors
    /// `Schema`, naming the field, when there is none.
    pub(crate) fn place(&self, operation: &'static str, field: &FieldName) -> Result<usize> {
        self.find(field.as_str()).ok_or_else(|| {
            Error::new(
                ErrorKind::Schema,
                operation,
                format!("{} has no column {field} that this user may read", self.entity),
            )
            .field(field.as_str())
            .advise("correct the mapping, or grant select on the column")
        })
    }

    /// The place of a column, where there is one.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| *column.name == *name && column.readable)
    }

    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|at| self.columns.get(*at))
    }

    /// The key made of the texts of its columns.
    pub(crate) fn key_of<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> Key {
        if self.key.len() == 1 {
            return Key::new(texts.next().unwrap_or_default());
        }
        Key::new(serde_json::Value::from_iter(texts).to_string())
    }

    /// The texts of the key columns, checked to be of their types, so that one malformed key
    /// cannot fail a statement for many; nothing when the key can name no row of this table.
    pub(crate) fn key_texts<'a>(&self, key: &'a Key) -> Option<Vec<Cow<'a, str>>> {
        let texts: Vec<Cow<'a, str>> = if self.key.len() == 1 {
            vec![Cow::Borrowed(key.as_str())]
        } else {
            let parts: Vec<String> = serde_json::from_str(key.as_str()).ok()?;
            parts.into_iter().map(Cow::Owned).collect()
        };
        let fits = texts.len() == self.key.len()
            && self.key_columns().zip(&texts).all(|(column, text)| {
                let value = codec::decode(&column.kind, text);
                let modelled = matches!(column.kind, Kind::Raw) || value.kind() != "raw";
                let in_range = match (&column.kind, value) {
                    (Kind::Int { min, max }, Value::Int(number)) => (*min..=*max).contains(&number),
                    (Kind::Enum(labels), Value::Text(text)) => labels.contains(&text),
                    _ => true,
                };
                modelled && in_range && !text.contains('\0')
            });
        fits.then_some(texts)
    }
}
