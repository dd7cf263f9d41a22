//! The commands that work on the ledger, as processes, against a real one.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use syncline_core::Side;
use syncline_core::model::BatchChange;
use syncline_core::model::{
    Batch, BatchState, Choice, Figure, Gap, LinkChange, LinkState, Parked, Pending, Review,
    ReviewChange, ReviewKind, ReviewStatus, StreamPosition,
};
use syncline_ledger::{Ledger as _, People as _, ReviewQuery};
use syncline_sdk::{BatchId, Instant, Key, Value};

use fixture::{DAY, Engine, Installation, MINUTE, link_id, now, person, printed};

/// When the edits of a conflict were made.
fn edited() -> i64 {
    now() - 4 * DAY
}

#[tokio::test]
async fn a_conflict_is_shown_with_all_that_a_person_needs() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let edited = edited();
    let asked = engine.conflict(1, edited).await.asked_at;
    let told = installation.run(&["conflicts", "show", "1"]).well();
    let expected = format!(
        "\
question 1@1: changed on both sides
  mapping  accounts
  about    Phone/phone
  link     00000000-0000-0000-0000-000000000001
  asked    {} (3d ago)
  status   open

left: crm Account L1
  Phone       \"+2\"  (agreed: \"+1\")
  changed by  Kim
  changed at  {} (4d ago)

right: ops public.accounts R1
  phone       \"+3\"  (agreed: \"+1\")
  changed by  not told
  changed at  {} (3d ago)

answers:
  crm's value stays and goes to ops
      syncline conflicts resolve 1@1 --take left
  ops's value stays and goes to crm
      syncline conflicts resolve 1@1 --take right
  a value of your own, as crm writes it, goes to both (--null: empty the field)
      syncline conflicts resolve 1@1 --value TEXT
",
        printed(asked),
        printed(edited),
        printed(edited + MINUTE),
    );
    assert_eq!(told, expected);

    let told = installation.run(&["conflicts", "show", "1@1", "--json"]).json();
    let question = &told["question"];
    assert_eq!(question["left"]["fields"][0]["now"]["value"], "+2");
    assert_eq!(question["right"]["fields"][0]["agreed"]["kind"], "text");
    assert_eq!(question["left"]["actor"]["id"], "Kim");
    assert_eq!(question["left"]["key"], "L1");
    assert_eq!(question["kind"], "conflict");
    assert_eq!(question["answers"].as_array().unwrap().len(), 3);

    let unknown = installation.run(&["conflicts", "show", "77"]);
    assert_eq!(unknown.code(), Some(1));
    assert!(unknown.errors().contains("there is no question 77"), "{}", unknown.errors());
}

#[tokio::test]
async fn questions_are_listed_page_by_page() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let none = installation.run(&["conflicts", "list"]).well();
    assert_eq!(none, "nothing waits for a person\n");
    for number in 1..=3 {
        engine.conflict(number, edited()).await;
    }
    close(&engine, 2).await;
    let told = installation.run(&["conflicts", "list"]).well();
    assert!(told.contains("1@1") && told.contains("3@1") && !told.contains("2@1"), "{told}");
    for word in ["accounts", "Phone/phone", "\"+2\"", "crm, Kim, 4d ago", "\"+1\"", "2 questions"] {
        assert!(told.contains(word), "{word}\n{told}");
    }
    let page = ["conflicts", "list", "--limit", "1", "--mapping", "accounts"];
    let told = installation.run(&page).well();
    let next = "syncline conflicts list --after 1 --mapping accounts";
    assert!(told.contains(next) && !told.contains("3@1"), "{told}");
    let all = installation.run(&["conflicts", "list", "--all", "--json"]).json();
    let listed: Vec<_> = all["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["question"], &it["status"]))
        .collect();
    let expected = [("1@1", "open"), ("2@1", "closed"), ("3@1", "open")];
    for ((question, status), (id, state)) in listed.iter().zip(expected) {
        assert_eq!((*question, *status), (&id.into(), &state.into()));
    }
    let unknown = installation.run(&["conflicts", "list", "--mapping", "acounts"]);
    assert_eq!(unknown.code(), Some(2));
    assert!(unknown.errors().contains("did you mean `accounts`?"), "{}", unknown.errors());
}

/// Closes a question as the engine does.
async fn close(engine: &Engine, id: i64) {
    let review = review(engine, id).await;
    let change = ReviewChange::Close {
        key: review.key,
        read_revision: review.revision,
        read_status: review.status,
    };
    engine.commit(|changes| changes.reviews.push(change)).await;
}

