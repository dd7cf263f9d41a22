//! Filters as SQL. Two-valued like the seam's: a condition is true or false, never null.

use syncline_sdk::{Comparison, Error, ErrorKind, FieldName, Filter, Result, Value};

use crate::catalog::{Column, Table};
use crate::codec::Kind;
use crate::names::literal;

/// The condition of a filter on the table under the alias `t`.
pub(crate) fn condition(operation: &'static str, table: &Table, filter: &Filter) -> Result<String> {
    let part = |filter| condition(operation, table, filter);
    match filter {
        Filter::And(parts) if parts.is_empty() => Ok("true".to_owned()),
        Filter::Or(parts) if parts.is_empty() => Ok("false".to_owned()),
        Filter::And(parts) => {
            Ok(format!("({})", parts.iter().map(part).collect::<Result<Vec<_>>>()?.join(" and ")))
        }
        Filter::Or(parts) => {
            Ok(format!("({})", parts.iter().map(part).collect::<Result<Vec<_>>>()?.join(" or ")))
        }
        Filter::Not(inner) => Ok(format!("(not {})", part(inner)?)),
        Filter::Compare { field, comparison, value } => {
            compare(column(operation, table, field)?, *comparison, value)
                .map_err(|why| wrong(operation, field, why))
        }
        Filter::In { field, values } => {
            let column = column(operation, table, field)?;
            let any: Result<Vec<String>, &'static str> =
                values.iter().map(|value| compare(column, Comparison::Equal, value)).collect();
            let any = any.map_err(|why| wrong(operation, field, why))?;
            Ok(if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" or ")) })
        }
    }
}

fn column<'a>(operation: &'static str, table: &'a Table, field: &FieldName) -> Result<&'a Column> {
    Ok(&table.columns[table.place(operation, field)?])
}

fn wrong(operation: &'static str, field: &FieldName, why: &'static str) -> Error {
    Error::new(ErrorKind::Config, operation, format!("the filter cannot be sent: {why}"))
        .field(field.as_str())
}

fn compare(column: &Column, comparison: Comparison, value: &Value) -> Result<String, &'static str> {
    let name = format!("t.{}", column.ident);
    let Some(text) = crate::codec::encode(&column.kind, value)? else {
        return Ok(match comparison {
            Comparison::Equal => format!("({name} is null)"),
            Comparison::NotEqual => format!("({name} is not null)"),
            // A comparison of size with null is never true.
            _ => "false".to_owned(),
        });
    };
    let constant = literal(&text);
    let operator = match comparison {
        Comparison::Equal => {
            // The plain equality lets an index be used; the rest keeps it two-valued.
            return Ok(if column.kind.has_equality() && column.exact_text {
                format!("({name} is not null and {})", column.equals("t", &constant))
            } else {
                column.same("t", &constant)
            });
        }
        Comparison::NotEqual => return Ok(format!("(not {})", column.same("t", &constant))),
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    };
    Ok(match &column.kind {
        // The seam orders texts by their bytes, whatever the database's language is.
        Kind::Text { .. } | Kind::Char { .. } | Kind::Enum(_) => format!(
            "({name} is not null and {}::text collate \"C\" {operator} {constant} collate \"C\")",
            name
        ),
        kind if kind.has_equality() => {
            format!("({name} is not null and {name} {operator} {constant}::{})", column.cast)
        }
        _ => return Err("the column's type has no order"),
    })
}
