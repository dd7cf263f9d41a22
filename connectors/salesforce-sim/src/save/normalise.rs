//! What the service changes in a value before it stores it, so that what is read back differs
//! from what was written.

use std::borrow::Cow;

use crate::org::settings::Settings;
use crate::schema::{FieldDef, FieldType};

/// ASCII white space at both ends goes; a no-break space stays (SOAP guide, string type).
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}')
}

/// Characters that XML 1.0 cannot carry are stripped (SOAP guide, string type).
pub(crate) fn without_control(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}');
    if text.contains(bad) {
        Cow::Owned(text.chars().filter(|c| !bad(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// E-mail values come back in lower case.
pub(crate) fn email(text: String, settings: &Settings) -> String {
    if settings.lower_case_email { text.to_lowercase() } else { text }
}

/// A picklist value that differs only by case takes the defined spelling.
pub(crate) fn picklist(field: &FieldDef, text: String, settings: &Settings) -> String {
    if !settings.fold_picklist_case {
        return text;
    }
    let same = |entry: &&crate::schema::PicklistValue| entry.value.eq_ignore_ascii_case(&text);
    match field.picklist.iter().find(same) {
        Some(entry) => entry.value.clone(),
        None => text,
    }
}

/// Multi-select values come back in the order of the field's definition, whatever order was
/// written (help article 000231088); unknown ones follow.
pub(crate) fn multi_select(field: &FieldDef, text: &str, settings: &Settings) -> String {
    let mut chosen: Vec<String> = text
        .split(';')
        .map(trimmed)
        .filter(|part| !part.is_empty())
        .map(|part| picklist(field, part.to_owned(), settings))
        .collect();
    let place = |value: &String| {
        field.picklist.iter().position(|entry| entry.value == *value).unwrap_or(usize::MAX)
    };
    chosen.sort_by_key(place);
    if settings.dedupe_multi_select {
        chosen.dedup();
    }
    chosen.join(";")
}

/// A number is kept as a double: at most 15 significant digits. It is *not* rounded to the
/// scale of the field (help articles 000385689, 000394530).
pub(crate) fn fifteen_digits(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// dateTime has one-second precision (SOAP guide, primitive data types).
pub(crate) fn whole_second(at: jiff::Timestamp, settings: &Settings) -> i64 {
    let ms = at.as_millisecond();
    if settings.round_milliseconds { (ms + 500).div_euclid(1000) } else { ms.div_euclid(1000) }
}

/// All text rules of a field in their order; empty text is null to the caller.
pub(crate) fn text(field: &FieldDef, given: &str, settings: &Settings) -> String {
    let kept = without_control(given);
    let kept = trimmed(&kept);
    match field.ty {
        FieldType::Email => email(kept.to_owned(), settings),
        FieldType::Picklist => picklist(field, kept.to_owned(), settings),
        FieldType::MultiPicklist => multi_select(field, kept, settings),
        _ => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::standard_objects;

    fn field(name: &str) -> FieldDef {
        let objects = standard_objects();
        let contact = objects.iter().find(|object| object.name == "Contact").unwrap();
        contact.field(name).unwrap().1.clone()
    }

    #[test]
    fn only_ascii_white_space_is_trimmed() {
        assert_eq!(trimmed(" \t\r\na b\n"), "a b");
        assert_eq!(trimmed("\u{a0}a\u{2003}"), "\u{a0}a\u{2003}");
        assert_eq!(without_control("a\u{1}b\tc"), "ab\tc");
    }

    #[test]
    fn switches_turn_rules_off() {
        let plain = Settings {
            lower_case_email: false,
            fold_picklist_case: false,
            dedupe_multi_select: false,
            round_milliseconds: true,
            ..Settings::default()
        };
        let usual = Settings::default();
        for (name, given, on, off) in [
            ("Email", "A@B.C", "a@b.c", "A@B.C"),
            ("Tier__c", "GOLD", "Gold", "GOLD"),
            ("Tags__c", "Gold;Red;Red", "Red;Gold", "Red;Red;Gold"),
        ] {
            assert_eq!(text(&field(name), given, &usual), on);
            assert_eq!(text(&field(name), given, &plain), off);
        }
        let at: jiff::Timestamp = "2026-11-21T08:00:00.500Z".parse().unwrap();
        assert_eq!(whole_second(at, &plain) - whole_second(at, &usual), 1);
        let before_1970: jiff::Timestamp = "1969-12-31T23:59:59.999Z".parse().unwrap();
        assert_eq!(whole_second(before_1970, &usual), -1);
    }

    #[test]
    fn fifteen_digits_stay() {
        for (given, kept) in [
            (1.5, 1.5),
            (123_456_789_012_345.0, 123_456_789_012_345.0),
            (1.234_567_890_123_456_7, 1.234_567_890_123_46),
            (-0.1, -0.1),
            (0.0, 0.0),
        ] {
            assert!((fifteen_digits(given) - kept).abs() < f64::EPSILON * kept.abs().max(1.0));
        }
    }
}
