//! What expressions can do, and what they cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use syncline_sdk::Value;

use super::{Expression, Library, Tables};

fn library() -> Arc<Library> {
    let countries = BTreeMap::from([("DE".into(), "Germany".into())]);
    Library::new(Tables::from([("countries".into(), countries)]))
}

fn parse(text: &str) -> Result<Expression, Vec<super::Fault>> {
    Expression::parse(text, &library())
}

/// The value of an expression for a few fields.
fn value(text: &str) -> Result<Value, String> {
    let fields: BTreeMap<&str, Value> = BTreeMap::from([
        ("first", "Ada".into()),
        ("last", "Lovelace".into()),
        ("none", Value::Null),
        ("n", Value::Int(7)),
        ("amount", Value::Decimal("12.50".parse().unwrap())),
        ("tags", Value::List(["b", "a"].map(Value::from).into())),
        ("odd name", "x".into()),
        ("at", Value::Instant(syncline_sdk::Instant::from_micros(1_700_000_000_000_000))),
    ]);
    let old = Value::from("before");
    let expression = parse(text).map_err(|faults| faults[0].message.clone())?;
    expression.evaluate(|variable| match variable.old {
        true => Some(&old),
        false => fields.get(&*variable.field),
    })
}

#[test]
fn expressions_make_values() {
    let text = |text: &str| Ok(Value::from(text));
    assert_eq!(value("first + ' ' + last"), text("Ada Lovelace"));
    assert_eq!(value("join([first, none, last], ' ')"), text("Ada Lovelace"));
    assert_eq!(value("before('Ada Lovelace', ' ') + '|' + 'A B C'.after(' ')"), text("Ada|B C"));
    assert_eq!(value("none == null ? 'nobody' : first"), text("nobody"));
    assert_eq!(value("upper(none)"), Ok(Value::Null));
    assert_eq!(value("n * 2 + 1"), Ok(Value::Int(15)));
    assert_eq!(value("add(amount, n)"), text("19.5"));
    assert_eq!(value("round(multiply(amount, '0.19'), 2)"), text("2.38"));
    assert_eq!(value("divide(amount, 3, 3)"), text("4.167"));
    assert_eq!(value("compare(amount, '12.5') == 0"), Ok(Value::Bool(true)));
    assert_eq!(value("record['odd name'] + old.whatever"), text("xbefore"));
    assert_eq!(value("lookup('countries', 'DE')"), text("Germany"));
    assert_eq!(value("lookupOr('countries', 'FR', 'Other')"), text("Other"));
    assert_eq!(value("dateIn(at, 'Pacific/Auckland')"), text("2023-11-15"));
    assert_eq!(value("timeIn(at, 'Europe/Berlin')"), text("23:13:20"));
    assert_eq!(
        value("instantAt('2024-07-01', '09:00:00', 'Europe/Berlin')"),
        text("2024-07-01T07:00:00Z")
    );
    assert_eq!(value("addDays('2024-02-28', 2)"), text("2024-03-01"));
    assert_eq!(
        value("tags.map(tag, tag + '!')"),
        Ok(Value::List(["b!", "a!"].map(Value::from).into()))
    );
    assert_eq!(value("split('a;b', ';').exists(part, part == 'b')"), Ok(Value::Bool(true)));
    assert_eq!(value("matches(first, '^A')"), Ok(Value::Bool(true)));
    assert_eq!(value("'é' in ['é']"), Ok(Value::Bool(true)));
}

