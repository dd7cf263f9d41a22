//! `syncline status`.

use syncline_core::Side;
use syncline_core::model::{
    Batch, BatchChange, BatchState, Figure, Gap, LinkChange, Parked, StreamPosition,
};
use syncline_ledger::{
    Awaited, AwaitedThing, FinishedRun, Ledger as _, Schedules as _, Setup as _,
};
use syncline_sdk::{BatchId, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use super::fixture::{ACCOUNTS, DAY, Engine, Installation, MINUTE, edited, link_id, now};

/// How long anything may take.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test]
async fn status_tells_what_runs_what_waits_and_what_is_broken() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, now() - 2 * DAY).await;
    engine.conflict(1, edited()).await;
    let parked = |link| Parked {
        mapping: engine.mapping,
        link,
        side: Side::Right,
        kind: "rejected".into(),
        message: "value too long for type character varying(5)".into(),
        advice: "make the column longer".into(),
        entry: None,
        at: now() - 10 * MINUTE,
        asked_again: false,
    };
    let mut lone = engine.link(2);
    lone.keys.right = None;
    engine
        .commit(|changes| {
            changes.links.push(LinkChange::Insert(lone));
            changes.parked.push(parked(link_id(2)));
            changes.figures.extend([(Figure::EditsSeen, 4), (Figure::Writes, 2)]);
            let position = |stream: &str, place: &str| StreamPosition {
                stream: stream.into(),
                identity: "one".into(),
                place: place.into(),
            };
            let positions =
                [position("feed:ops", "0/16B3748"), position("load:accounts:left", "done")];
            changes.positions.extend(positions);
            changes.gaps.push(Gap {
                stream: format!("mapping:{}", engine.mapping),
                reason: "the slot was dropped".into(),
                noticed_at: now() - 5 * MINUTE,
                closed_at: None,
            });
            let id = engine.id(changes);
            changes.batches.push(BatchChange::Send(Batch {
                id: BatchId { commit: id.commit, ordinal: id.ordinal },
                system: "ops".into(),
                intents: vec![id],
                epoch: 1,
                state: BatchState::Sent,
                first_sent: now() - 3 * MINUTE,
                last_sent: now() - 3 * MINUTE,
                die_after: now(),
                attempts: 1,
            }));
        })
        .await;
    let told = installation.run(&["status"]).well();
    for words in [
        "engine     DOWN: last sign of life",
        "start `syncline run`",
        "questions  1 open, the oldest 3d old: `syncline conflicts list`",
        "  accounts  2      2 linked",
        "4 edits_seen, 2 writes",
        "feed:ops            0/16B3748  ",
        "load:accounts:left  all read   ",
        "hints: no record waits to be read",
        "batches: 1 under way with 1 writes, the oldest sent 3m ago",
        "accounts: a new record for crm Account L2, for 10m\n      \
         refused (rejected): value too long",
        "what to do: make the column longer",
        "mapping:accounts: the slot was dropped, noticed",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let again = installation.run(&["replay", "accounts", "--left", "L2"]).well();
    assert!(again.contains("no engine is running") && again.contains("1 record"), "{again}");
    let again = installation.run(&["replay", "accounts", "--all", "--json"]).json();
    assert!(again["records"] == 1 && again["link"].is_null(), "{again}");
    let listed = engine.ledger.parked(None, 9).await.unwrap();
    assert!(listed[0].asked_again);
    for wrong in [&["--left", "L1"][..], &["--right", "nobody"]] {
        let refused = installation.run(&[&["replay", "accounts"][..], wrong].concat());
        assert_eq!(refused.code(), Some(2), "{wrong:?}");
    }
    let told = installation.run(&["status", "--json"]).json();
    assert_eq!(told["engine"]["runs"], false);
    assert_eq!(told["links"][0]["count"], 2);
    assert_eq!(told["parked"][0]["advice"], "make the column longer");
    assert_eq!(told["questions"]["open"], 1);
    // It works while the mapping files are broken, and tells an engine that runs.
    installation.write("mappings/accounts.yaml", "mapping: [");
    let until = Instant::from_micros(now() + DAY);
    let awaited = |thing, reason: &str| Awaited {
        thing,
        reason: reason.into(),
        since: Instant::from_micros(now() - 5 * MINUTE),
    };
    let awaited = [
        awaited(AwaitedThing::System("crm".into()), "the login was refused"),
        awaited(AwaitedThing::Mapping("accounts".into()), "it begins when crm answers"),
    ];
    engine.ledger.keep_awaited(&awaited).await.unwrap();
    let told = installation.run(&["status"]).well();
    assert!(told.contains("\nwaited for system crm for 5m: the login was refused\n"), "{told}");
    engine.ledger.own("the engine", Instant::from_micros(now()), until).await.unwrap();
    let told = installation.run(&["status"]).well();
    assert!(told.starts_with("engine     runs (owner the engine, epoch 1)"), "{told}");
    for words in [
        "\nwaits for  system crm for 5m: the login was refused\n",
        "\nwaiting    mapping accounts for 5m: it begins when crm answers\n",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let told = installation.run(&["status", "--json"]).json();
    assert_eq!(told["awaited"][0]["system"], "crm");
    assert_eq!(told["awaited"][1]["mapping"], "accounts");
    assert_eq!(told["awaited"][1]["reason"], "it begins when crm answers");
}

#[tokio::test]
async fn what_is_long_or_alike_does_not_drown_the_rest() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, now() + DAY).await;
    let parked = |link, advice: &str| Parked {
        mapping: engine.mapping,
        link: link_id(link),
        side: Side::Right,
        kind: "rejected".into(),
        message: format!("value {link} is too long"),
        advice: advice.into(),
        entry: None,
        at: now() - MINUTE,
        asked_again: false,
    };
    engine
        .commit(|changes| {
            let links = (1..=3).map(|number| LinkChange::Insert(engine.link(number)));
            changes.links.extend(links);
            let longer = "make the column longer";
            let advised = [(1, longer), (2, "ask the owner"), (3, longer)];
            changes.parked.extend(advised.map(|(link, advice)| parked(link, advice)));
        })
        .await;
    let (name, times, at) = ("report", "0 6 * * *", now() + DAY);
    engine.ledger.schedule("the engine", name, times, at).await.unwrap();
    let carried = "accounts: 12 to left, 34 to right, 0 refused, 3 set aside, 1 asked, 1 answered, \
                   0 open";
    let run = FinishedRun {
        name: name.into(),
        due: at,
        next_at: now() + 2 * DAY,
        at: now(),
        outcome: format!("{carried}; crm: 40 calls"),
        report: None,
    };
    assert!(engine.ledger.finish_run("the engine", &run).await.unwrap());
    let told = installation.run(&["status"]).well();
    let below = format!("\n  report, last:\n      {carried}\n      crm: 40 calls\n");
    assert!(told.contains(&below), "{told}");
    let table = told.lines().find(|line| line.contains("SCHEDULE")).unwrap();
    assert_eq!(table.split_whitespace().last(), Some("LAST"));
    assert_eq!(told.matches("make the column longer").count(), 1, "{told}");
    assert!(told.contains("\n      what to do about each of these: make the column"), "{told}");
    assert!(told.contains("\n      what to do: ask the owner\n"), "{told}");
    for message in ["value 1 is", "value 2 is", "value 3 is"] {
        assert!(told.contains(message), "{told}");
    }
}

