//! How much two fields look like the same thing: by their names, their types, their values.

use std::collections::BTreeSet;

use syncline_sdk::{FieldType, Value};

/// Words that mean the same in the systems of most companies. The first of a row stands for it.
const SYNONYMS: [&[&str]; 14] = [
    &["website", "domain", "url", "web", "homepage"],
    &["phone", "telephone", "tel"],
    &["mobile", "cell", "cellphone"],
    &["email", "mail"],
    &["postal", "zip", "postcode", "postalcode", "zipcode", "plz"],
    &["account", "company", "organisation", "organization", "customer", "client"],
    &["description", "notes", "note", "comment", "comments", "remark"],
    &["first", "given", "firstname"],
    &["last", "family", "surname", "lastname"],
    &["state", "region", "province"],
    &["employees", "headcount", "staff"],
    &["revenue", "turnover"],
    &["birthdate", "birthday", "dob"],
    &["quantity", "qty", "count"],
];

/// The words of a name, each in the form that stands for its synonyms: `AnnualRevenue`,
/// `annual_revenue` and `Annual_Revenue__c` have the same.
fn words(name: &str) -> Vec<String> {
    // `X__pc` of an account is the field `X__c` of the person that it is.
    let custom = ["__c", "__pc"].into_iter().find_map(|suffix| name.strip_suffix(suffix));
    let name = custom.unwrap_or(name);
    let mut words = vec![String::new()];
    let mut lower = false;
    for character in name.chars() {
        let breaks = !character.is_alphanumeric() || character.is_uppercase() && lower;
        if breaks && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (character.is_alphanumeric(), words.last_mut()) {
            word.extend(character.to_lowercase());
        }
        lower = character.is_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words.into_iter().map(|word| standing_for(&word)).collect()
}

fn standing_for(word: &str) -> String {
    let row = SYNONYMS.iter().find(|row| row.contains(&word));
    row.map_or(word, |row| row[0]).to_owned()
}

/// The words of an entity's name, without a schema's before it: in the names of its fields they
/// tell nothing.
pub(super) fn entity_words(entity: &str) -> BTreeSet<String> {
    let name = entity.rsplit('.').next().unwrap_or(entity);
    let single = |word: String| match word.strip_suffix('s') {
        Some(single) => [standing_for(single), word].into(),
        None => vec![word],
    };
    words(name).into_iter().flat_map(single).collect()
}

/// How alike two names are, 0 to 1.
pub(super) fn names(left: &str, right: &str, entities: &BTreeSet<String>) -> f64 {
    let telling = |name: &str| -> BTreeSet<String> {
        let all = words(name);
        let telling: BTreeSet<String> =
            all.iter().filter(|word| !entities.contains(*word)).cloned().collect();
        if telling.is_empty() { all.into_iter().collect() } else { telling }
    };
    let (left, right) = (telling(left), telling(right));
    let joined = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<String>();
    if joined(&left) == joined(&right) {
        return 1.0;
    }
    share(left.intersection(&right).count(), left.union(&right).count())
}

/// Whether a name says that the field tells records apart. Codes of places and numbers of
/// telephones are many records'.
pub(super) fn is_key_name(name: &str) -> bool {
    let telling = ["id", "key", "code", "number", "no", "email", "website", "uuid", "external"];
    let shared = ["postal", "country", "state", "currency", "area", "phone", "mobile", "fax"];
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    has(&telling) && !has(&shared)
}

/// Types that can hold the same values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    Text,
    Number,
    Bool,
    Date,
    Time,
    Instant,
    Set,
    /// What a proposal leaves to people: references, documents, bytes, native types.
    Other,
}

/// The sort of a type.
pub(super) fn sort(kind: &FieldType) -> Sort {
    match kind {
        FieldType::Bool => Sort::Bool,
        FieldType::Int { .. } | FieldType::Decimal { .. } => Sort::Number,
        FieldType::Text { .. } | FieldType::Enum { .. } | FieldType::Uuid => Sort::Text,
        FieldType::Set { .. } | FieldType::List(_) => Sort::Set,
        FieldType::Date => Sort::Date,
        FieldType::Time => Sort::Time,
        FieldType::Instant { .. } => Sort::Instant,
        FieldType::Bytes | FieldType::Json | FieldType::Reference { .. } | FieldType::Raw => {
            Sort::Other
        }
    }
}

/// A value in a form that is the same on both sides; nothing where there is none.
pub(super) fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::Absent | Value::Null => return None,
        Value::Decimal(number) => {
            let text = number.to_string();
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        Value::Instant(instant) => (instant.micros() / 1_000_000).to_string(),
        other => other.to_string().trim().to_lowercase(),
    };
    (!text.is_empty()).then_some(text)
}

/// A share, 0 where there is nothing to share.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share of a sample")]
    let share = part as f64 / whole.max(1) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_words() {
        let none = BTreeSet::new();
        assert_eq!(words("AnnualRevenue"), words("annual_revenue"));
        assert_eq!(words("Annual_Revenue__c"), words("AnnualTurnover"));
        assert_eq!(words("Loyalty_Tier__pc"), words("loyalty_tier"));
        for (left, right) in [("Name", "name"), ("Website", "domain"), ("LastName", "surname")] {
            assert!(names(left, right, &none) > 0.4, "{left} {right}");
        }
        assert!(names("Phone", "fax", &none) < 0.1);
        let accounts = entity_words("public.accounts");
        assert_eq!(names("AccountNumber", "number", &accounts), 1.0);
        assert_eq!(names("Name", "account_name", &accounts), 1.0);
    }

    #[test]
    fn names_tell_what_is_a_key() {
        for name in ["AccountNumber", "Ops_Id__c", "email", "sku_code"] {
            assert!(is_key_name(name), "{name}");
        }
        for name in ["Phone", "PhoneNumber", "BillingPostalCode", "country_code", "Name"] {
            assert!(!is_key_name(name), "{name}");
        }
    }

    #[test]
    fn values_of_both_sides_are_brought_into_one_form() {
        let decimal = Value::Decimal("12.500".parse().unwrap());
        assert_eq!(plain(&decimal).as_deref(), Some("12.5"));
        assert_eq!(plain(&Value::Int(7)), plain(&Value::Decimal("7.0".parse().unwrap())));
        assert_eq!(plain(&Value::from("  ACME ")).as_deref(), Some("acme"));
        assert_eq!((plain(&Value::Null), plain(&Value::from(" "))), (None, None));
    }
}
