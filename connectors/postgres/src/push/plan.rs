//! The writes of a batch, grouped into statements.

use std::borrow::Cow;
use std::sync::Arc;

use syncline_sdk::{
    Context, Error, ErrorKind, Expect, FieldName, Key, Result, Value, Write, WriteBatch, WriteOp,
};

use super::state::State;
use super::statement::{Shape, Verb};
use crate::catalog::Table;
use crate::layout::Layout;

/// Texts for one column of a statement, one a write.
pub(crate) type Texts<'a> = Vec<Option<Cow<'a, str>>>;

/// Writes of one shape, which one statement applies.
pub(crate) struct Group<'a> {
    pub layout: Arc<Layout>,
    pub shape: Shape,
    pub sql: String,
    /// The places of its writes in the batch.
    pub writes: Vec<usize>,
    /// The arguments of the statement, column by column: keys, new values, expected values.
    pub texts: Vec<Texts<'a>>,
}

impl Group<'_> {
    /// What it works on, for messages.
    pub(crate) fn place(&self) -> &str {
        self.layout.table.entity.as_str()
    }
}

/// A batch, ready to be applied.
pub(crate) struct Plan<'a> {
    pub groups: Vec<Group<'a>>,
    /// Where the selection of each write stands, if anywhere.
    pub layouts: Vec<Option<Arc<Layout>>>,
}

/// One write as texts.
struct Row<'a> {
    shape: Shape,
    key: Vec<Cow<'a, str>>,
    new: Texts<'a>,
    expected: Texts<'a>,
}

impl<'a> Plan<'a> {
    /// Groups the writes. A write that cannot be sent at all gets its state here.
    pub(crate) fn of(
        cx: &Context,
        batch: &'a WriteBatch,
        layouts: Vec<Result<Arc<Layout>>>,
        states: &mut [State],
    ) -> Self {
        let mut plan = Self { groups: Vec::new(), layouts: Vec::new() };
        for (at, (write, layout)) in batch.writes.iter().zip(layouts).enumerate() {
            let layout = match layout {
                Ok(layout) => layout,
                Err(error) => {
                    states[at] = State::Rejected(error);
                    plan.layouts.push(None);
                    continue;
                }
            };
            match row(cx, write, &layout) {
                Ok(row) => plan.add(at, &layout, row),
                Err(state) => states[at] = state,
            }
            plan.layouts.push(Some(layout));
        }
        // Parents come before children by the order of the batch; new rows come before what
        // may refer to them, and rows go last, when nothing refers to them any more.
        plan.groups.sort_by_key(|group| group.shape.verb);
        for group in &mut plan.groups {
            group.sql = group.shape.statement(&group.layout);
        }
        plan
    }

    fn add(&mut self, at: usize, layout: &Arc<Layout>, row: Row<'a>) {
        let same = self
            .groups
            .iter_mut()
            .rev()
            .find(|group| group.shape == row.shape && Arc::ptr_eq(&group.layout, layout));
        let columns = row.key.into_iter().map(Some).chain(row.new).chain(row.expected);
        match same {
            Some(group) => {
                group.writes.push(at);
                for (texts, text) in group.texts.iter_mut().zip(columns) {
                    texts.push(text);
                }
            }
            None => self.groups.push(Group {
                layout: layout.clone(),
                shape: row.shape,
                sql: String::new(),
                writes: vec![at],
                texts: columns.map(|text| vec![text]).collect(),
            }),
        }
    }

    /// What is left of the plan without the writes that were refused.
    pub(crate) fn without_refused(&self, states: &[State]) -> Self {
        let groups = self.groups.iter().filter_map(|group| {
            let left: Vec<usize> = (0..group.writes.len())
                .filter(|at| states[group.writes[*at]].refusal().is_none())
                .collect();
            let of = |texts: &Texts<'a>| left.iter().map(|at| texts[*at].clone()).collect();
            (!left.is_empty()).then(|| Group {
                layout: group.layout.clone(),
                shape: group.shape.clone(),
                sql: group.sql.clone(),
                writes: left.iter().map(|at| group.writes[*at]).collect(),
                texts: group.texts.iter().map(of).collect(),
            })
        });
        Self { groups: groups.collect(), layouts: Vec::new() }
    }

    /// Forgets what a rolled-back transaction answered.
    pub(crate) fn reset(&self, states: &mut [State]) {
        for at in self.groups.iter().flat_map(|group| &group.writes) {
            states[*at] = State::Open;
        }
    }
}

fn row<'a>(cx: &Context, write: &'a Write, layout: &Layout) -> Result<Row<'a>, State> {
    match &write.op {
        WriteOp::Insert { values } => insert(cx, write, layout, values),
        WriteOp::Update { key, values, expect, claim } => {
            update(cx, write, layout, (key, values, expect, *claim))
        }
        WriteOp::Delete { key, fields, expect } => delete(layout, key, fields, expect),
        WriteOp::Fence { .. } | WriteOp::Undelete { .. } => {
            Err(State::Rejected(Error::unsupported(write.op.verb())))
        }
    }
}

