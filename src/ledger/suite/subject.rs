//! What the suite runs on.

use crate::{Ledger, People, Setup};

/// What the suite runs on: a handle on a fresh ledger; its clones are other processes.
pub(crate) trait Subject: Ledger + People + Setup + Clone {}

impl<T: Ledger + People + Setup + Clone> Subject for T {}
