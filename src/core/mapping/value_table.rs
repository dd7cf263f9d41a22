//! Tables of values that stand for one another.

use syncline_sdk::{Normalizer, Value};

use crate::Side;

/// Which value on one side stands for which on the other. Each left value stands once; where
/// several left values have one right value, the first of them is the image of the right one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValueTable {
    /// Pairs of left and right value.
    pub pairs: Vec<(Value, Value)>,
}

impl ValueTable {
    /// Whether several values of a side stand for one value of the other.
    #[must_use]
    pub fn is_many_to_one(&self, side: Side) -> bool {
        let other = |at: usize| match side {
            Side::Left => &self.pairs[at].1,
            Side::Right => &self.pairs[at].0,
        };
        (1..self.pairs.len()).any(|at| (0..at).any(|before| other(before) == other(at)))
    }
    /// The value of the other side, or nothing when the table does not have this one, which is in
    /// the normal form of these steps.
    #[must_use]
    pub fn translate(&self, to: Side, value: &Value, steps: &[Normalizer]) -> Option<&Value> {
        self.pairs
            .iter()
            .map(|(left, right)| match to {
                Side::Left => (right, left),
                Side::Right => (left, right),
            })
            .find(|(from, _)| {
                let normal = || Normalizer::apply_all(steps, (*from).clone());
                *from == value || (!steps.is_empty() && normal() == *value)
            })
            .map(|(_, image)| image)
    }
}
