//! The org: its state behind one mutex, and the handle that tests and the server share.

pub(crate) mod clock;
mod company;
mod exec;
mod handle;
pub(crate) mod ids;
pub(crate) mod locks;
mod person;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod txn;
mod users;
pub(crate) mod value;

pub(crate) use exec::CommitDelay;
pub use handle::{Credentials, Org};
pub use ids::Id;
pub(crate) use person::PERSON;
pub use person::{Person, Refused};
pub use settings::{ConditionalDelete, ConditionalStamp, Settings};
pub use users::NewUser;
