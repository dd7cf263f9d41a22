//! Names: quoting, entities, and what Syncline calls its own pieces.

use std::fmt::Write as _;

use syncline_sdk::{EntityName, SystemName};

use crate::PostgresSettings;

/// An identifier, quoted. The one place where identifiers enter SQL text.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text constant, quoted. Safe whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Schema and table of an entity: `schema.table`, or a plain name in `public`.
pub(crate) fn split(entity: &str) -> (&str, &str) {
    entity.split_once('.').unwrap_or(("public", entity))
}

/// A qualified name, quoted.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", ident(schema), ident(table))
}

/// The entity of a table, in the one form that the connector uses everywhere.
pub(crate) fn entity(schema: &str, table: &str) -> EntityName {
    EntityName::new(format!("{schema}.{table}"))
}

/// What Syncline calls its pieces in one database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pieces {
    pub publication: String,
    pub slot: String,
}

impl Pieces {
    /// The names from the settings, or derived from the system and the installation: slots are
    /// shared by all databases of a cluster, so two installations must not meet in one name.
    pub(crate) fn of(settings: &PostgresSettings, system: &SystemName, install: &str) -> Self {
        let derived = || {
            let mut name = String::from("syncline_");
            for c in system.as_str().chars().take(30) {
                let c = c.to_ascii_lowercase();
                name.push(if c.is_ascii_alphanumeric() { c } else { '_' });
            }
            // The end of the id: the front of a time-ordered one is shared by its neighbours.
            let tail: Vec<char> =
                install.chars().rev().filter(char::is_ascii_alphanumeric).take(12).collect();
            if !tail.is_empty() {
                name.push('_');
            }
            for c in tail.iter().rev() {
                let _ = write!(name, "{}", c.to_ascii_lowercase());
            }
            name
        };
        Self {
            publication: settings.publication.clone().unwrap_or_else(derived),
            slot: settings.slot.clone().unwrap_or_else(derived),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }

    #[test]
    fn names_of_pieces_are_fit_for_slots() {
        let pieces = Pieces::of(&PostgresSettings::default(), &"Ops DB".into(), "019a-BC_d7");
        assert_eq!(pieces.slot, "syncline_ops_db_019abcd7");
        assert_eq!(pieces.publication, pieces.slot);
    }
}
