//! Sensitive fields: what may be done with them, and what would show them all the same.

use super::world::{TEXT, World, field};
use crate::Side;
use crate::mapping::language::{
    Diagnostics, MappingFile, MappingSpec, Source, check_offline, check_together,
};

const PAIR: &str = "{ left: SSN, right: ssn, sensitive: true }";

fn checked(text: &str) -> Result<MappingSpec, Diagnostics> {
    let file = MappingFile::parse(&Source::new("m.yaml", text))?;
    check_offline(&file).map(|checked| checked.value)
}

/// A mapping of people with these field pairs, these keys on its left side and these of its own.
fn people(pairs: &str, left: &str, rest: &str) -> String {
    let matches = if rest.contains("match:") { "" } else { "match: []\n" };
    format!(
        "mapping: people\nleft: {{ system: crm, entity: Contact{left} }}\n\
         right: {{ system: ops, entity: people }}\n{matches}fields: [{pairs}]\n{rest}\n"
    )
}

fn said(found: &Diagnostics) -> Vec<String> {
    found.iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

#[test]
fn every_kind_of_pair_may_be_sensitive() {
    for pair in [
        PAIR,
        "{ left: SSN, right: ssn, sensitive: true, normalize: trim, conflict: merge_text }",
        "{ left: SSN, right: ssn, sensitive: true, conflict: counter }",
        "{ left: SSN, right: ssn, sensitive: true, values: { A: B } }",
        "{ left: SSN, right: ssn, sensitive: true, round: { right: 2 }, direction: to_right }",
        "{ left: [SSN, B], right: ssn, sensitive: true, to_right: \"SSN + B\" }",
    ] {
        let spec = checked(&people(pair, "", "")).unwrap();
        assert!(spec.fields[0].sensitive.is_some(), "{pair}");
    }
    for open in ["{ left: SSN, right: ssn }", "{ left: SSN, right: ssn, sensitive: false }"] {
        assert_eq!(checked(&people(open, "", "")).unwrap().fields[0].sensitive, None);
    }
    let wrong =
        checked(&people("{ left: SSN, right: ssn, sensitive: maybe }", "", "")).unwrap_err();
    assert_eq!(said(&wrong), ["`sensitive` cannot be `maybe`"]);
}

#[test]
fn what_is_kept_in_clear_cannot_be_sensitive() {
    let by = "match: [{ left: SSN, right: ssn }]";
    let pilot = "mode: pilot\npilot: { left: \"SSN = 'x'\" }";
    for (text, expected) in [
        (
            people(PAIR, "", by),
            vec![
                "`SSN` is sensitive, and a match rule compares it",
                "`ssn` is sensitive, and a match rule compares it",
            ],
        ),
        (
            people(PAIR, ", actor: SSN", ""),
            vec!["`SSN` is sensitive, and it is the `actor` of its side"],
        ),
        (
            people(PAIR, ", where: \"not (SSN in ('1', '2')) and SSN is not null\"", ""),
            vec!["`SSN` is sensitive, and a condition compares it with a value"],
        ),
        (
            people(PAIR, "", "owner: { right: \"ssn > '1'\" }"),
            vec!["`ssn` is sensitive, and a condition compares it with a value"],
        ),
        (
            people(PAIR, "", pilot),
            vec!["`SSN` is sensitive, and a condition compares it with a value"],
        ),
        (
            people("{ left: SSN, right: ssn, sensitive: true, reference: people }", "", ""),
            vec!["a reference cannot be sensitive"],
        ),
        (
            people("{ right: ssn, constant: x, sensitive: true }", "", ""),
            vec!["a constant has no `sensitive`"],
        ),
    ] {
        assert_eq!(said(&checked(&text).unwrap_err()), expected, "{text}");
    }
    assert!(checked(&people(PAIR, ", where: \"SSN is not null\"", "")).is_ok());
    let found = checked(&people(PAIR, "", by)).unwrap_err();
    let drawn = found.render(false);
    assert!(drawn.contains("m.yaml:5:17") && drawn.contains("help: use another field"), "{drawn}");
}

#[test]
fn a_key_is_not_sensitive_and_bound_fields_know_that_they_are() {
    let fields = |names: &[&str]| names.iter().map(|name| field(name, TEXT)).collect();
    let world = World::new(fields(&["Id", "SSN", "Name"]), fields(&["id", "ssn", "name"]));
    let pairs = |pairs: &str| format!("create: none\nfields: [{pairs}]");
    assert_eq!(
        world.says(&pairs("{ left: SSN, right: id, direction: to_left, sensitive: true }")),
        ["error: `id` is sensitive, and a key of public.accounts"]
    );
    let open = "{ left: Name, right: name }";
    let mapping = world.bind(&pairs(&format!("{open}, {PAIR}"))).unwrap().value;
    assert!(mapping.is_sensitive());
    assert_eq!([0, 1, 2].map(|unit| mapping.is_unit_sensitive(unit)), [false, true, false]);
    for side in Side::BOTH {
        let marks: Vec<bool> = mapping.sides[side].fields.iter().map(|at| at.sensitive).collect();
        assert_eq!(marks, [false, true], "{side}");
    }
    assert!(!world.bind(&pairs(open)).unwrap().value.is_sensitive());
}

#[test]
fn no_other_mapping_keeps_a_sensitive_field_in_clear() {
    let one = checked(&people(PAIR, ", where: \"Kind = 'a'\"", "")).unwrap();
    let other = |pair: &str, rest: &str| {
        let left = ", where: \"Kind = 'b'\"";
        checked(&people(pair, left, rest).replace("mapping: people", "mapping: others")).unwrap()
    };
    let systems = ["crm".into(), "ops".into()];
    let together = |other: MappingSpec| said(&check_together(&[one.clone(), other], &systems));
    let leak =
        |field: &str| format!("`{field}` is sensitive in `people` and kept in clear by `others`");
    let shared = |found: Vec<String>| -> Vec<String> {
        found.into_iter().filter(|message| message.contains("sensitive")).collect()
    };
    assert!(shared(together(other(PAIR, ""))).is_empty());
    let open = other("{ left: SSN, right: ssn }", "");
    assert_eq!(shared(together(open)), [leak("SSN"), leak("ssn")]);
    let name = "{ left: Name, right: name }";
    let by = other(name, "match: [{ left: SSN, right: name }]");
    assert_eq!(shared(together(by)), [leak("SSN")]);
    assert!(shared(together(other(name, ""))).is_empty());
}
