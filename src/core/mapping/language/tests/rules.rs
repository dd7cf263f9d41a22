//! Rules of fields beyond direction and owner: units, defaults, constants, policies, ownership.

use syncline_sdk::{Cas, Comparison, FieldType, Filter, ReceiptKind, Value};

use super::world::{TEXT, World, accounts, chars, field};
use crate::Side;
use crate::mapping::language::{FieldSpec, MappingFile, Severity, Source, check_offline};
use crate::mapping::{Direction, ForeignEdits, Formula, Policy, Unowned};

/// What is wrong with a mapping of accounts.
fn errors(rest: &str) -> Vec<String> {
    let found = accounts().bind(rest).unwrap_err();
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    errors.map(|one| one.message.clone()).collect()
}

#[test]
fn units_hold_their_fields_in_the_order_of_the_file() {
    let rest = "create: none\nunits: [[Phone, Industry]]\nfields:\n\
        - { left: Phone, right: phone }\n- { left: Name, right: name }\n\
        - { left: Industry, right: industry_code }\n";
    let mapping = accounts().bind(rest).unwrap().value;
    let names: Vec<&str> = mapping.units.iter().map(|unit| &*unit.name).collect();
    assert_eq!(names, ["Phone+Industry", "Name/name"]);
    assert_eq!(mapping.units[0].fields(Side::Left).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(mapping.unit_of(Side::Right, 2), Some(0));
    let named = rest.replace("[[Phone, Industry]]", "{ contact: [phone, industry_code] }");
    let mapping = accounts().bind(&named).unwrap().value;
    assert_eq!(&*mapping.units[0].name, "contact");
}

#[test]
fn a_unit_that_is_none_is_refused() {
    let unit = |units: &str, owner: &str| {
        errors(&format!(
            "create: none\nunits: {units}\nfields: [{{ left: Name, right: name{owner} }}, \
             {{ left: Phone, right: phone }}]\n"
        ))
    };
    assert_eq!(unit("[[Name]]", ""), ["a unit has at least two field pairs"]);
    assert_eq!(unit("[[Name, Fone]]", ""), ["no field pair has a field `Fone`"]);
    assert_eq!(
        unit("[[Name, Phone], [phone, name]]", "").first().map(String::as_str),
        Some("`Name/name` is in two units")
    );
    let mixed = unit("[[Name, Phone]]", ", owner: left");
    assert_eq!(mixed, ["fields of one unit have one direction and one owner"]);
    let merged = "create: none\nunits: [[Name, Phone]]\nfields: [{ left: Name, right: name, \
        conflict: merge_text }, { left: Phone, right: phone, conflict: merge_text }]\n";
    assert_eq!(errors(merged), ["this `conflict` decides single fields, and the unit has several"]);
}

#[test]
fn an_owner_with_foreign_edits_leads_alone() {
    let one = |keys: &str| {
        let rest = format!("create: none\nfields: [{{ left: Phone, right: phone, {keys} }}]\n");
        accounts().bind(&rest).map(|checked| checked.value.units[0].clone())
    };
    let unit = one("owner: left, foreign_edits: revert").unwrap();
    assert_eq!((unit.direction, unit.foreign), (Direction::ToRight, ForeignEdits::Revert));
    let unit = one("direction: to_left, foreign_edits: review").unwrap();
    assert_eq!((unit.direction, unit.foreign), (Direction::ToLeft, ForeignEdits::Review));
    assert_eq!(one("owner: right").unwrap().direction, Direction::Both);
    let found = one("foreign_edits: revert").unwrap_err();
    assert!(found.to_string().contains("`foreign_edits` needs a side that leads the field"));
}

#[test]
fn defaults_and_constants_have_the_type_of_their_field() {
    let rest = "create: none\nfields:\n\
        - { left: Founded__c, right: founded, default: { right: 2000-01-01 } }\n\
        - { right: industry_code, constant: XX }\n";
    let checked = accounts().bind(rest).unwrap();
    let mapping = checked.value;
    let day = Value::Date("2000-01-01".parse().unwrap());
    assert_eq!(mapping.units[0].pairs[0].default.right, Some(day));
    let constant = &mapping.units[1];
    assert_eq!(constant.direction, Direction::ToRight);
    assert!(constant.is_missing(Side::Left));
    assert_eq!(constant.computed[0].formulas.right, [Formula::Constant("XX".into())]);
    assert_eq!(
        errors("create: none\nfields: [{ left: Founded__c, right: founded, default: soon }]\n"),
        ["`default` does not say for which side it is"]
    );
    let wrong = "create: none\nfields: [{ right: employees, constant: many }]\n";
    assert_eq!(errors(wrong), ["`employees` is a whole number (native), and `many` is not"]);
    let both = "create: none\nfields: [{ left: Phone, right: phone, constant: 1 }]\n";
    assert_eq!(errors(both), ["a constant is written to one side"]);
    let more = "create: none\nfields: [{ right: phone, constant: 1, normalize: trim }]\n";
    assert_eq!(errors(more), ["a constant has no `normalize`"]);
}

#[test]
fn what_a_file_gives_fits_into_its_field() {
    let too_long = "`phone` cannot hold `0123456789012345678901`: it has 22 characters and the \
                    field takes 20";
    let given = |rule: &str| {
        errors(&format!("create: none\nfields: [{{ {rule}: \"0123456789012345678901\" }}]\n"))
    };
    assert_eq!(given("right: phone, constant"), [too_long]);
    assert_eq!(given("left: Phone, right: phone, direction: to_right, default"), [too_long]);
    let table = "create: none\nfields:\n  \
                 - { left: Name, right: phone, values: { a: \"0123456789012345678901\" } }\n";
    assert_eq!(errors(table), [too_long]);
}

#[test]
fn a_constant_comes_back_unless_it_is_said_otherwise() {
    let foreign = |rest: &str| {
        let rest =
            format!("create: none\nfields: [{{ right: industry_code, constant: XX{rest} }}]\n");
        accounts().bind(&rest).unwrap().value.units[0].foreign
    };
    assert_eq!(foreign(""), ForeignEdits::Revert);
    assert_eq!(foreign(", foreign_edits: keep"), ForeignEdits::Keep);
    let joined = "create: none\nunits: [[Phone, industry_code]]\nfields:\n\
        - { left: Phone, right: phone, direction: to_right }\n\
        - { right: industry_code, constant: XX }\n";
    let units = accounts().bind(joined).unwrap().value.units;
    assert_eq!(units[0].foreign, ForeignEdits::Keep, "the unit's own rule");
}

#[test]
fn a_required_field_may_be_given_by_a_constant() {
    let world = World::new(
        vec![field("Name", TEXT)],
        vec![field("name", TEXT), super::world::required("origin", chars(10))],
    );
    let rest = "fields: [{ left: Name, right: name }, { right: origin, constant: crm }]\n";
    assert_eq!(world.says(rest), Vec::<String>::new());
}

#[test]
fn policies_fit_the_types_of_their_fields() {
    let number = FieldType::Int { min: 0, max: 99 };
    let tags = FieldType::List(Box::new(TEXT));
    let fields = || vec![field("n", number.clone()), field("t", TEXT), field("s", tags.clone())];
    let mut world = World::new(fields(), fields());
    let all = |n: &str, t: &str, s: &str| {
        format!(
            "create: none\nfields: [{{ left: n, right: n, conflict: {n} }}, \
             {{ left: t, right: t, conflict: {t} }}, {{ left: s, right: s, conflict: {s} }}]\n"
        )
    };
    let mapping = world.bind(&all("counter", "merge_text", "merge_set")).unwrap().value;
    let policies: Vec<Policy> = mapping.units.iter().map(|unit| unit.conflict).collect();
    assert_eq!(policies, [Policy::Counter, Policy::MergeText, Policy::MergeSet]);
    let said = world.says(&all("merge_text", "max", "min"));
    assert_eq!(said.len(), 6, "{said:?}");
    assert!(said[0].contains("`n` is a whole number (native), and `merge_text` is not for it"));
    world.capabilities.left.receipt = ReceiptKind::None;
    world.capabilities.right.cas = Cas::None;
    let said = world.says(&all("counter", "review", "newest"));
    let told = said.iter().filter(|one| one.contains("whether a write of a counter went through"));
    assert_eq!(told.count(), 2, "{said:?}");
}

#[test]
fn rows_are_owned_by_conditions_on_mapped_fields() {
    let rest = |condition: &str| {
        format!(
            "create: none\nowner: {{ right: \"{condition}\" }}\nfields: [\
             {{ left: Phone, right: phone, conflict: left }}, \
             {{ left: Industry, right: industry_code }}]\n"
        )
    };
    let mapping = accounts().bind(&rest("industry_code = 'BNK'")).unwrap().value;
    assert_eq!(mapping.units[0].conflict, Policy::Wins(Side::Left));
    assert_eq!(mapping.units[1].conflict, Policy::Row(Unowned::Review));
    let owned = Filter::Compare {
        field: "industry_code".into(),
        comparison: Comparison::Equal,
        value: "BNK".into(),
    };
    assert_eq!(mapping.owners.right, Some(owned));
    assert_eq!(
        errors(&rest("employees > 5")),
        ["`employees` is in no field pair, and decides who owns a record"]
    );
}

#[test]
fn an_owner_by_record_says_of_a_side_which() {
    let nobody = "create: none\nowner: {}\nfields: [{ left: Name, right: name }]\n";
    assert_eq!(errors(nobody), ["`owner` says of no side which records it owns"]);
}

#[test]
fn conflict_decides_what_no_side_owns() {
    let conflicts = |owner: &str, conflict: &str| {
        let rest = format!(
            "create: none\nowner: {owner}\nconflict: {conflict}\nfields: [\
             {{ left: Phone, right: phone, conflict: merge_text }}, \
             {{ left: Industry, right: industry_code }}]\n"
        );
        let units = accounts().bind(&rest).map(|checked| checked.value.units);
        units.map(|units| units.iter().map(|unit| unit.conflict).collect::<Vec<_>>())
    };
    let by_record = "{ right: \"industry_code = 'BNK'\" }";
    for (word, unowned) in [
        ("review", Unowned::Review),
        ("left", Unowned::Wins(Side::Left)),
        ("right", Unowned::Wins(Side::Right)),
        ("newest", Unowned::Newest),
    ] {
        let told = conflicts(by_record, word).unwrap();
        assert_eq!(told, [Policy::MergeText, Policy::Row(unowned)], "a field's own rule stays");
    }
    assert_eq!(conflicts("left", "left").unwrap()[1], Policy::Wins(Side::Left));
    let refused = conflicts("left", "review").unwrap_err().to_string();
    assert!(refused.contains("`conflict` would never decide"), "{refused}");
}

#[test]
fn every_rule_may_stand_beside_the_others() {
    let text = r#"
mapping: accounts
mode: live
left:  { system: crm, entity: Account, where: "IsPersonAccount = false", actor: LastModifiedById }
right: { system: ops, entity: public.accounts, actor: updated_by }
match:
  - { left: Ops_Id__c, right: id }
  - { left: Website, right: domain, normalize: [trim, lowercase], ambiguous: review }
initial: review
fields:
  - { left: Name,          right: name }
  - { left: Phone,         right: phone, owner: left, foreign_edits: revert }
  - { left: Rating,        right: score, direction: to_right }
  - { left: AnnualRevenue, right: revenue, conflict: max }
  - { left: Description,   right: notes, conflict: merge_text }
  - { left: Tags__c,       right: tags, conflict: merge_set }
  - { left: ParentId,      right: parent_id, reference: accounts }
  - { left: Industry,      right: industry_code, values: { Banking: BNK, Energy: ENR } }
  - left: [FirstName, LastName]
    right: full_name
    to_right: "join([FirstName, LastName], ' ')"
    to_left: { FirstName: "before(full_name, ' ')", LastName: "after(full_name, ' ')" }
  - { left: SSN__c,        right: ssn, sensitive: true }
  - { left: BillingStreet, right: street }
  - { left: BillingCity,   right: city }
  - { left: Region__c,     right: region }
units:  [[BillingStreet, BillingCity]]
owner:  { right: "region = 'EU'" }
create: both
delete: { left: propagate, right: review }
leave:  keep
guard:  prevent
conflict: review
priority: high
objective: { lag: 5s, failures: 0.2% }
"#;
    let file = MappingFile::parse(&Source::new("m.yaml", text)).unwrap();
    let checked = check_offline(&file).unwrap();
    assert!(checked.warnings.is_empty(), "{}", checked.warnings);
    let decides = |name: &str| {
        let named = |pair: &&FieldSpec| pair.fields.left.iter().any(|field| field.as_str() == name);
        checked.value.fields.iter().find(named).unwrap().conflict
    };
    assert_eq!(decides("Name"), Policy::Row(Unowned::Review));
    assert_eq!(decides("Phone"), Policy::Wins(Side::Left));
    assert_eq!(decides("AnnualRevenue"), Policy::Max);
}
