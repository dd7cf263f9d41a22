//! Filters as SOQL conditions.
//!
//! A condition made here is true of every record that passes the filter, and where SOQL cannot
//! say exactly what the filter says, of more: text compares there without case and in the
//! order of a language, and long text not at all. The caller evaluates the filter again. `NOT`
//! never appears: it is pushed down to the comparisons, each of which says what it means for
//! null, so that nothing depends on what SOQL makes of a comparison with null.

use syncline_sdk::{Comparison, Filter, Value};

use super::codec::Wire;
use super::describe::{Described, FieldFacts};
use super::soql::literal;

/// Always true, as a condition.
const ALWAYS: &str = "Id != null";
/// Never true, as a condition.
const NEVER: &str = "Id = null";

/// The condition that holds for every record that passes the filter.
pub(crate) fn superset(filter: &Filter, described: &Described) -> String {
    compile(filter, described, true)
}

fn compile(filter: &Filter, described: &Described, positive: bool) -> String {
    match (filter, positive) {
        (Filter::Not(part), _) => compile(part, described, !positive),
        (Filter::And(parts), true) | (Filter::Or(parts), false) => {
            joined(parts, described, positive, " AND ", ALWAYS)
        }
        (Filter::Or(parts), true) | (Filter::And(parts), false) => {
            joined(parts, described, positive, " OR ", NEVER)
        }
        (Filter::Compare { field, comparison, value }, _) => {
            let Some(facts) = comparable(described, field.as_str()) else {
                return ALWAYS.to_owned();
            };
            compare(field.as_str(), facts, turned(*comparison, positive), value, positive)
        }
        (Filter::In { field, values }, _) => {
            let Some(facts) = comparable(described, field.as_str()) else {
                return ALWAYS.to_owned();
            };
            one_of(field.as_str(), facts, values, positive)
        }
    }
}

fn joined(
    parts: &[Filter],
    described: &Described,
    positive: bool,
    word: &str,
    empty: &str,
) -> String {
    if parts.is_empty() {
        return empty.to_owned();
    }
    let parts: Vec<String> = parts.iter().map(|part| compile(part, described, positive)).collect();
    format!("({})", parts.join(word))
}

fn comparable<'a>(described: &'a Described, field: &str) -> Option<&'a FieldFacts> {
    described
        .field(field)
        .filter(|facts| facts.filterable && !matches!(facts.wire, Wire::Opaque | Wire::Compound))
}

/// The comparison that is true where this one is false, apart from nulls.
fn turned(comparison: Comparison, positive: bool) -> Comparison {
    match (comparison, positive) {
        (comparison, true) => comparison,
        (Comparison::Equal, false) => Comparison::NotEqual,
        (Comparison::NotEqual, false) => Comparison::Equal,
        (Comparison::Less, false) => Comparison::GreaterOrEqual,
        (Comparison::LessOrEqual, false) => Comparison::Greater,
        (Comparison::Greater, false) => Comparison::LessOrEqual,
        (Comparison::GreaterOrEqual, false) => Comparison::Less,
    }
}

/// One comparison. `positive` tells whether an ordering is meant as it stands (never true of
/// null) or is the opposite of another one (then always true of null).
fn compare(
    field: &str,
    facts: &FieldFacts,
    comparison: Comparison,
    value: &Value,
    positive: bool,
) -> String {
    if value.is_null() {
        return match comparison {
            Comparison::Equal => format!("{field} = null"),
            Comparison::NotEqual => format!("{field} != null"),
            // An ordering with null is true of nothing, its opposite of everything.
            _ if positive => NEVER.to_owned(),
            _ => ALWAYS.to_owned(),
        };
    }
    let Some(literal) = fitting(facts, value) else {
        return ALWAYS.to_owned();
    };
    let loose = is_text(facts);
    let set = facts.wire == Wire::Set;
    let sign = match comparison {
        Comparison::Equal if set => return format!("{field} INCLUDES ({literal})"),
        Comparison::Equal => return format!("{field} = {literal}"),
        // Without case, "differs" would leave out records that differ by case alone.
        Comparison::NotEqual if set || (loose && !facts.case_sensitive && !facts.picklist) => {
            return ALWAYS.to_owned();
        }
        Comparison::NotEqual => return format!("({field} != {literal} OR {field} = null)"),
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    };
    match (loose || set, positive) {
        (true, true) => format!("{field} != null"),
        (true, false) => ALWAYS.to_owned(),
        (false, true) => format!("({field} != null AND {field} {sign} {literal})"),
        (false, false) => format!("({field} = null OR {field} {sign} {literal})"),
    }
}

fn one_of(field: &str, facts: &FieldFacts, values: &[Value], positive: bool) -> String {
    if values.is_empty() {
        return if positive { NEVER } else { ALWAYS }.to_owned();
    }
    let literals: Option<Vec<String>> = values.iter().map(|value| fitting(facts, value)).collect();
    let Some(literals) = literals else {
        return ALWAYS.to_owned();
    };
    let literals = literals.join(", ");
    let loose = is_text(facts);
    match (facts.wire, positive) {
        (Wire::Set, true) => format!("{field} INCLUDES ({literals})"),
        (Wire::Set, false) => ALWAYS.to_owned(),
        (_, true) => format!("{field} IN ({literals})"),
        (_, false) if loose && !facts.case_sensitive && !facts.picklist => ALWAYS.to_owned(),
        (_, false) => format!("({field} NOT IN ({literals}) OR {field} = null)"),
    }
}

