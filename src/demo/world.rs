//! The records of the demo: two kinds, and their fields on both sides.

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_core::{Side, Sides};

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A company.
    Account,
    /// A person at a company.
    Contact,
}

/// One field as both sides name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its name in the CRM.
    pub crm: &'static str,
    /// Its column in the database.
    pub ops: &'static str,
}

const fn field(crm: &'static str, ops: &'static str) -> Field {
    Field { crm, ops }
}

const ACCOUNT: [Field; 5] = [
    field("AccountNumber", "number"),
    field("Name", "name"),
    field("Phone", "phone"),
    field("Site", "region"),
    field("Description", "notes"),
];

const CONTACT: [Field; 7] = [
    field("Email", "email"),
    field("LastName", "last_name"),
    field("FirstName", "first_name"),
    field("Phone", "phone"),
    field("Title", "title"),
    field("Department", "department"),
    field("AccountId", "account_id"),
];

/// The field that people know a record by. Nobody edits it, so it tells which records of the two
/// sides are the same thing, without asking the ledger.
pub(super) const KEY: usize = 0;

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Account, Self::Contact];

    /// The fields, in the order of the mapping's file: their places are those of its units.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Account => &ACCOUNT,
            Self::Contact => &CONTACT,
        }
    }

    /// The fields that people edit.
    pub fn edited(self) -> std::ops::Range<usize> {
        match self {
            Self::Account => 1..ACCOUNT.len(),
            Self::Contact => 1..CONTACT.len() - 1,
        }
    }

    /// The field that names an account.
    pub fn reference(self) -> Option<usize> {
        match self {
            Self::Account => None,
            Self::Contact => Some(CONTACT.len() - 1),
        }
    }

    /// The name of the mapping.
    pub fn mapping(self) -> &'static str {
        match self {
            Self::Account => "accounts",
            Self::Contact => "contacts",
        }
    }

    /// The object in the CRM.
    pub fn object(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Contact => "Contact",
        }
    }

    /// The table in the database.
    pub fn table(self) -> &'static str {
        self.mapping()
    }

    /// A business key: the n-th of the demo.
    pub fn key(self, number: usize) -> String {
        match self {
            Self::Account => format!("A-{number:06}"),
            Self::Contact => format!("c{number:06}@example.com"),
        }
    }
}

/// A record of the world by what people know it by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
pub(super) struct Pair {
    /// What it is.
    pub kind: Kind,
    /// Its business key.
    pub key: String,
}

/// A record with its ids.
#[derive(Clone, Debug)]
pub(super) struct Card {
    /// What it is known by.
    pub pair: Pair,
    /// Its id on each side, where it is there.
    pub ids: Sides<Option<String>>,
}

/// The records as they are now, those of both sides joined by their business key.
pub(super) fn joined(kind: Kind, sides: Sides<Vec<(String, String)>>) -> Vec<Card> {
    let mut found: BTreeMap<String, Sides<Option<String>>> = BTreeMap::new();
    for side in Side::BOTH {
        for (id, key) in &sides[side] {
            let ids = found.entry(key.clone()).or_default();
            ids[side].get_or_insert_with(|| id.clone());
        }
    }
    found.into_iter().map(|(key, ids)| Card { pair: Pair { kind, key }, ids }).collect()
}
