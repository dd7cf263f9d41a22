//! An expression, ready to be evaluated.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::ExecutionError;
use cel::common::ast::IdedExpr;
use syncline_sdk::Value;

use super::check::{check, slot};
use super::convert::{from_expression, to_expression, weight};
use super::{Fault, Library, MEMBERS_MAX, Variable, WORK_MAX};

/// An expression that was checked. Two of the same text with the same tables are the same.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    tree: Arc<IdedExpr>,
    variables: Arc<[Variable]>,
    library: Arc<Library>,
    parts: usize,
    loops: bool,
    constants: usize,
}

impl Expression {
    /// Checks an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its places.
    pub fn parse(text: &str, library: &Arc<Library>) -> Result<Self, Vec<Fault>> {
        let checked = check(text, library)?;
        Ok(Self {
            text: text.into(),
            tree: Arc::new(checked.tree),
            variables: checked.variables.into(),
            library: Arc::clone(library),
            parts: checked.parts,
            loops: checked.loops,
            constants: checked.constants,
        })
    }
    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The fields that it reads.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
    /// Its value for what each of its fields holds. The same fields give the same value.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn evaluate<'v>(
        &self,
        value: impl Fn(&Variable) -> Option<&'v Value>,
    ) -> Result<Value, String> {
        let mut scope = self.library.context().new_inner_scope();
        let mut work = self.constants;
        let mut members: usize = 1;
        for (at, variable) in self.variables.iter().enumerate() {
            let Some(value) = value(variable) else {
                return Err(format!("there is no field {}", variable.field));
            };
            let given = to_expression(value)
                .map_err(|why| format!("{} is {why}, which is too much for it", variable.field))?;
            work = work.saturating_add(weight(value));
            if let Value::List(items) = value {
                members = members.max(items.len());
            }
            scope.add_variable_from_value(slot(at), given);
        }
        // A list that it makes itself has at most so many members.
        let rounds = if self.loops { members.max(MEMBERS_MAX.min(work)) } else { 1 };
        if work.saturating_mul(self.parts).saturating_mul(rounds) > WORK_MAX {
            return Err("the values are too long for an expression".to_owned());
        }
        // The library is young: should it panic, the record waits and the others go on.
        let evaluated = catch_unwind(AssertUnwindSafe(|| cel::Value::resolve(&self.tree, &scope)));
        match evaluated {
            Ok(Ok(value)) => from_expression(value),
            Ok(Err(error)) => Err(in_words(&error)),
            Err(_) => Err("the expression library failed on these values".to_owned()),
        }
    }
}

/// Why an evaluation failed, without what the library writes for its own developers.
fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UnsupportedBinaryOperator(operator, a, b) => {
            format!("{operator} does not go with a {} and a {}", a.type_of(), b.type_of())
        }
        ExecutionError::Overflow(operator, ..) => {
            format!("the result of {operator} is too large")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a division by zero".to_owned()
        }
        ExecutionError::ValuesNotComparable(a, b) => {
            format!("a {} and a {} do not compare", a.type_of(), b.type_of())
        }
        ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        ExecutionError::IndexOutOfBounds(_) => "a list has no member of that number".to_owned(),
        other => other.to_string(),
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.library == other.library
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}
