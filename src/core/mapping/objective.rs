//! What a mapping is to attain.

/// What a mapping is to attain. It changes nothing of what is done: metrics, reports and alerts
/// tell how far it is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Objective {
    /// How soon a change is to be on the other side, microseconds from when it was made.
    pub lag: Option<i64>,
    /// The share of writes that may be refused, in millionths.
    pub failures: Option<u32>,
}

impl Objective {
    /// Whether a change that took so many microseconds was carried in time; nothing where no time
    /// is set.
    #[must_use]
    pub fn is_within(&self, lag: i64) -> Option<bool> {
        self.lag.map(|most| lag <= most)
    }
}
