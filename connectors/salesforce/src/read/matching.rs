//! Conditions that find records by the normalised value of a field.

use syncline_sdk::{EntityName, Error, ErrorKind, Normalizer, Result, Value};

use crate::wire::{Described, Wire, digits_pattern, fitting};

/// One condition a value: each finds every record whose field, once normalised, equals it, and
/// perhaps more. SOQL compares text without case unless the field keeps it.
///
/// # Errors
/// [`ErrorKind::Schema`] when the field cannot be searched so.
pub(super) fn conditions(
    entity: &EntityName,
    described: &Described,
    field: &str,
    normalize: &[Normalizer],
    values: &[Value],
) -> Result<Vec<Condition>> {
    let unfit = |why: &str, advice: &str| {
        let what = format!("{entity}.{field} cannot be searched: {why}");
        Error::new(ErrorKind::Schema, "look up", what).field(field.to_owned()).advise(advice)
    };
    let facts = described.field(field).ok_or_else(|| {
        unfit("it is not there, or hidden", "check the match rule and the user's rights")
    })?;
    if facts.wire == Wire::Compound {
        return Err(unfit("it is a compound", "match by one of its parts"));
    }
    if !facts.filterable {
        return Err(unfit("Salesforce does not filter by it", "match by another field"));
    }
    let text = matches!(facts.wire, Wire::Text | Wire::Lines | Wire::RecordType);
    let folded = normalize
        .iter()
        .any(|step| matches!(step, Normalizer::Lowercase | Normalizer::FoldCase(_)));
    if folded && facts.case_sensitive && text {
        return Err(unfit(
            "it keeps the case, and the match rule does not",
            "match without lowercase, or make the field case-insensitive",
        ));
    }
    let digits = text && normalize.contains(&Normalizer::DigitsOnly);
    let mut found = Vec::with_capacity(values.len());
    for value in values {
        found.push(match value {
            Value::Absent => continue,
            Value::Null => Condition::Whole(format!("{field} = null")),
            // Empty text is stored as null.
            Value::Text(text) if text.is_empty() => Condition::Whole(format!("{field} = null")),
            Value::Text(text) if digits => {
                Condition::Whole(format!("{field} LIKE {}", digits_pattern(text)))
            }
            Value::Bool(false) if facts.wire == Wire::Bool => {
                Condition::Whole(format!("{field} = false"))
            }
            value => match fitting(facts, value) {
                Some(literal) => Condition::Member(literal),
                // A value that the field cannot hold is in no record.
                None => continue,
            },
        });
    }
    Ok(found)
}

/// One condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    /// A literal, gathered with others into one list.
    Member(String),
    /// A condition of its own.
    Whole(String),
}

/// Joins conditions of one field into few, none longer than `chars_max` once encoded.
pub(super) fn gathered(
    field: &str,
    set: bool,
    conditions: Vec<Condition>,
    chars_max: usize,
) -> Vec<String> {
    let (mut members, mut wholes) = (Vec::new(), Vec::new());
    for condition in conditions {
        match condition {
            Condition::Member(literal) => members.push(literal),
            Condition::Whole(whole) => wholes.push(whole),
        }
    }
    let word = if set { "INCLUDES" } else { "IN" };
    let lists = chunks(members, chars_max).into_iter();
    let mut joined: Vec<String> =
        lists.map(|list| format!("{field} {word} ({})", list.join(","))).collect();
    joined.extend(chunks(wholes, chars_max).into_iter().map(|list| list.join(" OR ")));
    joined
}

/// Texts in runs, each no longer than `chars_max` once encoded and joined.
pub(super) fn chunks(texts: Vec<String>, chars_max: usize) -> Vec<Vec<String>> {
    let mut runs: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for text in texts {
        // Room for the longest joint, " OR " encoded.
        let chars = crate::wire::encoded(&text).len() + 10;
        match runs.last_mut() {
            Some(run) if chars <= room => run.push(text),
            _ => {
                room = chars_max;
                runs.push(vec![text]);
            }
        }
        room = room.saturating_sub(chars);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::described;

    fn find(field: &str, normalize: &[Normalizer], values: &[Value]) -> Result<Vec<String>> {
        let json = r#"{"name":"A","fields":[
            {"name":"Phone","type":"phone","filterable":true},
            {"name":"Code__c","type":"string","filterable":true,"caseSensitive":true},
            {"name":"Tags__c","type":"multipicklist","filterable":true},
            {"name":"Home","type":"address","filterable":true},
            {"name":"Long__c","type":"textarea","filterable":false}]}"#;
        let described = described(json.as_bytes(), None).unwrap();
        let found = conditions(&"A".into(), &described, field, normalize, values)?;
        Ok(gathered(field, field == "Tags__c", found, 200))
    }

    #[test]
    fn every_form_finds_at_least_what_matches() {
        let plain = find("Phone", &[Normalizer::Trim], &["a'b".into(), Value::Null, "c".into()]);
        assert_eq!(plain.unwrap(), ["Phone IN ('a\\'b','c')", "Phone = null"]);
        let digits = find("Phone", &[Normalizer::DigitsOnly], &["0301".into()]).unwrap();
        assert_eq!(digits, ["Phone LIKE '%0%3%0%1%'"]);
        let tags = Value::List(vec!["B".into(), "A".into()].into());
        assert_eq!(find("Tags__c", &[], &[tags]).unwrap(), ["Tags__c INCLUDES ('B;A')"]);
        assert_eq!(find("Code__c", &[], &["x".into(), 7.into()]).unwrap(), ["Code__c IN ('x')"]);
    }

    #[test]
    fn what_would_find_less_is_refused() {
        assert!(find("Code__c", &[Normalizer::Lowercase], &["x".into()]).is_err());
        assert!(find("Long__c", &[], &["x".into()]).is_err());
        assert!(find("Gone__c", &[], &["x".into()]).is_err());
        assert!(find("Home", &[], &[Value::Json("{}".into())]).is_err());
    }

    #[test]
    fn long_lists_are_cut() {
        let values: Vec<Value> = (0..40).map(|n| format!("value{n:03}").into()).collect();
        let found = find("Phone", &[], &values).unwrap();
        assert!(found.len() > 1);
        assert!(found.iter().all(|condition| crate::wire::encoded(condition).len() < 260));
        let all = found.join("");
        assert!((0..40).all(|n| all.contains(&format!("'value{n:03}'"))));
    }
}
