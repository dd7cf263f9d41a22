//! Mappings against the schemas of two systems.

use syncline_sdk::{Comparison, FieldSchema, FieldType, Filter, Normalizer, Precision, Value};

use super::world::{TEXT, World, accounts, chars, field, list, required};
use crate::Side;
use crate::mapping::{Direction, MappingId, Policy};

pub(super) const NAME: &str = "fields: [{ left: Name, right: name }]";

/// The mapping's one pair and `Name`, which a create needs on both sides.
pub(super) fn with_name(pair: &str) -> String {
    format!("fields: [{{ left: Name, right: name }}, {{ {pair} }}]")
}

#[test]
fn a_bound_mapping_has_every_name_resolved() {
    let rest = "
match: [{ left: Phone, right: phone, normalize: [digits_only] }, { left: Id, right: updated_by }]
owner: left
fields:
  - { left: Name, right: name, conflict: review, normalize: [trim] }
  - { left: Industry, right: industry_code, values: { Banking: BNK, Energy: ENR, Other: OTH } }
  - { left: ParentId, right: parent_id, reference: accounts }
  - { left: LastModifiedDate, right: changed_at, direction: to_right }
";
    let left = "where: \"Active__c = true and Founded__c >= 2020-01-01\", external_id: \
                Syncline_Id__c, marker: Syncline_Marker__c";
    let checked = accounts().bind_sides(left, "actor: updated_by", rest).unwrap();
    assert_eq!(checked.warnings.to_string(), "");
    let mapping = checked.value;
    assert_eq!((mapping.id, mapping.revision), (MappingId(7), 3));

    let left = &mapping.sides.left;
    let names: Vec<&str> = left.selection.fields.iter().map(|name| name.as_str()).collect();
    let image = ["Name", "Industry", "ParentId", "LastModifiedDate"];
    assert_eq!(names[..left.image_len], image);
    assert_eq!(names[left.image_len..], ["Phone", "Id", "Active__c", "Founded__c"]);
    assert_eq!(left.fields.len(), names.len());
    let trims = [Normalizer::Trim, Normalizer::EmptyToNull];
    assert_eq!(left.fields[0].normalizers, trims, "what the side does is no rule of the pair");
    assert_eq!(mapping.sides.right.fields[0].normalizers, []);
    assert_eq!(mapping.units[0].pairs[0].normalize, [Normalizer::Trim]);
    assert_eq!(left.selection.marker.as_ref().unwrap().as_str(), "Syncline_Marker__c");
    let right: Vec<&str> =
        mapping.sides.right.selection.fields.iter().map(|name| name.as_str()).collect();
    assert_eq!(right, ["name", "industry_code", "parent_id", "changed_at", "phone", "updated_by"]);

    let date = "2020-01-01".parse().map(Value::Date).unwrap();
    let compare =
        |field: &str, comparison, value| Filter::Compare { field: field.into(), comparison, value };
    assert_eq!(
        left.selection.filter,
        Some(Filter::And(vec![
            compare("Active__c", Comparison::Equal, Value::Bool(true)),
            compare("Founded__c", Comparison::GreaterOrEqual, date),
        ]))
    );
    let rules: Vec<_> = mapping.matches.iter().map(|rule| (rule.left, rule.right)).collect();
    assert_eq!(rules, [(4, 4), (5, 5)]);
    let unit = &mapping.units[1];
    let table = unit.pairs[0].values.as_ref().unwrap();
    assert_eq!(table.translate(Side::Right, &"Energy".into(), &[]), Some(&"ENR".into()));
    assert_eq!((unit.pairs[0].left, unit.pairs[0].right), (1, 1));
    assert_eq!(unit.conflict, Policy::Wins(Side::Left));
    assert_eq!(mapping.units[0].conflict, Policy::Review);
    assert_eq!(mapping.units[2].pairs[0].reference, Some(MappingId(7)));
    assert_eq!(mapping.units[3].direction, Direction::ToRight);
}

#[test]
fn all_findings_come_at_once() {
    let rest = "
match: [{ left: Nme, right: phone }]
fields:
  - { left: Name, right: nam }
  - { left: Id, right: updated_by }
  - { left: Tags__c, right: employees }
";
    let left = "where: \"Nothing = 1 or Active__c = 'yes'\"";
    assert_eq!(
        accounts().says_sides(left, "", rest),
        [
            "error: a new public.accounts would lack name",
            "error: Account of crm has no field `Nothing` [not found]",
            "error: `Active__c` is a boolean (native), and `'yes'` is not",
            "error: Account of crm has no field `Nme` [not found]",
            "error: public.accounts of ops has no field `nam` [not found]",
            "error: `Id` is read-only, and edits travel to it [read-only]",
            "error: `employees` is a whole number (native), and `Tags__c` is a multi-select \
             (native): no value fits",
            "error: `Tags__c` is a multi-select (native), and `employees` is a whole number \
             (native): no value fits",
        ]
    );
}

