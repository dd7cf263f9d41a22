//! What events missed is found by a full comparison (protocol O10).

use serde_json::json;

use super::orgs::{ACCOUNTS, TABLES, fields};
use super::world::{World, becomes, run, text};

/// An edit whose stamp lies behind the poll is never shown by it: a sweep finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_finds_what_the_poll_missed() {
    let mut world = World::new("sweeps").await;
    let org = world.org("crm", 3).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    let person = org.person("admin@example.com").unwrap();
    let missed = fields(json!({"Name": "Missed", "Website": "missed.example"}));
    let missed = person.create("Account", &missed).await.unwrap();
    let seen = fields(json!({"Name": "Seen", "Website": "seen.example"}));
    let seen = person.create("Account", &seen).await.unwrap();
    world.start().await;
    let names = "select string_agg(name, ',' order by website) from accounts";
    becomes(&ops, names, "Missed,Seen").await;
    // The poll goes on for hours, and then comes an edit that is stamped in their midst.
    org.advance_clock_ms(5 * 3_600_000);
    person.update(seen, &fields(json!({"Name": "Later"}))).await.unwrap();
    becomes(&ops, names, "Missed,Later").await;
    world.stop().await;
    org.advance_clock_ms(-3 * 3_600_000);
    person.update(missed, &fields(json!({"Name": "Found"}))).await.unwrap();
    org.advance_clock_ms(3 * 3_600_000);
    person.update(seen, &fields(json!({"Name": "Shown"}))).await.unwrap();
    world.start().await;
    becomes(&ops, names, "Missed,Shown").await;

    let (code, answer) = world.command(&["sweep", "accounts", "--wait"]).await;
    assert_eq!((code, &answer["sweeps"][0]["mapping"]), (0, &json!("accounts")), "{answer}");
    becomes(&ops, names, "Found,Shown").await;
    // The next pass is one of its own.
    let place = "select split_part(place, ' ', 2) || split_part(place, ' ', 3)
        from syncline.position where stream = 'sweep:accounts'";
    assert_eq!(text(&world.ledger(), place).await, "1done");
    let (code, _) = world.command(&["sweep", "--wait"]).await;
    assert_eq!((code, text(&world.ledger(), place).await.as_str()), (0, "2done"));
    world.end().await;
}

/// A record whose deletion was never told is not deleted on the other side: a person is asked,
/// some minutes later.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_sweep_misses_is_looked_for_again_before_anybody_is_asked() {
    let mut world = World::new("sweeps_gone").await;
    let org = world.org("crm", 4).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    run(&ops, "insert into accounts(name, website) values ('One', 'one.example')").await;
    world.start().await;
    let linked = "select count(*)::text from syncline.link where state = 5";
    becomes(&world.ledger(), linked, "1").await;
    world.stop().await;
    // A stream that does not tell of the deletion: the table leaves the publication for it.
    let publication = text(&ops, "select pubname::text from pg_publication").await;
    run(&ops, &format!("alter publication {publication} set (publish = 'insert, update')")).await;
    run(&ops, "delete from accounts").await;
    run(
        &ops,
        &format!(
            "alter publication {publication} set (publish = 'insert, update, delete, truncate')"
        ),
    )
    .await;
    world.start().await;
    let (code, _) = world.command(&["sweep", "--wait"]).await;
    assert_eq!(code, 0);
    let hinted = "select count(*)::text from syncline.hint
        where due > (extract(epoch from now()) * 1e6)::int8 + 60000000";
    becomes(&world.ledger(), hinted, "1").await;
    run(&world.ledger(), "update syncline.hint set due = 0").await;
    becomes(&world.ledger(), "select count(*)::text from syncline.review", "1").await;
    assert_eq!(org.records("Account", false).len(), 1);
    world.end().await;
}

/// What was removed from the recycle bin is neither shown nor explained. It may be hidden, and
/// nobody deletes its partner for that; but nobody keeps quiet about it either.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_gone_for_good_is_put_before_a_person() {
    let mut world = World::new("sweeps_purged").await;
    let org = world.org("crm", 9).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    let rows = "insert into accounts(name, website) values
        ('One', 'one.example'), ('Two', 'two.example'), ('Three', 'three.example')";
    run(&ops, rows).await;
    world.start().await;
    let ledger = world.ledger();
    becomes(&ledger, "select count(*)::text from syncline.link where state = 5", "3").await;
    world.stop().await;
    let person = org.person("admin@example.com").unwrap();
    let id = |name: &str| {
        let rows = org.records("Account", false);
        let row = rows.iter().find(|row| row["Name"] == name).unwrap();
        salesforce_sim::Id::parse(row["Id"].as_str().unwrap()).unwrap()
    };
    for gone in [id("One"), id("Two")] {
        person.delete(gone).await.unwrap();
        person.purge(gone).await.unwrap();
    }
    // One is found by an edit of its partner, which cannot be carried; the other by the sweep.
    run(&ops, "update accounts set name = 'One of old' where website = 'one.example'").await;
    world.start().await;
    let (code, _) = world.command(&["sweep", "--wait"]).await;
    assert_eq!(code, 0);
    // A write that was refused is asked about at once.
    let asked = "select count(*)::text from syncline.review where status = 0";
    let found = format!(
        "select ((select count(*) from syncline.hint
        where due > (extract(epoch from now()) * 1e6)::int8 + 60000000) + ({asked})::int)::text"
    );
    becomes(&ledger, &found, "2").await;
    run(&ledger, "update syncline.hint set due = 0").await;
    becomes(&ledger, asked, "2").await;
    assert_eq!(text(&ops, "select count(*)::text from accounts").await, "3");
    world.end().await;
}

/// Whoever waits for a sweep is told when there is nothing to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_cannot_go_on_is_not_waited_for() {
    let mut world = World::new("sweeps_stuck").await;
    let _org = world.org("crm", 6).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    run(&ops, "insert into accounts(name, website) values ('One', 'one.example')").await;
    world.start().await;
    let ledger = world.ledger();
    becomes(&ledger, "select count(*)::text from syncline.link where state = 5", "1").await;
    world.stop().await;
    // The ledger says that an engine runs, as it does until the lease of one that died is over.
    let runs = "update syncline.lease set until = 9000000000000000";
    run(&ledger, runs).await;
    let sweep = ["sweep", "accounts", "--wait"];
    let ((code, told), ()) = tokio::join!(world.command(&sweep), async {
        becomes(&ledger, "select count(*)::text from syncline.sweep", "1").await;
        run(&ledger, "update syncline.lease set until = 0").await;
    });
    assert_eq!(code, 2, "{told}");
    assert!(told.to_string().contains("the engine has stopped"), "{told}");

    run(&ledger, runs).await;
    let awaited = "insert into syncline.awaited (kind, name, reason, since)
        values (0, 'crm', 'its login was refused', 0)";
    run(&ledger, awaited).await;
    let (code, told) = world.command(&sweep).await;
    assert_eq!(code, 2, "{told}");
    let why = "system crm is waited for: its login was refused";
    assert!(told.to_string().contains(why), "{told}");

    // Nothing runs a mapping that no file says.
    let file = world.settings().with_file_name("mappings").join("accounts.yaml");
    std::fs::remove_file(file).unwrap();
    world.mapping("others", &ACCOUNTS.replace("mapping: accounts", "mapping: others"));
    let (code, told) = world.command(&sweep).await;
    assert_eq!(code, 2, "{told}");
    assert!(told.to_string().contains("no mapping file says `accounts` any more"), "{told}");
    world.end().await;
}
