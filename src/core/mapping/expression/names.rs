//! The names that an expression may use.

use std::sync::Arc;

use cel::common::ast::operators as op;

/// A field that an expression reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Variable {
    /// The field.
    pub field: Arc<str>,
    /// Whether it is one of the side that is written, as it is now (`old.Field`), and not of the
    /// side that the value comes from.
    pub old: bool,
}

/// Operators and what the loops over lists are made of, with their numbers of operands.
pub(super) const OPERATORS: &[(&str, usize)] = &[
    (op::CONDITIONAL, 3),
    (op::LOGICAL_AND, 2),
    (op::LOGICAL_OR, 2),
    (op::LOGICAL_NOT, 1),
    (op::ADD, 2),
    (op::SUBSTRACT, 2),
    (op::MULTIPLY, 2),
    (op::DIVIDE, 2),
    (op::MODULO, 2),
    (op::EQUALS, 2),
    (op::NOT_EQUALS, 2),
    (op::LESS, 2),
    (op::LESS_EQUALS, 2),
    (op::GREATER, 2),
    (op::GREATER_EQUALS, 2),
    (op::NEGATE, 1),
    (op::INDEX, 2),
    (op::IN, 2),
    (op::NOT_STRICTLY_FALSE, 1),
];

/// Functions with their numbers of arguments, the value they are called on included, and an
/// example of each.
pub(super) const FUNCTIONS: &[(&str, usize, &str)] = &[
    ("size", 1, "size(Name)"),
    ("contains", 2, "Name.contains('Ltd')"),
    ("startsWith", 2, "Name.startsWith('A')"),
    ("endsWith", 2, "Name.endsWith('Ltd')"),
    ("string", 1, "string(Count)"),
    ("int", 1, "int(Count)"),
    ("double", 1, "double(Ratio)"),
    ("upper", 1, "upper(Code)"),
    ("lower", 1, "lower(Email)"),
    ("trim", 1, "trim(Name)"),
    ("before", 2, "before(full_name, ' ')"),
    ("after", 2, "after(full_name, ' ')"),
    ("substring", 3, "substring(Code, 0, 3)"),
    ("replace", 3, "replace(Phone, ' ', '')"),
    ("split", 2, "split(Tags, ';')"),
    ("join", 2, "join([FirstName, LastName], ' ')"),
    ("matches", 2, "matches(Code, '^[A-Z]{3}$')"),
    ("coalesce", 2, "coalesce(Phone, Mobile)"),
    ("blank", 1, "blank(Phone)"),
    ("add", 2, "add(Net, Tax)"),
    ("subtract", 2, "subtract(Gross, Tax)"),
    ("multiply", 2, "multiply(Price, Quantity)"),
    ("divide", 3, "divide(Amount, 100, 2)"),
    ("round", 2, "round(Amount, 2)"),
    ("compare", 2, "compare(Amount, 100) > 0"),
    ("dateIn", 2, "dateIn(StartTime, 'Europe/Berlin')"),
    ("timeIn", 2, "timeIn(StartTime, 'Europe/Berlin')"),
    ("instantAt", 3, "instantAt(day, '09:00:00', 'Europe/Berlin')"),
    ("addDays", 2, "addDays(due, 14)"),
    ("lookup", 2, "lookup('countries', code)"),
    ("lookupOr", 3, "lookupOr('countries', code, 'Other')"),
];

/// Those of the functions that are ours and not CEL's.
pub(super) const OURS: &[&str] = &[
    "upper",
    "lower",
    "trim",
    "before",
    "after",
    "substring",
    "replace",
    "split",
    "join",
    "matches",
    "coalesce",
    "blank",
    "add",
    "subtract",
    "multiply",
    "divide",
    "round",
    "compare",
    "dateIn",
    "timeIn",
    "instantAt",
    "addDays",
    "lookup",
    "lookupOr",
];
