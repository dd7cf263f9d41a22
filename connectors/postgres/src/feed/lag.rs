//! How far the acknowledged place of a feed lies behind the log.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a server keeps of its log for our slot. The figures are for people: they need no order.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    open: AtomicBool,
    end: AtomicU64,
    acknowledged: AtomicU64,
}

impl Lag {
    /// A feed begins at the place that its slot has confirmed.
    pub(crate) fn begin(&self, confirmed: u64) {
        self.acknowledged.store(confirmed, Ordering::Relaxed);
        self.end.store(confirmed, Ordering::Relaxed);
        self.open.store(true, Ordering::Relaxed);
    }

    /// The server told how far its log reaches.
    pub(crate) fn told(&self, end: u64) {
        self.end.fetch_max(end, Ordering::Relaxed);
    }

    /// A place was acknowledged.
    pub(crate) fn acknowledged(&self, place: u64) {
        self.acknowledged.fetch_max(place, Ordering::Relaxed);
    }

    /// How many bytes lie between; nothing before a feed was opened.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let bytes = self.end.load(Ordering::Relaxed).saturating_sub(acknowledged);
        self.open.load(Ordering::Relaxed).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Lag;

    #[test]
    fn the_distance_grows_with_the_log_and_shrinks_with_each_acknowledgement() {
        let lag = Lag::default();
        assert_eq!(lag.bytes(), None);
        lag.begin(100);
        assert_eq!(lag.bytes(), Some(0));
        lag.told(150);
        lag.told(140);
        assert_eq!(lag.bytes(), Some(50));
        lag.acknowledged(130);
        lag.acknowledged(120);
        assert_eq!(lag.bytes(), Some(20));
        lag.acknowledged(160);
        assert_eq!(lag.bytes(), Some(0));
        // Another slot, on another server perhaps.
        lag.begin(10);
        assert_eq!(lag.bytes(), Some(0));
    }
}
