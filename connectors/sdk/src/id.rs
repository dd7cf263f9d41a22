//! Names and ids. Each is its own type, so that one can never stand for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// One configured side, by its name in the settings: `crm`, `ops`.
    SystemName
);
name!(
    /// An entity as its system names it: `Account`, `public.accounts`.
    EntityName
);
name!(
    /// A field as its system names it. On Salesforce a dotted path (`Owner.Alias`) reads through
    /// a relation; such a field cannot be written.
    FieldName
);
name!(
    /// The native id of a record, in the one form that its connector uses everywhere (an
    /// 18-character id on Salesforce; on Postgres the key column's text, or, for a key of several
    /// columns, their texts as a JSON array). Opaque to everybody else.
    Key
);

/// The id of a link, which is also the value that a linked record carries in its external-id
/// field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub Uuid);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for LinkId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Uuid::parse_str(text)
            .map(Self)
            .map_err(|_| ParseIdError { what: "link id", text: text.to_owned() })
    }
}

/// A text that is not an id of the kind wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct ParseIdError {
    /// The kind of id that was wanted.
    pub what: &'static str,
    /// The text that was given.
    pub text: String,
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
        )]
        pub struct $name {
            /// The number of the ledger commit that made it; never given twice.
            pub commit: i64,
            /// Its place within that commit.
            pub ordinal: i32,
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{}", self.commit, self.ordinal)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let parse = || {
                    let (commit, ordinal) = text.split_once('.')?;
                    Some(Self { commit: commit.parse().ok()?, ordinal: ordinal.parse().ok()? })
                };
                parse().ok_or_else(|| ParseIdError { what: $what, text: text.to_owned() })
            }
        }
    };
}

numbered!(
    /// The id of an intent: the ledger commit that journalled it and its place there, for life.
    IntentId,
    "intent id"
);
numbered!(
    /// The id of a batch: the intents sent in one call or one target transaction.
    BatchId,
    "batch id"
);

/// How new an observation is, in the words of one side. Opaque bytes: only the connector that
/// made it can compare it ([`crate::Connector::order`]).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Version(Arc<[u8]>);

impl Version {
    /// Wraps the bytes as they are.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// True for the version of a record never seen, which is older than every other.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.0.escape_ascii())
    }
}
