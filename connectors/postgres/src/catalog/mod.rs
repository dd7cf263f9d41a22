//! What the server's catalog says of a table: columns, key, identity, rights.

mod describe;
mod list;
mod load;
mod table;
mod types;

pub(crate) use list::list;
pub(crate) use load::load;
pub(crate) use table::{Column, Table};
pub(crate) use types::Types;
