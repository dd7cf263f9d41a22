//! Bad files and exactly what is shown for them.

use crate::mapping::language::{MappingFile, Source, check_offline};

/// What is drawn for a file; `\\r` stands for a carriage return.
fn drawn(text: &str) -> String {
    let source = Source::new("mappings/x.yaml", &text.replace("\\r", "\r"));
    match MappingFile::parse(&source).and_then(|file| check_offline(&file)) {
        Ok(checked) => checked.warnings.render(false),
        Err(found) => found.render(false),
    }
}

#[track_caller]
pub(super) fn shows(text: &str, expected: &str) {
    let drawn = drawn(text.trim_start_matches('\n'));
    assert!(drawn == expected.trim_matches('\n'), "drawn:\n{drawn}\n\nexpected:\n{expected}");
}

#[test]
fn slips_in_every_key() {
    shows(
        r#"
mapping: accounts
left: { sytem: crm, entity: Account, where: "IsPersonAccount = falsch" }
right: { system: ops, entity: public.accounts }
match: none
mode: off
initial: newer
fields:
  - { left: Name, right: name, owner: left, conflict: right }
  - { left: Phone, direction: to_rigth }
  - { left: Rating, right: name, normalize: [trm] }
create: everywhere
delete: { left: propagate, up: keep }
leave: keep
"#,
        r#"
error: a side has no `system`
 --> mappings/x.yaml:2:7
  |
2 | left: { sytem: crm, entity: Account, where: "IsPersonAccount = falsch" }
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: add it, as in: left: { system: crm, entity: Account }

error: unknown key `sytem` in a side
 --> mappings/x.yaml:2:9
  |
2 | left: { sytem: crm, entity: Account, where: "IsPersonAccount = falsch" }
  |         ^^^^^ no such key
  |
  = help: did you mean `system`?

error: `falsch` is not a constant
 --> mappings/x.yaml:2:64
  |
2 | left: { sytem: crm, entity: Account, where: "IsPersonAccount = falsch" }
  |                                                                ^^^^^^
  |
  = help: a field is compared with a constant; text is quoted: 'falsch'

error: `match` is a list, not a single value
 --> mappings/x.yaml:4:8
  |
4 | match: none
  |        ^^^^
  |
  = help: write `match: [...]`, or one item a line behind `- `

error: `mode` cannot be `off`
 --> mappings/x.yaml:5:7
  |
5 | mode: off
  |       ^^^
  |
  = help: write `observe`, `pilot` or `live`

error: `initial` cannot be `newer`
 --> mappings/x.yaml:6:10
  |
6 | initial: newer
  |          ^^^^^
  |
  = help: write `review`, `left`, `right`, `newest` or `fill`

error: `conflict` would never decide: `owner` wins every conflict
 --> mappings/x.yaml:8:55
  |
8 |   - { left: Name, right: name, owner: left, conflict: right }
  |                                       ---- the owner  ^^^^^
  |
  = note: an owner by record, beside `fields`, leaves others to `conflict`
  = help: remove one of them

error: a field pair has no `right`
 --> mappings/x.yaml:9:5
  |
9 |   - { left: Phone, direction: to_rigth }
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: add it, as in: { left: Name, right: name }

error: `direction` cannot be `to_rigth`
 --> mappings/x.yaml:9:31
  |
9 |   - { left: Phone, direction: to_rigth }
  |                               ^^^^^^^^
  |
  = help: did you mean `to_right`? It is `both`, `to_left` or `to_right`

error: the right field `name` is in two pairs
  --> mappings/x.yaml:10:28
   |
 8 |   - { left: Name, right: name, owner: left, conflict: right }
   |                          ---- first here
 9 |   - { left: Phone, direction: to_rigth }
10 |   - { left: Rating, right: name, normalize: [trm] }
   |                            ^^^^ again here
   |
   = help: keep it in one of them

error: `normalize` cannot be `trm`
  --> mappings/x.yaml:10:46
   |
10 |   - { left: Rating, right: name, normalize: [trm] }
   |                                              ^^^
   |
   = help: did you mean `trim`? It is `trim`, `lowercase`, `empty_to_null` or `line_feeds`

error: `create` cannot be `everywhere`
  --> mappings/x.yaml:11:9
   |
11 | create: everywhere
   |         ^^^^^^^^^^
   |
   = help: write `both`, `left`, `right` or `none`

error: unknown key `up` in `delete`
  --> mappings/x.yaml:12:28
   |
12 | delete: { left: propagate, up: keep }
   |                            ^^ no such key
   |
   = help: keys are `left` or `right`
"#,
    );
}

