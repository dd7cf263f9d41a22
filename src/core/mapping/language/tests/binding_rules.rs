//! Value tables, references, conditions and sides against the schemas of two systems.

use syncline_sdk::{Cas, FieldSchema, HistoryKind};

use super::binding::{NAME, with_name};
use super::world::{TEXT, World, accounts, chars, field, read_only};
use crate::Sides;
use crate::mapping::MappingId;
use crate::mapping::language::MappingRef;

#[test]
fn value_tables_are_typed_and_complete() {
    let world = accounts();
    let table =
        |rows: &str| with_name(&format!("left: Industry, right: industry_code, values: {rows}"));
    assert!(world.says(&table("{ Banking: B, Energy: E, Other: O }")).is_empty());
    assert_eq!(
        world.says(&table("{ Bankng: B, Energy: E }")),
        [
            "warning: the table has no entry for `Banking`, `Other` of `Industry`",
            "error: `Industry` has no value `Bankng`",
        ]
    );
    assert_eq!(
        world.says(&table("{ Banking: B, Energy: B, Other: O }")),
        ["warning: `B` stands for several left values",]
    );
    let numbers = with_name("left: Phone, right: employees, values: { one: 1, two: 2.5 }");
    assert_eq!(world.says(&numbers), ["error: `employees` never holds 2.5"]);
    let booleans = with_name("left: Phone, right: active, values: { 'yes': true, 'no': 'false' }");
    assert_eq!(
        world.says(&booleans),
        ["error: `active` is a boolean (native), and `false` is not"]
    );
}

#[test]
fn a_table_needs_no_entry_for_what_the_filter_keeps_out() {
    let world = accounts();
    let table = with_name("left: Industry, right: industry_code, values: { Banking: B }");
    let says = |filter: &str| world.says_sides(&format!("where: \"{filter}\""), "", &table);
    let missing =
        |values: &str| vec![format!("warning: the table has no entry for {values} of `Industry`")];
    assert_eq!(says("Industry = 'Banking'"), missing("")[..0]);
    assert_eq!(says("Industry in ('Banking', 'Energy') and Phone != 'x'"), missing("`Energy`"));
    assert_eq!(says("Industry != 'Other'"), missing("`Energy`"));
    assert_eq!(says("Phone != 'x'"), missing("`Energy`, `Other`"));
}

#[test]
fn references_name_the_mapping_of_their_records() {
    let mut world = accounts();
    let place = |left: &str, right: &str| Sides {
        left: ("crm".into(), left.into()),
        right: ("ops".into(), right.into()),
    };
    let reference =
        |name: &str, id, sides| MappingRef { name: name.into(), id: MappingId(id), sides };
    world.mappings.push(reference("users", 8, place("User", "public.users")));
    world.mappings.push(reference(
        "swapped",
        9,
        Sides { left: ("ops".into(), "public.users".into()), right: ("crm".into(), "User".into()) },
    ));
    let owner = |mapping: &str| with_name(&format!("left: OwnerId, right: owner_id{mapping}"));
    assert!(world.says(&owner(", reference: users")).is_empty());
    assert_eq!(world.says(&owner("")), ["error: both fields refer to other records"]);
    assert_eq!(world.says(&owner(", reference: user")), ["error: there is no mapping `user`"]);
    assert_eq!(
        world.says(&owner(", reference: accounts")),
        [
            "error: `OwnerId` refers to `User`, `Group`, not to Account",
            "error: `owner_id` refers to `public.users`, not to public.accounts",
        ]
    );
    assert_eq!(
        world.says(&owner(", reference: swapped")),
        [
            "error: the left side of `swapped` is in ops, not crm",
            "error: the right side of `swapped` is in crm, not ops",
        ]
    );
    let plain = with_name("left: Founded__c, right: owner_id, reference: users");
    assert_eq!(world.says(&plain), ["error: `Founded__c` is a date (native), not a reference"]);
}

