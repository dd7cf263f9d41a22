//! What polls take of a daily quota.

use salesforce_sim::Org;

use super::orgs::{ACCOUNTS, CONTACTS, TABLES, shows};
use super::world::{World, run};

/// How many polls an org has answered: the queries of deleted records too.
fn polls(org: &Org) -> u64 {
    org.request_counts().by_kind.get("query_all").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_are_seldom_once_the_reserve_of_the_quota_is_reached() {
    let mut world = World::new("quota_polls").await;
    let org = world.org("crm", 9).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    world.mapping("contacts", CONTACTS);
    run(&ops, "insert into accounts(name, website) values ('0', 'x.example')").await;
    world.start().await;
    shows(&org, "Account", ("Website", "x.example"), "Name", "0").await;
    let (_, doctor) = world.command(&["doctor"]).await;
    // Two mappings, each second.
    let told = "polls of crm would take 172800 calls a day, 1152% of its daily quota of 15000";
    assert!(doctor.to_string().contains(told), "{doctor}");
    assert!(doctor.to_string().contains("set `poll_interval: 15s` or more"), "{doctor}");

    org.set_daily_limit(15_000, 13_000);
    // Writes go on. Those under way when the reserve is reached still poll.
    let mut edits = 0;
    let mut edit = async |until: i64| {
        while org.now_ms() < until {
            edits += 1;
            run(&ops, &format!("update accounts set name = '{edits}'")).await;
            shows(&org, "Account", ("Website", "x.example"), "Name", &edits.to_string()).await;
        }
    };
    edit(org.now_ms() + 3_000).await;
    let before = polls(&org);
    edit(org.now_ms() + 5_000).await;
    assert_eq!(polls(&org), before, "each second would be ten polls");
    world.end().await;
}
