//! How large expressions may be, and what they may take.

/// The most characters of an expression.
pub const TEXT_MAX: usize = 1_000;
/// The most parts of an expression: names, constants and calls.
pub const PARTS_MAX: usize = 200;
/// How deep brackets may be nested, and parts of the tree within one another: the parser and the
/// evaluation recurse, and this fits on a thread's stack many times.
pub const DEPTH_MAX: usize = 24;
/// The most brackets: a closing one in a constant would hide how deep the others are.
pub const BRACKETS_MAX: usize = 80;
/// The most members of a list that an expression is given or makes.
pub const MEMBERS_MAX: usize = 1_000;
/// The most work of one evaluation: parts, times members where it goes through a list, times
/// bytes of what it is given. About a tenth of a second at worst.
pub const WORK_MAX: usize = 100_000_000;
