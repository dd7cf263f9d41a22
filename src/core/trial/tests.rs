//! Mappings tried out.

use super::try_out;
use crate::mapping::MappingId;
use crate::mapping::language::{MappingFile, Severity, Source, check_offline};

const HEAD: &str = "mapping: m\nleft: { system: crm, entity: Account, where: \"Kind != 'x'\" }\n\
    right: { system: ops, entity: public.accounts }\nmatch: []\n";

/// The findings, as severity, line and message.
fn found(rest: &str) -> Vec<String> {
    let source = Source::new("m.yaml", &format!("{HEAD}{rest}"));
    let file = MappingFile::parse(&source).unwrap();
    let spec = check_offline(&file).unwrap().value;
    let outline = spec.outline(MappingId(1));
    let line = |one: &crate::mapping::language::Diagnostic| {
        let place = one.place.as_ref().unwrap();
        let severity = if one.severity == Severity::Error { "error" } else { "warning" };
        format!("{severity} {}: {}", place.source.position(place.span.start).0, one.message)
    };
    try_out(&spec, &[outline]).iter().map(line).collect()
}

const FIELDS: &str = "fields:\n\
    - { left: Name, right: name, normalize: trim }\n\
    - { left: Kind, right: kind, values: { a: 1, b: 2 } }\n\
    - { left: Stock, right: stock, conflict: counter }\n\
    - { left: Phone, right: phone, owner: left, foreign_edits: revert }\n\
    - { left: ParentId, right: parent_id, reference: m }\n\
    - { left: Tags, right: tags, conflict: merge_set }\n";

#[test]
fn tests_that_hold_find_nothing() {
    let tests = "tests:\n\
        - name: a new record\n\
        \x20 given: { left: { Name: ' Acme ', Kind: a, Stock: 3, ParentId: 001A, Phone: '1' } }\n\
        \x20 expect: { right: { name: Acme, kind: 1, stock: 3, parent_id: 001A, phone: '1' } }\n\
        - name: both count\n\
        \x20 agreed: { left: { Stock: 10, Tags: [a] }, right: { stock: 10, tags: [a] } }\n\
        \x20 given: { left: { Stock: 12, Tags: [a, b] }, right: { stock: 9, tags: [] } }\n\
        \x20 expect: { left: { Stock: 11, Tags: [b] }, right: { stock: 11, tags: [b] } }\n\
        - name: an edit is taken back\n\
        \x20 agreed: { left: { Phone: '1' }, right: { phone: '1' } }\n\
        \x20 given: { right: { phone: '2' } }\n\
        \x20 expect: { right: { phone: '1' }, left: { Phone: '1' } }\n\
        - name: two names\n\
        \x20 given: { left: { Name: Acme }, right: { name: Apex } }\n\
        \x20 expect: { review: [Name/name] }\n\
        - name: not ours\n\
        \x20 given: { left: { Kind: x } }\n\
        \x20 expect: { skipped: left }\n\
        - name: an unknown kind\n\
        \x20 given: { left: { Kind: c } }\n\
        \x20 expect: { right: { kind: null }, review: [Kind/kind] }\n";
    assert_eq!(found(&format!("{FIELDS}{tests}")), Vec::<String>::new());
}

