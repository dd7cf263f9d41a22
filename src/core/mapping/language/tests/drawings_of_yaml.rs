//! What is shown for YAML that is wrong in itself, and for places inside scalars.

use super::drawings::shows;

#[test]
fn no_yaml_at_all() {
    shows(
        r#"
a: [1, 2
"#,
        r#"
error: the file is not valid YAML
 --> mappings/x.yaml:1:4
  |
1 | a: [1, 2
  |    ^ unclosed bracket '['
  |
  = help: quote values that hold any of : { } [ ] , # & * ! | > ' % @
"#,
    );
}

#[test]
fn parts_of_yaml_that_are_refused() {
    shows(
        r#"
a: &x 1
b: *x
c: !tag 2
a: 3
"#,
        r#"
error: an anchor is not allowed here
 --> mappings/x.yaml:1:7
  |
1 | a: &x 1
  |       ^
  |
  = help: remove it, and write the value out where it is used

error: an alias is not allowed here
 --> mappings/x.yaml:2:4
  |
2 | b: *x
  |    ^^
  |
  = help: write the value out

error: a tag is not allowed here
 --> mappings/x.yaml:3:9
  |
3 | c: !tag 2
  |         ^
  |
  = help: remove it; use quotes to force text

error: the key `a` occurs twice
 --> mappings/x.yaml:4:1
  |
1 | a: &x 1
  | - first here
...
4 | a: 3
  | ^ again here
  |
  = help: remove one of them
"#,
    );
}

#[test]
fn letters_beyond_ascii_and_carriage_returns() {
    shows(
        r#"
mapping: größe
left: { system: ä, entity: Ö, where: 'ü = 5 und x = 1' }\r
right: { system: ops, entity: b, where: "naïve = 'x' or or" }\r
fields: [{ left: [A, B], right: c }]\r
match: []
"#,
        r#"
error: `größe` cannot be the name of a mapping
 --> mappings/x.yaml:1:10
  |
1 | mapping: größe
  |          ^^^^^
  |
  = help: use lower-case letters, digits, `_` and `-`, beginning with a letter

error: `und` does not continue the condition
 --> mappings/x.yaml:2:45
  |
2 | left: { system: ä, entity: Ö, where: 'ü = 5 und x = 1' }
  |                                             ^^^
  |
  = help: join conditions with `and` or `or`

error: `or` is a word of the language
 --> mappings/x.yaml:3:57
  |
3 | right: { system: ops, entity: b, where: "naïve = 'x' or or" }
  |                                                         ^^
  |
  = help: if a field has this name, write it as `or` in backticks

error: several fields on one side need expressions
 --> mappings/x.yaml:4:10
  |
4 | fields: [{ left: [A, B], right: c }]
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: add `to_right`, `to_left` or both, as in: { left: [FirstName, LastName], right:
          full_name, to_right: "..." }
"#,
    );
}

#[test]
fn a_list_instead_of_keys() {
    shows(
        r#"
- just
- a list
"#,
        r#"
error: a mapping is a set of keys, not a list
 --> mappings/x.yaml:1:3
  |
1 | - just
  |   ^^^^
  |
  = help: its keys are `mapping`, `left`, `right`, `match`, `initial`, `fields`, `units`,
          `tables`, `owner`, `conflict`, `create`, `delete`, `leave`, `guard`, `mode`, `pilot`,
          `priority`, `objective` or `tests`
"#,
    );
}

#[test]
fn places_in_block_scalars() {
    shows(
        r#"
mapping: m
left:
  system: a
  entity: b
  where: >-
    Type = 'Customer'
    and Region like 'EU'
right:
  system: c
  entity: d
  where: |
    (a = 1 or
     b = 2
match: []
fields: [{ left: A, right: a }]
"#,
        r#"
error: `like` is not a comparison
 --> mappings/x.yaml:7:16
  |
7 |     and Region like 'EU'
  |                ^^^^
  |
  = help: after a field write = != < <= > >=, `in (...)`, `is null` or `is not null`

error: this parenthesis is never closed
  --> mappings/x.yaml:12:5
   |
12 |     (a = 1 or
   |     ^
   |
   = help: close it with `)`
"#,
    );
}

#[test]
fn places_in_quoted_scalars() {
    shows(
        r#"
mapping: m
left: { system: a, entity: b, where: "a = 'it''s' and b == \"x\"" }
right: { system: c, entity: d, where: 'x = ''abc'' and y in (1, null)' }
match: []
fields: [{ left: A, right: a }]
"#,
        r#"
error: `==` is not a comparison
 --> mappings/x.yaml:2:57
  |
2 | left: { system: a, entity: b, where: "a = 'it''s' and b == \"x\"" }
  |                                                         ^^
  |
  = help: write `=`

error: a list cannot hold null
 --> mappings/x.yaml:3:65
  |
3 | right: { system: c, entity: d, where: 'x = ''abc'' and y in (1, null)' }
  |                                                                 ^^^^
  |
  = help: write `field is null or field in (...)`
"#,
    );
}

#[test]
fn an_empty_file() {
    shows(
        r#"
"#,
        r#"
error: a mapping is a set of keys, not nothing
 --> mappings/x.yaml:1:1
  |
1 |
  | ^
  |
  = help: its keys are `mapping`, `left`, `right`, `match`, `initial`, `fields`, `units`,
          `tables`, `owner`, `conflict`, `create`, `delete`, `leave`, `guard`, `mode`, `pilot`,
          `priority`, `objective` or `tests`
"#,
    );
}
