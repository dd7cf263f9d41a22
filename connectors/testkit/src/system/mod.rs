//! The fake system: what is in it, what people do to it, what really happened.

mod commit;
mod copies;
mod handle;
mod pages;
mod people;
mod person;
mod reads;
mod row;
mod save;
mod stream;
mod world;
mod writes;

pub use copies::UnderWay;
pub use handle::{Counts, MemorySystem};
pub use person::Person;

pub(crate) use commit::Author;
pub(crate) use copies::Copy;
pub(crate) use pages::no_entity;
pub(crate) use row::{Row, State};
pub(crate) use stream::{StreamEntry, Told, Watched};
pub(crate) use world::World;
pub(crate) use writes::Effect;