#[test]
fn tests_that_fail_say_what_came_instead() {
    let tests = "tests:\n\
        - name: wrong\n\
        \x20 given: { left: { Name: Acme, Kind: a } }\n\
        \x20 expect: { right: { name: Apex, kind: 2 }, review: [Phone/phone] }\n\
        - name: held\n\
        \x20 given: { left: { Name: Acme }, right: { name: Apex } }\n\
        \x20 expect: { left: { Name: Acme } }\n\
        - name: names\n\
        \x20 given: { left: { Nmae: Acme } }\n\
        \x20 expect: { review: [Nobody] }\n\
        - name: meets\n\
        \x20 given: { left: { Kind: a } }\n\
        \x20 expect: { skipped: left }\n\
        - name: does not\n\
        \x20 given: { left: { Kind: x } }\n\
        \x20 expect: { right: { kind: 1 } }\n";
    let expected = [
        "error 15: test `wrong`: the right `name` is \"Acme\", not \"Apex\"",
        "error 15: test `wrong`: the right `kind` is 1, not 2",
        "error 15: test `wrong`: `Phone/phone` does not wait",
        "error 16: test `held`: `Name/name` waits for a person",
        "error 20: test `names`: the mapping has no left field `Nmae`",
        "error 21: test `names`: the mapping has no unit `Nobody`",
        "error 24: test `meets`: the left record meets `where`",
        "error 25: test `does not`: the left record does not meet `where`",
    ];
    assert_eq!(found(&format!("{FIELDS}{tests}")), expected);
}

#[test]
fn expressions_that_lose_are_told_with_an_example() {
    let pair = |right: &str, left: &str| {
        format!("fields:\n- {{ left: A, right: b, to_right: \"{right}\", to_left: \"{left}\" }}\n")
    };
    assert_eq!(found(&pair("A", "b")), Vec::<String>::new());
    assert_eq!(
        found(&pair("upper(A)", "lower(b)")),
        [
            "warning 6: `A/b` does not bring every value of the left side back",
            "warning 6: `A/b` does not bring every value of the right side back",
        ]
    );
    let lossy = pair("A == null ? 'none' : A + '!'", "b + '?'");
    assert_eq!(
        found(&lossy)[0],
        "error 6: `A/b` loses every value on the way to the right side and back"
    );
    let none = pair("A + 1", "b + 1");
    let none_of = |severity: &str| {
        format!("{severity} 6: `A/b` has no result on the right side for any value that was tried")
    };
    // Nothing shows that these are no numbers.
    assert_eq!(found(&none)[0], none_of("warning"));
    let texts = "tests: [{ name: n, given: { left: { A: a }, right: { b: c } }, \
                 expect: { review: [A/b] } }]\n";
    assert_eq!(found(&format!("{none}{texts}"))[0], none_of("error"));
}

#[test]
fn a_choice_of_two_words_is_tried_with_these() {
    let words = "fields:\n- { left: A, right: b, to_right: \"A ? 'yes' : 'no'\", \
                 to_left: \"b == 'yes'\" }\n";
    let told = found(words);
    assert!(told.iter().all(|told| told.starts_with("warning")), "{told:?}");
    let flag =
        "tests: [{ name: n, given: { left: { A: true } }, expect: { right: { b: yes } } }]\n";
    let told = found(&format!("{words}{flag}"));
    assert!(told.iter().all(|told| told.starts_with("warning")), "{told:?}");
}

#[test]
fn records_that_exist_show_what_would_be_lost() {
    use super::try_records;
    use crate::mapping::language::bind;
    use crate::{Side, Sides};
    use syncline_sdk::Value;
    let rest = |tests: &str| {
        format!(
            "{HEAD}fields:\n- {{ left: A, right: b, to_right: \"upper(A)\", to_left: \"b\" }}\n\
             - {{ left: K, right: k, values: {{ a: x }} }}\n{tests}"
        )
    };
    let tried = |text: &str| {
        let file = MappingFile::parse(&Source::new("m.yaml", text)).unwrap();
        let spec = check_offline(&file).unwrap().value;
        let schemas = super::schema::schemas(&spec, &[]);
        let both = Sides { left: &schemas.left, right: &schemas.right };
        let capable = Sides::from_fn(|_| super::run::capable());
        let mapping = bind(&spec, MappingId(1), 1, both, capable, &[]).unwrap().value;
        let record = |a: &str, k: &str| vec![Value::from(a), Value::from(k), Value::Null];
        let records = [record("UP", "a"), record("low", "a"), record("LOW", "z")];
        let found = try_records(&spec, &mapping, Side::Left, &records);
        found.iter().map(|one| format!("{:?} {}", one.severity, one.message)).collect::<Vec<_>>()
    };
    let count = |severity: &str, unit: &str| {
        format!(
            "{severity} `{unit}` of 1 of 3 records that were looked at cannot go to the right side"
        )
    };
    assert_eq!(tried(&rest("")), [count("Error", "A/b"), count("Warning", "K/k")]);
    let known = "tests: [{ name: n, given: { left: { A: a } }, expect: { review: [A/b] } }]\n";
    assert_eq!(tried(&rest(known)), [count("Warning", "A/b"), count("Warning", "K/k")]);
}