#[test]
fn read_only_fields_travel_one_way_or_not_at_all() {
    let world = accounts();
    let both = world.bind(&with_name("left: LastModifiedDate, right: changed_at")).unwrap_err();
    assert!(both.to_string().contains("write `direction: to_right`"), "{both}");
    let right = "left: LastModifiedDate, right: changed_at, direction: to_right";
    assert!(world.says(&with_name(right)).is_empty());
    let left = "left: LastModifiedDate, right: changed_at, direction: to_left";
    assert_eq!(
        world.says(&with_name(left)),
        ["error: `LastModifiedDate` is read-only, and edits travel to it [read-only]",]
    );
}

#[test]
fn narrower_fields_are_warned_of_with_what_does_not_fit() {
    let cases = [
        (chars(255), chars(80), "not values of more than 80 characters"),
        (TEXT, FieldType::Bool, "not texts other than true and false"),
        (TEXT, FieldType::Date, "not texts that are no dates"),
        (TEXT, list(&["x"], true), "not values that are not in its list"),
        (list(&["x", "y"], true), list(&["x"], true), "not `y`"),
        (
            FieldType::Decimal { precision: Some(10), scale: Some(2) },
            FieldType::Int { min: 0, max: 9 },
            "not numbers with a fraction, or outside 0 to 9",
        ),
        (
            FieldType::Decimal { precision: None, scale: None },
            FieldType::Decimal { precision: Some(10), scale: Some(2) },
            "not numbers with more than 2 digits behind the point",
        ),
        (
            FieldType::Decimal { precision: Some(12), scale: Some(2) },
            FieldType::Decimal { precision: Some(10), scale: Some(2) },
            "not numbers with more digits before the point",
        ),
        (
            FieldType::Instant { precision: Precision::Micro },
            FieldType::Instant { precision: Precision::Second },
            "not instants with a finer fraction",
        ),
    ];
    for (from, to, label) in cases {
        let world = World::new(vec![field("a", from)], vec![field("b", to)]);
        let says = world.says("fields: [{ left: a, right: b, direction: to_right }]");
        assert_eq!(says, [format!("warning: `b` cannot hold all of `a` [{label}]")]);
    }
}

#[test]
fn fields_that_fit_whole_say_nothing() {
    let decimal = |precision, scale| FieldType::Decimal { precision, scale };
    let cases = [
        (chars(80), chars(80)),
        (FieldType::Bool, chars(5)),
        (FieldType::Int { min: 0, max: 99 }, decimal(Some(2), Some(0))),
        (decimal(Some(10), Some(2)), decimal(Some(12), Some(2))),
        (FieldType::Date, FieldType::Instant { precision: Precision::Second }),
        (list(&["x"], true), list(&["x", "y"], true)),
        (list(&["x"], true), list(&[], false)),
        (FieldType::Uuid, chars(36)),
        (FieldType::List(Box::new(chars(5))), FieldType::List(Box::new(TEXT))),
    ];
    for (from, to) in cases {
        let world = World::new(vec![field("a", from.clone())], vec![field("b", to.clone())]);
        let says = world.says("fields: [{ left: a, right: b, direction: to_right }]");
        assert!(says.is_empty(), "{from:?} into {to:?}: {says:?}");
    }
}

#[test]
fn a_declared_cut_is_no_loss() {
    let target = FieldSchema {
        normalizers: vec![Normalizer::Truncate(Precision::Second)],
        ..field("b", FieldType::Instant { precision: Precision::Second })
    };
    let source = field("a", FieldType::Instant { precision: Precision::Micro });
    let world = World::new(vec![source], vec![target]);
    assert!(world.says("fields: [{ left: a, right: b }]").is_empty());
}

#[test]
fn null_must_have_a_place() {
    let world = World::new(vec![field("a", TEXT)], vec![required("b", TEXT)]);
    let says = world.says("fields: [{ left: a, right: b }]");
    assert_eq!(says, ["warning: `a` may be null, and `b` may not"]);
    let filled = FieldSchema {
        normalizers: vec![Normalizer::NullToFalse],
        ..required("b", FieldType::Bool)
    };
    let world = World::new(vec![field("a", FieldType::Bool)], vec![filled]);
    assert!(world.says("fields: [{ left: a, right: b }]").is_empty());
}

#[test]
fn a_create_sets_every_required_field() {
    let world = accounts();
    let phone = "fields: [{ left: Phone, right: phone, direction: to_right }]";
    assert_eq!(
        world.says(phone)[..2],
        ["error: a new Account would lack Name", "error: a new public.accounts would lack name",]
    );
    assert_eq!(
        world.says(&format!("{phone}\ncreate: right"))[1],
        "error: a new public.accounts would lack name"
    );
    let narrow =
        "warning: `phone` cannot hold all of `Phone` [not values of more than 20 characters]";
    assert_eq!(world.says(&format!("{phone}\ncreate: none")), [narrow]);
    let one_way = "fields: [{ left: Name, right: name, direction: to_right }]\ncreate: both";
    assert_eq!(world.says(one_way), ["error: a new Account would lack Name"]);
}