#[test]
fn a_mapping_of_an_entity_to_itself() {
    shows(
        r#"
mapping: Accounts Two
left: { system: crm, entity: Account }
right: { system: crm, entity: Account }
fields: []
"#,
        r#"
warning: the mapping has no `match`
 --> mappings/x.yaml:1:1
  |
1 | mapping: Accounts Two
  | ^^^^^^^
  |
  = note: records that exist on both sides already would be created twice
  = help: say how they find each other, or write `match: []` if there are none

error: `Accounts Two` cannot be the name of a mapping
 --> mappings/x.yaml:1:10
  |
1 | mapping: Accounts Two
  |          ^^^^^^^^^^^^
  |
  = help: use lower-case letters, digits, `_` and `-`, beginning with a letter

error: both sides are the same entity
 --> mappings/x.yaml:3:31
  |
2 | left: { system: crm, entity: Account }
  |                              ------- named here first
3 | right: { system: crm, entity: Account }
  |                               ^^^^^^^
  |
  = help: a mapping joins two different entities

error: the mapping has no field pairs
 --> mappings/x.yaml:4:9
  |
4 | fields: []
  |         ^^
  |
  = help: name at least one, as in: fields: [{ left: Name, right: name }]
"#,
    );
}

#[test]
fn what_does_not_go_together() {
    shows(
        r#"
mapping: m
left: { system: a, entity: b }
right: { system: c, entity: d }
match: []
owner: { right: "region == 'EU'" }
units: [[A, T]]
mode: pilot
guard: refuse
fields:
  - left: SSN
    right: ssn
    sensitive: true
    to_right: "x + y"
    reference: people
    values: { A: 1 }
  - { left: T, right: tags, conflict: merge_set }
  - { left: D, right: d, direction: to_right, owner: left, values: {} }
"#,
        r#"
error: `==` is not a comparison
 --> mappings/x.yaml:5:25
  |
5 | owner: { right: "region == 'EU'" }
  |                         ^^
  |
  = help: write `=`

error: no field pair has a field `A`
 --> mappings/x.yaml:6:10
  |
6 | units: [[A, T]]
  |          ^
  |
  = help: did you mean `T`?

error: the pilot does not say which records it is about
 --> mappings/x.yaml:7:7
  |
7 | mode: pilot
  |       ^^^^^
  |
  = help: add a share, or a condition on a side, as in: pilot: { share: 5% }

error: `guard` cannot be `refuse`
 --> mappings/x.yaml:8:8
  |
8 | guard: refuse
  |        ^^^^^^
  |
  = help: write `prevent` or `detect`

error: `x` is no field of this pair's left side
  --> mappings/x.yaml:13:15
   |
13 |     to_right: "x + y"
   |               ^^^^^^^
   |
   = note: it has SSN
   = help: add the field to `left`, or correct the name

error: `y` is no field of this pair's left side
  --> mappings/x.yaml:13:15
   |
13 |     to_right: "x + y"
   |               ^^^^^^^
   |
   = note: it has SSN
   = help: add the field to `left`, or correct the name

error: a field that travels one way has no conflicts
  --> mappings/x.yaml:17:54
   |
17 |   - { left: D, right: d, direction: to_right, owner: left, values: {} }
   |                                     --------         ^^^^
   |                                     |
   |                                     it travels one way
   |
   = help: remove `owner` and `conflict` here, or the direction

error: the value table is empty
  --> mappings/x.yaml:17:68
   |
17 |   - { left: D, right: d, direction: to_right, owner: left, values: {} }
   |                                                                    ^^
   |
   = help: fill it, or remove `values`
"#,
    );
}

#[test]
fn values_of_the_wrong_kind() {
    shows(
        r#"
mapping: m
left: { system: , entity: b }
right: nothing
fields: [{ left: A, right: a }]
match: { left: a }
"#,
        r#"
error: `system` is empty
 --> mappings/x.yaml:2:15
  |
2 | left: { system: , entity: b }
  |               ^
  |
  = help: give it a value, or remove `system`

error: a side is a set of keys, not a single value
 --> mappings/x.yaml:3:8
  |
3 | right: nothing
  |        ^^^^^^^
  |
  = help: its keys are `system`, `entity`, `where`, `external_id`, `marker` or `actor`

error: `match` is a list, not a set of keys
 --> mappings/x.yaml:5:8
  |
5 | match: { left: a }
  |        ^^^^^^^^^^^
  |
  = help: write `match: [...]`, or one item a line behind `- `
"#,
    );
}
