//! A statement bound to the schema: names become slots, literals become typed operands, and
//! everything the caller may not see is unknown.

use super::ast::{FieldSet, Path, Query, Select};
use super::bound::{Bound, Column, Node, Shape};
use super::error::{Located, QueryError};
use crate::org::state::State;
use crate::schema::{FieldDef, ObjectDef};

/// Binds a parsed statement; errors quote `statement`.
pub(crate) fn bind(
    state: &State,
    query: &Query,
    statement: &str,
    viewer: Option<&str>,
) -> Result<Bound, QueryError> {
    let Some(table) = state.table_at(&query.from) else {
        return Err(unsupported(&query.from, query.from_at).quote(statement));
    };
    let binder = Binder { state, viewer };
    binder.query(query, table).map_err(|error| error.quote(statement))
}

pub(crate) fn unsupported(object: &str, at: usize) -> Located {
    let text = format!(
        "sObject type '{object}' is not supported. If you are attempting to use a custom object, \
         be sure to append the '__c' after the entity name. Please reference your WSDL or the \
         describe call for the appropriate names."
    );
    Located::new("INVALID_TYPE", at, text)
}

/// The schema as the caller may see it.
pub(super) struct Binder<'a> {
    pub(super) state: &'a State,
    viewer: Option<&'a str>,
}

