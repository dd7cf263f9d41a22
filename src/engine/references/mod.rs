//! References: native ids outside, links inside (protocol 1.7).

mod links;

#[cfg(test)]
mod tests;

pub(crate) use links::{ask_for_parents, link_history, shown, with_links};
