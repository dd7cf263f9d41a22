//! Reading: scans, polled changes, look-ups.

mod changes;
mod cursor;
mod entities;
mod fetch;
mod history;
mod matching;
mod scan;
mod shown;

pub(crate) use changes::changes;
pub(crate) use entities::entities;
pub(crate) use fetch::{by_text, fetch};
pub(crate) use history::{history, history_object};
pub(crate) use scan::scan;
pub(crate) use shown::ShownRows;
