//! `syncline conflicts list` and `show`.

use syncline_core::Side;
use syncline_core::model::{LinkChange, LinkState, Pending, ReviewChange, ReviewKind};
use syncline_sdk::Value;

use super::fixture::{Engine, Installation, MINUTE, close, edited, person, printed};

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
  a value of your own, as crm writes it, goes to both
      syncline conflicts resolve 1@1 --value TEXT
  the field becomes empty on both sides
      syncline conflicts resolve 1@1 --null
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
    assert_eq!(question["answers"].as_array().unwrap().len(), 4);
    let first = &question["answers"][0];
    assert_eq!(first["choice"], serde_json::json!({"take": "left"}));
    assert_eq!(first["command"], "syncline conflicts resolve 1@1 --take left");

    let unknown = installation.run(&["conflicts", "show", "77"]);
    assert_eq!(unknown.code(), Some(1));
    assert!(unknown.errors().contains("there is no question 77"), "{}", unknown.errors());
}

#[tokio::test]
async fn an_overwritten_edit_is_shown_with_what_stands_there_now() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let link = engine.link(1);
    let mut question = engine.question(&link, Some(1), ReviewKind::Overwritten(Side::Left));
    let stands = question.shown.left.values[0].to_string();
    question.shown.left.values = vec![Value::from("+9")];
    question.shown.left.actor = person("Kim");
    engine
        .commit(|changes| {
            changes.links.push(LinkChange::Insert(link));
            changes.reviews.push(ReviewChange::Ask(question));
        })
        .await;
    let told = installation.run(&["conflicts", "show", "1"]).well();
    for expected in [
        "question 1@1: an edit in crm was overwritten before it could be read\n",
        &format!("  Phone       \"+9\"  (there now: \"{stands}\")\n  changed by  Kim\n"),
        "  the overwritten value comes back, in ops as well\n",
        "  what stands there now stays\n      syncline conflicts resolve 1@1 --take right\n",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let told = installation.run(&["conflicts", "show", "1@1", "--json"]).json();
    let field = &told["question"]["left"]["fields"][0];
    assert_eq!((&field["edit"]["value"], &field["now"]["value"]), (&"+9".into(), &stands.into()));
    assert!(told["question"]["right"]["fields"][0]["edit"].is_null());
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
        "the record lives: crm gets it back from ops\n      \
         syncline conflicts resolve 1@1 --take right",
        "the deletion stands: the record is deleted in ops too",
        "the link ends: the record in ops stays",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}
