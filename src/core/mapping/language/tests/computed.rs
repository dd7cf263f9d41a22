//! Computed fields, tables and coarser sides, from the file to the decision.

use syncline_sdk::{FieldType, Precision, Value};

use super::world::{TEXT, World, chars, field};
use crate::mapping::{Direction, Mapping, NoImage};
use crate::{Side, Sides};

fn people() -> World {
    let instant = FieldType::Instant { precision: Precision::Second };
    let left = vec![
        field("FirstName", TEXT),
        field("LastName", TEXT),
        field("Country", TEXT),
        field("Due", instant),
        field("Amount", FieldType::Decimal { precision: Some(18), scale: Some(4) }),
        field("Notes", TEXT),
    ];
    let right = vec![
        field("full_name", TEXT),
        field("country", TEXT),
        field("due", FieldType::Date),
        field("amount", FieldType::Decimal { precision: Some(10), scale: Some(2) }),
        field("notes", chars(5)),
    ];
    World::new(left, right)
}

const NAMES: &str = "create: none\nfields:\n\
    - left: [FirstName, LastName]\n  right: full_name\n\
    \x20 to_right: \"join([FirstName, LastName], ' ')\"\n\
    \x20 to_left: { FirstName: \"before(full_name, ' ')\", LastName: \"after(full_name, ' ')\" }\n";

fn bound(rest: &str) -> Mapping {
    people().bind(rest).unwrap().value
}

/// What is sent to a side of the only unit.
fn put(
    mapping: &Mapping,
    to: Side,
    source: &[Value],
    current: &[Value],
) -> Result<Vec<Value>, NoImage> {
    let unit = &mapping.units[0];
    let put = unit.put(&mapping.sides, to, |at| &source[at], |at| &current[at])?;
    Ok(put.into_iter().map(|put| put.value).collect())
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::from(*text)).collect()
}

#[test]
fn names_are_joined_and_split() {
    let mapping = bound(NAMES);
    let unit = &mapping.units[0];
    assert_eq!(&*unit.name, "FirstName+LastName/full_name");
    assert_eq!(unit.direction, Direction::Both);
    let none = vec![Value::Null; 2];
    let full = texts(&["Ada Lovelace"]);
    assert_eq!(put(&mapping, Side::Right, &texts(&["Ada", "Lovelace"]), &none), Ok(full.clone()));
    assert_eq!(put(&mapping, Side::Left, &full, &none), Ok(texts(&["Ada", "Lovelace"])));
    // What would come back as something else is lost by nobody.
    let odd = texts(&["Mary Ann", "Evans"]);
    assert_eq!(
        put(&mapping, Side::Right, &odd, &none),
        Err(NoImage::WouldLose("FirstName, which would come back as \"Mary\"".to_owned()))
    );
    // What stands for the value already stays as it is.
    let full = texts(&["Mary Ann Evans"]);
    assert_eq!(put(&mapping, Side::Left, &full, &odd), Ok(odd.clone()));
    let shown = |side: Side, at: usize| if side == Side::Left { &odd[at] } else { &full[at] };
    assert!(unit.agrees(&mapping.sides, shown));
}

#[test]
fn an_expression_without_value_waits_with_its_reason() {
    let rest = "create: none\ntables: { countries: { DE: Germany } }\nfields:\n\
        - { left: Country, right: country, to_right: \"lookup('countries', Country)\" }\n";
    let mapping = bound(rest);
    assert_eq!(mapping.units[0].direction, Direction::ToRight);
    assert_eq!(
        put(&mapping, Side::Right, &texts(&["DE"]), &texts(&["x"])),
        Ok(texts(&["Germany"]))
    );
    let missing = put(&mapping, Side::Right, &texts(&["FR"]), &texts(&["x"]));
    let why = "country: lookup: table countries has no row \"FR\"".to_owned();
    assert_eq!(missing, Err(NoImage::Expression(why)));
}

