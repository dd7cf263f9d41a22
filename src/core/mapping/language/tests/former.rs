//! What has become of a mapping's fields and units in another revision of its file.

use crate::Sides;
use crate::mapping::Former;
use crate::mapping::language::{MappingFile, MappingSpec, Source, check_offline, former};

fn spec(rest: &str) -> MappingSpec {
    let text = format!(
        "mapping: accounts\nleft: {{ system: crm, entity: Account }}\n\
         right: {{ system: ops, entity: public.accounts }}\nmatch: []\n{rest}\n"
    );
    let file = MappingFile::parse(&Source::new("m.yaml", &text)).unwrap();
    check_offline(&file).unwrap().value
}

fn between(before: &str, after: &str) -> Former {
    former(&spec(before), &spec(after))
}

const PLAIN: &str = "fields:
  - { left: Name,     right: name }
  - { left: Phone,    right: phone }
  - { left: Industry, right: industry, values: { Banking: BNK } }";

#[test]
fn what_decides_conflicts_changes_nothing_that_was_agreed_upon() {
    let other = PLAIN.replace("right: phone", "right: phone, conflict: left, default: { left: x }");
    let same = between(PLAIN, &format!("# a word\n{other}\nconflict: newest\ncreate: left"));
    assert!(same.is_same() && !same.widened, "{same:?}");
}

#[test]
fn fields_are_found_again_by_their_names() {
    let moved = "fields:
  - { left: Industry, right: industry, values: { Banking: BNK } }
  - { left: Fax,      right: fax }
  - { left: Name,     right: name }";
    let found = between(PLAIN, moved);
    assert_eq!(found.fields.left, [Some(2), None, Some(0)]);
    assert_eq!(found.fields.right, [Some(2), None, Some(0)]);
    assert_eq!(found.units, [Some(2), None, Some(0)]);
    assert_eq!((found.image_len, found.units_len), (Sides { left: 3, right: 3 }, 3));
    assert!(found.changed.is_empty() && found.widened && !found.filtered, "{found:?}");
    assert!(!found.is_same());
    assert!(!between(moved, PLAIN).is_same());
}

#[test]
fn a_unit_under_another_rule_is_agreed_anew() {
    let changed = |from: &str, to: &str| between(PLAIN, &PLAIN.replace(from, to)).changed;
    assert_eq!(changed("Banking: BNK", "Banking: BANK"), [2]);
    assert_eq!(changed("right: phone", "right: phone, direction: to_right"), [1]);
    assert_eq!(changed("right: phone", "right: phone, normalize: trim"), [1]);
    assert_eq!(changed("right: name", "right: label"), [0], "another pair");
    let united = between(PLAIN, &format!("{PLAIN}\nunits: {{ who: [Name, Phone] }}"));
    assert_eq!(united.units, [None, None, Some(1)]);
    assert_eq!(united.changed, [0]);
    let fresh = between(PLAIN, &format!("{PLAIN}\n  - {{ left: Fax, right: fax }}"));
    assert!(fresh.changed.is_empty(), "nothing was agreed of a new field");
    assert!(fresh.widened);
}

#[test]
fn other_filters_and_match_rules_ask_for_other_records() {
    let with = |left: &str, matches: &str| {
        spec(PLAIN)
            .source
            .text()
            .replace("entity: Account", &format!("entity: Account{left}"))
            .replace("match: []", matches)
    };
    let read = |text: String| {
        let file = MappingFile::parse(&Source::new("m.yaml", &text)).unwrap();
        check_offline(&file).unwrap().value
    };
    let plain = spec(PLAIN);
    let filtered = former(&plain, &read(with(", where: \"Rating = 'Hot'\"", "match: []")));
    assert!(filtered.filtered && filtered.widened && filtered.is_same(), "{filtered:?}");
    let matched = read(with("", "match:\n  - { left: Name, right: name }"));
    let matched = former(&plain, &matched);
    assert!(!matched.filtered && matched.widened && matched.is_same(), "{matched:?}");
}
