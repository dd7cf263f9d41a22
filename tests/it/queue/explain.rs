//! `syncline explain`.

use syncline_ledger::Ledger as _;

use super::fixture::{Engine, Installation, MINUTE, edited, link_id, printed};

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
  Phone/phone  \"+1\"           \"+1\"           crm: \"+2\" by Kim  \
   crm, a person, entry 1.0  held for a person
                                             ops: \"+3\"

  question 1@1 about Phone/phone waits for a person: `syncline conflicts show 1`

{}  entry {}
  observed  crm Account L1, by Kim at {}
              Phone: \"+1\" -> \"+2\"
  observed  ops public.accounts R1, at {}
              phone: \"+1\" -> \"+3\"
  decided   Phone/phone: both sides changed to different values: a person is asked \
(left \"+2\", right \"+3\")
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