#[tokio::test]
async fn nothing_is_made_for_those_who_only_look() {
    let installation = Installation::empty().await;
    installation.write(
        "syncline.yaml",
        "systems:\n  crm: { kind: postgres, url: 'postgres://u@127.0.0.1:9/crm' }\n",
    );
    let told = installation.run(&["status"]).well();
    assert_eq!(told, "nothing has run with these settings yet: start `syncline run`\n");
    assert_eq!(installation.run(&["status", "--json"]).json()["engine"]["runs"], false);
    assert!(!installation.folder.join(".syncline").exists());
}

#[tokio::test]
async fn what_was_removed_from_the_files_is_told() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, now()).await;
    engine.conflict(1, edited()).await;
    let position = |stream: &str| StreamPosition {
        stream: stream.into(),
        identity: "one".into(),
        place: "1".into(),
    };
    let positions = ["feed:ops", "feed:erp"].map(position);
    engine.commit(|changes| changes.positions.extend(positions)).await;
    let told = installation.run(&["status"]).well();
    assert!(!told.contains("mapping accounts is in no file"), "{told}");
    std::fs::remove_file(installation.folder.join("mappings/accounts.yaml")).unwrap();
    installation.write("mappings/people.yaml", &ACCOUNTS.replace(": accounts", ": people"));
    let told = installation.run(&["status"]).well();
    assert!(told.contains("removed    mapping accounts is in no file: 1 link"), "{told}");
    assert!(told.contains("removed    system erp is not in the settings"), "{told}");
    let told = installation.run(&["status", "--json"]).json();
    let removed = serde_json::json!([
        {"mapping": "accounts", "links": 1, "questions": 1},
        {"system": "erp"},
    ]);
    assert_eq!(told["removed"], removed);
    assert_eq!(told["questions"]["open"], 0);
    // Nobody would act on an answer, so none is taken; what was asked can still be seen.
    let listed = installation.run(&["conflicts", "list"]).well();
    assert!(listed.contains("its mapping is in no file"), "{listed}");
    let shown = installation.run(&["conflicts", "show", "1"]).well();
    assert!(shown.contains("rests    mapping accounts is in no file"), "{shown}");
    assert!(shown.contains("phone") && !shown.contains("--take"), "{shown}");
    let refused = installation.run(&["conflicts", "resolve", "1@1", "--take", "left"]);
    assert_eq!(refused.code(), Some(2));
    assert!(refused.errors().contains("put the file back"), "{}", refused.errors());
    std::fs::remove_file(installation.folder.join("mappings/people.yaml")).unwrap();
    installation.write("mappings/accounts.yaml", ACCOUNTS);
    installation.run(&["conflicts", "resolve", "1@1", "--take", "left"]).well();
}

#[tokio::test]
async fn who_watches_is_told_again_and_again_until_the_end() {
    let installation = Installation::empty().await;
    Engine::new(&installation, now()).await;
    let mut watch = tokio::process::Command::new(env!("CARGO_BIN_EXE_syncline"))
        .args(["status", "--watch", "1", "--json"])
        .current_dir(&installation.folder)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["command"], "status");
    }
    let pid = rustix::process::Pid::from_raw(watch.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = timeout(DEADLINE, watch.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
