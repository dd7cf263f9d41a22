//! Requests under way, and a gate that decides.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use syncline_sdk::{Connector, WriteBatch, WriteOutcome};

use super::fixture::Memory;
use crate::conformance::{Fixture, Session};
use crate::{Gate, MemoryConnector, Point, Profile, Step, Told, Verdict, complete};

/// Gives the verdicts in order, one a point; holds the call when they are used up.
#[derive(Default)]
struct Verdicts(Mutex<VecDeque<Verdict>>, Mutex<Vec<Step>>);

#[async_trait]
impl Gate for Verdicts {
    async fn pass(&self, point: Point) -> Verdict {
        self.1.lock().unwrap().push(point.step);
        std::future::poll_fn(|_| match self.0.lock().unwrap().pop_front() {
            Some(verdict) => Poll::Ready(verdict),
            None => Poll::Pending,
        })
        .await
    }
}

/// A system with a client behind the gate, and a batch of two updates.
fn gated(profile: Profile, verdicts: Vec<Verdict>) -> (Memory, Arc<Verdicts>, WriteBatch) {
    let mut memory = Memory::new(profile);
    let batch = {
        let session = Session::new(&memory);
        let writes = (0..2).map(|_| {
            let key = complete(session.created());
            session.update_text(&complete(session.settled(&key)).unwrap()).0
        });
        session.batch(writes.collect())
    };
    let gate = Arc::new(Verdicts(Mutex::new(verdicts.into()), Mutex::default()));
    memory.client = MemoryConnector::gated(&memory.system, gate.clone());
    (memory, gate, batch)
}

fn effects(memory: &Memory) -> Vec<&'static str> {
    memory.system.writes().iter().map(|write| write.effect).collect()
}

#[test]
fn a_crash_leaves_the_request_under_way() {
    let (memory, _, batch) = gated(Profile::postgres(), vec![]);
    {
        let cx = memory.context();
        let mut push = pin!(memory.client.push(&cx, batch));
        let mut task = Task::from_waker(Waker::noop());
        assert!(push.as_mut().poll(&mut task).is_pending());
    }
    let waiting = memory.system.under_way();
    assert_eq!(waiting.len(), 1);
    assert!(effects(&memory).is_empty());
    assert!(memory.system.deliver(waiting[0].copy));
    assert_eq!(effects(&memory), ["applied", "applied"]);
    assert_eq!(memory.system.requests().last().unwrap().told, Told::Nothing);
}

#[test]
fn a_crash_after_the_work_loses_the_answer_only() {
    let (memory, gate, batch) = gated(Profile::postgres(), vec![Verdict::Go]);
    {
        let cx = memory.context();
        let mut push = pin!(memory.client.push(&cx, batch));
        let mut task = Task::from_waker(Waker::noop());
        assert!(push.as_mut().poll(&mut task).is_pending());
    }
    assert_eq!(*gate.1.lock().unwrap(), [Step::Arrive, Step::Answer]);
    assert_eq!(effects(&memory), ["applied", "applied"]);
    assert!(memory.system.under_way().is_empty());
}

#[test]
fn a_cut_between_two_writes_leaves_the_rest_under_way() {
    let (memory, _, batch) = gated(Profile::crm(), vec![Verdict::Go, Verdict::Lose]);
    let outcomes = complete(memory.client.push(&memory.context(), batch)).unwrap();
    assert!(outcomes.iter().all(|one| matches!(one, WriteOutcome::Unknown(_))));
    assert_eq!(effects(&memory), ["applied"]);
    let waiting = memory.system.under_way();
    assert!(memory.system.deliver(waiting[0].copy));
    assert_eq!(effects(&memory), ["applied", "applied"]);
}

#[test]
fn a_request_dies_at_the_end_of_its_horizon() {
    let (memory, _, batch) = gated(Profile::postgres(), vec![Verdict::Delay]);
    complete(memory.client.push(&memory.context(), batch)).unwrap();
    let dies_at = memory.system.under_way()[0].dies_at;
    complete(memory.wait(Duration::from_secs(89)));
    assert_eq!(memory.system.under_way().len(), 1);
    memory.system.advance(dies_at);
    assert!(memory.system.under_way().is_empty());
}

#[test]
fn a_refused_call_sends_nothing() {
    let error = syncline_sdk::Error::unsupported("push");
    let (memory, _, batch) = gated(Profile::crm(), vec![Verdict::Refuse(error)]);
    assert!(complete(memory.client.push(&memory.context(), batch)).is_err());
    assert!(memory.system.under_way().is_empty() && effects(&memory).is_empty());
}

#[test]
fn an_idle_verdict_ends_the_wait_of_a_feed() {
    let verdicts = vec![Verdict::Go, Verdict::Go, Verdict::Go, Verdict::Go, Verdict::Go];
    let (memory, gate, _) = gated(Profile::postgres(), verdicts);
    let (cx, selection) = (memory.context(), memory.selection());
    let mut feed = complete(memory.client.open_feed(&cx, &[&selection], None)).unwrap();
    let batch = complete(feed.next(&cx, 10)).unwrap();
    assert!(batch.idle && batch.changes.is_empty() && batch.position.is_some());
    assert!(gate.1.lock().unwrap().contains(&Step::Idle));
}

#[test]
fn a_waiting_feed_is_woken_by_a_commit_and_dropping_it_loses_nothing() {
    let memory = Memory::new(Profile::postgres());
    let (cx, selection) = (memory.context(), memory.selection());
    let mut feed = complete(memory.client.open_feed(&cx, &[&selection], None)).unwrap();
    {
        let mut next = pin!(feed.next(&cx, 10));
        let mut task = Task::from_waker(Waker::noop());
        assert!(next.as_mut().poll(&mut task).is_pending());
        complete(memory.create(vec![("Name".into(), "a".into())]));
    }
    assert_eq!(complete(feed.next(&cx, 10)).unwrap().changes.len(), 1);
}
