//! What is wrong with expressions.

use std::ops::Range;

/// What is wrong with an expression, and where in its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The place, in bytes of the expression's text.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}
