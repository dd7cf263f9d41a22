//! Lists in pages.

use serde::Serialize;
use utoipa::ToSchema;

/// The most items of a page.
pub(super) const ITEMS_MAX: u32 = 500;

/// A page of a list.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of a list that was read for one item more than it may have. `place` names an item
    /// for the page behind it.
    pub fn new(mut items: Vec<T>, max: usize, place: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > max;
        items.truncate(max);
        let next = items.last().filter(|_| more).map(place);
        Self { items, next }
    }
}
