//! Fields that are computed by expressions, as a file says them.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::FieldName;

use super::reader::{Keyed, Keys, Reader};
use super::scalar_map::ScalarMap;
use super::table_files::digest;
use super::tree::{Entry, Node, NodeKind, Scalar, Style};
use super::{Located, Span, TableFiles, ValueRows};
use crate::mapping::Direction;
use crate::mapping::expression::{Expression, Library, Table, Tables};
use crate::{Side, Sides};

const EXAMPLE: &str = "{ left: [FirstName, LastName], right: full_name, to_right: \"...\" }";

/// The tables of a mapping.
pub(super) struct MappingTables {
    /// What expressions look things up in.
    pub library: Arc<Library>,
    /// The rows of each table, in the order of its file.
    pub rows: BTreeMap<Arc<str>, ValueRows>,
    /// The files that were read, each with a text that changes with what is in it.
    pub digests: Vec<(Arc<str>, String)>,
}

/// The files that a mapping names for tables.
pub(super) fn table_files(root: &Node) -> Vec<Located<Arc<str>>> {
    let entries = |node: &Node| match &node.kind {
        NodeKind::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let all = entries(root);
    let tables = all.iter().filter(|entry| &**entry.key == "tables");
    let tables = tables.flat_map(|entry| entries(&entry.value));
    let file = |entry: Entry| {
        let scalar = entry.value.as_scalar().filter(|scalar| !scalar.is_null())?;
        Some(Located::new(Arc::clone(&scalar.text), entry.value.span))
    };
    tables.filter_map(file).collect()
}

/// The tables of a mapping: names, each with keys and values, or with a file that has them.
pub(super) fn tables(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    files: &TableFiles,
) -> MappingTables {
    let (mut rows, mut digests) = (BTreeMap::new(), Vec::new());
    if let Some(node) = keyed.get("tables") {
        let NodeKind::Map(entries) = &node.kind else {
            let diagnostic = reader
                .error(node.span, format!("`tables` has a table by each name, not {}", node.what()))
                .help("write tables as in: tables: { countries: { DE: Germany } }");
            reader.note(diagnostic);
            let library = Library::new(Tables::new());
            return MappingTables { library, rows, digests };
        };
        for entry in entries {
            let table = match entry.value.as_scalar().filter(|scalar| !scalar.is_null()) {
                Some(scalar) => {
                    // One that is not known could not be read, which was noted.
                    let file = files.0.get(&*scalar.text).map(|rows| &***rows).unwrap_or_default();
                    digests.push((Arc::clone(&scalar.text), digest(file)));
                    let at = |text: &Arc<str>| {
                        let scalar = Scalar { text: Arc::clone(text), style: Style::Plain };
                        Located::new(scalar, entry.value.span)
                    };
                    file.iter().map(|(key, value)| (at(key), at(value))).collect()
                }
                None => table(reader, &entry.value),
            };
            rows.insert(Arc::clone(&entry.key), table);
        }
    }
    let texts = |table: &ValueRows| -> Table {
        let texts = table.iter().map(|(key, value)| (key.text.clone(), value.text.clone()));
        texts.collect()
    };
    let tables: Tables = rows.iter().map(|(name, rows)| (Arc::clone(name), texts(rows))).collect();
    MappingTables { library: Library::new(tables), rows, digests }
}

fn table(reader: &mut Reader<'_>, node: &Node) -> ValueRows {
    let NodeKind::Map(entries) = &node.kind else {
        let diagnostic = reader
            .error(node.span, format!("a table has keys and values, not {}", node.what()))
            .help("write one as in: countries: { DE: Germany }, or name a file: countries.csv");
        reader.note(diagnostic);
        return ValueRows::new();
    };
    let mut rows = ValueRows::new();
    for row in entries {
        let Some(value) = reader.text(&row.value, &row.key) else { continue };
        let style = row.value.as_scalar().map_or(Style::Plain, |scalar| scalar.style);
        let key = Scalar { text: Arc::clone(&row.key), style: Style::Plain };
        let value = value.map(|text| Scalar { text, style });
        rows.push((Located::new(key, row.key.span), value));
    }
    rows
}

/// The fields of one side: a name, or a list of names.
pub(super) fn names(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    side: Side,
) -> Option<Vec<Located<FieldName>>> {
    let node = reader.required(keyed, "a field pair", side.as_str(), EXAMPLE)?;
    let NodeKind::List(items) = &node.kind else {
        return Some(vec![reader.text(node, side.as_str())?.map(FieldName::new)]);
    };
    let mut names: Vec<Located<FieldName>> = Vec::new();
    for item in items {
        names.push(reader.text(item, side.as_str())?.map(FieldName::new));
    }
    if names.is_empty() {
        let diagnostic =
            reader.error(node.span, format!("`{side}` names no field")).help("name at least one");
        reader.note(diagnostic);
        return None;
    }
    Some(names)
}

/// The expressions of a pair, and the direction that they make.
pub(super) fn formulas(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    fields: &Sides<Vec<Located<FieldName>>>,
    direction: &mut Located<Direction>,
    library: &Arc<Library>,
) -> Option<Sides<Vec<Expression>>> {
    let mut formulas: Sides<Vec<Expression>> = Sides::default();
    let key = |side: Side| if side == Side::Left { "to_left" } else { "to_right" };
    for side in Side::BOTH {
        let Some(node) = keyed.get(key(side)) else { continue };
        formulas[side] = of_side(reader, node, fields, side, library)?;
    }
    let made = match (formulas.left.is_empty(), formulas.right.is_empty()) {
        (false, false) => Direction::Both,
        (false, true) => Direction::ToLeft,
        (true, false) => Direction::ToRight,
        (true, true) => {
            let diagnostic = reader
                .error(keyed.span, "several fields on one side need expressions")
                .help(format!("add `to_right`, `to_left` or both, as in: {EXAMPLE}"));
            reader.note(diagnostic);
            return None;
        }
    };
    if keyed.get("direction").is_some() && direction.value != made {
        let diagnostic = reader
            .error(direction.span, "`direction` contradicts the expressions")
            .help("remove `direction`: a field travels where `to_left` and `to_right` say");
        reader.note(diagnostic);
    }
    direction.value = made;
    for key in ["values", "normalize", "reference", "default", "round", "truncate", "zone"] {
        if let Some(span) = keyed.key_span(key) {
            let diagnostic = reader
                .error(span, format!("a computed field has no `{key}`"))
                .help("say it in the expression, or remove it");
            reader.note(diagnostic);
        }
    }
    used(reader, fields, &formulas);
    Some(formulas)
}

fn of_side(
    reader: &mut Reader<'_>,
    node: &Node,
    fields: &Sides<Vec<Located<FieldName>>>,
    to: Side,
    library: &Arc<Library>,
) -> Option<Vec<Expression>> {
    if let [_] = fields[to].as_slice()
        && node.as_scalar().is_some()
    {
        return Some(vec![expression(reader, node, fields, to, library)?]);
    }
    let names: Vec<&str> = fields[to].iter().map(|name| name.as_str()).collect();
    let keys = Keys { of: "the expressions of a side", known: &names, refused: &[] };
    let keyed = reader.keys(node, keys)?;
    let mut made = Vec::new();
    for name in names {
        let example = format!("{name}: \"...\"");
        let node = reader.required(keyed, "the expressions of a side", name, &example)?;
        made.push(expression(reader, node, fields, to, library)?);
    }
    Some(made)
}

fn expression(
    reader: &mut Reader<'_>,
    node: &Node,
    fields: &Sides<Vec<Located<FieldName>>>,
    to: Side,
    library: &Arc<Library>,
) -> Option<Expression> {
    let text = reader.text(node, "an expression")?;
    let map = ScalarMap::new(reader.source, node.as_scalar()?, node.span);
    let expression = match Expression::parse(&text, library) {
        Ok(expression) => expression,
        Err(faults) => {
            for fault in faults {
                let span = Span { start: fault.place.start, end: fault.place.end };
                let place = map.locate(span);
                let diagnostic = reader.error(place, fault.message).help(fault.help);
                reader.note(diagnostic);
            }
            return None;
        }
    };
    let mut known = true;
    for variable in expression.variables() {
        let side = if variable.old { to } else { to.other() };
        if fields[side].iter().any(|field| field.as_str() == &*variable.field) {
            continue;
        }
        known = false;
        let given: Vec<&str> = fields[side].iter().map(|field| field.as_str()).collect();
        let name = if variable.old {
            format!("old.{}", variable.field)
        } else {
            variable.field.to_string()
        };
        let diagnostic = reader
            .error(node.span, format!("`{name}` is no field of this pair's {side} side"))
            .note(format!("it has {}", given.join(", ")))
            .help(format!("add the field to `{side}`, or correct the name"));
        reader.note(diagnostic);
    }
    known.then_some(expression)
}

/// A field that no expression reads would be edited for nothing.
fn used(
    reader: &mut Reader<'_>,
    fields: &Sides<Vec<Located<FieldName>>>,
    formulas: &Sides<Vec<Expression>>,
) {
    for to in Side::BOTH.into_iter().filter(|to| !formulas[*to].is_empty()) {
        for name in &fields[to.other()] {
            let reads = |it: &Expression| {
                it.variables().iter().any(|read| !read.old && *read.field == *name.as_str())
            };
            if formulas[to].iter().any(reads) {
                continue;
            }
            let message = format!("no expression of `to_{to}` reads `{}`", **name);
            let diagnostic = reader
                .error(name.span, message)
                .note("an edit of it would go nowhere")
                .help("use it there, or take it out of this pair");
            reader.note(diagnostic);
        }
    }
}