async fn review(engine: &Engine, id: i64) -> Review {
    engine.ledger.review(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_answer_is_taken_with_hints_for_both_records() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    engine.conflict(1, edited()).await;
    engine.conflict(2, edited()).await;
    let told = installation.run(&["conflicts", "resolve", "1@1", "--take", "left"]).well();
    assert_eq!(
        told,
        "question 1@1 is answered by jane: crm's value stays and goes to ops\n\
         no engine is running: it acts on it when `syncline run` is started\n"
    );
    let answered = review(&engine, 1).await;
    assert_eq!(answered.status, ReviewStatus::Answered);
    let answer = answered.answer.unwrap();
    assert_eq!((answer.choice, &*answer.by), (Choice::Take(Side::Left), "jane"));
    for (system, key) in [("crm", "L1"), ("ops", "R1")] {
        let hints = engine.ledger.hints(&system.into(), Instant::from_micros(now()), 9).await;
        let keys: Vec<Key> = hints.unwrap().into_iter().map(|hint| hint.key).collect();
        assert_eq!(keys, [Key::from(key)]);
    }
    // The second of two answers would be lost: it is refused, and says why.
    let again = installation.run(&["conflicts", "resolve", "1@1", "--take", "right"]);
    assert_eq!(again.code(), Some(2));
    let errors = again.errors();
    assert!(errors.contains("answered by jane with `take left`, not folded"), "{errors}");

    let value = ["conflicts", "resolve", "2@1", "--value=-5", "--by", "Lee", "--json"];
    let told = installation.run(&value).json();
    assert_eq!((&told["ok"], &told["by"]), (&true.into(), &"Lee".into()));
    assert_eq!(told["choice"]["value"][0]["value"], "-5");
    let choice = review(&engine, 2).await.answer.unwrap().choice;
    assert_eq!(choice, Choice::Typed(vec![Value::from("-5")]));
}

#[tokio::test]
async fn an_answer_to_what_is_not_shown_any_more_is_refused() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    engine.conflict(1, edited()).await;
    let mut newer = review(&engine, 1).await;
    newer.revision = 2;
    newer.shown.right.values = vec![Value::from("+33")];
    let show =
        ReviewChange::Show { review: newer, read_revision: 1, read_status: ReviewStatus::Open };
    engine.commit(|changes| changes.reviews.push(show)).await;
    let resolve = |question: &str, json: bool| {
        let mut arguments = vec!["conflicts", "resolve", question, "--take", "left"];
        arguments.extend(json.then_some("--json"));
        installation.run(&arguments)
    };
    let late = resolve("1@1", false);
    assert_eq!(late.code(), Some(2));
    assert!(late.text().contains("phone       \"+33\""), "{}", late.text());
    assert!(late.errors().contains("a value moved since revision 1"), "{}", late.errors());
    assert!(late.errors().contains("answer 1@2"), "{}", late.errors());
    let late = resolve("1@1", true).json();
    assert_eq!((&late["ok"], &late["reason"]), (&false.into(), &"moved".into()));
    assert_eq!(late["question"]["right"]["fields"][0]["now"]["value"], "+33");
    assert_eq!(resolve("1@3", true).json()["reason"], "no_such_revision");
    assert_eq!(review(&engine, 1).await.status, ReviewStatus::Open);
    close(&engine, 1).await;
    let closed = resolve("1@2", false);
    assert_eq!(closed.code(), Some(2));
    assert!(closed.errors().contains("question 1@2 is closed"), "{}", closed.errors());
    assert_eq!(resolve("9@1", false).code(), Some(1));
    assert_eq!(resolve("9", false).code(), Some(2));
}

