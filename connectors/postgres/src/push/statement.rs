//! The SQL of one group of writes.

use crate::catalog::Column;
use crate::layout::Layout;
use crate::read::unnest;

/// What a statement does. In the order in which groups are applied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Verb {
    Insert,
    Update,
    Delete,
}

/// What tells two statements apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub verb: Verb,
    /// The columns written; those compared, of a delete.
    pub columns: Vec<usize>,
    /// How many of them, from the first, are fields of the mapping, whose old values are
    /// compared; the rest are the external id and the marker.
    pub compared: usize,
    /// Columns of an update that are not written, but compared as well.
    pub guards: Vec<usize>,
    /// The place among them of an external-id field that must be free or already this link's.
    pub claimed: Option<usize>,
}

impl Shape {
    pub(crate) fn new(verb: Verb) -> Self {
        Self { verb, columns: Vec::new(), compared: 0, guards: Vec::new(), claimed: None }
    }

    /// The statement. Its arguments are text arrays: key columns, new values, expected values.
    pub(crate) fn statement(&self, layout: &Layout) -> String {
        match self.verb {
            Verb::Insert => self.insert(layout),
            Verb::Update | Verb::Delete => self.guarded(layout),
        }
    }

    fn columns<'a>(&'a self, layout: &'a Layout) -> impl Iterator<Item = &'a Column> {
        self.columns.iter().map(|at| &layout.table.columns[*at])
    }

    /// Answers key texts and the stored fields, in the order of the arguments: the rows of one
    /// `insert` are made and returned in the order of its query.
    fn insert(&self, layout: &Layout) -> String {
        let names: Vec<&str> = self.columns(layout).map(|column| column.ident.as_str()).collect();
        let values: Vec<String> = self
            .columns(layout)
            .enumerate()
            .map(|(at, column)| column.value_of(&format!("i.n{at}")))
            .collect();
        let mut returned = layout.key_texts("t");
        returned.extend(layout.field_texts("t"));
        format!(
            "insert into {} as t ({}) select {} from {} order by i.o returning {}",
            layout.table.quoted,
            names.join(", "),
            values.join(", "),
            unnest("n", names.len(), 1, true),
            returned.join(", "),
        )
    }

    /// Answers, for each row of the arguments: its place, `a` applied, `s` stale, `m` missing,
    /// `b` busy or `x` suppressed by a trigger, the texts of a stale row, the stored
    /// fields of an applied one.
    ///
    /// Rows are locked in key order, so that two batches never wait for each other, and rows
    /// that somebody else holds are skipped, so that a batch never waits for people. The
    /// comparison is made on the version that was locked, whatever the statement's snapshot
    /// says: this is an exact compare-and-set per field (protocol I8).
    fn guarded(&self, layout: &Layout) -> String {
        let table = &layout.table;
        let delete = self.verb == Verb::Delete;
        let written = if delete { 0 } else { self.columns.len() };
        let arguments: Vec<String> = (0..table.key.len())
            .map(|at| format!("k{at}"))
            .chain((0..written).map(|at| format!("n{at}")))
            .chain((0..self.compared + self.guards.len()).map(|at| format!("e{at}")))
            .collect();
        let arrays: Vec<String> =
            (1..=arguments.len()).map(|at| format!("${at}::text[]")).collect();
        let found = |row: &str| {
            let parts = table.key_columns().enumerate();
            let parts = parts.map(|(at, column)| column.equals("t", &format!("{row}.k{at}")));
            parts.collect::<Vec<_>>().join(" and ")
        };
        let order: Vec<String> =
            table.key_columns().map(|column| format!("t.{}", column.ident)).collect();
        let current = layout.texts("t");
        let current = if current.is_empty() {
            "array[]::text[]".to_owned()
        } else {
            format!("array[{}]", current.join(", "))
        };
        // Changing a key column needs the stronger lock, as does a delete; else rows that refer
        // to this one may be added meanwhile.
        let strong = delete || self.columns.iter().any(|at| table.key.contains(at));
        // The whole record as this statement stored it; of a deleted row nothing is stored.
        let stored = if delete { Vec::new() } else { layout.field_texts("t") };
        let returned: String =
            stored.iter().enumerate().map(|(at, text)| format!(", {text} as r{at}")).collect();
        let shown: String = (0..stored.len()).map(|at| format!(", u.r{at}")).collect();
        format!(
            "with i as (select * from unnest({arrays}) with ordinality as i({arguments}, o)), \
             l as materialized (select i.*, ({fits}) as fits, \
             case when not ({fits}) then {current} end as cur \
             from i join {table} t on {joined} order by {order} \
             for {lock} of t skip locked), \
             u as ({change} where {again} and l.fits returning l.o{returned}) \
             select i.o, case when u.o is not null then 'a' when l.fits then 'x' \
             when l.o is not null then 's' \
             when exists (select 1 from {table} t where {joined}) then 'b' else 'm' end, \
             l.cur{shown} \
             from i left join l on l.o = i.o left join u on u.o = i.o",
            arrays = arrays.join(", "),
            arguments = arguments.join(", "),
            fits = self.fits(layout),
            table = table.quoted,
            joined = found("i"),
            again = found("l"),
            order = order.join(", "),
            lock = if strong { "update" } else { "no key update" },
            change = self.change(layout),
        )
    }

    /// The condition under which a row is still what the write expects.
    fn fits(&self, layout: &Layout) -> String {
        let guards = self.guards.iter().map(|at| &layout.table.columns[*at]);
        let mut fits: Vec<String> = self
            .columns(layout)
            .take(self.compared)
            .chain(guards)
            .enumerate()
            .map(|(at, column)| column.same("t", &format!("i.e{at}")))
            .collect();
        if let Some(at) = self.claimed {
            let column = &layout.table.columns[self.columns[at]];
            let same = column.same("t", &format!("i.n{at}"));
            fits.push(format!("(t.{} is null or {same})", column.ident));
        }
        if fits.is_empty() { "true".to_owned() } else { fits.join(" and ") }
    }

    fn change(&self, layout: &Layout) -> String {
        let table = &layout.table.quoted;
        if self.verb == Verb::Delete {
            return format!("delete from {table} t using l");
        }
        let set: Vec<String> = self
            .columns(layout)
            .enumerate()
            .map(|(at, column)| {
                format!("{} = {}", column.ident, column.value_of(&format!("l.n{at}")))
            })
            .collect();
        format!("update {table} t set {} from l", set.join(", "))
    }
}
