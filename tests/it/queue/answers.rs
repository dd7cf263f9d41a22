//! `syncline conflicts resolve`.

use syncline_core::Side;
use syncline_core::model::{
    Choice, Decided, Entry, LinkChange, LinkState, ReviewChange, ReviewKind, ReviewStatus, Verdict,
};
use syncline_ledger::{Ledger as _, People as _, ReviewQuery, Setup as _};
use syncline_sdk::{FieldType, Instant, Key, Value};

use super::fixture::{ACCOUNTS, Engine, Installation, close, edited, now, review};

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
async fn a_record_that_has_a_partner_is_told_of_and_not_offered_as_one() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let paired = engine.link(1);
    let mut lone = engine.link(3);
    lone.keys.right = None;
    lone.state = LinkState::Held;
    let candidates = vec![Key::from("R1"), Key::from("R9")];
    let ambiguous = engine.question(&lone, None, ReviewKind::Ambiguous(candidates));
    engine
        .commit(|changes| {
            changes.links.extend([paired, lone].map(LinkChange::Insert));
            changes.reviews.push(ReviewChange::Ask(ambiguous));
        })
        .await;
    let told = installation.run(&["conflicts", "show", "1"]).well();
    for expected in [
        "  ops public.accounts R1, which has a partner already: crm Account L1\n",
        "      phone  \"+1\"\n",
        "  ops public.accounts R9\n",
        "ops public.accounts R9 is the partner\n",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!told.contains("R1 is the partner"), "{told}");
    let told = installation.run(&["conflicts", "show", "1", "--json"]).json();
    let candidates = &told["question"]["candidates"];
    assert_eq!((&candidates[0]["key"], &candidates[0]["partner"]), (&"R1".into(), &"L1".into()));
    assert!(candidates[1]["partner"].is_null());
    let refused = installation.run(&["conflicts", "resolve", "1@1", "--adopt", "R1"]);
    assert_eq!(refused.code(), Some(2));
}

#[tokio::test]
async fn a_question_tells_why_its_last_answer_was_not_carried_out() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    let mut link = engine.link(1);
    link.pending.left.values = vec![(1, Value::from("+2"))];
    let question = engine.question(&link, Some(1), ReviewKind::Conflict);
    let decided = Decided {
        unit: Some(1),
        verdict: Verdict::AnswerNotApplied("--value +4 by jane: it is too long".to_owned()),
        left: Vec::new(),
        right: Vec::new(),
    };
    engine
        .commit(|changes| {
            let id = engine.id(changes);
            link.last_entry = Some(id);
            changes.entries.push(Entry {
                id,
                mapping: engine.mapping,
                link: link.id,
                previous: None,
                at: Instant::from_micros(now()),
                revision: 1,
                observed: Vec::new(),
                decided: vec![decided],
                intent: None,
                settled: Vec::new(),
            });
            changes.links.push(LinkChange::Insert(link));
            changes.reviews.push(ReviewChange::Ask(question));
        })
        .await;
    let shown = installation.run(&["conflicts", "show", "1"]).well();
    assert!(!shown.contains("carried out"), "{shown}");
    let mut newer = review(&engine, 1).await;
    newer.revision = 2;
    let show =
        ReviewChange::Show { review: newer, read_revision: 1, read_status: ReviewStatus::Open };
    engine.commit(|changes| changes.reviews.push(show)).await;
    let shown = installation.run(&["conflicts", "show", "1"]).well();
    let told = "  answer   could not be carried out: --value +4 by jane: it is too long\n";
    assert!(shown.contains(told), "{shown}");
    let shown = installation.run(&["conflicts", "show", "1", "--json"]).json();
    assert!(shown["question"]["answer_not_applied"].is_string(), "{shown}");
}

#[tokio::test]
async fn answers_that_cannot_be_carried_out_are_not_offered() {
    let installation = Installation::empty().await;
    let engine = Engine::new(&installation, 0).await;
    engine.conflict(1, edited()).await;
    let mut longer = engine.link(2);
    longer.pending.left.values = vec![(1, Value::from("+49 30 901820"))];
    longer.pending.right.values = vec![(1, Value::from("+49"))];
    let longer_asked = engine.question(&longer, Some(1), ReviewKind::Conflict);
    let mut gone = engine.link(3);
    gone.pending.left.exists = Some(false);
    let gone_asked = engine.question(&gone, None, ReviewKind::DeleteUpdate(Side::Left));
    engine
        .commit(|changes| {
            changes.links.extend([longer, gone].map(LinkChange::Insert));
            changes.reviews.extend([longer_asked, gone_asked].map(ReviewChange::Ask));
        })
        .await;
    let offered = |id: &str| -> Vec<String> {
        let shown = installation.run(&["conflicts", "show", id, "--json"]).json();
        let answers = shown["question"]["answers"].as_array().unwrap();
        answers.iter().map(|answer| answer["choice"].to_string()).collect()
    };
    // Nothing is known of the systems yet.
    let all =
        [r#"{"take":"left"}"#, r#"{"take":"right"}"#, r#"{"value":[null]}"#, r#"{"null":true}"#];
    assert_eq!(
        (offered("1"), offered("2")),
        (all.map(Into::into).into(), all.map(Into::into).into())
    );
    assert_eq!(offered("3").len(), 3);
    // A phone is required on the right and has nine characters there; accounts are not deleted.
    engine.described(Side::Left, |_| {}).await;
    engine
        .described(Side::Right, |schema| {
            schema.deletable = false;
            let phone = schema.fields.iter_mut().find(|field| field.name.as_str() == "phone");
            let phone = phone.unwrap();
            phone.nullable = false;
            phone.kind = FieldType::Text { chars_max: Some(9) };
        })
        .await;
    assert_eq!(offered("1"), all[..3]);
    assert_eq!(offered("2"), all[1..3], "its left value is too long for the right side");
    assert_eq!(offered("3"), [r#"{"take":"right"}"#, r#"{"separate":true}"#]);
    let refused = installation.run(&["conflicts", "resolve", "1@1", "--null"]);
    assert_eq!(refused.code(), Some(2));
    assert!(refused.errors().contains("`--null` is no answer to question 1@1"));
    let listed = installation.run(&["conflicts", "list", "--json"]).json();
    let answers = listed["questions"][0]["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 3, "{listed}");
    // A value that a side cannot hold is refused with the reason, before it is taken.
    let refused = installation.run(&["conflicts", "resolve", "1@1", "--value", "+49 30 901820"]);
    assert_eq!(refused.code(), Some(2), "{}", refused.text());
    let why = "ops cannot hold this value: it has 13 characters and the field takes 9";
    assert!(refused.errors().contains(why), "{}", refused.errors());
    // A link of former rules is not judged by the present ones.
    let rules = ACCOUNTS.replace("delete: review", "delete: keep");
    engine.ledger.mapping("accounts", &rules, Instant::from_micros(0)).await.unwrap();
    assert_eq!(offered("1"), all);
}
