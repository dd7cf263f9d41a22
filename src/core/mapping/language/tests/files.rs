//! What files may say, and where their mistakes are.

use std::sync::Arc;

use syncline_sdk::Normalizer;

use crate::mapping::language::{
    Checked, Diagnostics, MappingFile, MappingSpec, ModeSpec, Severity, Source, TableFiles,
    check_offline, check_together, check_with_tables,
};
use crate::mapping::{
    DeleteRule, Direction, Initial, LeaveRule, Objective, Policy, Priority, Share,
};
use crate::{Side, Sides};

fn check(text: &str) -> Result<Checked<MappingSpec>, Diagnostics> {
    MappingFile::parse(&Source::new("m.yaml", text)).and_then(|file| check_offline(&file))
}

/// The findings as severity, line, column and message.
fn places(found: &Diagnostics) -> Vec<(usize, usize, String)> {
    found
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.place.as_ref().unwrap();
            let (line, column) = place.source.position(place.span.start);
            (line, column, diagnostic.message.clone())
        })
        .collect()
}

const FULL: &str = "
mapping: accounts
left:  { system: crm, entity: Account, where: \"IsPersonAccount = false\", actor: LastModifiedById,
         external_id: Syncline_Id__c, marker: Syncline_Marker__c }
right: { system: ops, entity: public.accounts }
match:
  - { left: Ops_Id__c, right: id }
  - { left: Website, right: domain, normalize: [trim, lowercase], ambiguous: review }
initial: fill
fields:
  - { left: Name,      right: name }
  - { left: Phone,     right: phone, owner: left }
  - { left: Rating,    right: score, direction: to_right }
  - { left: ParentId,  right: parent_id, reference: accounts }
  - { left: Industry,  right: industry, values: { Banking: BNK, 'Energy': ENR }, conflict: right }
  - { left: Notes,     right: notes, normalize: trim }
conflict: review
create: left
delete: { left: propagate, right: keep }
leave: unlink
";

#[test]
fn a_whole_file_is_read() {
    let spec = check(FULL).unwrap();
    assert!(spec.warnings.is_empty());
    let spec = spec.value;
    assert_eq!(&**spec.name, "accounts");
    assert_eq!(spec.initial, Initial::Fill);
    assert_eq!(*spec.create, Sides { left: true, right: false });
    assert_eq!(*spec.delete, Sides { left: DeleteRule::Propagate, right: DeleteRule::Keep });
    assert_eq!(*spec.leave, LeaveRule::Unlink);
    assert_eq!(spec.matches[1].normalize[1].value, Normalizer::Lowercase);
    assert_eq!(spec.sides.left.condition.as_ref().unwrap().to_string(), "IsPersonAccount = false");
    let policies: Vec<Policy> = spec.fields.iter().map(|field| field.conflict).collect();
    let (review, left, right) =
        (Policy::Review, Policy::Wins(Side::Left), Policy::Wins(Side::Right));
    assert_eq!(policies, [review, left, review, review, right, review]);
    assert_eq!(*spec.fields[2].direction, Direction::ToRight);
    assert_eq!(&*spec.fields[3].reference.as_ref().unwrap().value, "accounts");
    assert_eq!(spec.fields[4].values.as_ref().unwrap().len(), 2);
    assert_eq!(&*spec.fields[0].unit_name(), "Name/name");
}

#[test]
fn what_a_file_does_not_say_is_the_careful_choice() {
    let spec = check(
        "mapping: m\nleft: { system: a, entity: b }\nright: { system: c, entity: d }\n\
         match: []\nfields: [{ left: x, right: x }]\n",
    );
    let spec = spec.unwrap().value;
    assert_eq!(spec.initial, Initial::Review);
    assert_eq!(*spec.delete, Sides { left: DeleteRule::Review, right: DeleteRule::Review });
    assert_eq!(*spec.leave, LeaveRule::Keep);
    assert_eq!(spec.fields[0].conflict, Policy::Review);
    assert_eq!(*spec.fields[0].direction, Direction::Both);
    assert_eq!(&*spec.fields[0].unit_name(), "x");
}

#[test]
fn the_selection_has_pair_fields_first_and_each_field_once() {
    let spec = check(FULL).unwrap().value;
    let (left, image_len) = spec.fields_of(Side::Left);
    let names: Vec<&str> = left.iter().map(|field| field.as_str()).collect();
    let pairs = ["Name", "Phone", "Rating", "ParentId", "Industry", "Notes"];
    assert_eq!(names[..image_len], pairs);
    let others = ["Ops_Id__c", "Website", "IsPersonAccount", "LastModifiedById"];
    assert_eq!(names[image_len..], others);
    let selection = spec.draft_selection(Side::Left);
    assert_eq!(selection.marker.unwrap().as_str(), "Syncline_Marker__c");
    assert_eq!(selection.filter, None);
}

#[test]
fn a_mapping_wide_owner_is_the_default_of_its_fields() {
    let spec = check(
        "mapping: m\nleft: { system: a, entity: b }\nright: { system: c, entity: d }\nmatch: []\n\
         owner: right\nfields: [{ left: x, right: x }, { left: y, right: y, conflict: review }]\n",
    );
    let spec = spec.unwrap().value;
    assert_eq!(spec.fields[0].conflict, Policy::Wins(Side::Right));
    assert_eq!(spec.fields[1].conflict, Policy::Review);
}

