//! `COUNT(x)`, `MIN(x)` … and `GROUP BY`.

use std::collections::BTreeMap;

use super::ast::{Function, Path, Query, Select};
use super::bound::{Bound, Column, Shape};
use super::error::Located;
use super::eval::{run, value};
use super::operand::sort_order;
use crate::json::{Json, object};
use crate::org::state::State;
use crate::org::value::Value;

/// Binds the select list of a statement with aggregates; unnamed columns are `expr0`, `expr1` ….
pub(crate) fn shape(
    query: &Query,
    column: impl Fn(&Path) -> Result<Column, Located>,
) -> Result<Shape, Located> {
    let mut group = Vec::new();
    for path in &query.group {
        let found = column(path)?;
        group.push((found.field.name.clone(), found));
    }
    let mut items = Vec::new();
    let mut order = Vec::new();
    let mut unnamed = 0;
    for item in &query.select {
        match item {
            Select::Aggregate { function, path, alias } => {
                let name = alias.clone().unwrap_or_else(|| {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                });
                order.push(name.clone());
                items.push((name, *function, column(path)?));
            }
            Select::Field(path) => {
                let name = column(path)?.field.name;
                if !group.iter().any(|(it, _)| *it == name) {
                    let text = format!("Field must be grouped or aggregated: {name}");
                    return Err(Located::malformed(path.at, text));
                }
                order.push(name);
            }
            _ => return Err(Located::unexpected(query.from_at, "aggregate select list")),
        }
    }
    Ok(Shape::Aggregate { group, items, order })
}

/// The `AggregateResult` rows of a statement.
pub(crate) fn rows(state: &State, bound: &Bound, with_deleted: bool) -> Vec<Json> {
    let Shape::Aggregate { group, items, order } = &bound.shape else {
        return Vec::new();
    };
    let unlimited = Bound { limit: None, offset: 0, ..bound.clone() };
    let Some(table) = state.table(bound.table) else {
        return Vec::new();
    };
    let mut groups: BTreeMap<String, (Vec<Value>, Vec<Vec<Value>>)> = BTreeMap::new();
    for row in run(state, &unlimited, with_deleted).into_iter().filter_map(|id| table.get(id)) {
        let keys: Vec<Value> = group.iter().map(|(_, column)| value(state, column, row)).collect();
        let name: Vec<String> = keys.iter().map(Value::display).collect();
        let entry = groups
            .entry(name.join("\u{1f}"))
            .or_insert_with(|| (keys, vec![Vec::new(); items.len()]));
        for ((_, _, column), values) in items.iter().zip(&mut entry.1) {
            values.push(value(state, column, row));
        }
    }
    if groups.is_empty() && group.is_empty() {
        groups.insert(String::new(), (Vec::new(), vec![Vec::new(); items.len()]));
    }
    let answered = groups.into_values().map(|(keys, columns)| {
        let attributes = object! { "type" => "AggregateResult" };
        let mut members = vec![("attributes".into(), attributes)];
        for name in order {
            let grouped = group.iter().zip(&keys).find(|((it, _), _)| it == name);
            let computed = items.iter().zip(&columns).find(|((it, ..), _)| it == name);
            let shown = match (grouped, computed) {
                (_, Some(((_, function, _), values))) => compute(*function, values),
                (Some((_, key)), None) => key.to_json(),
                (None, None) => Json::Null,
            };
            members.push((name.clone().into(), shown));
        }
        Json::Map(members)
    });
    answered.skip(bound.offset).take(bound.limit.unwrap_or(2000)).collect()
}

fn compute(function: Function, values: &[Value]) -> Json {
    let present: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    let numbers = || present.iter().filter_map(|value| value.display().parse::<f64>().ok());
    match function {
        Function::Count => Json::from(present.len()),
        Function::CountDistinct => {
            let mut texts: Vec<String> = present.iter().map(|value| value.display()).collect();
            texts.sort();
            texts.dedup();
            Json::from(texts.len())
        }
        Function::Min => extreme(present.iter().copied().min_by(|a, b| sort_order(a, b))),
        Function::Max => extreme(present.iter().copied().max_by(|a, b| sort_order(a, b))),
        Function::Sum => Json::Double(numbers().sum()),
        Function::Avg if present.is_empty() => Json::Null,
        Function::Avg => {
            let count: f64 = present.len().to_string().parse().unwrap_or(1.0);
            Json::Double(numbers().sum::<f64>() / count)
        }
    }
}

fn extreme(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, Value::to_json)
}