/// Whether SOQL compares the field without case and in the order of a language.
fn is_text(facts: &FieldFacts) -> bool {
    matches!(facts.wire, Wire::Text | Wire::Lines | Wire::RecordType)
}

/// The literal of a value that the field can be compared with: a literal of another type would
/// be refused.
pub(crate) fn fitting(facts: &FieldFacts, value: &Value) -> Option<String> {
    let fits = match facts.wire {
        Wire::Id | Wire::Text | Wire::Lines | Wire::RecordType => {
            matches!(value, Value::Text(_) | Value::Uuid(_))
        }
        Wire::Bool => matches!(value, Value::Bool(_)),
        Wire::Int | Wire::Number => matches!(value, Value::Int(_) | Value::Decimal(_)),
        Wire::Date => matches!(value, Value::Date(_)),
        Wire::Time => matches!(value, Value::Time(_)),
        // A constant finer than a second is left to the caller.
        Wire::Instant => {
            matches!(value, Value::Instant(at) if at.micros().rem_euclid(1_000_000) == 0)
        }
        Wire::Set => matches!(value, Value::List(items) if !items.is_empty()),
        Wire::Opaque | Wire::Related | Wire::Compound => false,
    };
    fits.then(|| literal(value)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::described;

    fn account() -> Described {
        let field = |name: &str, kind: &str, filterable: bool| {
            format!("{{\"name\":\"{name}\",\"type\":\"{kind}\",\"filterable\":{filterable}}}")
        };
        let fields = [
            field("Id", "id", true),
            field("Name", "string", true),
            field("Long__c", "textarea", false),
            field("Size__c", "double", true),
            field("Rating", "picklist", true),
            field("Tags__c", "multipicklist", true),
            field("Done__c", "boolean", true),
        ];
        let json = format!("{{\"name\":\"Account\",\"fields\":[{}]}}", fields.join(","));
        described(json.as_bytes(), None).unwrap()
    }

    fn is(field: &str, comparison: Comparison, value: impl Into<Value>) -> Filter {
        Filter::Compare { field: field.into(), comparison, value: value.into() }
    }

    fn soql(filter: &Filter) -> String {
        superset(filter, &account())
    }

    #[test]
    fn conditions_say_what_they_mean_for_null() {
        use Comparison::{Equal, Greater, Less, NotEqual};
        assert_eq!(soql(&is("Name", Equal, "O'Neil")), "Name = 'O\\'Neil'");
        assert_eq!(soql(&is("Name", Equal, Value::Null)), "Name = null");
        assert_eq!(soql(&is("Rating", NotEqual, "Hot")), "(Rating != 'Hot' OR Rating = null)");
        assert_eq!(soql(&is("Size__c", Less, 5)), "(Size__c != null AND Size__c < 5)");
        assert_eq!(
            soql(&Filter::Not(Box::new(is("Size__c", Greater, 5)))),
            "(Size__c = null OR Size__c <= 5)"
        );
        assert_eq!(soql(&is("Size__c", Less, Value::Null)), NEVER);
        assert_eq!(soql(&is("Done__c", Equal, true)), "Done__c = true");
    }

    #[test]
    fn mixed_words_are_parenthesised_and_not_is_pushed_down() {
        use Comparison::Equal;
        let either = Filter::Or(vec![is("Name", Equal, "a"), is("Rating", Equal, "Hot")]);
        let both = Filter::And(vec![either.clone(), is("Size__c", Equal, 1)]);
        assert_eq!(soql(&both), "((Name = 'a' OR Rating = 'Hot') AND Size__c = 1)");
        let neither = Filter::Not(Box::new(Filter::Or(vec![
            is("Rating", Equal, "Hot"),
            is("Size__c", Equal, 1),
        ])));
        assert_eq!(
            soql(&neither),
            "((Rating != 'Hot' OR Rating = null) AND (Size__c != 1 OR Size__c = null))"
        );
        assert_eq!(soql(&Filter::And(Vec::new())), ALWAYS);
        assert_eq!(soql(&Filter::Or(Vec::new())), NEVER);
        assert_eq!(soql(&Filter::Not(Box::new(Filter::And(Vec::new())))), NEVER);
    }

    #[test]
    fn what_soql_cannot_say_lets_more_through() {
        use Comparison::{Equal, Less, NotEqual};
        assert_eq!(soql(&is("Name", NotEqual, "a")), ALWAYS);
        assert_eq!(soql(&is("Name", Less, "a")), "Name != null");
        assert_eq!(soql(&is("Long__c", Equal, "a")), ALWAYS);
        assert_eq!(soql(&is("Gone__c", Equal, "a")), ALWAYS);
        assert_eq!(soql(&is("Size__c", Equal, "a")), ALWAYS);
        let tags = Value::List(vec!["A".into(), "B".into()].into());
        assert_eq!(soql(&is("Tags__c", Equal, tags)), "Tags__c INCLUDES ('A;B')");
        let among =
            Filter::In { field: "Rating".into(), values: vec!["Hot".into(), "Cold".into()] };
        assert_eq!(soql(&among), "Rating IN ('Hot', 'Cold')");
        assert_eq!(
            soql(&Filter::Not(Box::new(among))),
            "(Rating NOT IN ('Hot', 'Cold') OR Rating = null)"
        );
    }
}
