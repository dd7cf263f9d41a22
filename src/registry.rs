//! The kinds of systems: the one place that names the connector crates.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use syncline_postgres::{PostgresConnector, PostgresSettings};
use syncline_salesforce::{Salesforce, SalesforceSettings};
pub use syncline_salesforce::{TokenStore, TokenStoreError, WebLogin};
use syncline_sdk::{Connector, Error, ErrorKind, Result, SystemName};

use crate::settings::{NodeDeserializer, SettingError};

/// The name under which the ledger keeps a system's refresh token.
pub const REFRESH_TOKEN: &str = "refresh_token";

/// A kind of system, before its settings are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A PostgreSQL database.
    Postgres,
    /// A Salesforce org.
    Salesforce,
}

/// The words for the kinds, as `kind:` has them.
pub const KINDS: &[(&str, Kind)] =
    &[("postgres", Kind::Postgres), ("salesforce", Kind::Salesforce)];

impl Kind {
    /// Whether changes have to be asked for: of other kinds they come by themselves.
    #[must_use]
    pub fn is_polled(self) -> bool {
        match self {
            Self::Postgres => false,
            Self::Salesforce => true,
        }
    }

    /// Whether it sends deliveries of its own to a webhook. What others tell of the records of a
    /// system that does not is taken with a signature alone.
    #[must_use]
    pub fn sends_deliveries(self) -> bool {
        match self {
            Self::Postgres => false,
            Self::Salesforce => true,
        }
    }
}

/// A kind of system with the settings of one system.
#[derive(Clone, Debug)]
pub enum SystemKind {
    /// A PostgreSQL database.
    Postgres(Box<PostgresSettings>),
    /// A Salesforce org.
    Salesforce(Box<SalesforceSettings>),
}

/// Reads the settings of a system of a kind.
///
/// # Errors
/// Every mistake in them, with its place.
pub fn read(kind: Kind, settings: NodeDeserializer<'_>) -> Result<SystemKind, Vec<SettingError>> {
    match kind {
        Kind::Postgres => settings.read().map(Box::new).map(SystemKind::Postgres),
        Kind::Salesforce => settings.read().map(Box::new).map(SystemKind::Salesforce),
    }
}

impl SystemKind {
    /// The word for the kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Salesforce(_) => "salesforce",
        }
    }

    /// Begins a login by a person in a browser. Calls nobody.
    ///
    /// # Errors
    /// [`syncline_sdk::ErrorKind::Config`] when the system logs in by other means, with the
    /// remedy.
    pub fn web_login(&self) -> Result<WebLogin> {
        match self {
            Self::Salesforce(settings) => WebLogin::begin(settings),
            Self::Postgres(_) => {
                let what = "a database logs in with the url of the settings";
                Err(Error::new(ErrorKind::Config, "log in", what)
                    .advise("nobody has to log in to it with a browser"))
            }
        }
    }

    /// The connector of the system. Makes no call; needs a runtime to run in. `tokens` keeps what
    /// a login renews: [`NoTokens`] where nothing does.
    ///
    /// # Errors
    /// [`syncline_sdk::ErrorKind::Config`] when the settings contradict themselves or would send
    /// a secret in plain text, with the remedy.
    pub fn connector(
        &self,
        system: &SystemName,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn Connector>> {
        match self {
            Self::Postgres(settings) => {
                let settings = PostgresSettings::clone(settings);
                Ok(Arc::new(PostgresConnector::connect(settings, system.clone())?))
            }
            Self::Salesforce(settings) => {
                let settings = SalesforceSettings::clone(settings);
                Ok(Arc::new(Salesforce::new(settings, tokens)?))
            }
        }
    }
}

/// No place to keep a login that renews itself. Such a login is then refused before it is used:
/// where each renewal kills the token before it, one that nobody kept would be lost with the
/// process. Logins of the settings alone do not notice.
#[derive(Clone, Copy, Debug)]
pub struct NoTokens;

#[async_trait]
impl TokenStore for NoTokens {
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError> {
        Err(no_ledger())
    }
    async fn store(&self, _: &SecretString) -> Result<(), TokenStoreError> {
        Err(no_ledger())
    }
}

fn no_ledger() -> TokenStoreError {
    TokenStoreError {
        what: "this login renews itself, and there is no ledger with a key to keep it \
               (`syncline migrate` makes both, and `syncline login`)"
            .to_owned(),
        source: None,
    }
}

/// The keys that the settings of a kind may have, beside `kind` and `webhook`.
#[cfg(test)]
pub(crate) fn keys_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Postgres => tests::keys::<PostgresSettings>(),
        Kind::Salesforce => tests::keys::<SalesforceSettings>(),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::Error;
    use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

    /// Answers nothing, and keeps what it is asked for.
    struct Asked<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("nothing"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            *self.0 = fields;
            Err(Error::custom("nothing"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
            ignored_any
        }
    }

    /// The keys that serde reads of a type.
    pub fn keys<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
        let mut keys: &'static [&'static str] = &[];
        let _ = T::deserialize(Asked(&mut keys));
        keys
    }
}