#[test]
fn a_match_rule_that_finds_nothing_is_told_of() {
    use super::try_records;
    use crate::mapping::language::bind;
    use crate::{Side, Sides};
    use syncline_sdk::Value;
    let text = format!("{HEAD}fields:\n- {{ left: Name, right: name }}\n")
        .replace("match: []", "match: [{ left: Name, right: revenue }]")
        + "- { left: Revenue, right: revenue, default: { right: 0 } }\n";
    let file = MappingFile::parse(&Source::new("m.yaml", &text)).unwrap();
    let spec = check_offline(&file).unwrap().value;
    let schemas = super::schema::schemas(&spec, &[]);
    let both = Sides { left: &schemas.left, right: &schemas.right };
    let capable = Sides::from_fn(|_| super::run::capable());
    let mapping = bind(&spec, MappingId(1), 1, both, capable, &[]).unwrap().value;
    let tried = |names: [&str; 2]| {
        let records = names.map(|name| vec![Value::from(name), Value::Int(1), Value::Null]);
        let found = try_records(&spec, &mapping, Side::Left, &records);
        found.iter().map(|one| one.message.clone()).collect::<Vec<_>>()
    };
    let nothing = "no record can be matched: `revenue` has no values of `Name`";
    assert_eq!(tried(["Acme", "Best"]), [nothing]);
    assert_eq!(tried(["Acme", "12"]), Vec::<String>::new());
}

#[test]
fn values_of_sensitive_fields_are_masked() {
    use super::try_records;
    use crate::mapping::language::bind;
    use crate::{Side, Sides};
    use syncline_sdk::Value;
    let rest = "fields:\n\
        - { left: SSN, right: ssn, sensitive: true, values: { secret: x } }\n\
        - { left: [A, B], right: c, sensitive: true, to_right: \"A + B\" }\n\
        tests:\n\
        - name: t\n\
        \x20 given: { left: { SSN: secret, A: secret2, B: b } }\n\
        \x20 expect: { right: { ssn: secret3, c: secret4 } }\n\
        - name: u\n\
        \x20 given: { left: { SSN: secret5 } }\n\
        \x20 expect: { right: { c: null } }\n";
    let file = MappingFile::parse(&Source::new("m.yaml", &format!("{HEAD}{rest}"))).unwrap();
    let spec = check_offline(&file).unwrap().value;
    let told: Vec<String> = try_out(&spec, &[spec.outline(MappingId(1))])
        .iter()
        .map(|one| format!("{} {:?}", one.message, one.note))
        .collect();
    let told = told.join("\n");
    assert!(!told.contains("secret"), "{told}");
    assert!(told.contains("the right `ssn` is (masked), not (masked)"), "{told}");
    assert!(told.contains("the value table has no entry for (masked)"), "{told}");

    let schemas = super::schema::schemas(&spec, &[]);
    let both = Sides { left: &schemas.left, right: &schemas.right };
    let capable = Sides::from_fn(|_| super::run::capable());
    let mapping = bind(&spec, MappingId(1), 1, both, capable, &[]).unwrap().value;
    let records = [vec![Value::from("secret9"), Value::from("a"), Value::from("b"), Value::Null]];
    let found = try_records(&spec, &mapping, Side::Left, &records);
    let notes: Vec<_> = found.iter().filter_map(|one| one.note.as_deref()).collect();
    assert_eq!(notes, ["for example (masked): the value table has no entry for (masked)"]);
}
