//! Conditions on one record: the tree behind `where`.

use std::fmt;
use std::sync::Arc;

use syncline_sdk::{Comparison, Decimal, FieldName};

use super::Located;

/// A condition as it was written: the fields are not looked up and the constants have no type of
/// the field's yet. Displaying it gives text that reads back as the same condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `a and b and ...`
    All(Vec<Condition>),
    /// `a or b or ...`
    Any(Vec<Condition>),
    /// `not a`
    Not(Box<Condition>),
    /// `field = constant`, also `is null` and `is not null`.
    Compare {
        /// The field.
        field: Located<FieldName>,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        literal: Located<Literal>,
    },
    /// `field in (constant, ...)`
    In {
        /// The field.
        field: Located<FieldName>,
        /// The constants, at least one.
        literals: Vec<Located<Literal>>,
    },
}

/// A constant as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// `-12.5`
    Number(Decimal),
    /// `'text'`
    Text(Arc<str>),
    /// `2024-05-31` or `2024-05-31T12:00:00Z`, without quotes
    Moment(Arc<str>),
}

impl Condition {
    /// The fields that the condition reads, each use of them, in the order of the text.
    #[must_use]
    pub fn fields(&self) -> Vec<&Located<FieldName>> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
            Self::Compare { field, .. } | Self::In { field, .. } => vec![field],
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, outermost: bool) -> fmt::Result {
        let (parts, word) = match self {
            Self::All(parts) => (parts, " and "),
            Self::Any(parts) => (parts, " or "),
            Self::Not(part) => {
                f.write_str("not (")?;
                part.write(f, true)?;
                return f.write_str(")");
            }
            Self::Compare { field, comparison, literal } => {
                let field = Name(field.as_str());
                return match (comparison, &literal.value) {
                    (Comparison::Equal, Literal::Null) => write!(f, "{field} is null"),
                    (Comparison::NotEqual, Literal::Null) => write!(f, "{field} is not null"),
                    (comparison, literal) => write!(f, "{field} {} {literal}", sign(*comparison)),
                };
            }
            Self::In { field, literals } => {
                write!(f, "{} in (", Name(field.as_str()))?;
                for (at, literal) in literals.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { ", " } else { "" }, literal.value)?;
                }
                return f.write_str(")");
            }
        };
        f.write_str(if outermost { "" } else { "(" })?;
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at > 0 { word } else { "" })?;
            part.write(f, false)?;
        }
        f.write_str(if outermost { "" } else { ")" })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, true)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Moment(moment) => f.write_str(moment),
        }
    }
}

/// How a comparison is written.
pub(super) fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// The words of the language; a field of such a name is written in backticks.
pub(super) const WORDS: &[&str] =
    &["and", "or", "not", "in", "is", "null", "true", "false", "like", "between"];

/// A field name as it is written: in backticks where it is no plain word.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.0.chars().next().is_some_and(starts_name)
            && self.0.chars().all(continues_name)
            && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(self.0));
        if plain { f.write_str(self.0) } else { write!(f, "`{}`", self.0.replace('`', "``")) }
    }
}

pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$')
}
