//! What a signed delivery says: an entity and one or several records of it.
//!
//! `{"entity": "public.accounts", "key": 42}`, or `"keys": [41, 42]`; also inside `data`, where
//! senders of the Standard Webhooks scheme have what their message is about, where `data` names
//! an entity. Whatever else it has is not looked at.

use serde::Deserialize;

/// More records than this are several deliveries.
const RECORDS_MAX: usize = 1_000;
/// A key of several columns is a short list.
const KEY_CHARS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Body {
    /// Anything, and what it is about only where it names that.
    data: Option<serde_json::Value>,
    #[serde(flatten)]
    about: About,
}

#[derive(Deserialize, Default)]
struct About {
    entity: Option<String>,
    key: Option<Name>,
    keys: Option<Vec<Name>>,
}

/// A key: as text, or a whole number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(i64),
}

impl Name {
    fn text(self) -> Option<String> {
        let text = match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        };
        let fits = |text: &String| {
            !text.is_empty() && text.len() <= KEY_CHARS_MAX && !text.chars().any(char::is_control)
        };
        Some(text).filter(fits)
    }
}

/// The entity and the keys that a signed delivery names.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub(super) fn read(body: &[u8]) -> Result<(String, Vec<String>), String> {
    let example = "as {\"entity\": \"public.accounts\", \"keys\": [\"42\"]}";
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| format!("the body is not JSON that names an entity and keys, {example}"))?;
    let names = |data: &serde_json::Value| data.get("entity").is_some_and(|name| name.is_string());
    let within = body.data.filter(names);
    let about = match within {
        Some(data) => serde_json::from_value(data)
            .map_err(|_| format!("`data` does not name an entity and keys, {example}"))?,
        None => body.about,
    };
    let entity = about.entity.filter(|entity| !entity.is_empty());
    let entity = entity.ok_or_else(|| format!("the body names no `entity`, {example}"))?;
    let names: Vec<Name> = about.key.into_iter().chain(about.keys.into_iter().flatten()).collect();
    if names.is_empty() {
        return Err(format!("the body names no `key` and no `keys`, {example}"));
    }
    if names.len() > RECORDS_MAX {
        return Err(format!("the body names more than {RECORDS_MAX} records"));
    }
    let keys: Option<Vec<String>> = names.into_iter().map(Name::text).collect();
    let keys =
        keys.ok_or_else(|| format!("a key is empty, or has more than {KEY_CHARS_MAX} characters"))?;
    Ok((entity, keys))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn one_or_several_records_are_named_plainly_or_within_data() {
        let ok = |body: &str| read(body.as_bytes()).unwrap();
        let one = ("a.b".to_owned(), vec!["42".to_owned()]);
        assert_eq!(ok(r#"{"entity":"a.b","key":"42"}"#), one);
        assert_eq!(ok(r#"{"entity":"a.b","key":42,"more":[1]}"#), one);
        assert_eq!(ok(r#"{"type":"x","data":{"entity":"a.b","keys":["42"]}}"#), one);
        // What else a sender calls `data` is its own.
        assert_eq!(ok(r#"{"entity":"a.b","key":42,"data":{"name":"x"}}"#), one);
        assert_eq!(ok(r#"{"entity":"a.b","key":42,"data":"x"}"#), one);
        assert_eq!(ok(r#"{"entity":"a.b","keys":[1,"[\"x\",2]"]}"#).1, ["1", "[\"x\",2]"]);
    }

    #[test]
    fn what_names_nothing_is_refused_without_repeating_it() {
        let many = format!(r#"{{"entity":"a","keys":[{}0]}}"#, "0,".repeat(1000));
        for body in [
            "",
            "secret",
            "[]",
            r#"{"entity":"secret"}"#,
            r#"{"key":"secret"}"#,
            r#"{"entity":"a","keys":[]}"#,
            r#"{"entity":"","key":"secret"}"#,
            r#"{"entity":"a","key":""}"#,
            r#"{"entity":"a","key":{"secret":1}}"#,
            r#"{"entity":"a","key":"secret\u0000"}"#,
            &many,
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
