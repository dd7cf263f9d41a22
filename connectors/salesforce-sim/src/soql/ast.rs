//! The statement as it was written.

/// `SELECT …`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) select: Vec<Select>,
    pub(crate) from: String,
    pub(crate) from_at: usize,
    pub(crate) alias: Option<String>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group: Vec<Path>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) limit_at: usize,
    pub(crate) offset: usize,
}

/// `Account.Owner.Name`, and where it stands (characters from the start).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) parts: Vec<String>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Select {
    Field(Path),
    /// `COUNT()`.
    Count,
    Aggregate {
        function: Function,
        path: Path,
        alias: Option<String>,
    },
    Child(Box<Query>),
    Fields(FieldSet, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Min,
    Max,
    Sum,
    Avg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldSet {
    All,
    Standard,
    Custom,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) path: Path,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare { path: Path, op: Op, literal: Literal },
    In { path: Path, negated: bool, list: Vec<Literal> },
    InQuery { path: Path, negated: bool, query: Box<Query> },
    Includes { path: Path, negated: bool, list: Vec<Literal> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
}

/// A value on the right of an operator, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) at: usize,
    pub(crate) kind: LiteralKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiteralKind {
    Null,
    Bool(bool),
    Number(f64),
    /// Plain text, and the same with `\%` and `\_` kept for `LIKE`.
    Text {
        plain: String,
        pattern: String,
    },
    Date(jiff::civil::Date),
    /// Milliseconds since 1970.
    DateTime(i64),
    /// `TODAY`, `LAST_N_DAYS:3`: the days `[first, last]` around today, by name.
    DateWord {
        name: String,
        number: Option<i64>,
    },
}
