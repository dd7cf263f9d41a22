//! Conditions against the schema of their side.

use syncline_sdk::{Comparison, FieldSchema, Filter, Value};

use super::bind::Binder;
use super::{Condition, Literal, Located, constant};
use crate::Side;

impl<'a> Binder<'a> {
    /// The condition with constants of the fields' own types.
    pub(super) fn filter(&mut self, side: Side, condition: &'a Condition) -> Option<Filter> {
        match condition {
            Condition::All(parts) => self.filters(side, parts).map(Filter::And),
            Condition::Any(parts) => self.filters(side, parts).map(Filter::Or),
            Condition::Not(part) => self.filter(side, part).map(|part| Filter::Not(Box::new(part))),
            Condition::Compare { field, comparison, literal } => {
                let schema = self.field(side, field)?;
                let value = self.constant(schema, *comparison, literal)?;
                Some(Filter::Compare { field: schema.name.clone(), comparison: *comparison, value })
            }
            Condition::In { field, literals } => {
                let schema = self.field(side, field)?;
                let values: Vec<Option<Value>> = literals
                    .iter()
                    .map(|literal| self.constant(schema, Comparison::Equal, literal))
                    .collect();
                let values = values.into_iter().collect::<Option<_>>()?;
                Some(Filter::In { field: schema.name.clone(), values })
            }
        }
    }

    /// Every part is looked at, so that all mistakes are found.
    fn filters(&mut self, side: Side, parts: &'a [Condition]) -> Option<Vec<Filter>> {
        let filters: Vec<Option<Filter>> =
            parts.iter().map(|part| self.filter(side, part)).collect();
        filters.into_iter().collect()
    }

    fn constant(
        &mut self,
        field: &FieldSchema,
        comparison: Comparison,
        literal: &Located<Literal>,
    ) -> Option<Value> {
        match constant::compared(literal, comparison, field) {
            Ok(value) => Some(value),
            Err(unfit) => {
                let diagnostic = self.error(literal.span, unfit.message).help(unfit.help);
                self.note(diagnostic);
                None
            }
        }
    }
}
