//! What a process waits for at the desk: a gate, a point in time, the next turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use syncline_engine::Clock;
use syncline_sdk::Instant;

use crate::desk::{Desk, ProcessId, Say};
use crate::process::News;

pub(crate) struct Passing {
    pub(crate) desk: Desk,
    pub(crate) number: u64,
}

impl Future for Passing {
    type Output = Say;
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Say> {
        let mut inner = self.desk.lock();
        let Some(held) = inner.held.get_mut(&self.number) else { return Poll::Ready(Say::Lose) };
        match held.said {
            Some(say) => {
                inner.held.remove(&self.number);
                Poll::Ready(say)
            }
            None => {
                held.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.desk.lock().held.remove(&self.number);
    }
}

pub(crate) struct Sleeping {
    pub(crate) desk: Desk,
    pub(crate) number: u64,
}

impl Future for Sleeping {
    type Output = ();
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.desk.lock();
        let now = inner.now;
        match inner.sleepers.get_mut(&self.number) {
            Some((_, until, waker)) if *until > now => {
                *waker = Some(task.waker().clone());
                Poll::Pending
            }
            _ => {
                inner.sleepers.remove(&self.number);
                Poll::Ready(())
            }
        }
    }
}

pub(crate) struct Turning {
    pub(crate) desk: Desk,
    pub(crate) process: ProcessId,
}

impl Future for Turning {
    type Output = Vec<News>;
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Vec<News>> {
        let mut inner = self.desk.lock();
        let calm = inner.calm;
        let turn = inner.turns.entry(self.process).or_default();
        let granted = if calm { usize::MAX } else { turn.granted };
        turn.waker = Some(task.waker().clone());
        let inbox = inner.inbox.entry(self.process).or_default();
        let take = granted.min(inbox.len());
        if take == 0 {
            return Poll::Pending;
        }
        let news = inbox.drain(..take).collect();
        inner.turns.remove(&self.process);
        Poll::Ready(news)
    }
}

/// The time, as the engine is told it.
pub struct DeskClock(pub Desk);

impl Clock for DeskClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.lock().now)
    }
}
