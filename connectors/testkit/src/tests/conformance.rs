//! The suite against the in-memory connector under each profile.

use super::fixture::Memory;
use crate::conformance::{Report, checks, run};
use crate::{Profile, complete};

fn report(profile: Profile) -> Report {
    let memory = Memory::new(profile);
    complete(run(&memory))
}

#[test]
fn postgres_keeps_the_contract() {
    report(Profile::postgres()).expect_held(40);
}

#[test]
fn postgres_with_receipts_in_the_stream_keeps_the_contract() {
    report(Profile::postgres_stream()).expect_held(35);
}

#[test]
fn postgres_without_receipts_of_refusals_keeps_the_contract() {
    let mut profile = Profile::postgres();
    profile.refusal_receipts = false;
    report(profile).expect_held(40);
}

#[test]
fn a_versioned_system_keeps_the_contract() {
    report(Profile::versioned()).expect_held(40);
}

#[test]
fn a_crm_keeps_the_contract() {
    report(Profile::crm()).expect_held(40);
}

#[test]
fn an_audited_system_keeps_the_contract() {
    report(Profile::audited()).expect_held(25);
}

#[test]
fn a_bare_system_keeps_the_contract() {
    report(Profile::bare()).expect_held(22);
}

#[test]
fn every_check_runs_under_some_profile() {
    let held: Vec<&str> =
        Profile::all().into_iter().flat_map(|profile| report(profile).held).collect();
    let never: Vec<&str> =
        checks().iter().map(|check| check.name).filter(|name| !held.contains(name)).collect();
    assert!(never.is_empty(), "never held: {never:?}");
}
