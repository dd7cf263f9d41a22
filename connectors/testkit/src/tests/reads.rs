//! What reads show under trouble.

use std::time::Duration;

use syncline_sdk::{
    Absence, ChangesRequest, Connector, ErrorKind, FetchBy, FetchRequest, Fetched, FieldName, Key,
    Page, Value, VersionOrder,
};

use super::fixture::Memory;
use crate::conformance::Fixture;
use crate::profile::later;
use crate::{Profile, complete};

fn fetch(memory: &Memory, key: &Key) -> Fetched {
    let request =
        FetchRequest { selection: memory.selection(), by: FetchBy::Keys(vec![key.clone()]) };
    complete(memory.client.fetch(&memory.context(), request)).unwrap()
}

fn poll(memory: &Memory, since: Option<&Page>) -> Page {
    let request = ChangesRequest {
        selection: memory.selection(),
        since: since.and_then(|page| page.next.clone()),
        page_rows_max: 100,
    };
    complete(memory.client.changes(&memory.context(), request)).unwrap()
}

fn named(name: &str) -> Vec<(FieldName, Value)> {
    vec![("Name".into(), name.into())]
}

#[test]
fn nothing_is_deleted_because_everything_vanished() {
    for profile in Profile::all() {
        let memory = Memory::new(profile);
        let key = complete(memory.create(named("a")));
        memory.system.conditions(|now| now.invisible = true);
        assert_eq!(fetch(&memory, &key).missing, [(key.clone(), Absence::NotVisible)]);
        memory.system.conditions(|now| now.invisible = false);
        memory.system.hide(&memory.entity, &key, true);
        assert_eq!(fetch(&memory, &key).missing, [(key, Absence::NotVisible)]);
    }
}

#[test]
fn a_lagging_replica_shows_an_older_version() {
    let memory = Memory::new(Profile::postgres());
    let key = complete(memory.create(named("a")));
    let before = fetch(&memory, &key).records.remove(0);
    complete(memory.edit(&key, named("b")));
    memory.system.conditions(|now| now.replica_lag = 1);
    let lagging = fetch(&memory, &key).records.remove(0);
    assert_eq!(lagging, before);
    memory.system.conditions(|now| now.replica_lag = 0);
    let after = fetch(&memory, &key).records.remove(0);
    assert_eq!(memory.client.order(&lagging.version, &after.version), VersionOrder::Older);
}

#[test]
fn a_merged_record_names_its_survivor_and_a_purged_one_its_end() {
    let memory = Memory::new(Profile::crm());
    let (loser, winner) =
        (complete(memory.create(named("a"))), complete(memory.create(named("b"))));
    let person = memory.system.person("ann");
    person.merge(&memory.entity, &loser, &winner, named("ab")).unwrap();
    let missing = fetch(&memory, &loser).missing;
    assert_eq!(missing, [(loser.clone(), Absence::MergedInto(winner.clone()))]);
    complete(memory.delete(&winner));
    person.purge(&memory.entity, &winner);
    let (_, why) = fetch(&memory, &winner).missing.remove(0);
    assert!(matches!(why, Absence::Deleted { image: None, .. }), "{why:?}");
    assert!(person.undelete(&memory.entity, &winner).is_err());
}

#[test]
fn the_bin_is_emptied_after_its_days() {
    let memory = Memory::new(Profile::crm());
    let key = complete(memory.create(named("a")));
    complete(memory.delete(&key));
    assert_eq!(memory.system.counts(&memory.entity).deleted, 1);
    complete(memory.wait(Duration::from_hours(15 * 24)));
    assert_eq!(memory.system.counts(&memory.entity).deleted, 0);
}

#[test]
fn a_poll_finds_a_transaction_stamped_before_it_and_committed_after() {
    let memory = Memory::new(Profile::crm());
    let key = complete(memory.create(named("a")));
    complete(memory.wait(Duration::from_hours(1)));
    let person = memory.system.person("ann");
    let open = person.begin(&memory.entity, &key, named("slow")).unwrap();
    complete(memory.wait(Duration::from_mins(5)));
    let start = poll(&memory, None);
    assert!(poll(&memory, Some(&start)).records.is_empty());
    memory.system.commit(open).unwrap();
    assert_eq!(poll(&memory, Some(&start)).records.len(), 1);
}

