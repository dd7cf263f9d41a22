//! Conditions bound to the schema.

use super::ast::{Expr, Literal, LiteralKind, Op, Path, Query, Select};
use super::bind::{Binder, unsupported};
use super::bound::{Column, Test};
use super::error::Located;
use super::operand::{Operand, operand, wrong_operator};
use crate::org::value::Value;
use crate::schema::FieldType;

impl Binder<'_> {
    pub(super) fn test(
        &self,
        expr: &Expr,
        table: usize,
        alias: Option<&str>,
    ) -> Result<Test, Located> {
        let all = |list: &[Expr]| -> Result<Vec<Test>, Located> {
            list.iter().map(|expr| self.test(expr, table, alias)).collect()
        };
        let column = |path: &Path| self.filter_column(path, table, alias, "filtered");
        let now_s = self.state.clock.now_s();
        match expr {
            Expr::And(list) => Ok(Test::And(all(list)?)),
            Expr::Or(list) => Ok(Test::Or(all(list)?)),
            Expr::Not(inner) => Ok(Test::Not(Box::new(self.test(inner, table, alias)?))),
            Expr::Compare { path, op, literal } => {
                let column = column(path)?;
                if column.field.ty == FieldType::MultiPicklist && *op == Op::Like {
                    return Err(wrong_operator(&column.field, path.at, "like"));
                }
                let operand = operand(&column.field, *op, literal, now_s)?;
                Ok(Test::Compare { column, op: *op, operand })
            }
            Expr::In { path, negated, list } => {
                let column = column(path)?;
                let typed = list.iter().map(|it| operand(&column.field, Op::Eq, it, now_s));
                let list = typed.collect::<Result<Vec<_>, _>>()?;
                Ok(in_test(column, *negated, list))
            }
            Expr::InQuery { path, negated, query } => {
                let column = column(path)?;
                Ok(in_test(column, *negated, self.nested(query)?))
            }
            Expr::Includes { path, negated, list } => {
                let column = column(path)?;
                if column.field.ty != FieldType::MultiPicklist {
                    return Err(wrong_operator(&column.field, path.at, "includes"));
                }
                let sets = list.iter().map(value_set).collect::<Result<Vec<_>, _>>()?;
                Ok(Test::Includes { column, negated: *negated, sets })
            }
        }
    }

    /// A semi-join: the ids that the inner statement finds.
    pub(super) fn nested(&self, query: &Query) -> Result<Vec<Operand>, Located> {
        let Some(table) = self.state.table_at(&query.from) else {
            return Err(unsupported(&query.from, query.from_at));
        };
        let [Select::Field(path)] = query.select.as_slice() else {
            let text = "The inner select list must name one ID or reference field";
            return Err(Located::malformed(query.from_at, text));
        };
        let column = self.column(path, table, query.alias.as_deref())?;
        let bound = self.query(query, table)?;
        let mut found = Vec::new();
        for id in super::eval::run(self.state, &bound, false) {
            let row = self.state.table(table).and_then(|table| table.get(id));
            if let Some(Value::Id(id)) = row.map(|row| super::eval::value(self.state, &column, row))
            {
                found.push(Operand::Id(id));
            }
        }
        Ok(found)
    }
}

fn in_test(column: Column, negated: bool, list: Vec<Operand>) -> Test {
    let ids = list.iter().filter_map(|it| if let Operand::Id(id) = it { Some(*id) } else { None });
    let ids = ids.collect();
    Test::In { column, negated, list, ids }
}

/// `'A;B'` asks for both, lower-cased.
fn value_set(literal: &Literal) -> Result<Vec<String>, Located> {
    match &literal.kind {
        LiteralKind::Text { plain, .. } => {
            Ok(plain.split(';').map(|part| part.trim().to_lowercase()).collect())
        }
        _ => Err(Located::malformed(literal.at, "INCLUDES takes quoted values")),
    }
}