#[test]
fn conditions_have_constants_of_the_fields_types() {
    let cases = [
        ("employees = 5", None),
        ("employees > 5 and name != 'x' and founded < 2024-01-01", None),
        ("employees in (1, 2)", None),
        ("doc is not null", None),
        ("changed_at >= '2024-01-01T00:00:00Z'", None),
        ("employees = '5'", Some("`employees` is a whole number (native), and `'5'` is not")),
        ("employees = 5.5", Some("`employees` never holds 5.5")),
        ("employees > 99999999999", Some("`employees` never holds 99999999999")),
        ("name = 5", Some("`name` is text (native), and `5` is not")),
        (
            "name > 'a'",
            Some("`name` is text (native), which has no order that both sides agree on"),
        ),
        ("name > null", Some("nothing is greater or less than null")),
        (
            "doc = '{}'",
            Some("`doc` is a JSON document (native), which cannot be compared with a constant"),
        ),
        ("founded = 2024-13-01", Some("`founded` is a date (native), and `2024-13-01` is not")),
        (
            "changed_at > 2024-01-01",
            Some("`changed_at` is an instant (native), and `2024-01-01` is not"),
        ),
        ("nam = 'x'", Some("public.accounts of ops has no field `nam`")),
    ];
    for (condition, message) in cases {
        let key = format!("where: \"{condition}\"");
        let says = accounts().says_sides("", &key, NAME);
        let says: Vec<&str> =
            says.iter().map(|line| line.trim_end_matches(" [not found]")).collect();
        let expected: Vec<String> = message.iter().map(|text| format!("error: {text}")).collect();
        assert_eq!(says, expected, "{condition}");
    }
    let world = accounts();
    let says = world.says_sides("where: \"Industry = 'Bankin'\"", "", NAME);
    assert_eq!(says, ["error: `Industry` has no value `Bankin`"]);
}

#[test]
fn the_fields_of_syncline_itself_must_be_fit() {
    let world = accounts();
    let fit = "external_id: Syncline_Id__c, marker: Syncline_Marker__c";
    assert!(world.says_sides(fit, "", NAME).is_empty());
    assert_eq!(
        world.says_sides("external_id: Phone, marker: Active__c", "", NAME),
        [
            "error: `Phone` is not a unique external id",
            "error: `Active__c` cannot be the marker: it is a boolean (native)",
        ]
    );
    assert_eq!(
        world.says_sides("marker: Name", "", NAME),
        ["error: `Name` is the marker and also in a field pair",]
    );
    assert_eq!(
        world.says_sides("external_id: Id", "", NAME),
        ["error: `Id` cannot be the external_id: it is text (native), read-only",]
    );
}

#[test]
fn what_a_system_cannot_do_is_refused() {
    let mut world = accounts();
    world.schemas.left.creatable = false;
    world.schemas.left.deletable = false;
    world.schemas.right.problems = vec!["it has no primary key".into()];
    let rest = format!("{NAME}\ndelete: {{ right: propagate }}\ncreate: both\nleave: delete");
    assert_eq!(
        world.says_sides("", "where: name = 'x'", &rest),
        [
            "error: public.accounts cannot be synchronised: it has no primary key",
            "error: records of Account cannot be deleted",
            "error: records of Account cannot be created",
            "error: records of Account cannot be deleted",
        ]
    );
}

/// An observer needs the rights to read alone, which a system shows as fields that nobody writes.
#[test]
fn what_may_not_be_written_does_not_keep_a_mapping_from_observing() {
    let mut world = accounts();
    for field in world.schemas.left.fields.iter_mut().chain(&mut world.schemas.right.fields) {
        (field.creatable, field.updatable, field.required) = (false, false, false);
    }
    for schema in [&mut world.schemas.left, &mut world.schemas.right] {
        (schema.creatable, schema.deletable) = (false, false);
    }
    let rest = format!("{NAME}\ncreate: both\ndelete: propagate");
    assert_eq!(
        world.says(&rest),
        [
            "error: `Name` is read-only, and edits travel to it [read-only]",
            "error: `name` is read-only, and edits travel to it [read-only]",
            "error: records of Account cannot be created",
            "error: records of public.accounts cannot be created",
            "error: records of public.accounts cannot be deleted",
            "error: records of Account cannot be deleted",
        ]
    );
    let observing = world.says(&format!("{rest}\nmode: observe"));
    assert!(observing.iter().all(|found| !found.starts_with("error")), "{observing:?}");
}