fn insert<'a>(
    cx: &Context,
    write: &'a Write,
    layout: &Layout,
    values: &'a [(FieldName, Value)],
) -> Result<Row<'a>, State> {
    let mut shape = Shape::new(Verb::Insert);
    let mut new = written(layout, values, &mut shape)?;
    shape.compared = shape.columns.len();
    own_columns(cx, write, layout, true, &mut shape, &mut new);
    if shape.columns.is_empty() {
        return Err(rejected("a new row needs at least one value"));
    }
    Ok(Row { shape, key: Vec::new(), new, expected: Vec::new() })
}

fn update<'a>(
    cx: &Context,
    write: &'a Write,
    layout: &Layout,
    (key, values, expect, claim): (&'a Key, &'a [(FieldName, Value)], &'a Expect, bool),
) -> Result<Row<'a>, State> {
    let mut shape = Shape::new(Verb::Update);
    let mut new = written(layout, values, &mut shape)?;
    shape.compared = shape.columns.len();
    let mut expected = expectations(layout, &shape.columns, expect)?;
    for (field, value) in &expect.also {
        let at = layout.table.place("push", field).map_err(State::Rejected)?;
        expected.push(expectation(layout, at, value)?);
        shape.guards.push(at);
    }
    own_columns(cx, write, layout, claim, &mut shape, &mut new);
    if claim {
        shape.claimed =
            layout.external_id.and_then(|id| shape.columns.iter().position(|column| *column == id));
    }
    if shape.columns.is_empty() {
        return Err(rejected("an update needs at least one value"));
    }
    Ok(Row { key: key_texts(&layout.table, key)?, shape, new, expected })
}

fn delete<'a>(
    layout: &Layout,
    key: &'a Key,
    fields: &'a [FieldName],
    expect: &'a Expect,
) -> Result<Row<'a>, State> {
    let mut shape = Shape::new(Verb::Delete);
    for field in fields {
        shape.columns.push(layout.table.place("push", field).map_err(State::Rejected)?);
    }
    shape.compared = shape.columns.len();
    let expected = expectations(layout, &shape.columns, expect)?;
    Ok(Row { key: key_texts(&layout.table, key)?, shape, new: Vec::new(), expected })
}

/// A key that can name no row names none.
fn key_texts<'a>(table: &Table, key: &'a Key) -> Result<Vec<Cow<'a, str>>, State> {
    table.key_texts(key).ok_or(State::Missing)
}

fn written<'a>(
    layout: &Layout,
    values: &'a [(FieldName, Value)],
    shape: &mut Shape,
) -> Result<Texts<'a>, State> {
    let mut texts = Vec::with_capacity(values.len() + 2);
    for (field, value) in values {
        let at = layout.table.place("push", field).map_err(State::Rejected)?;
        let column = &layout.table.columns[at];
        texts.push(column.encode(value).map_err(State::Rejected)?);
        shape.columns.push(at);
    }
    Ok(texts)
}

/// The link id of a new or claimed row, and the marker of the intent, where the selection names
/// fields for them.
fn own_columns(
    cx: &Context,
    write: &Write,
    layout: &Layout,
    claim: bool,
    shape: &mut Shape,
    new: &mut Texts<'_>,
) {
    if let Some(at) = layout.external_id.filter(|at| claim && !shape.columns.contains(at)) {
        shape.columns.push(at);
        new.push(Some(Cow::Owned(write.link.to_string())));
    }
    if let Some(at) = layout.marker.filter(|at| !shape.columns.contains(at)) {
        shape.columns.push(at);
        new.push(Some(Cow::Owned(cx.marker(write.intent))));
    }
}

/// The old values to compare with. A value that was never delivered cannot be compared: the row
/// is answered as it is, so that the next plan knows it.
fn expectations<'a>(
    layout: &Layout,
    columns: &[usize],
    expect: &'a Expect,
) -> Result<Texts<'a>, State> {
    if columns.len() != expect.values.len() {
        return Err(rejected("the write does not say what each field held before"));
    }
    let mut texts = Vec::with_capacity(columns.len());
    for (at, value) in columns.iter().zip(&expect.values) {
        texts.push(expectation(layout, *at, value)?);
    }
    Ok(texts)
}

fn expectation<'a>(
    layout: &Layout,
    at: usize,
    value: &'a Value,
) -> Result<Option<Cow<'a, str>>, State> {
    if !value.is_present() {
        return Err(State::Stale(None));
    }
    layout.table.columns[at].encode(value).map_err(State::Rejected)
}

fn rejected(why: &'static str) -> State {
    State::Rejected(Error::new(ErrorKind::Invalid, "push", why))
}