#[test]
fn an_open_tick_is_said_to_be_open_and_two_edits_share_its_version() {
    let memory = Memory::new(Profile::crm());
    let key = complete(memory.create(named("a")));
    let first = fetch(&memory, &key).records.remove(0);
    assert!(!first.closed);
    complete(memory.edit(&key, named("b")));
    let second = fetch(&memory, &key).records.remove(0);
    assert_eq!(memory.client.order(&first.version, &second.version), VersionOrder::Same);
    assert_ne!(first.values, second.values);
    complete(memory.wait(Duration::from_secs(1)));
    assert!(fetch(&memory, &key).records.remove(0).closed);
}

#[test]
fn a_clock_that_jumps_back_gives_older_stamps() {
    let memory = Memory::new(Profile::crm());
    let key = complete(memory.create(named("a")));
    let before = fetch(&memory, &key).records.remove(0);
    memory.system.skew(-60_000_000);
    complete(memory.edit(&key, named("b")));
    let after = fetch(&memory, &key).records.remove(0);
    assert_eq!(memory.client.order(&after.version, &before.version), VersionOrder::Older);
}

#[test]
fn standing_troubles_refuse_calls_and_end() {
    let memory = Memory::new(Profile::crm());
    let key = complete(memory.create(named("a")));
    let request =
        || FetchRequest { selection: memory.selection(), by: FetchBy::Keys(vec![key.clone()]) };
    let kind = || {
        let answer = complete(memory.client.fetch(&memory.context(), request()));
        answer.err().map(|error| error.kind)
    };
    memory.system.conditions(|now| now.unavailable = true);
    assert_eq!(kind(), Some(ErrorKind::Unavailable));
    memory.system.conditions(|now| *now = crate::Conditions::default());
    memory.system.conditions(|now| now.throttled = Some(Duration::from_secs(3)));
    assert_eq!(kind(), Some(ErrorKind::Throttled));
    memory.system.conditions(|now| *now = crate::Conditions::default());
    memory.system.conditions(|now| now.auth_revoked = true);
    assert_eq!(kind(), Some(ErrorKind::Auth));
    memory.system.conditions(|now| *now = crate::Conditions::default());
    memory.system.conditions(|now| now.quota = Some(1));
    assert_eq!(kind(), None);
    assert_eq!(kind(), Some(ErrorKind::Quota));
    memory.system.reset_quota();
    assert_eq!(kind(), None);
}

#[test]
fn a_lost_stream_is_a_gap_and_a_cut_one_opens_again() {
    let memory = Memory::new(Profile::postgres());
    let selection = memory.selection();
    let cx = memory.context();
    let open = |from: Option<&syncline_sdk::Position>| {
        complete(memory.client.open_feed(&cx, &[&selection], from))
    };
    let mut feed = open(None).unwrap();
    let start = complete(memory.client.feed_start(&cx)).unwrap().unwrap();
    complete(memory.create(named("a")));
    memory.system.cut_connections();
    assert_eq!(complete(feed.next(&cx, 9)).unwrap_err().kind, ErrorKind::Unavailable);
    let mut feed = open(Some(&start)).unwrap();
    assert_eq!(complete(feed.next(&cx, 9)).unwrap().changes.len(), 1);
    memory.system.lose_stream();
    assert_eq!(complete(feed.next(&cx, 9)).unwrap_err().kind, ErrorKind::Gap);
    assert_eq!(open(Some(&start)).err().map(|error| error.kind), Some(ErrorKind::Gap));
    assert!(open(None).is_ok());
}

#[test]
fn time_runs_locks_out() {
    let memory = Memory::new(Profile::postgres());
    let key = complete(memory.create(named("a")));
    let until = later(memory.system.now(), Duration::from_mins(1));
    memory.system.lock(&memory.entity, &key, until);
    assert_eq!(memory.system.next_due(), Some(until));
    let person = memory.system.person("bob");
    let kind = person.edit(&memory.entity, &key, named("b")).unwrap_err().kind;
    assert_eq!(kind, ErrorKind::Locked);
    memory.system.advance(until);
    assert!(person.edit(&memory.entity, &key, named("b")).is_ok());
}