#[test]
fn mistakes_in_expressions_have_places_in_the_file() {
    let place = |rest: &str| {
        let found = people().bind(rest).unwrap_err();
        let first = found.iter().next().unwrap();
        let place = first.place.as_ref().unwrap();
        let (line, column) = place.source.position(place.span.start);
        (line, column, first.message.clone())
    };
    let wrong = NAMES.replace("join([", "jion([");
    assert_eq!(place(&wrong), (9, 14, "there is no function `jion`".to_owned()));
    let missing = NAMES.replace("after(full_name", "after(fullname");
    let message = "`fullname` is no field of this pair's right side".to_owned();
    assert_eq!(place(&missing), (10, 61, message));
    let unread = NAMES.replace("join([FirstName, LastName], ' ')", "LastName");
    let message = "no expression of `to_right` reads `FirstName`".to_owned();
    assert_eq!(place(&unread), (7, 10, message));
    let bare = "fields: [{ left: [FirstName, LastName], right: full_name }]\n";
    assert_eq!(place(bare).2, "several fields on one side need expressions");
    let mixed = NAMES.replace("full_name\n", "full_name\n  normalize: trim\n");
    assert_eq!(place(&mixed).2, "a computed field has no `normalize`");
}

#[test]
fn what_a_coarser_side_does_not_show_is_kept() {
    let one = |pair: &str| bound(&format!("create: none\nfields: [{{ {pair} }}]\n"));
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let rounded = one("left: Amount, right: amount, round: { right: 2 }");
    let left = |now: &str, right: &str| {
        put(&rounded, Side::Left, &[decimal(right)], &[decimal(now)]).unwrap().remove(0)
    };
    assert_eq!(
        put(&rounded, Side::Right, &[decimal("12.3456")], &[Value::Null]),
        Ok(vec![decimal("12.35")])
    );
    assert_eq!(left("12.3456", "12.35"), decimal("12.3456"));
    assert_eq!(left("12.3456", "12.36"), decimal("12.36"));

    let cut = one("left: Notes, right: notes, truncate: { right: 5 }");
    let text = |text: &str| vec![Value::from(text)];
    assert_eq!(put(&cut, Side::Right, &text("abcdefgh"), &text("x")), Ok(text("abcde")));
    assert_eq!(put(&cut, Side::Left, &text("abcde"), &text("abcdefgh")), Ok(text("abcdefgh")));
    assert_eq!(put(&cut, Side::Left, &text("x"), &text("abc")), Ok(text("x")));
    let lost = put(&cut, Side::Left, &text("x"), &text("abcdefgh"));
    assert_eq!(lost, Err(NoImage::WouldLose("the text behind its first 5 characters".to_owned())));

    let day = one("left: Due, right: due, zone: Europe/Berlin");
    let instant = |text: &str| {
        let stamp: jiff::Timestamp = text.parse().unwrap();
        Value::Instant(syncline_sdk::Instant::from_micros(stamp.as_microsecond()))
    };
    let date = |text: &str| Value::Date(text.parse().unwrap());
    let late = instant("2024-05-31T22:30:00Z");
    assert_eq!(
        put(&day, Side::Right, std::slice::from_ref(&late), &[Value::Null]),
        Ok(vec![date("2024-06-01")])
    );
    assert_eq!(
        put(&day, Side::Left, &[date("2024-06-01")], std::slice::from_ref(&late)),
        Ok(vec![late.clone()])
    );
    // Another day, at the same time of day there.
    let winter = put(&day, Side::Left, &[date("2024-12-24")], &[late]);
    assert_eq!(winter, Ok(vec![instant("2024-12-23T23:30:00Z")]));
    let fresh = put(&day, Side::Left, &[date("2024-06-01")], &[Value::Null]);
    assert_eq!(fresh, Ok(vec![instant("2024-05-31T22:00:00Z")]));
}

#[test]
fn coarser_sides_that_make_no_sense_are_refused() {
    let said = |pair: &str| people().says(&format!("create: none\nfields: [{{ {pair} }}]\n"));
    assert_eq!(
        said("left: Notes, right: notes, zone: Europe/Berlin")[0],
        "error: `zone` is for an instant and a date"
    );
    assert_eq!(
        said("left: Due, right: due, round: { right: 2 }")[0],
        "error: `round` is for two numbers"
    );
    assert_eq!(
        said("left: Due, right: due, zone: Mars/Base")[0],
        "error: there is no time zone `Mars/Base`"
    );
    assert_eq!(
        said("left: Notes, right: notes, truncate: 5")[0],
        "error: the side that shows less is a set of keys, not a single value"
    );
    let sides = Sides { left: "left", right: "right" };
    assert_eq!(
        said(&format!(
            "left: Notes, right: notes, truncate: {{ {}: 1, {}: 2 }}",
            sides.left, sides.right
        ))[0],
        "error: `truncate` is one number of 1 to 1000000 for one side"
    );
}
