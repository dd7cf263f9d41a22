//! How commands write values, times and names, for people and as JSON.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value as Json, json};
use syncline_sdk::{Actor, ActorKind, Instant, Precision, Value};

/// A text of somebody else's with its control characters escaped, so that it can neither break
/// a line nor steer a terminal.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_format(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Characters that turn the direction of text around or cannot be seen.
fn is_format(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A value for people: text in quotes, so that it cannot be mistaken for a number or for nothing.
pub fn value(value: &Value) -> String {
    match value {
        Value::Absent => "(not known)".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        other => plain(&other.to_string()),
    }
}

/// Several values for people: the fields of a unit.
pub fn values(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(value).collect();
    texts.join(", ")
}

/// The beginning of a text, with a mark where it was cut.
pub fn short(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value as JSON. The kind tells apart what JSON has one word for: `absent` and `null`, text
/// and a decimal, whose digits stay exact as text.
pub fn value_json(value: &Value) -> Json {
    let plain = match value {
        Value::Absent | Value::Null => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::List(items) => items.iter().map(value_json).collect(),
        other => other.to_string().into(),
    };
    json!({ "kind": value.kind(), "value": plain })
}

/// How long ago something was, in its largest unit.
pub fn age(now: Instant, micros: i64) -> String {
    let seconds = now.micros().saturating_sub(micros).max(0) / 1_000_000;
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A time to the second.
pub fn time(micros: i64) -> String {
    Instant::new(micros, Precision::Second).to_string()
}

/// A time to the second and how long ago that was.
pub fn time_and_age(now: Instant, micros: i64) -> String {
    format!("{} ({} ago)", time(micros), age(now, micros))
}

/// Who changed something, where the system told.
pub fn actor(actor: &Actor) -> Option<String> {
    let id = actor.id.as_deref().map(plain);
    match (actor.kind, id) {
        (ActorKind::Person | ActorKind::Unknown, Some(id)) => Some(id),
        (ActorKind::Person, None) => Some("a person".to_owned()),
        (ActorKind::Automation, Some(id)) => Some(format!("{id} (automation)")),
        (ActorKind::Automation, None) => Some("an automation".to_owned()),
        (ActorKind::Sync, _) => Some("the user that Syncline works as".to_owned()),
        (ActorKind::Unknown, None) => None,
    }
}

/// An actor as JSON.
pub fn actor_json(actor: &Actor) -> Json {
    json!({ "kind": actor.kind, "id": actor.id })
}

/// A time as JSON: RFC 3339, UTC.
pub fn time_json(micros: i64) -> Json {
    Instant::from_micros(micros).to_string().into()
}

/// `1 record`, `2 records`, of a word whose plural takes an s.
pub fn count(number: i64, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    }
}

/// An empty table of the house: no lines, as wide as the terminal at most.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.iter().copied());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table as lines, each moved in.
pub fn indented(table: &Table) -> String {
    let lines: Vec<String> =
        table.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(plain("abc\u{202e}gpj"), "abc\\u{202e}gpj");
        assert_eq!(plain("Čapek & Söhne 株式会社"), "Čapek & Söhne 株式会社");
        assert_eq!(value(&Value::from("a\u{1b}[2J\"")), r#""a\u{1b}[2J\"""#);
    }

    #[test]
    fn text_nothing_and_unknown_are_told_apart() {
        let told =
            [Value::from("null"), Value::Null, Value::Absent, Value::from("")].map(|v| value(&v));
        assert_eq!(told, ["\"null\"", "null", "(not known)", "\"\""]);
        assert_eq!(value_json(&Value::Absent)["kind"], "absent");
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let now = Instant::from_micros(1_000_000_000_000);
        let ages = [0, 119, 120, 7_199, 7_200, 172_799, 172_800, -5]
            .map(|seconds| age(now, 1_000_000_000_000 - seconds * 1_000_000));
        assert_eq!(ages, ["0s", "119s", "2m", "119m", "2h", "47h", "2d", "0s"]);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(short("žluťoučký", 4), "žluť…");
        assert_eq!(short("žluť", 4), "žluť");
    }
}