#[test]
fn a_side_without_guard_or_history_is_never_written() {
    let mut world = accounts();
    world.capabilities.left.cas = Cas::None;
    let says = world.says(NAME);
    assert_eq!(says, ["error: Account can be neither guarded nor audited"]);
    let read = "fields: [{ left: Name, right: name, direction: to_right }]\ncreate: right";
    assert!(world.says(read).is_empty());
    world.capabilities.left.history = HistoryKind::VersionCount;
    assert!(world.says(NAME).is_empty());
    assert!(world.says(&format!("{NAME}\nguard: detect")).is_empty());
    assert_eq!(
        world.says(&format!("{NAME}\nguard: prevent")),
        ["error: writes of Account cannot be made conditional"]
    );
    assert!(world.says(&format!("{read}\nguard: prevent")).is_empty());
}

#[test]
fn match_rules_compare_what_can_be_equal() {
    let world = accounts();
    let matched = |rule: &str| world.says(&format!("match: [{{ {rule} }}]\n{NAME}"));
    assert!(matched("left: Phone, right: id").is_empty());
    assert_eq!(
        matched("left: Founded__c, right: active"),
        ["error: `Founded__c` is a date (native) and `active` is a boolean (native): they are \
         never equal",]
    );
    assert_eq!(
        matched("left: Founded__c, right: founded, normalize: trim"),
        [
            "error: `Founded__c` is a date (native), and `normalize` is for text",
            "error: `founded` is a date (native), and `normalize` is for text",
        ]
    );
}

#[test]
fn half_writable_fields_are_warned_of() {
    let create_only = FieldSchema { creatable: true, ..read_only("a", TEXT) };
    let update_only = FieldSchema { updatable: true, ..read_only("b", TEXT) };
    let world = World::new(vec![create_only], vec![update_only]);
    assert_eq!(
        world.says("fields: [{ left: a, right: b }]"),
        [
            "warning: `a` can be set only when a record is created",
            "warning: `b` cannot be set when a record is created",
        ]
    );
}

#[test]
fn two_names_of_one_field_are_written_by_one_pair() {
    let mut world = World::new(
        vec![field("type", TEXT), field("kind", TEXT)],
        vec![field("TypeId", TEXT), field("Type.Name", TEXT)],
    );
    world.schemas.right.same.push(("TypeId".into(), "Type.Name".into()));
    let pairs = |direction: &str| {
        format!(
            "fields:\n  - {{ left: type, right: TypeId }}\n  - {{ left: kind, right: Type.Name, \
             direction: {direction} }}"
        )
    };
    let refused = "error: `TypeId` and `Type.Name` are two names of one field";
    assert_eq!(world.says(&pairs("both")), [refused]);
    assert_eq!(world.says(&pairs("to_right")), [refused]);
    // What is only read may be read by both.
    assert_eq!(world.says(&pairs("to_left")), [""; 0]);
}

#[test]
fn nobody_is_told_to_widen_a_standard_field() {
    let mut world = World::new(
        vec![field("a", TEXT), field("b", TEXT)],
        vec![field("Name", chars(80)), field("Site", chars(40))],
    );
    let helps = |world: &World| {
        let pair = "fields:\n  - { left: a, right: Name, direction: to_right }\n  \
                    - { left: b, right: Site, direction: to_right }";
        let told = world.bind_sides("", "", pair).unwrap().warnings.to_string();
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(helps(&world).contains("make `Name` wider"), "{}", helps(&world));
    world.schemas.right.fixed = vec!["Name".into(), "Site".into()];
    let told = helps(&world);
    let said = "warning: `Name`, `Site` of public.accounts cannot hold all that the left side can";
    assert!(told.starts_with(said) && told.matches("warning").count() == 1, "{told}");
    for said in ["not values of more than 80", "`Site`: not values of more than 40", "never cut"] {
        assert!(told.contains(said), "{told}");
    }
    assert!(told.contains("cannot be made wider"), "{told}");
}

#[test]
fn a_pilot_is_judged_by_fields_of_pairs() {
    let world = accounts();
    let pilot = |left: &str| format!("{NAME}\nmode: pilot\npilot: {{ left: \"{left}\" }}\n");
    assert!(world.says(&pilot("Name = 'x'")).is_empty());
    assert_eq!(
        world.says(&pilot("Phone = 'x'")),
        ["error: `Phone` is in no field pair, and decides whether a record is in the pilot"]
    );
}
