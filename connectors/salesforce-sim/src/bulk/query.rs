//! Query jobs: a statement's rows as a table.

use super::job::refused;
use crate::json::Json;
use crate::org::state::State;
use crate::rest::{Caller, Reply};
use crate::schema::FieldType;
use crate::soql::{self, Bound, Node, Shape};

/// A table, and the object it is of.
pub(super) struct Answer {
    pub(super) object: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Runs a statement that a query job may hold: rows and fields of parents, no aggregates, no
/// children, no compounds, no offset.
pub(super) fn run(
    state: &State,
    caller: &Caller,
    statement: &str,
    all: bool,
) -> Result<Answer, Reply> {
    let bound = soql::parse(statement)
        .and_then(|parsed| soql::bind(state, &parsed, statement, Some(&caller.username)))
        .map_err(|error| Reply::error(400, &error.code, error.message))?;
    let unfit =
        |what: &str| refused("INVALIDJOB", format!("{what} is not supported in Bulk Query"));
    let (Shape::Rows(nodes), Some(table)) = (&bound.shape, state.table(bound.table)) else {
        return Err(unfit("aggregation"));
    };
    if bound.offset > 0 {
        return Err(unfit("OFFSET"));
    }
    if nodes.iter().any(|node| matches!(node, Node::Child { .. })) {
        return Err(unfit("a nested query"));
    }
    let compound = |node: &Node| match node {
        Node::Field { slot, .. } => {
            let field = table.object.fields.get(*slot);
            field.is_some_and(|field| field.ty == FieldType::Address)
        }
        _ => false,
    };
    if nodes.iter().any(compound) {
        return Err(refused("FUNCTIONALITYNOTENABLED", "Selecting compound data not supported"));
    }
    let mut columns = Vec::new();
    names(nodes, "", &mut columns);
    let rows = rows(state, &bound, nodes, all);
    Ok(Answer { object: table.object.name.clone(), columns, rows })
}

fn names(nodes: &[Node], prefix: &str, columns: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Field { name, .. } | Node::ParentField { name } => {
                columns.push(format!("{prefix}{name}"));
            }
            Node::ParentType => columns.push(format!("{prefix}Type")),
            Node::Parent { name, nodes, .. } => names(nodes, &format!("{prefix}{name}."), columns),
            Node::Child { .. } => {}
        }
    }
}

fn rows(state: &State, bound: &Bound, nodes: &[Node], all: bool) -> Vec<Vec<String>> {
    let ids = soql::run(state, bound, all);
    let rows = ids.iter().filter_map(|id| state.table(bound.table)?.get(*id));
    rows.map(|row| {
        let shown = soql::record_json(state, row, nodes, "v67.0");
        let mut cells = Vec::new();
        cells_of(nodes, Some(&shown), &mut cells);
        cells
    })
    .collect()
}

/// Cells in the order of the columns; what a missing parent would show is empty.
fn cells_of(nodes: &[Node], shown: Option<&Json>, cells: &mut Vec<String>) {
    let member = |name: &str| match shown {
        Some(Json::Map(members)) => members.iter().find(|(it, _)| it == name).map(|(_, it)| it),
        _ => None,
    };
    for node in nodes {
        match node {
            Node::Field { name, .. } | Node::ParentField { name } => {
                cells.push(member(name).map(cell).unwrap_or_default());
            }
            Node::ParentType => cells.push(member("Type").map(cell).unwrap_or_default()),
            Node::Parent { name, nodes, .. } => cells_of(nodes, member(name), cells),
            Node::Child { .. } => {}
        }
    }
}

/// Date-times end in `.000Z` here; null and empty look alike.
fn cell(value: &Json) -> String {
    let text = match value {
        Json::Null => return String::new(),
        Json::Text(text) => text.to_string(),
        Json::Shared(text) => text.to_string(),
        other => other.to_value().to_string(),
    };
    match text.strip_suffix(".000+0000") {
        Some(stamp) if stamp.len() == 19 => format!("{stamp}.000Z"),
        _ => text,
    }
}
