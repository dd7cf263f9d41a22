//! The one error of the connector seam.

use std::fmt;
use std::time::Duration;

use crate::EntityName;

/// What an error means to whoever has to act on it. One function of the engine turns the kind
/// into a disposition: retry, verify, park, or halt the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ErrorKind {
    /// The system cannot be reached, or answered that it is out of order.
    Unavailable,
    /// The system asks for fewer calls; it will take more later.
    Throttled,
    /// The quota of the day is used up.
    Quota,
    /// The login was refused or revoked; a person must act.
    Auth,
    /// The user may not do this.
    Forbidden,
    /// The settings of the system are wrong.
    Config,
    /// An entity or field does not exist, or is not what the mapping takes it for.
    Schema,
    /// The value was refused: too long, out of range, an unknown picklist value, a rule of the
    /// system.
    Invalid,
    /// Another record holds the unique value.
    Duplicate,
    /// The record is locked by somebody.
    Locked,
    /// The stream can no longer give what comes next.
    Gap,
    /// The system answered what its own documentation does not allow.
    Protocol,
    /// The connector does not have this ability.
    Unsupported,
}

/// How far an error reaches: what else would fail in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything on the system.
    System,
    /// Everything of the entity.
    Entity,
    /// Perhaps this record only.
    Record,
}

impl ErrorKind {
    /// How far an error of this kind reaches.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::Unavailable
            | Self::Throttled
            | Self::Quota
            | Self::Auth
            | Self::Config
            | Self::Gap => Scope::System,
            Self::Schema | Self::Forbidden | Self::Unsupported => Scope::Entity,
            Self::Invalid | Self::Duplicate | Self::Locked | Self::Protocol => Scope::Record,
        }
    }

    /// Whether the system as a whole is left alone after such an error, until it is back, lets us
    /// in again, or has room for more calls. It is over by itself sooner or later, or when a
    /// person lets us in. It may have met one call only (one that timed out, a record for which
    /// the storage is full): the next answer tells. A connector gives no such kind to a refusal of
    /// what a call asks for, since that would keep everything else waiting.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Unavailable | Self::Throttled | Self::Quota | Self::Auth)
    }

    /// The name used in messages, figures and the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Quota => "quota",
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::Config => "config",
            Self::Schema => "schema",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Locked => "locked",
            Self::Gap => "gap",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What went wrong at a system: the kind, what was being done, where, and the remedy. The source
/// chain is kept and never repeated in the message. Carries no values of records beyond what the
/// system itself put into its message.
#[derive(Debug)]
pub struct Error {
    /// What it means.
    pub kind: ErrorKind,
    /// What was being done: `describe`, `push`, `log in`.
    pub operation: &'static str,
    /// Where and why, in words for an operator.
    pub context: String,
    /// What to do about it, where the connector knows.
    pub advice: Option<String>,
    /// The entity concerned, where there is one.
    pub entity: Option<EntityName>,
    /// The field concerned, where there is one.
    pub field: Option<String>,
    /// The system's own code for it: `STRING_TOO_LONG`, `23505`.
    pub code: Option<String>,
    /// When to come back, where the system said.
    pub retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of a call through the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, met while doing something.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str, context: impl Into<String>) -> Self {
        Self {
            kind,
            operation,
            context: context.into(),
            advice: None,
            entity: None,
            field: None,
            code: None,
            retry_after: None,
            source: None,
        }
    }
    /// An ability that a connector does not have.
    #[must_use]
    pub fn unsupported(operation: &'static str) -> Self {
        Self::new(ErrorKind::Unsupported, operation, "this connector does not have the ability")
    }
    /// With what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
    /// With the entity concerned.
    #[must_use]
    pub fn entity(mut self, entity: EntityName) -> Self {
        self.entity = Some(entity);
        self
    }
    /// With the field concerned.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    /// With the system's own code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
    /// With the time to come back.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
    /// With the error that caused it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
    /// What went wrong, without the remedy: for a place that tells that beside it.
    #[must_use]
    pub fn without_advice(&self) -> String {
        let mut words = format!("{} failed ({})", self.operation, self.kind.as_str());
        if let Some(code) = &self.code {
            words += &format!(" [{code}]");
        }
        words += &format!(": {}", self.context);
        if let Some(field) = &self.field {
            words += &format!(" (field {field})");
        }
        words
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_advice())?;
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