#[test]
fn tables_stand_in_files_of_their_own() {
    let text = format!(
        "{}tables: {{ codes: codes.csv, own: {{ a: b }} }}\n",
        FULL.replace("right: name }", "right: name, values: codes }")
    );
    let file = MappingFile::parse(&Source::new("m.yaml", &text)).unwrap();
    let named: Vec<_> = file.table_files().into_iter().map(|name| name.value).collect();
    assert_eq!(named, ["codes.csv".into()]);
    let read = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let files = TableFiles([("codes.csv".into(), Arc::new(rows))].into());
        check_with_tables(&file, &files).unwrap().value
    };
    let spec = read(&[("Z", "1"), ("A", "1")]);
    let values = spec.fields[0].values.as_ref().unwrap();
    let keys: Vec<&str> = values.value.iter().map(|(left, _)| &*left.text).collect();
    assert_eq!(keys, ["Z", "A"], "the first one stands for what several mean");
    assert_ne!(spec.rules_text(), read(&[("Z", "2"), ("A", "1")]).rules_text());
    assert_eq!(spec.rules_text(), read(&[("Z", "1"), ("A", "1")]).rules_text());
    // Whoever only wants names needs no file.
    assert!(check_offline(&file).is_ok());
    let wrong = check(&FULL.replace("right: name }", "right: name, values: code }")).unwrap_err();
    assert!(wrong.to_string().contains("there is no table `code`"), "{wrong}");
}

#[test]
fn modes_and_pilots_are_read() {
    let mode = |rest: &str| check(&format!("{FULL}{rest}")).unwrap().value.mode.value;
    assert_eq!(mode("").word(), "live");
    assert_eq!(mode("mode: observe\n"), ModeSpec::Observe);
    let ModeSpec::Pilot(pilot) =
        mode("mode: pilot\npilot: { left: \"Name = 'x'\", share: 2.5% }\n")
    else {
        panic!("a pilot")
    };
    assert!(pilot.conditions.left.is_some() && pilot.conditions.right.is_none());
    assert_eq!(pilot.share, Share::of_ten_thousand(250));
    let wrong = |rest: &str| check(&format!("{FULL}{rest}")).unwrap_err().to_string();
    assert!(wrong("mode: observe\npilot: { share: 5% }\n").contains("`pilot` has no effect"));
    assert!(wrong("mode: pilot\npilot: {}\n").contains("does not say which records"));
    for share in ["0%", "101%", "5", "0.001%", "-1%", "x%"] {
        let found = wrong(&format!("mode: pilot\npilot: {{ share: {share} }}\n"));
        assert!(found.contains("is no share of the records"), "{share}: {found}");
    }
    assert!(wrong("mode: pilot\npilot: { first: 5 }\n").contains("a share of all records"));
    let priority = |rest: &str| check(&format!("{FULL}{rest}")).unwrap().value.priority;
    assert_eq!(priority(""), Priority::Normal);
    assert_eq!(priority("priority: high\n"), Priority::High);
}

#[test]
fn an_objective_is_read_and_checked() {
    let spec = check(&format!("{FULL}objective: {{ lag: 5s, failures: 0.2% }}\n")).unwrap();
    let objective = Objective { lag: Some(5_000_000), failures: Some(2_000) };
    assert_eq!(spec.value.objective, Some(objective));
    assert_eq!(check(FULL).unwrap().value.objective, None);
    let text = format!("{FULL}objective: {{ lag: soon, failures: 2, latency: 5s }}\n");
    let found = check(&text).unwrap_err();
    let expected = [
        (21, 19, "`lag` cannot be `soon`".to_owned()),
        (21, 35, "`failures` cannot be `2`".to_owned()),
        (21, 38, "unknown key `latency` in `objective`".to_owned()),
    ];
    assert_eq!(places(&found), expected);
    let found = check(&format!("{FULL}objective: {{}}\n")).unwrap_err();
    assert!(found.to_string().contains("asks for nothing"), "{found}");
}

#[test]
fn places_count_characters_and_lines_whatever_the_line_ends() {
    let text = "mapping: m\r\nleft: { system: ä, entity: \"ö\", where: \"größe = 5 oder\" }\r\n\
                right: { system: c, entity: d, x: 1 }\r\nmatch: []\r\n\
                fields: [{ left: \u{1F600}, right: x, direction: up }]\r\n";
    let found = check(text).unwrap_err();
    let expected = [
        (2, 51, "`oder` does not continue the condition".to_owned()),
        (3, 32, "unknown key `x` in a side".to_owned()),
        (5, 42, "`direction` cannot be `up`".to_owned()),
    ];
    assert_eq!(places(&found), expected);
    assert_eq!(places(&check(&format!("\u{feff}{text}")).unwrap_err()), expected);
}