#[tokio::test]
async fn answers_that_do_not_fit_are_refused_before_they_are_taken() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    engine.conflict(1, edited()).await;
    let mut link = engine.link(2);
    link.pending.left.values = vec![(2, Value::Int(8))];
    let staff = engine.question(&link, Some(2), ReviewKind::Conflict);
    let mut lone = engine.link(3);
    lone.keys.right = None;
    lone.state = LinkState::Held;
    let candidates = vec![Key::from("R 8"), Key::from("R9")];
    let ambiguous = engine.question(&lone, None, ReviewKind::Ambiguous(candidates));
    engine
        .commit(|changes| {
            changes.links.extend([link, lone].map(LinkChange::Insert));
            changes.reviews.extend([staff, ambiguous].map(ReviewChange::Ask));
        })
        .await;
    for (arguments, message) in [
        (vec!["1@1", "--separate"], "`--separate` is no answer to question 1@1: changed on both"),
        (vec!["1@1", "--value", "a", "--value", "b"], "the unit has 1 fields and 2 values"),
        (vec!["2@1", "--value", "many"], "\"many\" is not a number"),
        (vec!["3@1", "--take", "left"], "`--take left` is no answer to question 3@1: 2 records"),
        (vec!["3@1", "--adopt", "R7"], "answer with --adopt 'R 8', or --adopt R9, or --separate"),
        (vec!["1@1"], "required"),
        (vec!["1@1", "--retry", "--null"], "cannot be used with"),
    ] {
        let refused = installation.run(&[&["conflicts", "resolve"], &*arguments].concat());
        assert_eq!(refused.code(), Some(2), "{arguments:?}");
        let errors = refused.errors();
        let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(errors.contains(message), "{message}\n{errors}");
    }
    let query =
        ReviewQuery { status: Some(ReviewStatus::Answered), max: 9, ..ReviewQuery::default() };
    assert!(engine.ledger.reviews(&query).await.unwrap().is_empty());
    installation.run(&["conflicts", "resolve", "2@1", "--value", " 12 "]).well();
    let choice = review(&engine, 2).await.answer.unwrap().choice;
    assert_eq!(choice, Choice::Typed(vec![Value::Int(12)]));
    installation.run(&["conflicts", "resolve", "3@1", "--adopt", "R9"]).well();
    let choice = review(&engine, 3).await.answer.unwrap().choice;
    assert_eq!(choice, Choice::Adopt(Key::from("R9")));
}

#[tokio::test]
async fn a_deleted_record_is_shown_with_its_last_values_and_what_each_answer_does() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let mut link = engine.link(4);
    link.state = LinkState::Held;
    link.pending.left = Pending { exists: Some(false), actor: person("Kim"), ..Pending::default() };
    link.pending.right.values = vec![(0, Value::from("Acme \u{1b}[31mInc"))];
    let question = engine.question(&link, None, ReviewKind::DeleteUpdate(Side::Left));
    engine
        .commit(|changes| {
            changes.links.push(LinkChange::Insert(link));
            changes.reviews.push(ReviewChange::Ask(question));
        })
        .await;
    let told = installation.run(&["conflicts", "show", "1"]).well();
    for words in [
        "question 1@1: deleted in crm, changed in ops\n",
        "about    the pair",
        "left: crm Account L4\n  the record is gone; its last values:\n  Name        \"Acme\"",
        "  name        \"Acme \\u{1b}[31mInc\"  (agreed: \"Acme\")",
        "  staff       7  (as agreed)",
        "the record lives: crm gets it back from ops\n      syncline conflicts resolve 1@1 --take right",
        "the deletion stands: the record is deleted in ops too",
        "the link ends: the record in ops stays",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[tokio::test]
async fn explain_tells_how_a_pair_stands_and_how_it_came_to_that() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let edited = edited();
    engine.conflict(1, edited).await;
    let told =
        installation.run(&["explain", "accounts", "--right", "R1", "--field", "Phone"]).well();
    let entry = engine.ledger.explain(engine.mapping, link_id(1), 1).await.unwrap().remove(0);
    let expected = format!(
        "\
link 00000000-0000-0000-0000-000000000001 of accounts
  state  linked, agreed 3 times
  left   crm Account L1
  right  ops public.accounts R1

  FIELD        AGREED IN CRM  AGREED IN OPS  DIFFERS NOW       AGREED VALUE FROM         STATE
  Phone/phone  \"+1\"           \"+1\"           crm: \"+2\" by Kim  crm, a person, entry 1.0  held for a person
                                             ops: \"+3\"

  question 1@1 about Phone/phone waits for a person: `syncline conflicts show 1`

{}  entry {}
  observed  crm Account L1, by Kim at {}
              Phone: \"+1\" -> \"+2\"
  observed  ops public.accounts R1, at {}
              phone: \"+1\" -> \"+3\"
  decided   Phone/phone: both sides changed to different values: a person is asked (left \"+2\", right \"+3\")
",
        printed(edited + 2 * MINUTE),
        entry.id,
        printed(edited),
        printed(edited + MINUTE),
    );
    assert_eq!(told, expected);

    let of = |arguments: &[&str]| installation.run(&[&["explain", "accounts"], arguments].concat());
    let other = of(&["--left", "L1", "--field", "staff"]).well();
    assert!(other.contains("the journal has no entry about it"), "{other}");
    let told = of(&["--left", "L1", "--json"]).json();
    assert_eq!(told["entries"][0]["decided"][0]["verdict"], "hold");
    assert_eq!(told["entries"][0]["observed"][0]["fields"][0]["now"]["value"], "+2");
    assert_eq!(told["units"][1]["left"]["differs"][0]["value"], "+2");
    assert_eq!(told["units"][1]["state"], "held");
    assert_eq!(told["questions"][0], "1@1");

    let missing = of(&["--left", "L7"]);
    assert_eq!(missing.code(), Some(1));
    assert!(missing.errors().contains("knows no record crm Account L7"), "{}", missing.errors());
    let nowhere = of(&["--link", &link_id(9).to_string()]);
    assert_eq!(nowhere.code(), Some(1));
    let wrong = of(&["--left", "L1", "--field", "Fone"]);
    assert_eq!(wrong.code(), Some(2));
    assert!(wrong.errors().contains("has no field `Fone`"), "{}", wrong.errors());
    assert_eq!(of(&[]).code(), Some(2));
}

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
                together: true,
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
        "feed:ops            0/16B3748  0s ago",
        "load:accounts:left  all read   ",
        "hints: no record waits to be read",
        "batches: 1 under way with 1 writes, the oldest sent 3m ago",
        "accounts: a new record for crm Account L2, for 10m\n      refused (rejected): value too long",
        "what to do: make the column longer",
        "mapping:accounts: the slot was dropped, noticed",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let told = installation.run(&["status", "--json"]).json();
    assert_eq!(told["engine"]["runs"], false);
    assert_eq!(told["links"][0]["count"], 2);
    assert_eq!(told["parked"][0]["advice"], "make the column longer");
    assert_eq!(told["questions"]["open"], 1);
    // It works while the mapping files are broken, and tells an engine that runs.
    installation.write("mappings/accounts.yaml", "mapping: [");
    let until = Instant::from_micros(now() + DAY);
    engine.ledger.own("the engine", Instant::from_micros(now()), until).await.unwrap();
    let told = installation.run(&["status"]).well();
    assert!(told.starts_with("engine     runs (owner the engine, epoch 1)"), "{told}");
}