impl Binder<'_> {
    pub(super) fn query(&self, query: &Query, table: usize) -> Result<Bound, Located> {
        let alias = query.alias.as_deref();
        let shape = self.shape(query, table)?;
        let test = match &query.filter {
            Some(filter) => Some(self.test(filter, table, alias)?),
            None => None,
        };
        let mut order = Vec::new();
        if matches!(shape, Shape::Rows(_)) {
            for item in &query.order {
                let column = self.filter_column(&item.path, table, alias, "sorted")?;
                order.push((column, item.descending, item.nulls_first));
            }
        }
        Ok(Bound { table, shape, test, order, limit: query.limit, offset: query.offset })
    }

    pub(super) fn object(&self, table: usize) -> Result<&ObjectDef, Located> {
        match self.state.table(table) {
            Some(table) => Ok(&table.object),
            None => Err(unsupported("", 0)),
        }
    }

    pub(super) fn shape(&self, query: &Query, table: usize) -> Result<Shape, Located> {
        if let [Select::Count] = query.select.as_slice() {
            return Ok(Shape::Count);
        }
        let grouped = !query.group.is_empty()
            || query.select.iter().any(|it| matches!(it, Select::Aggregate { .. }));
        if grouped {
            if let Some(order) = query.order.first() {
                return Err(Located::unexpected(order.path.at, "ORDER BY with aggregates"));
            }
            return super::aggregate::shape(query, |path| {
                self.column(path, table, query.alias.as_deref())
            });
        }
        let mut nodes = Vec::new();
        for item in &query.select {
            match item {
                Select::Field(path) => self.add_field(&mut nodes, path, table, query)?,
                Select::Fields(set, at) => self.add_set(&mut nodes, *set, *at, table, query)?,
                Select::Child(child) => nodes.push(self.child(child, table)?),
                Select::Count | Select::Aggregate { .. } => {
                    return Err(Located::unexpected(query.from_at, "'COUNT'"));
                }
            }
        }
        Ok(Shape::Rows(nodes))
    }

    pub(super) fn add_set(
        &self,
        nodes: &mut Vec<Node>,
        set: FieldSet,
        at: usize,
        table: usize,
        query: &Query,
    ) -> Result<(), Located> {
        if set != FieldSet::Standard && query.limit.is_none_or(|limit| limit > 200) {
            let text = "The SOQL FIELDS function must have a LIMIT of at most 200";
            return Err(Located::malformed(at, text));
        }
        for (slot, field) in self.object(table)?.live() {
            let wanted = match set {
                FieldSet::All => true,
                FieldSet::Standard => !field.custom,
                FieldSet::Custom => field.custom,
            };
            if wanted && field.visible_to(self.viewer) {
                nodes.push(Node::Field { name: field.name.clone(), slot });
            }
        }
        Ok(())
    }

    pub(super) fn add_field(
        &self,
        nodes: &mut Vec<Node>,
        path: &Path,
        table: usize,
        query: &Query,
    ) -> Result<(), Located> {
        let path = without_alias(path, query.alias.as_deref(), &query.from);
        let object = self.object(table)?;
        if let [name] = path.parts.as_slice() {
            let (slot, field) = self.field(object, name, path.at)?;
            nodes.push(Node::Field { name: field.name.clone(), slot });
            return Ok(());
        }
        self.add_parent(nodes, object, &path.parts, path.at)
    }

    /// `Account.Owner.Name`: parents nest, and share a node when named twice.
    pub(super) fn add_parent(
        &self,
        nodes: &mut Vec<Node>,
        object: &ObjectDef,
        parts: &[String],
        at: usize,
    ) -> Result<(), Located> {
        let [hop, rest @ ..] = parts else {
            return Ok(());
        };
        let Some(leaf) = rest.first() else {
            let (_, field) = self.field(object, hop, at)?;
            nodes.push(Node::ParentField { name: field.name.clone() });
            return Ok(());
        };
        let (reference, target) = self.hop(object, hop, rest.len() == 1, leaf, at)?;
        let name = reference.relationship.clone().unwrap_or_default();
        let known = nodes
            .iter()
            .position(|node| matches!(node, Node::Parent { name: it, .. } if *it == name));
        let place = known.unwrap_or_else(|| {
            let reference = reference.name.clone();
            nodes.push(Node::Parent { name, reference, nodes: Vec::new() });
            nodes.len() - 1
        });
        let several = reference.reference_to.len() > 1;
        match nodes.get_mut(place) {
            Some(Node::Parent { nodes, .. })
                if several && rest.len() == 1 && leaf.eq_ignore_ascii_case("Type") =>
            {
                nodes.push(Node::ParentType);
                Ok(())
            }
            Some(Node::Parent { nodes, .. }) => self.add_parent(nodes, target, rest, at),
            _ => Ok(()),
        }
    }

    /// The reference behind a relationship name, and the object it leads to: of several, the
    /// first that has the next field.
    pub(super) fn hop<'b>(
        &'b self,
        object: &'b ObjectDef,
        hop: &str,
        is_last: bool,
        next: &str,
        at: usize,
    ) -> Result<(&'b FieldDef, &'b ObjectDef), Located> {
        let found = object.relationship(hop).filter(|(_, field)| field.visible_to(self.viewer));
        let Some((_, reference)) = found else {
            let text = format!(
                "Didn't understand relationship '{hop}' in field path. If you are attempting to \
                 use a custom relationship, be sure to append the '__r' after the custom \
                 relationship name. Please reference your WSDL or the describe call for the \
                 appropriate names."
            );
            return Err(Located::new("INVALID_FIELD", at, text));
        };
        let targets = || {
            let tables = reference.reference_to.iter();
            tables.filter_map(|name| self.state.table_named(name)).map(|table| &table.object)
        };
        let having = targets().find(|object| {
            if is_last { object.slot(next).is_some() } else { object.relationship(next).is_some() }
        });
        match having.or_else(|| targets().next()) {
            Some(target) => Ok((reference, target)),
            None => Err(unsupported(hop, at)),
        }
    }

    pub(super) fn field<'b>(
        &self,
        object: &'b ObjectDef,
        name: &str,
        at: usize,
    ) -> Result<(usize, &'b FieldDef), Located> {
        match object.field(name).filter(|(_, field)| field.visible_to(self.viewer)) {
            Some(found) => Ok(found),
            None => {
                let text = format!(
                    "No such column '{name}' on entity '{}'. If you are attempting to use a \
                     custom field, be sure to append the '__c' after the custom field name. \
                     Please reference your WSDL or the describe call for the appropriate names.",
                    object.name
                );
                Err(Located::new("INVALID_FIELD", at, text))
            }
        }
    }

    pub(super) fn child(&self, query: &Query, parent: usize) -> Result<Node, Located> {
        let parent = &self.object(parent)?.name;
        for (at, table) in self.state.tables.iter().enumerate() {
            for (slot, field) in table.object.references() {
                let named = field.child_relationship.as_deref();
                if named.is_some_and(|name| name.eq_ignore_ascii_case(&query.from))
                    && field.reference_to.contains(parent)
                {
                    let name = named.unwrap_or_default().to_owned();
                    let query = Box::new(self.query(query, at)?);
                    return Ok(Node::Child { name, slot, query });
                }
            }
        }
        let text =
            format!("Didn't understand relationship '{}' in FROM part of query call.", query.from);
        Err(Located::new("INVALID_TYPE", query.from_at, text))
    }

    pub(super) fn column(
        &self,
        path: &Path,
        table: usize,
        alias: Option<&str>,
    ) -> Result<Column, Located> {
        let mut object = self.object(table)?;
        let path = without_alias(path, alias, &object.name);
        let mut parts = path.parts.as_slice();
        let mut hops = Vec::new();
        while let [hop, rest @ ..] = parts
            && let Some(next) = rest.first()
        {
            let (reference, target) = self.hop(object, hop, rest.len() == 1, next, path.at)?;
            hops.push(reference.name.clone());
            object = target;
            parts = rest;
        }
        let name = parts.first().map(String::as_str).unwrap_or_default();
        let (slot, field) = self.field(object, name, path.at)?;
        Ok(Column { hops, slot, field: field.clone() })
    }

    pub(super) fn filter_column(
        &self,
        path: &Path,
        table: usize,
        alias: Option<&str>,
        what: &str,
    ) -> Result<Column, Located> {
        let column = self.column(path, table, alias)?;
        if !column.field.filterable() {
            let name = &column.field.name;
            let text = format!("field '{name}' can not be {what} in a query call");
            return Err(Located::new("INVALID_FIELD", path.at, text));
        }
        Ok(column)
    }
}

fn without_alias(path: &Path, alias: Option<&str>, object: &str) -> Path {
    let first = path.parts.first().map(String::as_str).unwrap_or_default();
    let named = path.parts.len() > 1
        && (alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first))
            || object.eq_ignore_ascii_case(first));
    let parts = path.parts.iter().skip(usize::from(named)).cloned().collect();
    Path { parts, at: path.at }
}