#[test]
fn places_inside_a_condition_follow_quotes_escapes_and_folding() {
    let cases = [
        ("a = x", (2, 43)),
        ("'a = x'", (2, 44)),
        ("'b = ''q'' and a = x'", (2, 58)),
        ("\"b = \\\"q\\\" and a = x\"", (2, 58)),
        ("\"b = '\\u00e4\\t' and a = x\"", (2, 63)),
        ("\"b = 1 and\n    a = x\"", (3, 9)),
        ("\"b = 1 \\\n    and a = x\"", (3, 13)),
    ];
    for (condition, (line, column)) in cases {
        let text = format!(
            "mapping: m\nleft: {{ system: a, entity: b, where:  {condition} }}\n\
             right: {{ system: c, entity: d }}\nmatch: []\nfields: [{{ left: x, right: x }}]\n"
        );
        let found = check(&text).unwrap_err();
        let message = "`x` is not a constant".to_owned();
        assert_eq!(places(&found), [(line, column, message)], "{condition}");
    }
    for (block, (line, column)) in [(">-", (6, 9)), ("|", (6, 9))] {
        let text = format!(
            "mapping: m\nleft:\n  system: a\n  entity: b\n  where: {block}\n    a = x\n\
             right: {{ system: c, entity: d }}\nmatch: []\nfields: [{{ left: x, right: x }}]\n"
        );
        let message = "`x` is not a constant".to_owned();
        assert_eq!(places(&check(&text).unwrap_err()), [(line, column, message)], "{block}");
    }
}

#[test]
fn a_file_that_is_not_utf8_or_too_long_is_refused() {
    let found = Source::from_bytes("m.yaml", b"mapping: m\nleft: \xff").unwrap_err();
    assert_eq!(places(&found), [(2, 7, "the file is not UTF-8".to_owned())]);
    assert!(found.to_string().contains("0xff"));
    let found = Source::from_bytes("m.yaml", &vec![b'a'; (1 << 20) + 1]).unwrap_err();
    assert!(found.to_string().contains("m.yaml has 1048577 bytes"));
}

#[test]
fn deep_nesting_is_refused() {
    let found = check(&format!("mapping: {}", "[".repeat(10_000))).unwrap_err();
    assert_eq!(found.count(Severity::Error), 1);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let found = check("mapping: \"a\\e[31mb\"\n").unwrap_err();
    assert!(!found.render(false).contains('\u{1b}'));
    assert!(!found.to_json().to_string().contains("\\u001b"));
}

#[test]
fn findings_travel_as_json() {
    let found = check("mapping: m\nleft: { system: a, entity: b }\nfields: []\nmodes: 1\n");
    let json = found.unwrap_err().to_json();
    let last = json.as_array().unwrap().last().unwrap();
    let expected = serde_json::json!({
        "severity": "error",
        "message": "unknown key `modes` in a mapping",
        "file": "m.yaml",
        "line": 4,
        "column": 1,
        "end_line": 4,
        "end_column": 6,
        "label": "no such key",
        "help": "did you mean `mode`?",
    });
    assert_eq!(*last, expected);
}

fn spec(text: &str) -> MappingSpec {
    check(text).unwrap().value
}

fn mapping(name: &str, left: &str, right: &str, field: &str) -> MappingSpec {
    spec(&format!(
        "mapping: {name}\nleft: {left}\nright: {right}\nmatch: []\nfields: [{{ {field} }}]\n"
    ))
}

#[test]
fn mappings_are_checked_against_each_other_and_the_settings() {
    let crm = "{ system: crm, entity: Account }";
    let ops = "{ system: ops, entity: public.accounts }";
    let plain = "left: a, right: b";
    let systems = ["crm".into(), "ops".into()];
    let messages = |specs: &[MappingSpec]| {
        let found = check_together(specs, &systems);
        found.iter().map(|diagnostic| diagnostic.message.clone()).collect::<Vec<_>>()
    };
    let accounts = mapping("accounts", crm, ops, plain);
    assert!(messages(std::slice::from_ref(&accounts)).is_empty());

    let child = mapping(
        "contacts",
        "{ system: cmr, entity: C }",
        "{ system: ops, entity: public.contacts }",
        "left: a, right: b, reference: acounts",
    );
    assert_eq!(
        messages(&[accounts.clone(), child]),
        ["there is no system `cmr`", "there is no mapping `acounts`"]
    );
    assert_eq!(
        messages(&[accounts.clone(), accounts.clone()]),
        ["two mappings have the name `accounts`"]
    );
    let crossed = mapping("again", ops, crm, plain);
    let both = ["a record of public.accounts may be in `accounts` and `again`"];
    assert_eq!(messages(&[accounts, crossed]), both);
    let filtered = |name: &str, value: u8| {
        let left = format!("{{ system: crm, entity: Account, where: a = {value} }}");
        let right = format!("{{ system: ops, entity: public.accounts, where: b = {value} }}");
        mapping(name, &left, &right, plain)
    };
    assert!(messages(&[filtered("one", 1), filtered("two", 2)]).is_empty());
    let found = check_together(&[filtered("one", 1), filtered("two", 1)], &systems);
    assert!(found.to_string().contains("for example one with a = 1"), "{found}");
}
