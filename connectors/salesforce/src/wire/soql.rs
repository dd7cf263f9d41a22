//! SOQL texts: literals and their escapes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use syncline_sdk::Value;

use super::codec;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The query percent-encoded for a request line (space as `%20`, never `+`).
pub(crate) fn encoded(soql: &str) -> String {
    utf8_percent_encode(soql, QUERY).to_string()
}

/// A string literal. SOQL knows exactly these escapes; any other backslash is an error (SOQL
/// guide, quoted string escape sequences).
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    escape(text, &mut out);
    out.push('\'');
    out
}

/// A LIKE pattern that finds every text with these digits in this order, whatever stands
/// between them.
pub(crate) fn digits_pattern(digits: &str) -> String {
    let mut pattern = String::from("'%");
    for digit in digits.chars().filter(char::is_ascii_digit) {
        pattern.push(digit);
        pattern.push('%');
    }
    pattern.push('\'');
    pattern
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// The literal of a value; nothing for one that no SOQL condition can hold.
pub(crate) fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(decimal) if decimal.is_finite() => decimal.canonical(),
        Value::Text(text) => quoted(text),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => codec::time_text(*time),
        Value::Instant(instant) => codec::instant_text(*instant)?,
        Value::Uuid(uuid) => quoted(&uuid.to_string()),
        Value::List(items) => quoted(&codec::members(items)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a literal back as the SOQL guide says.
    fn unquoted(literal: &str) -> String {
        let inner = literal.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
        let mut out = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            assert_ne!(c, '\'');
            if c != '\\' {
                out.push(c);
                continue;
            }
            out.push(match chars.next().unwrap() {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let hex: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap()
                }
                c @ ('\'' | '\\') => c,
                other => panic!("unknown escape {other}"),
            });
        }
        out
    }

    proptest! {
        #[test]
        fn every_text_survives_its_literal(text in ".*") {
            prop_assert_eq!(unquoted(&quoted(&text)), text);
        }
        #[test]
        fn no_text_ends_its_literal(text in "[\\\\'\"\n\u{0}-\u{20}a]*") {
            prop_assert_eq!(unquoted(&quoted(&text)), text);
        }
    }

    #[test]
    fn the_request_line_holds_no_bare_sign() {
        assert_eq!(encoded("a = '1+1'&"), "a%20%3D%20%271%2B1%27%26");
    }
}