#[tokio::test]
async fn migrate_says_what_was_there_before() {
    let installation = Installation::empty().await;
    let first = installation.run(&["migrate"]).well();
    assert!(first.starts_with("the ledger was empty and is at "), "{first}");
    assert!(first.contains("\n  made 0001 (ledger)\n"), "{first}");
    let second = installation.run(&["migrate", "--json"]).json();
    assert_eq!(second["changed"], false);
    assert_eq!(second["before"], second["after"]);
    let text = installation.run(&["migrate"]).well();
    assert!(text.contains("already: nothing to do"), "{text}");
    let status = installation.run(&["status"]).well();
    assert!(status.starts_with("engine     has never run on this ledger"), "{status}");
    // Tables of a newer release are left alone.
    let pool = sqlx::PgPool::connect(&installation.url).await.unwrap();
    sqlx::query(
        "insert into syncline._sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'later', true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let newer = installation.run(&["migrate"]);
    assert_eq!(newer.code(), Some(1));
    assert!(newer.errors().contains("at 9999 (later)"), "{}", newer.errors());
}

#[tokio::test]
async fn health_asks_the_running_process() {
    let installation = Installation::empty().await;
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    installation.settings("syncline.yaml", &format!("listen: {nobody}\n"));
    let down = installation.run(&["health"]);
    assert_eq!(down.code(), Some(1));
    assert!(down.errors().contains("is `syncline run` running"), "{}", down.errors());
    for (status, body, code, told) in [
        (
            "200 OK",
            r#"{"ready":true,"notes":["first loads are running"]}"#,
            0,
            "ready\n  first loads are running\n",
        ),
        ("503 Service Unavailable", r#"{"ready":false,"notes":[]}"#, 1, "not ready\n"),
        ("200 OK", "<html>", 1, ""),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = format!("listen: 0.0.0.0:{}\n", listener.local_addr().unwrap().port());
        installation.settings("syncline.yaml", &listen);
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /readyz "));
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        });
        let health = installation.run(&["health"]);
        answer.join().unwrap();
        assert_eq!((health.code(), &*health.text()), (Some(code), told), "{}", health.errors());
    }
}
