//! The account of a period: what was carried, refused, asked and used between two times. Reports
//! are accounts that are kept.

mod made;
mod told;
mod totals;

pub use made::{Account, account_since, last_report};
pub use told::{line, lines, objective};
pub use totals::Totals;
