//! Table `link`.

mod columns;
mod row;
mod write;

pub(super) use columns::{Columns, Guards};
pub(super) use row::{
    BodyRow, bodies, by_ids, by_left_keys, by_link, by_right_keys, counts, forgotten, links, page,
};
pub(super) use write::{erase, first_moved, insert, replace_bodies, update, update_with_keys};
