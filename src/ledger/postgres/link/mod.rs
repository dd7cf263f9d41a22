//! Table `link`.

mod columns;
mod row;
mod write;

pub(super) use columns::{Columns, Guards};
pub(super) use row::{LinkRow, by_ids, by_left_keys, by_link, by_right_keys, counts, page};
pub(super) use write::{first_moved, insert, update, update_with_keys};
