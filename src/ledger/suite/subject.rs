//! What the suite runs on.

use crate::{Deliveries, Ledger, People, Setup};

/// What the suite runs on: a handle on a fresh ledger; its clones are other processes.
pub(crate) trait Subject: Ledger + People + Setup + Deliveries + Clone {}

impl<T: Ledger + People + Setup + Deliveries + Clone> Subject for T {}
