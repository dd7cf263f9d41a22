//! What is wrong with one setting.

use std::fmt;

use serde::de;
use syncline_core::mapping::language::{Span, nearest, one_of};

/// What is wrong with a setting, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingError {
    /// The place, as soon as it is known.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The key that is missing, when that is what is wrong.
    pub(super) missing: Option<&'static str>,
}

impl SettingError {
    pub(super) fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self { span: None, message: message.into(), help, missing: None }
    }
    pub(super) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingError {}

impl de::Error for SettingError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string(), None)
    }
    // The standard texts repeat the value, which may be a secret.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("this is not {expected}"), None)
    }
    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("this is not {expected}"), None)
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = match nearest(variant, expected.iter().copied()) {
            Some(near) => {
                format!("did you mean `{near}`? It is {}", one_of(expected.iter().copied()))
            }
            None => format!("write {}", one_of(expected.iter().copied())),
        };
        Self::new(format!("`{variant}` is not known here"), Some(help))
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let help = match nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("keys are {}", one_of(expected.iter().copied())),
        };
        Self::new(format!("unknown key `{field}`"), Some(help))
    }
    fn missing_field(field: &'static str) -> Self {
        let help = Some(format!("add `{field}: ...`"));
        Self { missing: Some(field), ..Self::new(format!("`{field}` is missing"), help) }
    }
}
