//! The daily allowance of API calls.

/// Calls used of the daily allowance (limits quick reference, API requests).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) max: u64,
    pub(crate) used: u64,
}

impl Default for Usage {
    /// A developer org.
    fn default() -> Self {
        Self { max: 15_000, used: 0 }
    }
}

impl Usage {
    /// Counts one call; refused calls do not count further.
    pub(crate) fn count(&mut self) -> bool {
        if self.used >= self.max {
            return false;
        }
        self.used += 1;
        true
    }

    /// The plain form that every client parses.
    pub(crate) fn header(&self) -> String {
        format!("api-usage={}/{}", self.used, self.max)
    }
}
