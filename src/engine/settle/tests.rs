//! How long a pass of settling takes a system's time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use futures_util::FutureExt;
use syncline_core::Side;
use syncline_core::machine::{Carried, Limits, Mappings, OutBatch, Step};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Batch, BatchState, Intent, IntentKind};
use syncline_ledger::memory::Memory;
use syncline_sdk::{
    Actor, BatchId, Connector, Context, Error, ErrorKind, Instant, IntentId, LinkId, Settlement,
    SystemName, Version, WriteBatch,
};

use crate::clock::{Clock, Ids, micros};
use crate::engine::{Engine, Parts};
use crate::fixture::{Stub, capabilities};
use crate::flight::Flight;
use crate::limits;

/// A clock that stands still but for the calls of the system.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::from_micros(1_000_000_000_000 + self.0.load(Ordering::SeqCst))
    }
}

struct NoIds;

impl Ids for NoIds {
    fn link(&mut self, _: Instant) -> LinkId {
        unreachable!("nothing is linked here")
    }
}

/// An unknown batch of one write.
fn flight(commit: i64) -> Flight {
    let id = IntentId { commit, ordinal: 0 };
    let intent = Intent {
        id,
        side: Side::Right,
        kind: IntentKind::Create,
        key: None,
        units: vec![0],
        fields: Vec::new(),
        version: Version::default(),
        source: Vec::new(),
        half: false,
        actor: Actor::default(),
        edited_at: None,
    };
    let link = LinkId(uuid::Uuid::from_u128(8));
    let mapping = MappingId(1);
    let step = Step::Write;
    let carried = Carried { mapping, link, intent, step, claim: false, group: None };
    let batch = BatchId { commit, ordinal: 0 };
    let row = Batch {
        id: batch,
        system: SystemName::from("ops"),
        intents: vec![id],
        epoch: 1,
        state: BatchState::Sent,
        first_sent: 0,
        last_sent: 0,
        die_after: i64::MAX,
        attempts: 1,
    };
    let write = WriteBatch { batch, writes: Vec::new() };
    let out = OutBatch { batch: row, carried: vec![carried], write };
    Flight { awaited: false, ..Flight::new(out) }
}

/// An engine with sixteen unknown batches of one system that takes its time to settle, and how
/// often that was asked.
fn stuck(takes: i64, answers: bool) -> (Engine<Memory>, Arc<AtomicUsize>, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    let asked = Arc::new(AtomicUsize::default());
    let (hand, counted) = (clock.clone(), asked.clone());
    let settles = move |cx: &Context| {
        counted.fetch_add(1, Ordering::SeqCst);
        hand.0.fetch_add(takes.min(micros(cx.timeout)), Ordering::SeqCst);
        match answers {
            true => Ok(vec![Settlement::Awaited]),
            false => Err(Error::new(ErrorKind::Unavailable, "settle", "no answer")),
        }
    };
    let connector: Arc<dyn Connector> =
        Arc::new(Stub { settles: Box::new(settles), ..Stub::new(capabilities()) });
    let mut engine = Engine::new(Parts {
        ledger: Arc::new(Memory::default()),
        install: "install".into(),
        owner: "one".to_owned(),
        mappings: Mappings::new(),
        connectors: BTreeMap::from([(SystemName::from("ops"), connector)]),
        away: BTreeMap::new(),
        clock: clock.clone(),
        ids: Box::new(NoIds),
        limits: Limits::default(),
    });
    (0..16).for_each(|commit| engine.flights.insert(flight(commit)));
    (engine, asked, clock)
}

#[test]
fn a_system_that_gives_no_answer_is_asked_once_and_left_alone() {
    let (mut engine, asked, clock) = stuck(micros(limits::CALL_TIMEOUT), false);
    let began = clock.now().micros();
    engine.settle_unknown().now_or_never().unwrap().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the rounds wait for one call");
    let took = clock.now().micros() - began;
    assert_eq!(took, micros(limits::PATIENCE_MIN));
    let away = engine.systems()["ops"].breaker.away(clock.now());
    assert_eq!(away, Some(9 * took), "the rounds know that it does not answer");
    engine.settle_unknown().now_or_never().unwrap().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.0.fetch_add(9 * took, Ordering::SeqCst);
    engine.settle_unknown().now_or_never().unwrap().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2, "it is asked again");
}

#[test]
fn one_that_is_slow_is_asked_for_a_second_and_for_the_rest_later() {
    let (mut engine, asked, _) = stuck(400_000, true);
    for passes in 1..=5 {
        engine.settle_unknown().now_or_never().unwrap().unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 3 * passes);
    }
    // Each had its turn before the first had a second one.
    let untried = engine.flights.iter().filter(|flight| flight.next_try.at == 0).count();
    assert_eq!(untried, 1);
}

#[test]
fn nothing_of_a_mapping_that_observes_is_sent() {
    let clock = Arc::new(Hand::default());
    let connector: Arc<dyn Connector> = Arc::new(Stub::new(capabilities()));
    let sending = |sealed| crate::send::Sending {
        connector: connector.clone(),
        context: syncline_sdk::Context {
            install: "i".into(),
            now: clock.now(),
            timeout: limits::CALL_TIMEOUT,
            purpose: syncline_sdk::Purpose::Sync,
        },
        write: WriteBatch { batch: BatchId { commit: 1, ordinal: 0 }, writes: Vec::new() },
        recorded: clock.now(),
        clock: clock.clone(),
        sealed,
    };
    let said = |sealed| {
        let sent = sending(sealed).run().now_or_never().unwrap();
        sent.result.unwrap_err().to_string()
    };
    assert!(said(true).contains("the mapping only observes"));
    assert!(said(false).contains("nothing is scripted"), "else the system is called");
}
