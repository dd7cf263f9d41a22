//! The condition language: what is written reads back, and mistakes are found at their place.

use proptest::prelude::*;
use syncline_sdk::{Comparison, Decimal, FieldName};

use crate::mapping::language::condition_parser::parse;
use crate::mapping::language::{Condition, Literal, Located, Span};

fn located<T>(value: T) -> Located<T> {
    Located::new(value, Span::default())
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|number| Literal::Number(Decimal::from(number))),
        (any::<i32>(), 0..1_000_000_u32).prop_map(|(whole, fraction)| {
            Literal::Number(format!("{whole}.{fraction:06}").parse().unwrap())
        }),
        any::<String>().prop_map(|text| Literal::Text(text.into())),
        (1900..2100_u32, 1..13_u32, 1..29_u32)
            .prop_map(|(y, m, d)| Literal::Moment(format!("{y}-{m:02}-{d:02}").into())),
        (0..24_u32, 0..60_u32)
            .prop_map(|(h, m)| Literal::Moment(format!("2024-05-31T{h:02}:{m:02}:00Z").into())),
    ]
}

fn fields() -> impl Strategy<Value = Located<FieldName>> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,8}",
        "[A-Z][a-z]{0,4}\\.[A-Z][a-z]{0,4}__c",
        "[ -~]{1,8}",
        "\\PC{1,4}",
        Just("and".to_owned()),
        Just("NULL".to_owned()),
    ]
    .prop_map(|name| located(FieldName::from(name)))
}

fn comparisons() -> impl Strategy<Value = Comparison> {
    prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    let compare = (fields(), comparisons(), prop_oneof![literals(), Just(Literal::Null)]).prop_map(
        |(field, comparison, literal)| Condition::Compare {
            field,
            comparison,
            literal: located(literal),
        },
    );
    let list = (fields(), prop::collection::vec(literals().prop_map(located), 1..4))
        .prop_map(|(field, literals)| Condition::In { field, literals });
    prop_oneof![3 => compare, 1 => list].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn a_displayed_condition_reads_back(condition in conditions()) {
        let text = condition.to_string();
        prop_assert_eq!(parse(&text).unwrap(), condition, "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_inside_it(text in "\\PC{0,40}") {
        if let Err(fault) = parse(&text) {
            prop_assert!(fault.span.end <= text.len());
            prop_assert!(text.get(fault.span.range()).is_some(), "{:?}", fault);
        }
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b.c", "=", "<>", "<=", "(", ")", ",", "and", "or", "not", "in", "is",
                "null", "true", "'x'", "\"y\"", "1", "-2.5", "2024-01-01", "`z z`",
            ]),
            0..12,
        )
    ) {
        let text = words.join(" ");
        if let Ok(condition) = parse(&text) {
            prop_assert_eq!(parse(&condition.to_string()).unwrap(), condition);
        }
    }
}

#[test]
fn words_bind_as_in_sql() {
    let cases = [
        ("a = 1 or b = 2 and c = 3", "a = 1 or (b = 2 and c = 3)"),
        ("not a = 1 and b = 2", "not (a = 1) and b = 2"),
        ("NOT (a = 1 OR b = 2)", "not (a = 1 or b = 2)"),
        ("a IS NULL or b Is Not Null", "a is null or b is not null"),
        ("a = null", "a is null"),
        ("a <> NULL", "a is not null"),
        ("a not in (1, 2)", "not (a in (1, 2))"),
        ("a = \"it's\"", "a = 'it''s'"),
        ("`my field` = TRUE", "`my field` = true"),
        ("a<-1.50", "a < -1.50"),
        ("a >= 2024-05-31T12:00:00Z", "a >= 2024-05-31T12:00:00Z"),
        ("((a = 1))", "a = 1"),
    ];
    for (written, read) in cases {
        assert_eq!(parse(written).unwrap().to_string(), read, "{written}");
    }
}

#[test]
fn each_mistake_is_named_at_its_place() {
    let cases = [
        ("", "", "the condition ends before it is complete"),
        ("a", "", "the comparison is missing"),
        ("a =", "", "the end of the condition stands where a constant is expected"),
        ("a = b", "b", "`b` is not a constant"),
        ("= 1", "=", "`=` stands where a field is expected"),
        ("a = 1 b = 2", "b", "`b` does not continue the condition"),
        ("a == 1", "==", "`==` is not a comparison"),
        ("a like 'x'", "like", "`like` is not a comparison"),
        ("a = 'x", "'", "this quote is never closed"),
        ("(a = 1", "(", "this parenthesis is never closed"),
        ("a in 1", "1", "`in` is followed by a list in parentheses"),
        ("a in ()", ")", "`)` stands where a constant is expected"),
        ("a in (1, null)", "null", "a list cannot hold null"),
        ("a is true", "true", "`is` asks for null only, not for `true`"),
        ("a = 1e", "1e", "`1e` is neither a number nor a date"),
        ("a = .", ".", "`.` is neither a number nor a date"),
        ("a = 1; drop table b", ";", "`;` has no meaning here"),
        ("null = 1", "null", "`null` is a word of the language"),
    ];
    for (text, place, message) in cases {
        let fault = parse(text).unwrap_err();
        assert_eq!((&text[fault.span.range()], &*fault.message), (place, message), "{text}");
    }
}

#[test]
fn conditions_have_limits() {
    let deep = format!("{}a = 1{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(parse(&deep).unwrap_err().message, "the condition is nested too deeply");
    assert_eq!(
        parse(&"not ".repeat(40)).unwrap_err().message,
        "the condition is nested too deeply"
    );
    let long = format!("a = '{}'", "x".repeat(20_000));
    assert_eq!(parse(&long).unwrap_err().message, "the condition has 20006 bytes");
}
