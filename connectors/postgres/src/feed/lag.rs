//! How far the acknowledged place of a feed lies behind the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a server keeps of its log for our slot. The figures are for people: they need no order.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// The number of the feed that is open; zero where none is.
    open: AtomicU64,
    /// How many feeds have been opened.
    feeds: AtomicU64,
    end: AtomicU64,
    acknowledged: AtomicU64,
}

/// A feed that is open: with its end nothing is told any more, unless another one has begun.
#[derive(Debug)]
pub(crate) struct OpenFeed {
    lag: Arc<Lag>,
    number: u64,
}

impl Drop for OpenFeed {
    fn drop(&mut self) {
        let open = &self.lag.open;
        // Where it is no longer the open one, its successor stays.
        let _ = open.compare_exchange(self.number, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Lag {
    /// A feed begins at the place that its slot has confirmed.
    pub(crate) fn begin(self: &Arc<Self>, confirmed: u64) -> OpenFeed {
        self.acknowledged.store(confirmed, Ordering::Relaxed);
        self.end.store(confirmed, Ordering::Relaxed);
        let number = self.feeds.fetch_add(1, Ordering::Relaxed) + 1;
        self.open.store(number, Ordering::Relaxed);
        OpenFeed { lag: Arc::clone(self), number }
    }

    /// The server told how far its log reaches.
    pub(crate) fn told(&self, end: u64) {
        self.end.fetch_max(end, Ordering::Relaxed);
    }

    /// A place was acknowledged.
    pub(crate) fn acknowledged(&self, place: u64) {
        self.acknowledged.fetch_max(place, Ordering::Relaxed);
    }

    /// How many bytes lie between; nothing while no feed is open.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let bytes = self.end.load(Ordering::Relaxed).saturating_sub(acknowledged);
        (self.open.load(Ordering::Relaxed) > 0).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Lag;

    #[test]
    fn the_distance_grows_with_the_log_and_shrinks_with_each_acknowledgement() {
        let lag = Arc::new(Lag::default());
        assert_eq!(lag.bytes(), None);
        let first = lag.begin(100);
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
        let second = lag.begin(10);
        assert_eq!(lag.bytes(), Some(0));
        drop(first);
        assert_eq!(lag.bytes(), Some(0), "its successor is open");
        drop(second);
        assert_eq!(lag.bytes(), None, "what the log keeps now nobody tells");
    }
}
