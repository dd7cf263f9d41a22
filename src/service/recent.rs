//! What was read lately: many who ask at once cost one reading.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

/// A reading that serves all who ask within its life. A clone is the same.
pub(super) struct Recent<T> {
    life: i64,
    known: Arc<Mutex<Option<(i64, T)>>>,
}

impl<T> Clone for Recent<T> {
    fn clone(&self) -> Self {
        Self { life: self.life, known: self.known.clone() }
    }
}

impl<T: Clone + Send + 'static> Recent<T> {
    /// Readings with a life.
    pub fn new(life: Duration) -> Self {
        let life = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
        Self { life, known: Arc::default() }
    }

    /// The reading, or a new one where the last is over; `read` is given the last. `now` tells
    /// the time, microseconds. A reading goes on when who asked for it goes away, so that nobody
    /// starts many of them by asking and leaving.
    pub async fn get<F>(
        &self,
        now: impl Fn() -> i64 + Send + 'static,
        read: impl FnOnce(Option<T>) -> F + Send + 'static,
    ) -> T
    where
        F: Future<Output = T> + Send,
    {
        let (life, known) = (self.life, self.known.clone());
        let reading = tokio::spawn(async move {
            let mut known = known.lock().await;
            if let Some((at, value)) = &*known
                // A clock that was set back ends the life.
                && (0..life).contains(&now().saturating_sub(*at))
            {
                return value.clone();
            }
            let last = known.as_ref().map(|(_, value)| value.clone());
            let value = read(last).await;
            *known = Some((now(), value.clone()));
            value
        });
        match reading.await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn all_who_ask_within_its_life_have_one_reading() {
        let recent = Recent::new(Duration::from_secs(5));
        let clock = Arc::new(AtomicI64::new(0));
        let get = async |at: i64, value: i64| {
            clock.store(at, Ordering::Relaxed);
            let clock = clock.clone();
            let now = move || clock.load(Ordering::Relaxed);
            recent.get(now, move |last: Option<i64>| async move { last.unwrap_or(0) + value }).await
        };
        assert_eq!(get(0, 1).await, 1);
        assert_eq!(get(4_999_999, 1).await, 1);
        assert_eq!(get(5_000_000, 10).await, 11);
        assert_eq!(get(9_000_000, 1).await, 11);
        assert_eq!(get(1, 100).await, 111);
    }

    #[tokio::test]
    async fn a_reading_outlives_who_asked_for_it() {
        let recent = Recent::new(Duration::from_secs(5));
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let asked = {
            let (recent, begun, go) = (recent.clone(), begun.clone(), go.clone());
            tokio::spawn(async move {
                let read = |_| async move {
                    begun.notify_one();
                    go.notified().await;
                    1
                };
                recent.get(|| 0, read).await
            })
        };
        begun.notified().await;
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        go.notify_one();
        assert_eq!(recent.get(|| 1, |_| async { 2 }).await, 1);
    }
}