/// What a function of a text, a number or a day makes of null.
#[test]
fn nothing_is_made_of_nothing() {
    use super::names::FUNCTIONS;
    for (name, count, _) in FUNCTIONS {
        let rest = match *name {
            "contains" | "startsWith" | "endsWith" => {
                assert_eq!(value(&format!("none.{name}('a')")), Ok(Value::Bool(false)));
                continue;
            }
            "lookup" => {
                assert_eq!(value("lookup('countries', none)"), Ok(Value::Null));
                continue;
            }
            "coalesce" | "blank" | "lookupOr" => continue,
            "dateIn" | "timeIn" => ", 'Europe/Berlin'",
            "instantAt" => ", '09:00:00', 'Europe/Berlin'",
            "substring" => ", 0, 1",
            "divide" => ", 3, 1",
            "replace" => ", 'a', 'b'",
            "add" | "subtract" | "multiply" | "compare" | "round" | "addDays" => ", 1",
            "before" | "after" | "split" | "join" | "matches" => ", 'a'",
            _ => {
                assert_eq!(*count, 1, "{name} is not tried");
                ""
            }
        };
        let made = match *name {
            "matches" => Value::Bool(false),
            "split" => Value::List([].into()),
            _ => Value::Null,
        };
        assert_eq!(value(&format!("{name}(none{rest})")), Ok(made), "{name}");
    }
    assert_eq!(value("none.size()"), Ok(Value::Null));
    assert_eq!(value("string(n) + string(true) + string(1.5)"), Ok("7true1.5".into()));
    assert_eq!(value("int('12') + int(3.9)"), Ok(Value::Int(15)));
    assert_eq!(value("size('é') + 'ab'.size()"), Ok(Value::Int(3)));
}

#[test]
fn what_has_no_value_says_why() {
    let why = |text: &str| value(text).unwrap_err();
    assert_eq!(why("first + none"), "add does not go with a string and a null");
    assert!(why("lookup('countries', 'FR')").contains("table countries has no row \"FR\""));
    assert!(why("1 / 0").contains("division by zero"));
    assert!(why("9223372036854775807 + 1").contains("too large"));
    assert!(why("add('x', 1)").contains("\"x\" is no number"));
    assert!(why("unknown").contains("there is no field unknown"));
}

#[test]
fn what_is_not_in_the_language_is_refused_at_its_place() {
    let fault = |text: &str| {
        let faults = parse(text).unwrap_err();
        (text[faults[0].place.clone()].to_owned(), faults[0].message.clone())
    };
    assert_eq!(fault("'é' + now()"), ("now".to_owned(), "there is no function `now`".to_owned()));
    assert_eq!(fault("{'a': 1}.size()").1, "an expression has no maps");
    assert_eq!(fault("first.part").1, "`.part` is no field: a value has no parts");
    assert_eq!(fault("before(first)").1, "`before` takes 2 values, not 1");
    assert_eq!(fault("tags.map(a, tags.map(b, a + b))").1, "a loop inside a loop");
    assert_eq!(fault("lookup('contries', first)").1, "there is no table `contries`");
    assert_eq!(fault("lookup(first, first)").1, "the name of a table is a constant here");
    assert_eq!(fault("dateIn(at, 'Mars/Base')").1, "there is no time zone `Mars/Base`");
    assert_eq!(fault("matches(first, '(')").1, "this is no pattern, or one that is too large");
    assert!(fault("first +").1.starts_with("this is no expression"));
    assert!(fault(&"a".repeat(3_000)).1.contains("more than 1000 characters"));
    let long = vec!["n"; 400].join("+");
    assert!(parse(&long).is_err());
}

#[test]
fn too_much_work_is_refused() {
    let expression = parse("tags.map(tag, tag + text + text).size()").unwrap();
    let tags = Value::List(vec![Value::from("x"); 1_000].into());
    let text = Value::from("y".repeat(50_000));
    let result = expression.evaluate(|variable| match &*variable.field {
        "tags" => Some(&tags),
        _ => Some(&text),
    });
    assert_eq!(result, Err("the values are too long for an expression".to_owned()));
}

/// What random expressions are made of.
const PIECES: &[&str] = &[
    "first", "last", "none", "n", "amount", "tags", "' '", "1", "+", "==", "(", ")", ",", "join",
    "size", "[", "]",
];

proptest! {
    /// Neither nonsense nor nesting nor odd characters bring the parser or the check down.
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~é\\n]{0,60}", deep in 0..3_000usize) {
        let _ = parse(&text);
        let nested = format!("{}1{}", "(".repeat(deep), ")".repeat(deep));
        let _ = parse(&nested);
        if let Err(faults) = parse(&text) {
            for fault in faults {
                prop_assert!(text.get(fault.place).is_some());
            }
        }
    }

    /// The same fields give the same value, whatever the expression.
    #[test]
    fn values_are_decided_by_the_fields(
        parts in proptest::collection::vec(proptest::sample::select(PIECES), 1..12)
    ) {
        let text = parts.join(" ");
        prop_assert_eq!(value(&text), value(&text));
    }
}
